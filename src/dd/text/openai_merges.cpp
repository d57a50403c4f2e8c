// SPDX-License-Identifier: Apache-2.0
#include "dd/text/openai_merges.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/text/byte_pairs.h"

namespace dd {
namespace {

constexpr std::size_t kMerges = 49152 - 256 - 2;
constexpr std::size_t kTextLimit = std::size_t{64} << 20;  // OpenAI's list unpacks to 3 MB

/// gzread passes plain files through.
std::string read_packed(const std::filesystem::path& path) {
  const auto fail = [&path](const std::string& why) {
    fail_input(cat("cannot read ", path.string(), ": ", why,
                   "; give a tokenizer folder, merges.txt or ", kOpenAiMerges));
  };
  if (!path_is_file(path)) fail("no such file");
  const std::unique_ptr<gzFile_s, decltype(&gzclose)> file(gzopen(path.c_str(), "rb"), &gzclose);
  if (!file) fail("it cannot be opened");
  std::string text;
  std::vector<char> part(std::size_t{1} << 16);
  while (true) {
    const int got = gzread(file.get(), part.data(), static_cast<unsigned>(part.size()));
    int code = Z_OK;
    gzerror(file.get(), &code);
    if (got < 0 || code != Z_OK) fail("its compressed data are broken");
    if (got == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(got));
    if (text.size() > kTextLimit) fail("it is too large for a list of merges");
  }
}

}  // namespace

TokenizerFiles read_openai_merges(const std::filesystem::path& path) {
  const std::string text = read_packed(path);
  TokenizerFiles files;
  files.vocab_path = files.merges_path = path;
  std::string_view rest = text;
  for (std::size_t number = 1; !rest.empty() && files.merges.size() < kMerges; ++number) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (number == 1 || line.empty()) continue;
    files.merges.push_back(parse_merge(line, cat("line ", number, " of ", path.string())));
  }
  if (files.merges.empty()) {
    fail_input(cat(path.string(), " lists no merges; give a tokenizer folder, merges.txt or ",
                   kOpenAiMerges));
  }
  std::int64_t id = 0;
  const auto add = [&](const std::string& token) { files.vocab[token] = id++; };
  const std::array<std::string, 256> symbols = byte_symbols();
  for (const bool closing : {false, true}) {
    for (const std::uint8_t byte : byte_order())
      add(closing ? symbols[byte] + std::string(kEndOfWord) : symbols[byte]);
  }
  // Of equal entries the last one counts, as in OpenAI's code.
  for (const auto& [left, right] : files.merges) add(left + right);
  add("<|startoftext|>");
  add("<|endoftext|>");
  return files;
}

}  // namespace dd
