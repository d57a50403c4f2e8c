// SPDX-License-Identifier: Apache-2.0
#include "dd/models/clip_file.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "dd/core/files.h"
#include "dd/models/checkpoint_source.h"
#include "dd/models/families.h"
#include "dd/models/openclip_names.h"
#include "dd/models/weights.h"

namespace dd::models {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMark = "visual.conv1.weight";
constexpr const char* kHuggingFaceMark = "vision_model.embeddings.class_embedding";
constexpr const char* kOpenClipConfig = "open_clip_config.json";

void override_activation(ClipConfig& config, const std::string& name) {
  if (name == "auto") return;
  config.text.encoder.activation = config.vision.encoder.activation =
      nn::parse_activation(name, "--activation");
}

LoadedClip load_hugging_face(const fs::path& config_file, const io::Checkpoint& checkpoint,
                             Placement placement, const std::string& activation) {
  ClipConfig config = ClipConfig::from_json(read_json(config_file), config_file.string());
  override_activation(config, activation);
  CheckpointSource source(checkpoint, placement);
  source.ignore("text_model.embeddings.position_ids");
  source.ignore("vision_model.embeddings.position_ids");
  Clip clip(source, config);
  source.finish();
  return {std::move(clip), ""};
}

/// The places of all tensors of a CLIP in a file with OpenAI's names; `start` stands before them,
/// and `text_start` before those of the text tower.
NameTable open_clip_names(const ClipConfig& config, const std::string& start,
                          const std::string& text_start) {
  NameTable table = openclip_text_names(config.text.encoder.layers, "text_model.", text_start);
  add_openclip_layers(table, config.vision.encoder.layers, "vision_model.encoder.layers.",
                      start + "visual.transformer.resblocks.");
  constexpr std::pair<const char*, const char*> kNames[] = {
      {"logit_scale", "logit_scale"},
      {"vision_model.embeddings.class_embedding", "visual.class_embedding"},
      {"vision_model.embeddings.patch_embedding", "visual.conv1"},
      {"vision_model.embeddings.position_embedding.weight", "visual.positional_embedding"},
      {"vision_model.pre_layrnorm", "visual.ln_pre"},
      {"vision_model.post_layernorm", "visual.ln_post"}};
  for (const auto& [ours, theirs] : kNames) table.add(ours, start + theirs);
  for (const auto& [ours, theirs] : {std::pair("visual_projection.weight", start + "visual.proj"),
                                     {"text_projection.weight", text_start + "text_projection"}}) {
    TensorPlace place(theirs);
    place.transposed = true;
    table.add(ours, place);
  }
  return table;
}

/// A file with OpenAI's names, and what it says about the model.
class OpenClipFile {
 public:
  /// `json` is the content of open_clip_config.json, or an empty object.
  OpenClipFile(const io::Checkpoint& checkpoint, std::string prefix, const Json& json,
               std::string where)
      : checkpoint_(checkpoint), prefix_(std::move(prefix)), where_(std::move(where)) {
    // OpenCLIP keeps the text tower apart in models with `custom_text`.
    if (checkpoint_.contains(cat(prefix_, "text.token_embedding.weight"))) text_ = "text.";
    model_ = json_value<Json>(json, "model_cfg", json, where_);
  }

  LoadedClip load(Placement placement, const std::string& activation) const {
    ClipConfig config = sizes();
    std::string assumed;
    if (activation == "auto") {
      config.text.encoder.activation = config.vision.encoder.activation = find_activation(assumed);
    }
    override_activation(config, activation);
    CheckpointSource source(checkpoint_, placement,
                            open_clip_names(config, prefix_, prefix_ + text_));
    for (const std::string& name : checkpoint_.names()) {
      // The rest of a training checkpoint: counters, the optimizer's state.
      if (!name.starts_with(prefix_)) source.ignore(name);
    }
    // Numbers and buffers, not weights.
    for (const char* extra : {"input_resolution", "context_length", "vocab_size"})
      source.ignore(prefix_ + extra);
    source.ignore(cat(prefix_, text_, "attn_mask"));
    Clip clip(source, config);
    source.finish();
    return {std::move(clip), assumed};
  }

