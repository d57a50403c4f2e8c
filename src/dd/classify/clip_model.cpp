// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/clip_model.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <thread>

#include "dd/data/parallel.h"
#include "dd/io/fingerprint.h"
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

ClipModel ClipModel::load(const fs::path& folder, Placement placement) {
  if (!fs::is_directory(folder)) {
    fail_input(cat("the CLIP folder ", folder.string(), " does not exist; check --clip"));
  }
  models::Clip clip = models::Clip::load(folder, placement);
  const fs::path own = folder / "tokenizer";
  ClipTokenizer tokenizer = ClipTokenizer::from_folder(fs::is_directory(own) ? own : folder);
  if (tokenizer.vocab_size() > clip.config().text.vocab_size) {
    fail_input(cat("the tokenizer in ", folder.string(), " has ", tokenizer.vocab_size(),
                   " entries, but the text tower only ", clip.config().text.vocab_size,
                   "; fetch both from the same model"));
  }
  const std::int64_t end = clip.config().text.end_token;
  // 2 stands for the highest id (models/clip_text.h).
  if (end != 2 && end != tokenizer.end_id()) {
    fail_input(cat("the tokenizer in ", folder.string(), " ends texts with ", tokenizer.end_id(),
                   ", but the text tower looks for ", end, "; fetch both from the same model"));
  }
  const Preprocess preprocess = Preprocess::load(folder, clip.config().vision.image_size);
  return {std::move(clip), std::move(tokenizer), preprocess, placement,
          io::fingerprint_of_model(folder)};
}

at::Tensor class_tokens(const ClipModel& model, const std::vector<std::string>& class_names,
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
  // The tower is causal: nothing behind the last end token matters.
  const std::int64_t used = models::used_length(tokens, config.end_token);
  return tokens.narrow(1, 0, used).to(model.placement.device).contiguous();
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
  std::vector<at::Tensor> logits;
  for (std::int64_t first = 0; first < images.size(); first += options.batch) {
    context.cancel.check();
    const std::int64_t count = std::min(options.batch, images.size() - first);
    const std::vector<Image> fitted =
        read_fitted(model, images, first, count, options.threads, context.cancel);
    const at::Tensor features =
        model.clip.encode_images(model.preprocess.pixels(fitted, model.placement));
    // Left on the device, which so goes on while the next images are decoded.
    logits.push_back(cosine_logits(model, features, text_features));
    if (!options.name.empty()) {
      context.report.progress(options.name, first + count, images.size(), "");
    }
  }
  return at::cat(logits).to(at::kCPU).contiguous();
}

at::Tensor classify_images(const ClipModel& model, const at::Tensor& tokens, const Dataset& images,
                           const ScoreOptions& options, const Context& context) {
  const at::NoGradGuard no_grad;
  return score_images(model, model.clip.encode_texts(tokens), images, options, context);
}

std::int64_t thread_count(std::int64_t threads) {
  if (threads > 0) return threads;
  return std::max<std::int64_t>(1, std::thread::hardware_concurrency());
}

}  // namespace dd::classify
