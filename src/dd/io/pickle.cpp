// SPDX-License-Identifier: Apache-2.0
#include "dd/io/pickle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <unordered_map>

#include "dd/core/error.h"
#include "dd/io/little_endian.h"

namespace dd::io {
namespace {

using Kind = PickleNode::Kind;

// Far more than the description of any checkpoint takes.
constexpr std::size_t kMostNodes = 4'000'000;
constexpr std::size_t kLongestGlobal = 4096;

// Modules whose functions run commands or code, open files or reach the network. We would not call
// them anyway; a file that asks for them should not be trusted in any other respect.
constexpr std::array kAttackModules{
    "os",     "posix",  "nt",      "subprocess", "sys",    "runpy",   "importlib",       "pty",
    "socket", "shutil", "ctypes",  "webbrowser", "pickle", "_pickle", "multiprocessing", "urllib",
    "io",     "_io",    "asyncio", "pdb",        "timeit", "http"};
// Of Python's builtins these are plain types, or look something up.
constexpr std::array kPlainBuiltins{"set",     "frozenset", "list",   "dict",      "tuple", "slice",
                                    "complex", "range",     "bytes",  "bytearray", "str",   "int",
                                    "float",   "bool",      "object", "getattr"};

bool is_attack(std::string_view global) {
  const std::string_view module = global.substr(0, global.find('.'));
  if (module == "builtins" || module == "__builtin__") {
    const std::string_view name = global.substr(global.rfind('.') + 1);
    return std::find(kPlainBuiltins.begin(), kPlainBuiltins.end(), name) == kPlainBuiltins.end();
  }
  return std::find(kAttackModules.begin(), kAttackModules.end(), module) != kAttackModules.end();
}

/// For messages: a name from the file in one line of plain characters.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  return text;
}

}  // namespace

const PickleNode* PickleNode::find(std::string_view key) const {
  for (std::size_t i = items.size(); kind == Kind::kDict && i >= 2; i -= 2) {
    if (items[i - 2]->is(Kind::kText) && items[i - 2]->text == key) return items[i - 1];
  }
  return nullptr;
}

std::string_view PickleNode::made_by() const {
  return callable && callable->is(Kind::kGlobal) ? std::string_view(callable->text) : "";
}

/// The machine that a pickle is a program for, with every call replaced by a record of it.
class PickleParser {
 public:
  PickleParser(std::string_view bytes, const std::string& label, Pickle& out)
      : bytes_(bytes), label_(label), out_(out) {}

  void run() {
    for (;;) {
      const char code = take(1)[0];
      if (code == '.') break;
      if (!scalar(code) && !text(code) && !container(code) && !object(code) && !memory(code)) {
        damaged(cat("byte ", at_ - 1, " is not an instruction that PyTorch writes"));
      }
    }
    out_.root_ = pop();
    out_.size_ = at_;
  }