 private:
  /// The shape of a tensor with `dimensions` of them.
  std::vector<std::int64_t> shape(const std::string& name, std::size_t dimensions) const {
    const std::vector<std::int64_t>& found = checkpoint_.info(prefix_ + name).shape;
    if (found.size() != dimensions) {
      fail_input(cat(checkpoint_.label(), ": the tensor ", prefix_, name, " has ", found.size(),
                     " dimensions, not ", dimensions, "; is this a CLIP?"));
    }
    return found;
  }

  std::int64_t count_layers(const std::string& start) const {
    std::int64_t layers = 0;
    for (const std::string& name : checkpoint_.names()) {
      if (!name.starts_with(start)) continue;
      std::int64_t index = -1;
      std::from_chars(name.data() + start.size(), name.data() + name.size(), index);
      if (index < std::int64_t{1} << 16) layers = std::max(layers, index + 1);
    }
    return layers;
  }

  /// OpenAI's heads are 64 wide; OpenCLIP's large image towers have 16 heads that are wider.
  std::int64_t usual_heads(std::int64_t width) const {
    if (width == 1280 || width == 1408 || width == 1664) return 16;
    if (width % 64 != 0) {
      fail_input(cat(checkpoint_.label(), ": a tower of width ", width,
                     " does not tell how many heads it has; put the model's ", kOpenClipConfig,
                     " beside the file"));
    }
    return width / 64;
  }

  nn::ClipEncoderConfig tower(const std::string& start, std::int64_t width) const {
    nn::ClipEncoderConfig encoder;
    encoder.width = width;
    encoder.mlp_width = shape(start + "0.mlp.c_fc.weight", 2)[0];
    encoder.layers = count_layers(prefix_ + start);
    return encoder;
  }

  ClipConfig sizes() const {
    ClipConfig config;
    const std::vector<std::int64_t> patches = shape(kMark, 4);
    const std::int64_t places = shape("visual.positional_embedding", 2)[0];
    std::int64_t side = 1;
    while ((side + 1) * (side + 1) < places) ++side;
    config.vision.patch_size = patches[2];
    config.vision.image_size = side * patches[2];
    config.vision.encoder = tower("visual.transformer.resblocks.", patches[0]);
    config.projection = shape("visual.proj", 2)[1];

    const std::vector<std::int64_t> words = shape(text_ + "token_embedding.weight", 2);
    config.text.vocab_size = words[0];
    config.text.positions = shape(text_ + "positional_embedding", 2)[0];
    config.text.encoder = tower(text_ + "transformer.resblocks.", words[1]);
    config.text.encoder.causal = true;
    config.text.projection = config.projection;
    config.text.end_token = 2;  // the highest id, see end_positions
    take_heads(config);
    check_positive({{"image_size", config.vision.image_size}, {"vocab_size", words[0]}}, where_);
    check_encoder(config.vision.encoder, where_);
    check_encoder(config.text.encoder, where_);
    return config;
  }

  void take_heads(ClipConfig& config) const {
    nn::ClipEncoderConfig& image = config.vision.encoder;
    nn::ClipEncoderConfig& text = config.text.encoder;
    if (model_.empty()) {
      image.heads = usual_heads(image.width);
      text.heads = usual_heads(text.width);
      return;
    }
    // OpenCLIP's own defaults where a key is missing.
    const auto head_width = json_value<std::int64_t>(
        json_value<Json>(model_, "vision_cfg", Json::object(), where_), "head_width", 64, where_);
    check_positive({{"head_width", head_width}}, where_);
    image.heads = image.width / head_width;
    text.heads = json_value<std::int64_t>(
        json_value<Json>(model_, "text_cfg", Json::object(), where_), "heads", 8, where_);
  }

  nn::Activation find_activation(std::string& assumed) const {
    if (!model_.empty()) {
      return json_value(model_, "quick_gelu", false, where_) ? nn::Activation::kQuickGelu
                                                             : nn::Activation::kGelu;
    }
    if (is_open_ais()) return nn::Activation::kQuickGelu;
    assumed = cat(checkpoint_.label(),
                  " does not say its activation: took gelu, as OpenCLIP's models have it; for "
                  "weights of OpenAI's give --activation quick_gelu");
    return nn::Activation::kGelu;
  }

