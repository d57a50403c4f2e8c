// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include "dd/cli/commands.h"
#include "dd/convert/convert.h"

namespace dd::cli {
namespace {

void convert(const convert::ConvertOptions& options, const CommonOptions& common, Context& context,
             std::ostream& results) {
  results << convert::run_convert(options, common, context) << '\n';
}

}  // namespace

Command convert_command() {
  return make_command<convert::ConvertOptions>(
      {.name = "convert",
       .summary = "write a model, LoRA or classifier in another format, LoRAs merged",
       .help = "Writes OUT whole or not at all. --dtype auto keeps the precision of the file.\n"
               "  datadream convert sd --to diffusers --lora a.safetensors:0.5 --lora "
               "b.safetensors --out merged\n"
               "  datadream convert sd --to single-file --dtype f16 --out sd.safetensors\n"
               "  datadream convert adapters/pytorch_lora_weights.safetensors --to kohya "
               "--out lora.safetensors\n"
               "  datadream convert classifier --clip clip --to hf-clip --out merged-clip",
       .locking = OutLocking::kBeside,
       .positional = "in"},
      convert);
}

}  // namespace dd::cli
