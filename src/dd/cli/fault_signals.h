// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace dd::cli {

/// Two signals that would end the program without a word. SIGBUS: a model's file, which is mapped
/// into memory, was cut off or its disk failed while it was read; the program then says so in one
/// line and exits with status 1. SIGXFSZ: a limit on the size of files (`ulimit -f`) was reached;
/// the write fails instead, and its error is reported as that of a full disk is.
void explain_fault_signals();

}  // namespace dd::cli
