// SPDX-License-Identifier: Apache-2.0
// Adapts a model to two photos a class and draws two images of each: consumer MODEL PHOTOS OUT
#include <dd/adapt/adapt.h>
#include <dd/core/error.h>
#include <dd/generate/generate.h>

#include <iostream>

int main(int count, char** words) {
  if (count != 4) return 2;
  const std::filesystem::path out = words[3];
  dd::NullReporter silent;
  dd::CancelToken never;
  dd::Context context{silent, never};

  dd::adapt::AdaptOptions adapt;
  adapt.model = words[1];
  adapt.data = words[2];
  adapt.shots = adapt.batch = 2;
  adapt.steps = 4;
  dd::generate::GenerateOptions generate;
  generate.model = words[1];
  generate.classes = words[2];
  generate.adapters = out / "adapters";
  generate.per_class = 2;
  generate.steps = 4;
  dd::CommonOptions common;
  try {
    common.out = out / "adapters";
    const auto adapted = dd::adapt::run_adapt(adapt, common, context);
    common.out = out / "images";
    const auto drawn = dd::generate::run_generate(generate, common, context);
    std::cout << "loss " << adapted.last_loss << ", " << drawn.written << " images\n";
  } catch (const dd::Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
