// SPDX-License-Identifier: Apache-2.0
// Compares with what tools/oracle/clip_tokenizer.py recorded, id by id.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/text/bpe_learner.h"
#include "dd/text/clean.h"
#include "dd/text/tokenizer.h"
#include "dd/text/unicode.h"
#include "support/temporary_folder.h"

namespace {

const std::filesystem::path kFolder = DD_SOURCE_DIR "/tests/oracle/text";
using Ids = std::vector<std::int64_t>;

void expect_recorded_ids(const dd::ClipTokenizer& tokenizer, const dd::Json& test,
                         const char* column) {
  const Ids recorded = test[column].get<Ids>();
  Ids padded = recorded;
  padded.resize(77, tokenizer.pad_id());
  const dd::Encoding ours = tokenizer.encode(test["text"].get<std::string>());
  EXPECT_EQ(ours.ids, padded) << test["text"];
  EXPECT_EQ(ours.length, static_cast<std::int64_t>(recorded.size())) << test["text"];
}

TEST(TextOracle, CleanedTextIsFtfysAndPythons) {
  for (const auto& test : dd::read_json(kFolder / "prompts.json")) {
    EXPECT_EQ(dd::to_utf8(dd::clean_prompt(test["text"].get<std::string>())),
              test["cleaned"].get<std::string>())
        << test["text"];
  }
}

TEST(TextOracle, IdsAreOpenAisFromBothFileFormats) {
  const auto tests = dd::read_json(kFolder / "prompts.json");
  ASSERT_GT(tests.size(), 100U);
  for (const char* folder : {"files", "files_v5"}) {
    const auto tokenizer = dd::ClipTokenizer::load(kFolder / folder);
    EXPECT_EQ(tokenizer.vocab_size(), 814);
    EXPECT_EQ(tokenizer.start_id(), 812);
    EXPECT_EQ(tokenizer.end_id(), 813);
    EXPECT_EQ(tokenizer.pad_id(), 813);
    EXPECT_EQ(tokenizer.context_length(), 77);
    for (const auto& test : tests) expect_recorded_ids(tokenizer, test, "ids");
  }
}

TEST(TextOracle, ExclamationMarksArePaddingInStableDiffusion2) {
  const auto tokenizer = dd::ClipTokenizer::load(kFolder / "sd2");
  EXPECT_EQ(tokenizer.pad_id(), 0);
  for (const auto& test : dd::read_json(kFolder / "prompts.json")) {
    // Recorded only where OpenAI's ids, which are ours, are others than transformers'.
    if (!test.contains("transformers")) expect_recorded_ids(tokenizer, test, "sd2");
  }
}

TEST(TextOracle, LearnerWritesTheFilesOfThePlainReference) {
  const dd::test::TemporaryFolder folder;
  const auto corpus = dd::read_json(kFolder / "corpus.json").get<std::vector<std::string>>();
  dd::write_learned_tokenizer(folder.path(), corpus, 300);
  EXPECT_EQ(dd::read_file(folder.path() / "merges.txt"),
            dd::read_file(kFolder / "files" / "merges.txt"));
  for (const char* file : {"vocab.json", "special_tokens_map.json", "tokenizer_config.json"}) {
    EXPECT_EQ(dd::read_json(folder.path() / file), dd::read_json(kFolder / "files" / file)) << file;
  }
}

}  // namespace
