// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include "dd/align/align.h"
#include "dd/cli/commands.h"

namespace dd::cli {
namespace {

void align(const align::AlignOptions& options, const CommonOptions& common, Context& context,
           std::ostream& results) {
  results << align::run_align(options, common, context).text;
}

}  // namespace

Command align_command() {
  return make_command<align::AlignOptions>(
      {.name = "align",
       .summary = "measure how alike two sets of images are (FID, KID, CMMD, precision, ...)",
       .help = "Writes OUT/metrics.json (fid, kid, kid_std, cmmd, precision, recall, density, "
               "coverage, per\n"
               "class and in all, with intervals), OUT/nearest.csv (the nearest real image of each "
               "synthetic\n"
               "one, and near copies of shots) and the features as .npy files.\n"
               "  datadream align --real fashion-mnist:DIR --synthetic images --clip clip "
               "--out alignment",
       .shares_work = true},
      align);
}

}  // namespace dd::cli
