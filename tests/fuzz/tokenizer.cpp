// SPDX-License-Identifier: Apache-2.0
// The files of a tokenizer's folder, then a text through what was read. The input holds, cut at
// bytes 0: tokenizer.json, tokenizer_config.json, special_tokens_map.json, vocab.json, merges.txt,
// the text.
#include "dd/text/tokenizer.h"

#include "fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const dd::fuzz::InputFolder folder;
  constexpr std::array<const char*, 5> kNames{"tokenizer.json", "tokenizer_config.json",
                                              "special_tokens_map.json", "vocab.json",
                                              "merges.txt"};
  const auto parts = dd::fuzz::cut_at_zeros<6>(dd::fuzz::text_of(data, size));
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (parts[i].empty()) {
      folder.remove(kNames[i]);
    } else {
      folder.put(kNames[i], parts[i]);
    }
  }
  dd::fuzz::may_refuse([&] {
    const dd::ClipTokenizer tokenizer = dd::ClipTokenizer::load(folder.path());
    const dd::Encoding encoding = tokenizer.encode(parts.back());
    dd::ensure(std::ssize(encoding.ids) == tokenizer.context_length(), "ids are missing");
  });
  return 0;
}
