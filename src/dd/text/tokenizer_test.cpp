// SPDX-License-Identifier: Apache-2.0
#include "dd/text/tokenizer.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/text/bpe_learner.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using dd::test::TemporaryFolder;
using Ids = std::vector<std::int64_t>;

void write_packed(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())),
            static_cast<int>(text.size()));
  ASSERT_EQ(gzclose(file), Z_OK);
}

/// A tokenizer that knows the words of "a photo of a cat", to be damaged by a test.
class TokenizerFiles : public testing::Test {
 protected:
  TokenizerFiles() { learn(40, 77); }

  void learn(std::int64_t merges, std::int64_t context) {
    const std::vector<std::string> corpus = {"a photo of a cat", "a photo of a dog"};
    dd::write_learned_tokenizer(folder(), corpus, merges, context);
  }

  const fs::path& folder() const { return folder_.path(); }
  dd::ClipTokenizer load() const { return dd::ClipTokenizer::load(folder()); }
  void write(const char* file, std::string_view text) const {
    dd::write_file_atomically(folder() / file, text);
  }
  void edit(const char* file, const std::function<void(dd::Json&)>& change) const {
    dd::Json value = dd::read_json(folder() / file);
    change(value);
    dd::write_json(folder() / file, value);
  }

  /// Loading must fail as bad input, with a text that holds all of `parts`.
  void expect_refused(const std::vector<std::string>& parts) const {
    try {
      load();
      ADD_FAILURE() << "loaded, expected: " << parts[0];
    } catch (const dd::Error& error) {
      EXPECT_EQ(error.kind(), dd::ErrorKind::kInput) << error.what();
      for (const auto& part : parts) {
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      }
    }
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(TokenizerFiles, LearnedWordsAreOneToken) {
  const auto tokenizer = load();
  const auto encoding = tokenizer.encode("A  photo of a DOG");
  EXPECT_EQ(encoding.length, 7);
  EXPECT_FALSE(encoding.truncated);
  EXPECT_EQ(encoding.ids.size(), 77U);
  EXPECT_EQ(encoding.ids[0], tokenizer.start_id());
  EXPECT_EQ(encoding.ids[1], encoding.ids[4]);
  EXPECT_EQ(encoding.ids[6], tokenizer.end_id());
  EXPECT_EQ(encoding.ids[76], tokenizer.pad_id());
  EXPECT_EQ(tokenizer.vocab_size(), tokenizer.end_id() + 1);
}

TEST_F(TokenizerFiles, LongTextKeepsTheEndToken) {
  learn(40, 5);
  const auto tokenizer = load();
  const auto fits = tokenizer.encode("a photo of");
  EXPECT_FALSE(fits.truncated);
  EXPECT_EQ(fits.length, 5);
  const auto cut = tokenizer.encode("a photo of a");
  EXPECT_TRUE(cut.truncated);
  EXPECT_EQ(cut.ids, fits.ids);
  const auto huge = tokenizer.encode(std::string(1 << 20, 'a'));
  EXPECT_TRUE(huge.truncated);
  EXPECT_EQ(huge.ids.size(), 5U);
}

TEST_F(TokenizerFiles, AbsurdContextLengthsMean77) {
  for (const dd::Json& length : {dd::Json(1e30), dd::Json(-1), dd::Json(), dd::Json("long")}) {
    edit("tokenizer_config.json", [&](dd::Json& config) { config["model_max_length"] = length; });
    EXPECT_EQ(load().context_length(), 77);
  }
}

TEST_F(TokenizerFiles, SpecialTokensMapWinsAndItsPaddingIsFoundInText) {
  edit("special_tokens_map.json", [](dd::Json& map) {
    map["pad_token"] = {{"content", "!"}, {"lstrip", false}, {"normalized", true}};
  });
  const auto tokenizer = load();
  EXPECT_EQ(tokenizer.pad_id(), 0);
  const auto encoding = tokenizer.encode("cat!!");
  EXPECT_EQ(Ids(encoding.ids.begin() + 2, encoding.ids.begin() + 6),
            (Ids{0, 0, tokenizer.end_id(), 0}));
}

TEST_F(TokenizerFiles, SettingsMayBeMissing) {
  fs::remove(folder() / "special_tokens_map.json");
  fs::remove(folder() / "tokenizer_config.json");
  const auto tokenizer = load();
  EXPECT_EQ(tokenizer.pad_id(), tokenizer.end_id());
  EXPECT_EQ(tokenizer.context_length(), 77);
}

TEST_F(TokenizerFiles, TokenizerJsonTakesMergesAsTextOrAsPairs) {
  const Ids expected = load().encode("a photo of a cat").ids;
  dd::Json text = dd::Json::array(), pairs = dd::Json::array();
  std::istringstream merges(dd::read_file(folder() / "merges.txt"));
  std::string left, right;
  std::getline(merges, left);
  while (merges >> left >> right) {
    text.push_back(dd::cat(left, " ", right));
    pairs.push_back({left, right});
  }
  dd::Json root = {{"model",
                    {{"type", "BPE"},
                     {"end_of_word_suffix", "</w>"},
                     {"vocab", dd::read_json(folder() / "vocab.json")}}}};
  for (const char* file : {"vocab.json", "merges.txt"}) fs::remove(folder() / file);
  for (const auto& form : {text, pairs}) {
    root["model"]["merges"] = form;
    dd::write_json(folder() / "tokenizer.json", root);
    EXPECT_EQ(load().encode("a photo of a cat").ids, expected);
  }
  root["model"]["end_of_word_suffix"] = nullptr;
  dd::write_json(folder() / "tokenizer.json", root);
  expect_refused({"tokenizer.json", "not the tokenizer of a CLIP"});
}

TEST_F(TokenizerFiles, TruncatedJsonIsNamed) {
  const std::string vocab = dd::read_file(folder() / "vocab.json");
  write("vocab.json", vocab.substr(0, vocab.size() / 2));
  expect_refused({"invalid JSON", "vocab.json", "fetch"});
  write("vocab.json", "[1, 2]");
  expect_refused({"vocab.json", "not a JSON object"});
}

TEST_F(TokenizerFiles, VocabularyWithoutAMergeIsNamed) {
  edit("vocab.json", [](dd::Json& vocab) { vocab.erase("cat</w>"); });
  expect_refused({"cat</w>", "merges.txt", "vocab.json", "fetch them together"});
}

TEST_F(TokenizerFiles, ImpossibleIdsAreNamed) {
  for (const dd::Json& id : {dd::Json(std::uint64_t{1} << 62), dd::Json(-1), dd::Json(1.5),
                             dd::Json("7"), dd::Json(4194304)}) {
    edit("vocab.json", [&](dd::Json& vocab) { vocab["cat</w>"] = id; });
    expect_refused({"cat</w>", "vocab.json", "whole number"});
  }
  edit("vocab.json", [](dd::Json& vocab) { vocab["cat</w>"] = 5; });
  expect_refused({"id 5 stands twice", "vocab.json"});
}

TEST_F(TokenizerFiles, MissingEndTokenIsNamed) {
  edit("vocab.json", [](dd::Json& vocab) { vocab.erase("<|endoftext|>"); });
  expect_refused({"<|endoftext|>", "vocab.json"});
}

TEST_F(TokenizerFiles, BrokenMergeLinesAreNamed) {
  for (const char* line : {"a", "a ", " a", "a b c"}) {
    write("merges.txt", std::string("#version: 0.2\n") + line + "\n");
    expect_refused({"line 2 of", "merges.txt", "not a pair"});
  }
}

TEST_F(TokenizerFiles, MissingFilesAreNamed) {
  fs::remove(folder() / "merges.txt");
  expect_refused({"merges.txt"});
  fs::remove(folder() / "vocab.json");
  expect_refused({folder().string(), "tokenizer.json"});
}

TEST_F(TokenizerFiles, OpenAisMergesAloneGiveTheVocabulary) {
  const Ids expected = load().encode("a photo of a dog").ids;
  const std::string merges = dd::read_file(folder() / "merges.txt");
  const TemporaryFolder other;
  const fs::path plain = other.path() / "merges.txt";
  dd::write_file_atomically(plain, merges);
  const fs::path packed = other.path() / "packed" / "bpe_simple_vocab_16e6.txt.gz";
  write_packed(packed, merges);
  for (const fs::path& path : {plain, other.path(), packed, packed.parent_path()}) {
    const auto tokenizer = dd::ClipTokenizer::load(path);
    EXPECT_EQ(tokenizer.encode("a photo of a dog").ids, expected) << path;
    EXPECT_EQ(tokenizer.vocab_size(), load().vocab_size()) << path;
    EXPECT_EQ(tokenizer.context_length(), 77) << path;
  }
  // A file of a folder stands for the folder, with its settings.
  learn(40, 9);
  EXPECT_EQ(dd::ClipTokenizer::load(folder() / "merges.txt").context_length(), 9);
}

TEST_F(TokenizerFiles, OfOpenAisLongListOnlyTheVocabularysMergesCount) {
  std::string list = "bpe_simple_vocab_16e6.txt#version: 0.2\n";
  for (int i = 0; i < 60000; ++i) list += "a b\n";
  const fs::path file = folder() / "list.txt";
  write("list.txt", list);
  EXPECT_EQ(dd::ClipTokenizer::load(file).vocab_size(), 49408);
}

TEST_F(TokenizerFiles, BrokenListsOfMergesAreNamed) {
  const fs::path file = folder() / "list.txt.gz";
  const auto refusal = [&file] {
    try {
      dd::ClipTokenizer::load(file);
      return std::string("it loaded");
    } catch (const dd::Error& error) {
      EXPECT_EQ(error.kind(), dd::ErrorKind::kInput) << error.what();
      return std::string(error.what());
    }
  };
  EXPECT_NE(refusal().find("no such file"), std::string::npos) << refusal();
  write("list.txt.gz", "");
  EXPECT_NE(refusal().find("no merges"), std::string::npos) << refusal();
  write("list.txt.gz", "title\na b c\n");
  EXPECT_NE(refusal().find("line 2 of"), std::string::npos) << refusal();
  write("list.txt.gz", "title\nab q\n");
  EXPECT_NE(refusal().find("\"ab\" of the merge"), std::string::npos) << refusal();
  write_packed(file, dd::read_file(folder() / "merges.txt"));
  const std::string packed = dd::read_file(file);
  write("list.txt.gz", packed.substr(0, packed.size() / 2));
  EXPECT_NE(refusal().find("broken"), std::string::npos) << refusal();
}

TEST_F(TokenizerFiles, LearningIsDeterministicAndStopsWhenNothingIsLeft) {
  const std::string merges = dd::read_file(folder() / "merges.txt");
  learn(1000, 77);
  EXPECT_EQ(dd::read_file(folder() / "merges.txt"), merges);
  learn(3, 77);
  EXPECT_EQ(load().vocab_size(), 512 + 3 + 2);
}

TEST_F(TokenizerFiles, LearnerRefusesImpossibleSettings) {
  EXPECT_THROW(learn(-1, 77), dd::Error);
  EXPECT_THROW(learn(10, 2), dd::Error);
}

}  // namespace
