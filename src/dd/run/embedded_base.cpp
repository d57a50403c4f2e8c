// SPDX-License-Identifier: Apache-2.0
#include "dd/run/embedded_base.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "dd/core/error.h"
#include "dd/core/files.h"

namespace dd::run {
namespace fs = std::filesystem;
namespace {

std::vector<fs::path> places() {
  if (const char* named = std::getenv("DATADREAM_ASSETS"); named != nullptr && *named != '\0') {
    return {named};
  }
  std::error_code unknown;
  const fs::path program = fs::read_symlink("/proc/self/exe", unknown);
  if (unknown) return {};
  const fs::path root = program.parent_path().parent_path();
  return {root / "assets" / "base", root / "share" / "datadream" / "base"};
}

}  // namespace

EmbeddedBase embedded_base() {
  std::string looked;
  for (const fs::path& place : places()) {
    EmbeddedBase base{place / "stable-diffusion", place / "clip"};
    if (path_is_folder(base.model) && path_is_folder(base.clip)) return base;
    looked += cat(looked.empty() ? "" : " and ", place.string());
  }
  fail_input(cat("the embedded base (stable-diffusion and clip) was not found",
                 looked.empty() ? "" : " in ", looked,
                 "; give --model and --clip, or name its folder in DATADREAM_ASSETS"));
}

}  // namespace dd::run
