// SPDX-License-Identifier: Apache-2.0
#include "dd/core/json.h"

#include "dd/core/files.h"
#include "dd/core/json_text.h"

namespace dd {

Json read_json(const std::filesystem::path& path) {
  constexpr std::string_view kRemedy = "mend the file or fetch it again";
  constexpr std::uintmax_t kLimit = std::uintmax_t{256} << 20;
  return parse_document<Json>(read_file(path, kLimit), path.string(), kRemedy);
}

void write_json(const std::filesystem::path& path, const Json& value) {
  write_file_atomically(path, value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace dd