  /// Only OpenAI distributed CLIP as TorchScript. Those archives, and what is saved of them, hold
  /// numbers of the configuration as tensors; they and the models that OpenAI's package loads from
  /// them have half precision for products and single precision for norms.
  bool is_open_ais() const {
    if (checkpoint_.contains(prefix_ + "input_resolution")) return true;
    if (checkpoint_.metadata().contains("torchscript")) return true;
    return checkpoint_.info(prefix_ + kMark).dtype == at::kHalf &&
           checkpoint_.info(prefix_ + "visual.ln_pre.weight").dtype == at::kFloat;
  }

  const io::Checkpoint& checkpoint_;
  std::string prefix_;
  std::string text_;   ///< and, behind it, of the text tower's; "" or "text."
  std::string where_;  ///< for errors: the configuration, or the weights
  Json model_;         ///< "model_cfg" of open_clip_config.json
};

/// What stands before OpenAI's names in this file; nothing when it has none of them.
std::optional<std::string> find_prefix(const io::Checkpoint& checkpoint) {
  for (const std::string& name : checkpoint.names()) {
    if (name == kMark || name.ends_with(cat(".", kMark)))
      return name.substr(0, name.size() - std::string_view(kMark).size());
  }
  return std::nullopt;
}

LoadedClip load_open_clip(const io::Checkpoint& checkpoint, const fs::path& folder,
                          Placement placement, const std::string& activation) {
  const std::optional<std::string> prefix = find_prefix(checkpoint);
  refuse_other_clip(checkpoint);
  if (!prefix) {
    fail_input(cat(checkpoint.label(),
                   " holds no CLIP with a vision transformer: there is neither ", kMark, " nor ",
                   kHuggingFaceMark,
                   "; give a Hugging Face folder, OpenAI's archive or an OpenCLIP state_dict"));
  }
  const fs::path config = folder / kOpenClipConfig;
  if (path_exists(config)) {
    return OpenClipFile(checkpoint, *prefix, read_json(config), config.string())
        .load(placement, activation);
  }
  return OpenClipFile(checkpoint, *prefix, Json::object(), checkpoint.label())
      .load(placement, activation);
}

LoadedClip load_folder(const fs::path& folder, Placement placement, const std::string& activation) {
  const fs::path config = folder / "config.json";
  if (path_exists(config) || !path_exists(folder / kOpenClipConfig)) {
    if (!path_exists(config)) {
      fail_input(cat("no CLIP in ", folder.string(), ": neither config.json nor ", kOpenClipConfig,
                     "; give a Hugging Face or OpenCLIP folder, or a weights file"));
    }
    return load_hugging_face(config, io::Checkpoint::open(folder, "model"), placement, activation);
  }
  if (const fs::path weights = open_clip_weights(folder); !weights.empty()) {
    return load_open_clip(io::Checkpoint::open_file(weights), folder, placement, activation);
  }
  fail_input(cat("no weights in ", folder.string(),
                 ": looked for open_clip_model.safetensors and open_clip_pytorch_model.bin; fetch "
                 "the model's weights"));
}

}  // namespace

fs::path open_clip_weights(const fs::path& folder) {
  for (const char* name : {"open_clip_model.safetensors", "open_clip_pytorch_model.safetensors",
                           "open_clip_pytorch_model.bin"}) {
    if (path_exists(folder / name)) return folder / name;
  }
  return {};
}

LoadedClip load_clip(const fs::path& path, Placement placement, const std::string& activation) {
  if (path_is_folder(path)) return load_folder(path, placement, activation);
  const io::Checkpoint checkpoint = io::Checkpoint::open_file(path);
  const fs::path folder = path.parent_path();
  if (checkpoint.contains(kHuggingFaceMark)) {
    return load_hugging_face(folder / "config.json", checkpoint, placement, activation);
  }
  return load_open_clip(checkpoint, folder, placement, activation);
}

}  // namespace dd::models
