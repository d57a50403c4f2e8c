// SPDX-License-Identifier: Apache-2.0
#include "dd/core/json.h"

#include "dd/core/files.h"
#include "dd/core/json_text.h"

namespace dd {

Json read_json(const std::filesystem::path& path) {
  constexpr std::uintmax_t kLimit = std::uintmax_t{256} << 20;
  const std::string text = read_file(path, kLimit);
  if (nests_too_deeply(text))
    fail_input(
        cat(path.string(), " nests its lists too deeply for any file of ours; fetch it again"));
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
