// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/commands.h"

namespace dd::cli {

std::vector<Command> all_commands() {
  return {run_command(),        sweep_command(),    adapt_command(),   generate_command(),
          train_command(),      evaluate_command(), align_command(),   inspect_command(),
          data_check_command(), convert_command(),  pretrain_command()};
}

}  // namespace dd::cli
