// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace dd::io {

/// One value of a pickle. Which members mean something depends on the kind.
struct PickleNode {
  enum class Kind {
    kNone,
    kBool,        ///< integer: 0 or 1
    kInteger,     ///< integer
    kBigInteger,  ///< text: its bytes, lowest first, as two's complement
    kReal,        ///< real
    kText,        ///< text
    kBytes,       ///< text
    kTuple,       ///< items
    kList,        ///< items
    kSet,         ///< items
    kDict,        ///< items: key, value, key, value, …; also a collections.OrderedDict
    kGlobal,      ///< text: "module.name" of a class or function
    kObject,      ///< what `callable` would give for `arguments`, and what was put into it
    kPersistent,  ///< arguments: the id of something that stands outside of the pickle
  };

  Kind kind = Kind::kNone;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<const PickleNode*> items;   ///< of an object: what was appended or set
  const PickleNode* callable = nullptr;   ///< of an object: mostly a kGlobal
  const PickleNode* arguments = nullptr;  ///< of an object: a kTuple
  const PickleNode* state = nullptr;      ///< of an object or a dict: what BUILD gives it, or null

  bool is(Kind other) const { return kind == other; }
  /// The value of a text key of a dict, the last one if it stands twice; null when there is none.
  const PickleNode* find(std::string_view key) const;
  /// The global that an object is made by; empty when it is none.
  std::string_view made_by() const;
};

/// A pickle read as data (protocols 2 to 5): nothing is imported, called or built. A value that
/// Python would get from a call is recorded as an object with the name of what would be called.
/// Values are shared, and may contain themselves, as in the pickle: walkers must bound their depth
/// and count.
class Pickle {
 public:
  /// Reads the pickle at the front of `bytes`. Error(kInput) names `label` when it is damaged, and
  /// when it wants to call something that runs commands or code, such as os.system: such a file is
  /// an attack, whatever else it holds.
  static Pickle parse(std::string_view bytes, const std::string& label);

  const PickleNode& root() const { return *root_; }
  /// All values, in the order in which they were made.
  const std::deque<PickleNode>& nodes() const { return nodes_; }
  /// Bytes that it takes.
  std::size_t size() const { return size_; }

 private:
  friend class PickleParser;

  std::deque<PickleNode> nodes_;
  const PickleNode* root_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace dd::io
