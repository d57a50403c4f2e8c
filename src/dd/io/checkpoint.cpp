// SPDX-License-Identifier: Apache-2.0
#include "dd/io/checkpoint.h"

#include <set>

#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/io/bytes.h"
#include "dd/io/safetensors.h"
#include "dd/io/torch_file.h"

namespace dd::io {
namespace fs = std::filesystem;
namespace {

constexpr const char* kIndexEnding = ".index.json";

/// File names that the weights may have, best first: full precision before half, within each the
/// format that is quicker to open first.
std::vector<std::string> candidates(const std::string& stem) {
  const std::string bin_stem = stem == "model" ? "pytorch_model" : stem;
  std::vector<std::string> names;
  for (const std::string variant : {"", ".fp16"}) {
    for (const auto& [base, ending] : {std::pair{stem, ".safetensors"}, {bin_stem, ".bin"}}) {
      names.push_back(base + variant + ending);
      names.push_back(base + ending + ".index" + variant + ".json");
      // Older versions put the suffix in front.
      if (!variant.empty()) names.push_back(base + variant + ending + kIndexEnding);
    }
  }
  return names;
}

std::shared_ptr<const TensorFile> open_any(const fs::path& file) {
  std::shared_ptr<const Bytes> bytes = Bytes::map(file);
  if (TorchFile::looks_like_torch(bytes->view()))
    return std::make_shared<TorchFile>(std::move(bytes), file.string());
  return std::make_shared<SafetensorsFile>(std::move(bytes), file.string());
}

}  // namespace

void Checkpoint::add(const fs::path& file) {
  files_.push_back(open_any(file));
  paths_.push_back(file);
  for (TensorInfo& info : files_.back()->infos()) {
    const std::string name = info.name;
    if (!places_.emplace(name, Place{files_.size() - 1, std::move(info)}).second) {
      fail_input(cat(file.string(), ": the tensor ", name,
                     " stands in another shard too; fetch the files again"));
    }
  }
}

Checkpoint Checkpoint::open_file(const fs::path& file) {
  Checkpoint checkpoint;
  checkpoint.label_ = file.string();
  checkpoint.add(file);
  return checkpoint;
}

Checkpoint Checkpoint::open_shards(const fs::path& index) {
  const auto map = json_required<std::map<std::string, std::string>>(read_json(index), "weight_map",
                                                                     index.string());
  std::set<std::string> shards;
  for (const auto& [name, shard] : map) shards.insert(shard);
  if (shards.empty())
    fail_input(cat(index.string(), ": its weight_map is empty; fetch the file again"));
  Checkpoint checkpoint;
  checkpoint.label_ = index.parent_path().string();
  for (const std::string& shard : shards) {
    if (fs::path(shard).filename() != shard || shard == "..") {
      fail_input(cat(index.string(), ": the shard name \"", shard,
                     "\" leaves the folder; fetch the file again"));
    }
    checkpoint.add(index.parent_path() / shard);
  }
  for (const auto& [name, shard] : map) {
    if (!checkpoint.contains(name)) {
      fail_input(cat(index.string(), ": the tensor ", name, " is not in ", shard,
                     "; fetch the files again"));
    }
  }
  return checkpoint;
}

Checkpoint Checkpoint::open(const fs::path& folder, const std::string& stem) {
  std::string looked_for;
  for (const std::string& name : candidates(stem)) {
    if (path_exists(folder / name))
      return name.ends_with(".json") ? open_shards(folder / name) : open_file(folder / name);
    looked_for += (looked_for.empty() ? "" : ", ") + name;
  }
  fail_input(cat("no weights in ", folder.string(), ": looked for ", looked_for,
                 "; fetch the model's weights"));
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> names;
  for (const auto& [name, place] : places_) names.push_back(name);
  return names;
}

const Checkpoint::Place& Checkpoint::place(const std::string& name) const {
  const auto found = places_.find(name);
  if (found == places_.end())
    fail_input(cat("no tensor ", name, " in ", label_, "; is it the right file?"));
  return found->second;
}

const TensorInfo& Checkpoint::info(const std::string& name) const {
  return place(name).info;
}

at::Tensor Checkpoint::tensor(const std::string& name) const {
  return files_[place(name).file]->tensor(name);
}

void Checkpoint::release(const std::string& name) const {
  files_[place(name).file]->release(name);
}

}  // namespace dd::io
