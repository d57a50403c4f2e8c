// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dd/io/bytes.h"
#include "dd/io/tensor_file.h"
#include "dd/io/torch_pickle.h"
#include "dd/io/zip.h"

namespace dd::io {

/// A file that PyTorch wrote: `torch.save` as ZIP archive (since 1.6) or as a row of pickles
/// (before), or a TorchScript archive. The pickle is read as data (dd/io/pickle.h).
///
/// Tensors are found in nested dicts, and in the attributes of modules, and named by their path
/// with dots; a file whose root has a dict `state_dict` gives that dict's tensors alone. Numbers
/// and texts at the root (`global_step`) become metadata. Tensors view the file, also
/// non-contiguous ones and those that share a storage; those deflated in an archive are unpacked
/// when used. One thread at a time.
class TorchFile final : public TensorFile {
 public:
  /// Error(kInput) names the file, and the class that a tensor needs and that is not known.
  explicit TorchFile(const std::filesystem::path& path);
  TorchFile(std::shared_ptr<const Bytes> bytes, std::string label);

  /// True for both of its formats, by their first bytes.
  static bool looks_like_torch(std::string_view bytes);

  std::vector<TensorInfo> infos() const override;
  const Metadata& metadata() const override { return contents_.metadata; }
  at::Tensor tensor(const std::string& name) const override;
  void release(const std::string& name) const override;

 private:
  /// A storage in the file. Its bytes are empty where it is deflated in the archive.
  struct Place {
    std::string_view content;
    std::string packed_as;
  };
  void read_archive();
  void read_pickles();
  void place_after_pickles(const Pickle& keys, std::size_t at);
  void index();
  std::uint64_t size_of(std::size_t storage) const;
  const TorchTensor& found(const std::string& name) const;
  /// The bytes that a tensor needs.
  std::string_view part(const TorchTensor& tensor, std::string_view content) const;
  [[noreturn]] void damaged(const std::string& what) const;

  std::shared_ptr<const Bytes> bytes_;
  std::string label_;
  std::optional<ZipArchive> archive_;
  TorchContents contents_;
  std::vector<Place> places_;  ///< one a storage
  std::map<std::string, std::size_t> index_;
  mutable std::map<std::string, std::shared_ptr<const std::string>> unpacked_;  ///< by entry
};

}  // namespace dd::io
