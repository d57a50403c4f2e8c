// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dd/core/common_options.h"
#include "dd/core/context.h"
#include "dd/core/fields.h"

namespace dd::cli {

/// How a command keeps other processes from its --out.
enum class OutLocking {
  kInside,  ///< a file in the folder, while it works
  kBeside,  ///< the same beside it: the command puts --out in place whole
  kOwn,     ///< it sees to that itself
};

/// What a user may know of a command before running it.
struct CommandInfo {
  std::string name;       ///< "adapt"; may be of two words: "data check"
  std::string summary;    ///< one line for the list of commands
  std::string help{};     ///< what it reads and writes, with an example
  bool needs_out = true;  ///< --out must be given
  OutLocking locking = OutLocking::kInside;
  bool shares_work = false;  ///< among the ranks that a launcher such as mpirun started
  std::string positional{};  ///< name of the field that is also taken without its flag
};

/// A command as the program keeps it: its description, its options with their defaults, and the
/// action.
struct Command {
  CommandInfo info;
  std::shared_ptr<Options> options;
  /// Runs with what was put into `options`. Results go to the stream (standard output), nothing
  /// else.
  std::function<void(const CommonOptions&, Context&, std::ostream&)> run;
};

/// Makes a command of an options struct and an action
/// `void(const XxxOptions&, const CommonOptions&, Context&, std::ostream& results)`.
///
/// Both option lists were checked (check_options) when the action is called, and no field of
/// XxxOptions may have the name of a common one. The action reports failure by throwing dd::Error.
template <class XxxOptions, class Action>
Command make_command(CommandInfo info, Action action) {
  auto options = std::make_shared<XxxOptions>();
  auto run = [options, act = std::move(action)](const CommonOptions& common, Context& context,
                                                std::ostream& results) {
    act(*options, common, context, results);
  };
  return {std::move(info), options, std::move(run)};
}

}  // namespace dd::cli
