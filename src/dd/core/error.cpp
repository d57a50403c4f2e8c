// SPDX-License-Identifier: Apache-2.0
#include "dd/core/error.h"

namespace dd {

void fail_usage(const std::string& text) {
  throw Error(ErrorKind::kUsage, text);
}
void fail_input(const std::string& text) {
  throw Error(ErrorKind::kInput, text);
}
void fail_resource(const std::string& text) {
  throw Error(ErrorKind::kResource, text);
}
void fail_internal(const std::string& text) {
  throw Error(ErrorKind::kInternal, text);
}

}  // namespace dd