 private:
  [[noreturn]] void damaged(const std::string& what) const {
    fail_input(cat("damaged pickle in ", label_, ": ", what, "; fetch the file again"));
  }

  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_) damaged("it is cut off");
    const std::string_view part = bytes_.substr(at_, count);
    at_ += count;
    return part;
  }
  std::uint64_t number(std::size_t count) { return little_endian(take(count), 0, count); }
  std::string_view line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) damaged("it is cut off");
    const std::string_view text = take(end - at_);
    take(1);
    return text;
  }

  PickleNode& make(Kind kind) {
    if (out_.nodes_.size() >= kMostNodes) damaged("it holds too many values");
    PickleNode& node = out_.nodes_.emplace_back();
    node.kind = kind;
    return node;
  }
  bool push(PickleNode& node) {
    stack_.push_back(&node);
    return true;
  }
  bool push_integer(std::int64_t value, Kind kind = Kind::kInteger) {
    PickleNode& node = make(kind);
    node.integer = value;
    return push(node);
  }
  bool push_text(Kind kind, std::string_view text) {
    PickleNode& node = make(kind);
    node.text = text;
    return push(node);
  }
  bool push_long(std::string_view digits) {
    if (digits.size() > 8) return push_text(Kind::kBigInteger, digits);
    std::uint64_t value = little_endian(digits, 0, digits.size());
    const bool negative = !digits.empty() && (digits.back() & 0x80);
    if (negative && digits.size() < 8) value |= ~std::uint64_t{0} << 8 * digits.size();
    return push_integer(static_cast<std::int64_t>(value));
  }
  bool push_real(std::string_view bytes) {
    std::string reversed(bytes.rbegin(), bytes.rend());
    PickleNode& node = make(Kind::kReal);
    node.real = std::bit_cast<double>(little_endian(reversed, 0, 8));
    return push(node);
  }

  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  PickleNode* pop() {
    if (stack_.size() <= floor()) damaged("it takes a value that is not there");
    PickleNode* node = stack_.back();
    stack_.pop_back();
    return node;
  }
  PickleNode& top() {
    if (stack_.size() <= floor()) damaged("it changes a value that is not there");
    return *stack_.back();
  }
  std::vector<const PickleNode*> pop_to_mark() {
    if (marks_.empty()) damaged("a mark is missing");
    std::vector<const PickleNode*> items(
        stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }

  bool scalar(char code) {
    switch (code) {
      case '\x80':  // PROTO
        take(1);
        return true;
      case '\x95':  // FRAME
        if (const std::uint64_t size = number(8); size > bytes_.size() - at_)
          damaged("it is cut off");
        return true;
      case 'N':
        return push(make(Kind::kNone));
      case '\x88':
      case '\x89':
        return push_integer(code == '\x88' ? 1 : 0, Kind::kBool);
      case 'J':
        return push_integer(static_cast<std::int32_t>(number(4)));
      case 'K':
        return push_integer(static_cast<std::int64_t>(number(1)));
      case 'M':
        return push_integer(static_cast<std::int64_t>(number(2)));
      case '\x8a':
        return push_long(take(number(1)));
      case '\x8b':
        return push_long(take(number(4)));
      case 'G':
        return push_real(take(8));
      default:
        return false;
    }
  }

  bool text(char code) {
    switch (code) {
      case '\x8c':
      case 'U':  // a text of Python 2
        return push_text(Kind::kText, take(number(1)));
      case 'X':
      case 'T':
        return push_text(Kind::kText, take(number(4)));
      case '\x8d':
        return push_text(Kind::kText, take(number(8)));
      case 'C':
        return push_text(Kind::kBytes, take(number(1)));
      case 'B':
        return push_text(Kind::kBytes, take(number(4)));
      case '\x8e':
      case '\x96':
        return push_text(Kind::kBytes, take(number(8)));
      default:
        return false;
    }
  }

  bool push_items(Kind kind, std::vector<const PickleNode*> items) {
    if (kind == Kind::kDict && items.size() % 2 != 0) damaged("a key has no value");
    PickleNode& node = make(kind);
    node.items = std::move(items);
    return push(node);
  }
  bool push_tuple(std::size_t count) {
    std::vector<const PickleNode*> items(count);
    for (std::size_t i = count; i-- > 0;) items[i] = pop();
    return push_items(Kind::kTuple, std::move(items));
  }
  /// Into the container, or the object that behaves like one, on top of the stack.
  bool add(Kind kind, const std::vector<const PickleNode*>& items) {
    PickleNode& target = top();
    if (target.kind != kind && !target.is(Kind::kObject)) damaged("items go into no container");
    if (kind == Kind::kDict && items.size() % 2 != 0) damaged("a key has no value");
    target.items.insert(target.items.end(), items.begin(), items.end());
    return true;
  }

  bool container(char code) {
    switch (code) {
      case '(':
        marks_.push_back(stack_.size());
        return true;
      case ']':
        return push(make(Kind::kList));
      case '}':
        return push(make(Kind::kDict));
      case ')':
        return push(make(Kind::kTuple));
      case '\x8f':
        return push(make(Kind::kSet));
      case 'l':
        return push_items(Kind::kList, pop_to_mark());
      case 'd':
        return push_items(Kind::kDict, pop_to_mark());
      case 't':
        return push_items(Kind::kTuple, pop_to_mark());
      case '\x91':
        return push_items(Kind::kSet, pop_to_mark());
      case '\x85':
      case '\x86':
      case '\x87':
        return push_tuple(static_cast<std::size_t>(static_cast<unsigned char>(code) - 0x84));
      case 'a': {
        const PickleNode* item = pop();
        return add(Kind::kList, {item});
      }
      case 'e':
        return add(Kind::kList, pop_to_mark());
      case 's': {
        const PickleNode* value = pop();
        const PickleNode* key = pop();
        return add(Kind::kDict, {key, value});
      }
      case 'u':
        return add(Kind::kDict, pop_to_mark());
      case '\x90':
        return add(Kind::kSet, pop_to_mark());
      default:
        return false;
    }
  }

  bool push_object(const PickleNode* callable, const PickleNode* arguments) {
    if (callable->is(Kind::kGlobal) && is_attack(callable->text)) {
      fail_input(cat(label_, " wants to run ", callable->text,
                     ", which no model needs: nothing was run; do not use this file"));
    }
    if (callable->is(Kind::kGlobal) && callable->text == "collections.OrderedDict") {
      PickleNode& dict = make(Kind::kDict);
      if (!arguments->items.empty()) {  // Python 2 wrote a list of pairs
        for (const PickleNode* pair : arguments->items[0]->items) {
          if (pair->items.size() == 2)
            dict.items.insert(dict.items.end(), pair->items.begin(), pair->items.end());
        }
        // One list can be unfolded any number of times, at a few bytes each.
        unfolded_ += dict.items.size();
        if (unfolded_ > kMostNodes) damaged("it holds too many values");
      }
      return push(dict);
    }
    PickleNode& object = make(Kind::kObject);
    object.callable = callable;
    object.arguments = arguments;
    return push(object);
  }
  bool push_persistent(const PickleNode* id) {
    PickleNode& node = make(Kind::kPersistent);
    node.arguments = id;
    return push(node);
  }

  bool object(char code) {
    switch (code) {
      case 'c': {
        const std::string_view module = line();
        return push_text(Kind::kGlobal, printable(cat(module, '.', line())));
      }
      case '\x93': {
        const PickleNode* name = pop();
        const PickleNode* module = pop();
        // Both may be long texts that are recalled again and again.
        if (module->text.size() + name->text.size() > kLongestGlobal)
          damaged("the name of a class is too long");
        return push_text(Kind::kGlobal, printable(cat(module->text, '.', name->text)));
      }
      case 'R':
      case '\x81': {
        const PickleNode* arguments = pop();
        const PickleNode* callable = pop();
        return push_object(callable, arguments);
      }
      case '\x92': {
        pop();  // arguments given by name: no class that we read has them
        const PickleNode* arguments = pop();
        const PickleNode* callable = pop();
        return push_object(callable, arguments);
      }
      case 'b': {
        const PickleNode* state = pop();
        PickleNode& target = top();
        if (!target.is(Kind::kObject) && !target.is(Kind::kDict))
          damaged("a state goes into no object");
        target.state = state;
        return true;
      }
      case 'Q': {
        const PickleNode* id = pop();
        return push_persistent(id);
      }
      default:
        return false;
    }
  }

  bool remember(std::uint64_t place) {
    memo_[place] = &top();
    return true;
  }
  bool recall(std::uint64_t place) {
    const auto found = memo_.find(place);
    if (found == memo_.end()) damaged("it recalls a value that is not there");
    return push(*found->second);
  }

  bool memory(char code) {
    switch (code) {
      case 'q':
        return remember(number(1));
      case 'r':
        return remember(number(4));
      case '\x94':
        return remember(memo_.size());
      case 'h':
        return recall(number(1));
      case 'j':
        return recall(number(4));
      case '0':
        // A mark can be on top too.
        if (!marks_.empty() && marks_.back() == stack_.size()) {
          marks_.pop_back();
        } else {
          pop();
        }
        return true;
      case '1':
        pop_to_mark();
        return true;
      case '2':
        return push(top());
      default:
        return false;
    }
  }

  std::string_view bytes_;
  const std::string& label_;
  Pickle& out_;
  std::size_t at_ = 0;
  std::vector<PickleNode*> stack_;
  std::vector<std::size_t> marks_;
  std::size_t unfolded_ = 0;  ///< items that ordered dicts took from lists
  std::unordered_map<std::uint64_t, PickleNode*> memo_;
};

Pickle Pickle::parse(std::string_view bytes, const std::string& label) {
  Pickle pickle;
  PickleParser(bytes, label, pickle).run();
  return pickle;
}

}  // namespace dd::io
