// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dd/run/setup.h"

namespace dd::run {

/// Compares the shots of all seeds, the validation images and the test images before any work is
/// done; see check_leaks. Test images are decoded for it, but nothing is learned from them: the
/// only outcome is that the run goes on, or does not.
void check_run_leaks(const Setup& setup, const Context& context);

}  // namespace dd::run
