// SPDX-License-Identifier: Apache-2.0
#include "dd/io/torch_pickle.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "dd/core/error.h"

namespace dd::io {
namespace {

using Kind = PickleNode::Kind;

// Far beyond any model, and few enough that a file of shared branches cannot keep us for long.
constexpr std::size_t kMostVisits = 1'000'000;
constexpr std::size_t kDeepest = 64;
constexpr std::int64_t kLargestCount = std::int64_t{1} << 48;
constexpr std::size_t kMostDimensions = 64;
// Texts and storages are shared at no cost in the file; what is made of them must not grow without
// bound.
constexpr std::size_t kLongestName = 1024;
constexpr std::size_t kMostMetadata = std::size_t{64} << 20;
constexpr std::uint64_t kMostRepeated = std::uint64_t{1} << 24;

struct StorageClass {
  const char* name;
  at::ScalarType dtype;
};
constexpr std::array<StorageClass, 10> kStorageClasses{{{"FloatStorage", at::kFloat},
                                                        {"HalfStorage", at::kHalf},
                                                        {"BFloat16Storage", at::kBFloat16},
                                                        {"DoubleStorage", at::kDouble},
                                                        {"LongStorage", at::kLong},
                                                        {"IntStorage", at::kInt},
                                                        {"ShortStorage", at::kShort},
                                                        {"CharStorage", at::kChar},
                                                        {"ByteStorage", at::kByte},
                                                        {"BoolStorage", at::kBool}}};

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view beginning) { return text.starts_with(beginning); });
}

/// What makes a tensor, and from what.
struct Recipe {
  std::string_view function;
  const PickleNode* arguments = nullptr;
};

class Finder {
 public:
  Finder(const Pickle& pickle, const std::string& label) : label_(label) {
    for (const PickleNode& node : pickle.nodes()) {
      if (node.is(Kind::kPersistent)) add_storage(node);
    }
    const PickleNode& root = pickle.root();
    const PickleNode* weights = root.find("state_dict");
    if (weights && weights->is(Kind::kDict)) {
      visit(*weights, "");
    } else {
      visit(root, "");
    }
    add_metadata(root.is(Kind::kObject) && root.state ? *root.state : root);
    // TorchScript has its classes in modules of this name.
    if (root.made_by().starts_with("__torch__."))
      out_.metadata["torchscript"] = std::string(root.made_by());
    if (out_.tensors.empty()) {
      const std::string_view made_by = root.made_by();
      fail_input(cat(label, " holds no tensors",
                     made_by.empty() ? "" : cat(" that can be read: it is one ", made_by),
                     "; name a file of weights"));
    }
  }

  TorchContents take() { return std::move(out_); }

 private:
  [[noreturn]] void damaged(const std::string& what) const {
    fail_input(cat("damaged PyTorch file ", label_, ": ", what, "; fetch the file again"));
  }

  void add_storage(const PickleNode& node) {
    const std::vector<const PickleNode*>& id = node.arguments->items;
    if (id.size() < 5 || !id[0]->is(Kind::kText) || id[0]->text != "storage" ||
        !id[1]->is(Kind::kGlobal) || !id[2]->is(Kind::kText) || !id[4]->is(Kind::kInteger)) {
      damaged("the description of a storage is not as PyTorch writes it");
    }
    if (id.size() > 5 && !id[5]->is(Kind::kNone))
      fail_input(cat(label_,
                     ": its storages are parts of others, as PyTorch before 0.4 wrote "
                     "them; load and save it again with a newer PyTorch"));
    const std::string_view name = std::string_view(id[1]->text);
    const auto* known = std::find_if(kStorageClasses.begin(), kStorageClasses.end(),
                                     [&](const StorageClass& candidate) {
                                       return name.substr(name.rfind('.') + 1) == candidate.name;
                                     });
    // Not refused before a tensor needs it.
    if (!name.starts_with("torch.") || known == kStorageClasses.end()) return;
    if (id[4]->integer < 0 || id[4]->integer > kLargestCount)
      damaged(cat("storage ", id[2]->text, " claims ", id[4]->integer, " numbers"));
    storage_of_[&node] = out_.storages.size();
    out_.storages.push_back(
        {id[2]->text, known->dtype, static_cast<std::uint64_t>(id[4]->integer)});
  }

  void add_metadata(const PickleNode& root) {
    if (!root.is(Kind::kDict)) return;
    std::size_t size = 0;
    for (std::size_t i = 0; i + 1 < root.items.size(); i += 2) {
      const PickleNode& key = *root.items[i];
      const PickleNode& value = *root.items[i + 1];
      if (!key.is(Kind::kText)) continue;
      size += key.text.size() + value.text.size();
      if (size > kMostMetadata) damaged("its texts are too long");
      if (value.is(Kind::kText)) out_.metadata[key.text] = value.text;
      if (value.is(Kind::kInteger)) out_.metadata[key.text] = std::to_string(value.integer);
      if (value.is(Kind::kReal)) out_.metadata[key.text] = cat(value.real);
    }
  }

