// SPDX-License-Identifier: Apache-2.0
#include "dd/core/common_options.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"

namespace {

TEST(CommonOptions, AcceptsTheDocumentedDevices) {
  for (const char* device : {"auto", "cpu", "cuda", "cuda:0", "cuda:15"}) {
    dd::CommonOptions options;
    options.device = device;
    EXPECT_NO_THROW(options.check()) << device;
  }
}

TEST(CommonOptions, RefusesOtherDevices) {
  for (const char* device : {"", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:123", "cpu:0"}) {
    dd::CommonOptions options;
    options.device = device;
    EXPECT_THROW(options.check(), dd::Error) << device;
  }
}

TEST(CommonOptions, ChecksChoicesAndRanges) {
  dd::CommonOptions options;
  options.dtype = "f64";
  EXPECT_THROW(options.check(), dd::Error);
  options.dtype = "bf16";
  options.threads = -1;
  EXPECT_THROW(options.check(), dd::Error);
  options.threads = 2;
  EXPECT_NO_THROW(options.check());
  options.quiet = options.verbose = true;
  EXPECT_THROW(options.check(), dd::Error);
}

}  // namespace
