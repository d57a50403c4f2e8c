// SPDX-License-Identifier: Apache-2.0
#include "dd/sweep/options.h"

#include <algorithm>
#include <set>

#include "dd/core/any_type_visitor.h"
#include "dd/core/error.h"
#include "dd/core/number_text.h"
#include "dd/core/shard.h"
#include "dd/diffusion/sampler.h"
#include "dd/generate/options.h"
#include "dd/run/guidance_interval.h"

namespace dd::sweep {
namespace {

const std::vector<std::string>& axes() {
  static const std::vector<std::string> names{
      "shots",    "per-class",         "adapt-steps", "sampler",       "sample-steps",
      "guidance", "guidance-interval", "cache-every", "decode-shrink", "lambda"};
  return names;
}

/// Shows the fields of `run` that are no axis of the grid.
class WithoutAxes : public AnyTypeVisitor<WithoutAxes> {
 public:
  explicit WithoutAxes(FieldVisitor& to) : to_(to) {}

  template <class T>
  void any(const std::string& name, T& value, const FieldInfo& info) {
    const bool is_axis = std::ranges::find(axes(), name) != axes().end();
    if (!is_axis) to_.field(name, value, info);
  }

 private:
  FieldVisitor& to_;
};

template <class T>
void check_list(const std::string& name, const std::vector<T>& values) {
  if (values.empty()) fail_usage(cat("--", name, " is empty; give at least one value"));
  if (std::set(values.begin(), values.end()).size() != values.size()) {
    fail_usage(cat("--", name, " names a value twice; name each once"));
  }
}

void check_numbers(const std::string& name, const std::vector<std::string>& texts, double high) {
  const std::vector<double> values = parse_numbers(name, texts);
  check_list(name, values);
  for (const double value : values) {
    // Written so that NaN fails.
    if (value >= 0 && value <= high) continue;
    fail_usage(cat("--", name, " holds ", value, ", but must lie in 0 … ", high));
  }
}

}  // namespace

SweepOptions::SweepOptions()
    : shots{base.shots},
      per_class{base.per_class},
      adapt_steps{base.adapt_steps},
      samplers{base.sampler},
      sample_steps{base.sample_steps},
      guidance{shortest_text(base.guidance)},
      guidance_intervals{base.guidance_interval},
      cache_every{base.cache_every},
      decode_shrink{base.decode_shrink},
      lambda{shortest_text(base.lambda)} {
  base.align = false;  // a grid is about accuracy, and has many sets
}

void SweepOptions::visit(FieldVisitor& visitor) {
  visitor.field("shots", shots, {.help = "axis: real images a class", .low = 1, .high = 1e9});
  visitor.field("per-class", per_class,
                {.help = "axis: synthetic images a class; 0 = the method without them",
                 .low = 0,
                 .high = 1e7});
  visitor.field("adapt-steps", adapt_steps,
                {.help = "axis: updates of the adaptation, shared among the classes in class mode",
                 .low = 1,
                 .high = 1e9});
  visitor.field("sampler", samplers,
                {.help = "axis: way from noise to image", .choices = sampler_choices()});
  visitor.field("sample-steps", sample_steps,
                {.help = "axis: sampling steps", .low = 1, .high = 1e6});
  visitor.field("guidance", guidance,
                {.help = "axis: strength of classifier-free guidance (0 … 1000)"});
  visitor.field(
      "guidance-interval", guidance_intervals,
      {.help = "axis: noise levels that are guided: all, or LOW:HIGH (2: is 2 and above)"});
  visitor.field(
      "cache-every", cache_every,
      {.help = "axis: sampling steps that share the U-Net's deeper levels", .low = 1, .high = 1e6});
  visitor.field("decode-shrink", decode_shrink,
                {.help = "axis: how many times narrower and lower latents are decoded",
                 .low = 1,
                 .high = generate::kMaxDecodeShrink});
  visitor.field("lambda", lambda,
                {.help = "axis: weight of the real images where both kinds are used (0 … 1)"});
  visitor.field("shard", shard,
                {.help = "I/N: do the I-th of N parts, so that N processes share one --out"});
  WithoutAxes rest(visitor);
  base.visit(rest);
}

void SweepOptions::check() const {
  check_options(*this);
  check_list("shots", shots);
  check_list("per-class", per_class);
  check_list("adapt-steps", adapt_steps);
  check_list("sampler", samplers);
  check_list("sample-steps", sample_steps);
  check_numbers("guidance", guidance, 1000);
  check_list("guidance-interval", run::interval_texts(guidance_intervals));
  check_list("cache-every", cache_every);
  check_list("decode-shrink", decode_shrink);
  check_numbers("lambda", lambda, 1);
  if (lambda.size() > 1 && !base.lambdas.empty()) {
    fail_usage("--lambda is an axis, but --lambdas chooses one itself; give one of them");
  }
  run::RunOptions fewest = base;
  fewest.shots = std::ranges::min(shots);
  fewest.check();
  parse_shard(shard);
}

std::vector<std::string> SweepOptions::free_settings() {
  std::vector<std::string> keys{"seeds", "methods", "mode", "align"};
  for (std::string name : axes()) {
    std::ranges::replace(name, '-', '_');
    keys.push_back(std::move(name));
  }
  return keys;
}

}  // namespace dd::sweep
