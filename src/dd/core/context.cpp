// SPDX-License-Identifier: Apache-2.0
#include "dd/core/context.h"

#include "dd/core/error.h"

namespace dd {

void CancelToken::check() const {
  if (requested()) stop();
}

void CancelToken::stop() {
  throw Error(ErrorKind::kCancelled, "stopped; the same command resumes the work");
}

const CancelToken& never_stopped() {
  static const CancelToken never;
  return never;
}

}  // namespace dd
