// SPDX-License-Identifier: Apache-2.0
#include "dd/core/json.h"

#include "dd/core/files.h"

namespace dd {

Json read_json(const std::filesystem::path& path) {
  constexpr std::uintmax_t kLimit = std::uintmax_t{256} << 20;
  const std::string text = read_file(path, kLimit);
  try {
    return Json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    fail_input(cat("invalid JSON in ", path.string(), " at byte ", error.byte,
                   "; mend the file or fetch it again"));
  }
}

void write_json(const std::filesystem::path& path, const Json& value) {
  write_file_atomically(path, value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace dd
