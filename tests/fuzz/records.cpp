// SPDX-License-Identifier: Apache-2.0
// The small files of JSON and text that tell about other files: splits, configurations of images,
// indices of shards, adapters, classifiers, shots, captions, records of generated images.
#include <ATen/ops/zeros.h>

#include "dd/classify/adapter_file.h"
#include "dd/classify/class_match.h"
#include "dd/classify/classifier_file.h"
#include "dd/classify/preprocess.h"
#include "dd/core/complete_record.h"
#include "dd/core/json_text.h"
#include "dd/data/class_list.h"
#include "dd/data/image_list.h"
#include "dd/data/leak_guard.h"
#include "dd/data/official.h"
#include "dd/data/shots.h"
#include "dd/generate/start_images.h"
#include "dd/generate/writer.h"
#include "dd/io/checkpoint.h"
#include "fuzz_input.h"

namespace {

namespace fs = std::filesystem;

/// A sound adapter of one layer, and a set of two pictures that are never decoded.
class Surroundings {
 public:
  Surroundings() {
    const dd::lora::LoraWeights weights{
        {{"layer", at::zeros({2, 3}), at::zeros({4, 2}), /*scale=*/1}}};
    dd::classify::write_adapter(folder_.path(), weights, {.rank = 2, .alpha = 2});
    dd::ImageList list;
    list.class_names = {"cup", "hat"};
    list.images = {{.id = "cup/0.png", .label = 0}, {.id = "hat/0.png", .label = 1}};
    clear_images();
    images_ = dd::open_listed(folder_.path(), std::move(list), "all", "set", {});
    plan_.each = 2;
    plan_.labelled = true;
    plan_.subjects = {{"cup", "cup", "a cup"}, {"hat", "hat", "a hat"}};
  }

  /// Gives the bytes to a reader as the file that it looks for.
  template <class Read>
  void as(const std::string& name, std::string_view bytes, const Read& read) const {
    folder_.put(name, bytes);
    dd::fuzz::may_refuse([&] { read(folder_.path() / name); });
    folder_.remove(name);
  }
  const fs::path& path() const { return folder_.path(); }
  const dd::Dataset& images() const { return *images_; }
  const dd::generate::Plan& plan() const { return plan_; }
  /// What a writer leaves, and what it may have removed.
  void clear_images() const {
    folder_.remove("metadata.jsonl");
    for (const char* name : {"cup", "hat"}) {
      fs::create_directory(folder_.path() / name);
      folder_.put(std::string(name) + "/0.png", "picture");
    }
  }
  void mend_adapter() const { folder_.put(dd::classify::kAdapterConfig, config_); }

 private:
  dd::fuzz::InputFolder folder_;
  std::unique_ptr<dd::Dataset> images_;
  dd::generate::Plan plan_;
  std::string config_ = R"({"r": 2, "lora_alpha": 2, "target_modules": ["layer"]})";
};

void read_of_models(const Surroundings& place, std::string_view bytes) {
  using namespace dd::classify;
  for (const char* name :
       {"preprocessor_config.json", "processor_config.json", "open_clip_config.json"}) {
    place.as(name, bytes, [](const fs::path& file) { Preprocess::load(file.parent_path(), 224); });
  }
  place.as("model.safetensors.index.json", bytes,
           [](const fs::path& file) { dd::io::Checkpoint::open(file.parent_path(), "model"); });
  place.as(kAdapterConfig, bytes, [](const fs::path& file) { read_adapter(file.parent_path()); });
  place.mend_adapter();
  place.as(kClassifierFile, bytes, [](const fs::path& file) {
    SavedClassifier::load(file.parent_path());
    dd::complete_record(file, "identity", "a classifier", dd::lone_rank());
  });
}

std::int64_t images_in(const dd::Json& generated) {
  std::int64_t each = 0;
  dd::fuzz::may_refuse(
      [&] { each = dd::json_value<std::int64_t>(generated, "images_each", 0, "input"); });
  return each;
}

void read_of_images(const Surroundings& place, std::string_view bytes) {
  place.as("split.json", bytes, [&](const fs::path& file) {
    dd::open_listed(place.path(), dd::read_coop_split(file, "images"), "all", "set", {});
  });
  place.as("shots.json", bytes,
           [&](const fs::path& file) { dd::read_shots(file, place.images()); });
  place.as("classes.txt", bytes, [](const fs::path& file) {
    dd::read_class_list(file, {"cup", "hat"});
  });
  place.as("prints.jsonl", bytes, [](const fs::path& file) { dd::read_prints(file); });
  place.as("captions.jsonl", bytes,
           [](const fs::path& file) { dd::generate::read_captions(file); });
  place.as("metadata.jsonl", bytes, [&](const fs::path& file) {
    dd::classify::read_synthetic_classes(file.parent_path(), place.images());
  });
  const dd::Json given = dd::parse_json(bytes);
  for (const bool force : {false, true}) {
    place.as("generate.json", bytes, [&](const fs::path& file) {
      const dd::generate::SetDescription description{
          .settings = given.is_object() ? given.value("settings", dd::Json::object()) : dd::Json(),
          .common_line = dd::Json::object(),
          .loras = {2, dd::Json::array()}};
      dd::generate::ImageSetWriter writer(file.parent_path(), place.plan(), description, force);
      writer.missing();
      // Removes what is named, or lists it, image by image.
      if (images_in(given) > 100) return;
      writer.begin();
      writer.write_metadata();
    });
  }
  place.clear_images();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Surroundings place;
  const std::string_view bytes = dd::fuzz::text_of(data, size);
  read_of_models(place, bytes);
  read_of_images(place, bytes);
  return 0;
}
