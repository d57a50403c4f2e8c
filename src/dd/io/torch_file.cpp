// SPDX-License-Identifier: Apache-2.0
#include "dd/io/torch_file.h"

#include <array>

#include "dd/core/error.h"
#include "dd/io/little_endian.h"

namespace dd::io {
namespace {

// Descriptions are far smaller: numbers stand outside of the pickle.
constexpr std::uint64_t kPickleLimit = std::uint64_t{256} << 20;
constexpr std::string_view kPickleName = "data.pkl";
// torch/serialization.py: MAGIC_NUMBER 0x1950a86a20f9469cfc6c and PROTOCOL_VERSION.
constexpr std::string_view kMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr std::int64_t kProtocol = 1001;

/// The folder at the top of the archive that holds the pickle, with its slash.
std::optional<std::string> folder_of(const ZipArchive& archive) {
  for (const auto& [name, entry] : archive.entries()) {
    if (!name.ends_with(kPickleName)) continue;
    std::string folder = name.substr(0, name.size() - kPickleName.size());
    if (folder.empty() || folder.find('/') + 1 == folder.size()) return folder;
  }
  return std::nullopt;
}

}  // namespace

TorchFile::TorchFile(const std::filesystem::path& path)
    : TorchFile(Bytes::map(path), path.string()) {}

TorchFile::TorchFile(std::shared_ptr<const Bytes> bytes, std::string label)
    : bytes_(std::move(bytes)), label_(std::move(label)) {
  if (ZipArchive::looks_like_zip(bytes_->view())) {
    read_archive();
  } else {
    read_pickles();
  }
  index();
}

bool TorchFile::looks_like_torch(std::string_view bytes) {
  // A pickle begins with its protocol. A safetensors file begins with a length, whose upper half is
  // zero.
  return ZipArchive::looks_like_zip(bytes) ||
         (bytes.size() >= 8 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5 &&
          little_endian(bytes, 4, 4) != 0);
}

void TorchFile::damaged(const std::string& what) const {
  fail_input(cat("damaged PyTorch file ", label_, ": ", what, "; fetch the file again"));
}

std::uint64_t TorchFile::size_of(std::size_t storage) const {
  return contents_.storages[storage].count * c10::elementSize(contents_.storages[storage].dtype);
}

void TorchFile::read_archive() {
  archive_.emplace(bytes_->view(), label_);
  const std::optional<std::string> folder = folder_of(*archive_);
  if (!folder) {
    fail_input(cat(label_, " is a ZIP archive but holds no ", kPickleName,
                   ": PyTorch did not write it; name a file of weights"));
  }
  const std::string order = *folder + "byteorder";
  if (archive_->find(order) && archive_->read(order, 16) != "little")
    fail_input(cat(label_, ": its numbers are big endian; save it on a little endian machine"));
  const std::string name = *folder + std::string(kPickleName);
  const ZipEntry& entry = *archive_->find(name);
  if (entry.size > kPickleLimit) damaged(cat("its pickle claims ", entry.size, " bytes"));
  const std::string unpacked = entry.deflated ? archive_->read(name, kPickleLimit) : "";
  contents_ = find_tensors(Pickle::parse(entry.deflated ? unpacked : entry.packed, label_), label_);
  for (std::size_t i = 0; i < contents_.storages.size(); ++i) {
    const std::string place = *folder + "data/" + contents_.storages[i].key;
    const ZipEntry* content = archive_->find(place);
    if (!content) damaged(cat("the entry ", place, " is missing"));
    if (content->size < size_of(i)) {
      damaged(cat("the entry ", place, " has ", content->size, " bytes where ", size_of(i),
                  " are needed"));
    }
    places_.push_back(content->deflated ? Place{{}, place} : Place{content->packed, {}});
  }
}

void TorchFile::read_pickles() {
  std::string_view rest = bytes_->view();
  const auto next = [&] {
    Pickle pickle = Pickle::parse(rest.substr(0, kPickleLimit), label_);
    rest.remove_prefix(pickle.size());
    return pickle;
  };
  const Pickle magic = next();
  if (magic.root().text != kMagic) {
    fail_input(cat(label_, " is a pickle but not one of PyTorch; name a file of weights"));
  }
  if (next().root().integer != kProtocol) damaged("its protocol version is not known");
  const Pickle system = next();
  if (const PickleNode* little = system.root().find("little_endian"); little && !little->integer)
    fail_input(cat(label_, ": its numbers are big endian; save it on a little endian machine"));
  const Pickle root = next();
  contents_ = find_tensors(root, label_);
  const Pickle keys = next();
  place_after_pickles(keys, bytes_->view().size() - rest.size());
}

void TorchFile::place_after_pickles(const Pickle& keys, std::size_t at) {
  std::map<std::string, std::vector<std::size_t>> wanted;
  for (std::size_t i = 0; i < contents_.storages.size(); ++i)
    wanted[contents_.storages[i].key].push_back(i);
  places_.resize(contents_.storages.size());
  std::size_t placed = 0;
  const std::string_view all = bytes_->view();
  for (const PickleNode* key : keys.root().items) {
    const auto found = wanted.find(key->text);
    if (found == wanted.end()) damaged(cat("storage ", key->text, " is described nowhere"));
    if (all.size() - at < 8) damaged("it is cut off");
    const std::uint64_t count = little_endian(all, at, 8);
    at += 8;
    const std::size_t first = found->second.front();
    if (count != contents_.storages[first].count || size_of(first) > all.size() - at) {
      damaged(cat("storage ", key->text, " has ", count, " numbers and ", all.size() - at,
                  " bytes are left, where ", contents_.storages[first].count, " are needed"));
    }
    for (const std::size_t i : found->second) {
      if (size_of(i) != size_of(first)) damaged(cat("storage ", key->text, " has two sizes"));
      if (places_[i].content.data()) damaged(cat("storage ", key->text, " stands twice"));
      places_[i].content = all.substr(at, size_of(i));
      ++placed;
    }
    at += size_of(first);
  }
  if (placed != places_.size()) damaged("storages are missing");
}

void TorchFile::index() {
  for (std::size_t i = 0; i < contents_.tensors.size(); ++i) index_[contents_.tensors[i].name] = i;
}

std::vector<TensorInfo> TorchFile::infos() const {
  std::vector<TensorInfo> infos;
  for (const TorchTensor& tensor : contents_.tensors)
    infos.push_back({tensor.name, contents_.storages[tensor.storage].dtype, tensor.layout.shape});
  return infos;
}

const TorchTensor& TorchFile::found(const std::string& name) const {
  const auto found = index_.find(name);
  if (found == index_.end())
    fail_input(cat("no tensor ", name, " in ", label_, "; is it the right file?"));
  return contents_.tensors[found->second];
}

std::string_view TorchFile::part(const TorchTensor& tensor, std::string_view content) const {
  const std::size_t element = c10::elementSize(contents_.storages[tensor.storage].dtype);
  return content.substr(tensor.offset * element, *span_of(tensor.layout) * element);
}

at::Tensor TorchFile::tensor(const std::string& name) const {
  const TorchTensor& tensor = found(name);
  const at::ScalarType dtype = contents_.storages[tensor.storage].dtype;
  const Place& place = places_[tensor.storage];
  if (place.packed_as.empty()) {
    const std::string_view bytes = part(tensor, place.content);
    at::Tensor view = view_of(bytes_, bytes, tensor.layout, dtype);
    if (view.const_data_ptr() != bytes.data()) bytes_->release(bytes);
    return view;
  }
  std::shared_ptr<const std::string>& unpacked = unpacked_[place.packed_as];
  if (!unpacked) {
    // Its size was found to fit what it is packed in.
    unpacked = std::make_shared<const std::string>(
        archive_->read(place.packed_as, archive_->find(place.packed_as)->size));
  }
  return view_of(unpacked, part(tensor, *unpacked), tensor.layout, dtype);
}

void TorchFile::release(const std::string& name) const {
  const TorchTensor& tensor = found(name);
  unpacked_.erase(places_[tensor.storage].packed_as);
  if (const Place& place = places_[tensor.storage]; place.packed_as.empty())
    bytes_->release(part(tensor, place.content));
}

}  // namespace dd::io
