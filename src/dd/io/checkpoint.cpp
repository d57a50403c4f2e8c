// SPDX-License-Identifier: Apache-2.0
#include "dd/io/checkpoint.h"

#include <set>

#include "dd/core/json.h"

namespace dd::io {
namespace fs = std::filesystem;

void Checkpoint::add(const fs::path& file) {
  files_.emplace_back(file);
  paths_.push_back(file);
  for (const TensorEntry& entry : files_.back().entries())
    location_[entry.name] = files_.size() - 1;
}

Checkpoint Checkpoint::open_file(const fs::path& file) {
  Checkpoint checkpoint;
  checkpoint.label_ = file.string();
  checkpoint.add(file);
  return checkpoint;
}

Checkpoint Checkpoint::open(const fs::path& folder, const std::string& stem) {
  for (const char* ending : {".safetensors", ".fp16.safetensors"}) {
    const fs::path file = folder / (stem + ending);
    if (fs::exists(file)) return open_file(file);
  }
  for (const char* ending : {".safetensors.index.json", ".safetensors.index.fp16.json"}) {
    const fs::path index = folder / (stem + ending);
    if (!fs::exists(index)) continue;
    const auto map = json_required<std::map<std::string, std::string>>(
        read_json(index), "weight_map", index.string());
    std::set<std::string> shards;
    for (const auto& [name, shard] : map) shards.insert(shard);
    if (shards.empty())
      fail_input(cat(index.string(), ": its weight_map is empty; fetch the file again"));
    Checkpoint checkpoint;
    checkpoint.label_ = folder.string();
    for (const std::string& shard : shards) {
      if (fs::path(shard).filename() != shard) {
        fail_input(cat(index.string(), ": the shard name \"", shard,
                       "\" leaves the folder; fetch the file again"));
      }
      checkpoint.add(folder / shard);
    }
    return checkpoint;
  }
  fail_input(cat("no weights in ", folder.string(), ": looked for ", stem, ".safetensors, ", stem,
                 ".fp16.safetensors and their sharded index; fetch the model's safetensors files"));
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> names;
  for (const auto& [name, file] : location_) names.push_back(name);
  return names;
}

at::Tensor Checkpoint::tensor(const std::string& name) const {
  const auto found = location_.find(name);
  if (found == location_.end())
    fail_input(cat("no tensor ", name, " in ", label_, "; is it the right file?"));
  return files_[found->second].tensor(name);
}

}  // namespace dd::io
