// SPDX-License-Identifier: Apache-2.0
#include "dd/core/common_options.h"

#include <algorithm>
#include <string_view>

#include "dd/core/error.h"

namespace dd {
namespace {

bool is_device(std::string_view text) {
  if (text == "auto" || text == "cpu" || text == "cuda") return true;
  constexpr std::string_view kPrefix = "cuda:";
  if (!text.starts_with(kPrefix)) return false;
  const std::string_view number = text.substr(kPrefix.size());
  // LibTorch keeps the index of a device in eight bits.
  return !number.empty() && number.size() <= 2 &&
         std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

void CommonOptions::visit(FieldVisitor& visitor) {
  visitor.field("device", device, {.help = "where to compute: cpu, cuda, cuda:N, or auto"});
  visitor.field(
      "dtype", dtype,
      {.help = "number format of the models; auto takes f32 on a CPU (exact), bf16 on CUDA",
       .choices = {"auto", "f32", "bf16", "f16"}});
  visitor.field("threads", threads,
                {.help = "CPU threads; 0 takes all cores", .low = 0, .high = 1024});
  visitor.field("seed", seed, {.help = "root of every random choice", .low = 0});
  visitor.field("out", out, {.help = "folder for the results"});
  visitor.field("force", force, {.help = "start over instead of completing what is there"});
  visitor.field("quiet", quiet, {.help = "show warnings and errors only"});
  visitor.field("verbose", verbose, {.help = "show progress line by line, even on a terminal"});
  visitor.field("log-json", log_json,
                {.help = "also write messages and progress to this file, "
                         "one JSON object a line"});
  visitor.field("dry-run", dry_run,
                {.help = "say what would be done and what it costs, do nothing"});
  visitor.field("profile", profile,
                {.help = "say at the end where the time went, by stage and operator"});
}

void CommonOptions::check() const {
  check_options(*this);
  if (!is_device(device)) {
    fail_usage(cat("--device is \"", device, "\", but must be cpu, cuda, cuda:N or auto"));
  }
  if (quiet && verbose) fail_usage("--quiet and --verbose exclude each other; give one of them");
}

}  // namespace dd