  /// Nothing when the node is no tensor.
  Recipe recipe(const PickleNode& node, const std::string& name) const {
    const PickleNode* inner = &node;
    // A parameter holds a tensor; a subclass of Tensor holds the function and its arguments.
    for (std::size_t depth = 0; depth < 4; ++depth) {
      const std::string_view by = inner->made_by();
      if (!starts_with_any(by, {"torch._utils._rebuild", "torch._tensor._rebuild"})) return {};
      const std::vector<const PickleNode*>& arguments = inner->arguments->items;
      if (by == "torch._utils._rebuild_tensor_v2" || by == "torch._utils._rebuild_tensor")
        return {by, inner->arguments};
      if (by.starts_with("torch._utils._rebuild_parameter") && !arguments.empty()) {
        inner = arguments[0];
      } else if (by == "torch._tensor._rebuild_from_type_v2" && arguments.size() >= 3 &&
                 arguments[0]->text == "torch._utils._rebuild_tensor_v2") {
        return {arguments[0]->text, arguments[2]};
      } else {
        fail_input(cat(label_, ": the tensor ", name, " is made by ", by,
                       ", which is not supported; save it as plain tensors"));
      }
    }
    damaged(cat("the tensor ", name, " is wrapped too often"));
  }

  std::vector<std::int64_t> integers(const PickleNode& tuple, const std::string& name) const {
    std::vector<std::int64_t> values;
    if (tuple.items.size() > kMostDimensions)
      damaged(cat("the tensor ", name, " has more than ", kMostDimensions, " dimensions"));
    for (const PickleNode* item : tuple.items) {
      if (!item->is(Kind::kInteger)) damaged(cat("the shape of tensor ", name, " is no number"));
      values.push_back(item->integer);
    }
    return values;
  }

  void add_tensor(const Recipe& from, const std::string& name) {
    const std::vector<const PickleNode*>& arguments = from.arguments->items;
    if (arguments.size() < 4 || !arguments[1]->is(Kind::kInteger))
      damaged(cat("the tensor ", name, " is not described as PyTorch does it"));
    const auto storage = storage_of_.find(arguments[0]);
    if (storage == storage_of_.end()) {
      const PickleNode& wanted =
          arguments[0]->is(Kind::kPersistent) ? *arguments[0]->arguments->items[1] : *arguments[0];
      const std::string_view needs =
          wanted.is(Kind::kGlobal) ? std::string_view(wanted.text) : wanted.made_by();
      fail_input(cat(label_, ": the tensor ", name, " needs ", needs.empty() ? "a value" : needs,
                     ", which is not supported; save it as plain tensors"));
    }
    TorchTensor tensor{name,
                       storage->second,
                       static_cast<std::uint64_t>(arguments[1]->integer),
                       {integers(*arguments[2], name), integers(*arguments[3], name)}};
    const std::optional<std::uint64_t> span = span_of(tensor.layout);
    const std::uint64_t count = out_.storages[tensor.storage].count;
    if (arguments[1]->integer < 0 || !span || tensor.offset > count ||
        *span > count - tensor.offset) {
      damaged(cat("the tensor ", name, " reaches past its storage"));
    }
    std::uint64_t size = 1;
    for (const std::int64_t extent : tensor.layout.shape)
      size *= static_cast<std::uint64_t>(extent);
    // By a stride of 0 a single number can stand for any size.
    if (size > std::max(count, kMostRepeated))
      damaged(cat("the tensor ", name, " has more numbers than its storage"));
    if (!names_.insert(name).second) damaged(cat("the name ", name, " stands twice"));
    out_.tensors.push_back(std::move(tensor));
  }

  void visit(const PickleNode& node, const std::string& name) {
    if (++visits_ > kMostVisits || path_.size() > kDeepest)
      damaged("its values are nested too deeply or too often");
    if (name.size() > kLongestName) damaged("the name of a tensor is too long");
    if (std::find(path_.begin(), path_.end(), &node) != path_.end()) return;  // contains itself
    if (const Recipe from = recipe(node, name); from.arguments) {
      add_tensor(from, name.empty() ? "tensor" : name);
      return;
    }
    path_.push_back(&node);
    if (node.is(Kind::kDict)) visit_items(node, name, false);
    if (node.is(Kind::kObject) && node.state && node.state->is(Kind::kDict))
      visit_items(*node.state, name, node.state->find("_modules") != nullptr);
    path_.pop_back();
  }

  /// `module`: a pickled torch.nn.Module, which keeps its parts in dicts of its own.
  void visit_items(const PickleNode& dict, const std::string& name, bool module) {
    for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      const PickleNode& key = *dict.items[i];
      if (!key.is(Kind::kText) && !key.is(Kind::kInteger)) continue;
      const std::string part = key.is(Kind::kText) ? key.text : std::to_string(key.integer);
      const bool inner =
          module && (part == "_modules" || part == "_parameters" || part == "_buffers");
      if (inner) {
        visit(*dict.items[i + 1], name);
      } else {
        visit(*dict.items[i + 1], name.empty() ? part : cat(name, '.', part));
      }
    }
  }

  const std::string& label_;
  TorchContents out_;
  std::map<const PickleNode*, std::size_t> storage_of_;
  std::set<std::string> names_;
  std::vector<const PickleNode*> path_;
  std::size_t visits_ = 0;
};

}  // namespace

TorchContents find_tensors(const Pickle& pickle, const std::string& label) {
  return Finder(pickle, label).take();
}

}  // namespace dd::io
