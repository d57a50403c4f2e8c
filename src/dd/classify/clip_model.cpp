// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/clip_model.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "dd/core/files.h"
#include "dd/data/parallel.h"
#include "dd/io/fingerprint.h"
#include "dd/tensor/shared_rows.h"
#include "dd/text/openai_merges.h"
#include "dd/text/prompt.h"

namespace dd::classify {
namespace {

namespace fs = std::filesystem;

std::vector<Image> read_fitted(const ClipModel& model, const Dataset& images, std::int64_t first,
                               std::int64_t count, std::int64_t threads,
                               const CancelToken& cancel) {
  std::vector<Image> fitted(static_cast<std::size_t>(count));
  NullReporter silent;
  for_each_parallel(count, threads, {silent, cancel}, "", [&](std::int64_t i) {
    fitted[static_cast<std::size_t>(i)] = model.preprocess.fit(images.image(first + i));
  });
  return fitted;
}

}  // namespace

void ClipSource::visit(FieldVisitor& visitor) {
  visitor.field("clip", path,
                {.help = "CLIP: a Hugging Face or OpenCLIP folder, OpenAI's archive (.pt), or a "
                         "state_dict of either (.pt, .bin, .safetensors)",
                 .required = true});
  visitor.field("tokenizer", tokenizer,
                {.help = "tokenizer folder, tokenizer.json, merges.txt or "
                         "bpe_simple_vocab_16e6.txt.gz; empty = what lies with the CLIP"});
  visitor.field("activation", activation,
                {.help = "activation of the CLIP; auto = as its files say, quick_gelu for OpenAI's "
                         "own files, gelu for OpenCLIP's without a configuration",
                 .choices = {"auto", "quick_gelu", "gelu"}});
}

fs::path ClipSource::find_tokenizer() const {
  if (!path_exists(path)) fail_input(cat("no CLIP at ", path.string(), "; check --clip"));
  if (!tokenizer.empty()) {
    if (path_is_folder(tokenizer / "tokenizer")) return tokenizer / "tokenizer";
    if (path_exists(tokenizer)) return tokenizer;
    fail_input(cat("no tokenizer at ", tokenizer.string(), "; check --tokenizer"));
  }
  fs::path folder = path_is_folder(path) ? path : fs::absolute(path).parent_path();
  if (path_is_folder(folder / "tokenizer")) return folder / "tokenizer";
  for (const char* file : {"tokenizer.json", "merges.txt", kOpenAiMerges}) {
    if (path_exists(folder / file)) return folder;
  }
  fail_input(cat("no tokenizer in ", folder.string(), "; give --tokenizer a tokenizer folder, ",
                 "merges.txt or OpenAI's ", kOpenAiMerges));
}

std::string ClipSource::fingerprint() const {
  const fs::path found = find_tokenizer();
  std::string model = io::fingerprint_of_model(path);
  // Folders as they are have the hash of their files.
  if (path_is_folder(path) && tokenizer.empty() && activation == "auto") return model;
  return sha256_of(cat(model, io::fingerprint_of_model(found), activation));
}

ClipModel ClipModel::load(const ClipSource& source, Placement placement) {
  const fs::path words = source.find_tokenizer();
  models::LoadedClip loaded = models::load_clip(source.path, placement, source.activation);
  ClipTokenizer tokenizer = ClipTokenizer::load(words);
  const models::ClipConfig& config = loaded.clip.config();
  if (tokenizer.vocab_size() > config.text.vocab_size) {
    fail_input(cat("the tokenizer in ", words.string(), " has ", tokenizer.vocab_size(),
                   " entries, but the text tower only ", config.text.vocab_size,
                   "; fetch both from the same model"));
  }
  const std::int64_t end = config.text.end_token;
  // 2 stands for the highest id (models/clip_text.h).
  if (end != 2 && end != tokenizer.end_id()) {
    fail_input(cat("the tokenizer in ", words.string(), " ends texts with ", tokenizer.end_id(),
                   ", but the text tower looks for ", end, "; fetch both from the same model"));
  }
  const Preprocess preprocess = Preprocess::load(source.path, config.vision.image_size);
  return {std::move(loaded.clip), std::move(tokenizer),     preprocess, placement,
          source.fingerprint(),   std::move(loaded.assumed)};
}

models::ClipPrompts class_prompts(const ClipModel& model,
                                  const std::vector<std::string>& class_names,
                                  const std::string& prompt_template, Reporter& report) {
  const models::ClipTextConfig& config = model.clip.config().text;
  const std::int64_t length = model.tokenizer.context_length();
  at::Tensor tokens = at::empty({static_cast<std::int64_t>(class_names.size()), length}, at::kLong);
  auto* out = tokens.mutable_data_ptr<std::int64_t>();
  std::int64_t longest = 0;
  for (const std::string& name : class_names) {
    const Encoding encoding = model.tokenizer.encode(fill_template(prompt_template, name));
    if (encoding.truncated) {
      report.warn(
          cat("the prompt of class \"", name, "\" is longer than ", length, " tokens and was cut"));
    }
    longest = std::max(longest, encoding.length);
    out = std::copy(encoding.ids.begin(), encoding.ids.end(), out);
  }
  if (longest > config.positions) {
    fail_input(cat("a class prompt takes ", longest, " tokens, but this CLIP reads only ",
                   config.positions, "; shorten --template or the class names"));
  }
  const models::ClipPrompts prompts = models::clip_prompts(tokens, config.end_token);
  return {prompts.tokens.to(model.placement.device), prompts.shared};
}

at::Tensor cosine_logits(const ClipModel& model, const at::Tensor& image_features,
                         const at::Tensor& text_features) {
  const at::Tensor scale = model.clip.logit_scale().to(at::kFloat).exp();
  return image_features.to(at::kFloat).matmul(text_features.to(at::kFloat).t()) * scale;
}

at::Tensor score_images(const ClipModel& model, const at::Tensor& text_features,
                        const Dataset& images, const ScoreOptions& options,
                        const Context& context) {
  const at::NoGradGuard no_grad;
  ensure(images.size() > 0, "there is no image to score");
  const auto batch = [&](std::int64_t first, std::int64_t count) {
    context.cancel.check();
    const std::vector<Image> fitted =
        read_fitted(model, images, first, count, options.threads, context.cancel);
    const at::Tensor features =
        model.clip.encode_images(model.preprocess.pixels(fitted, model.placement));
    if (!options.name.empty()) {
      context.report.progress(options.name, first + count, images.size(), "");
    }
    // Left on the device, which so goes on while the next images are decoded.
    return cosine_logits(model, features, text_features);
  };
  return share_rows(context.ranks, images.size(), options.batch, batch);
}

at::Tensor classify_images(const ClipModel& model, const models::ClipPrompts& prompts,
                           const Dataset& images, const ScoreOptions& options,
                           const Context& context) {
  const at::NoGradGuard no_grad;
  return score_images(model, model.clip.encode_texts(prompts), images, options, context);
}

}  // namespace dd::classify
