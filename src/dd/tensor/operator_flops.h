// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/ivalue.h>
#include <c10/util/ArrayRef.h>

#include <string_view>

namespace dd {

/// Floating-point operations of one call of an ATen operator, from the shapes of its arguments: two
/// for each multiplication with its addition, as docs/performance.md counts them. Matrix products,
/// convolutions and attention, forward and backward; 0 for everything else, and where the arguments
/// are not of the expected form. A causal mask is not taken off.
double operator_flops(std::string_view name, c10::ArrayRef<const c10::IValue> inputs);

}  // namespace dd
