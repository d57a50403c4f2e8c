// SPDX-License-Identifier: Apache-2.0
#include "dd/run/stages.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "dd/adapt/adapt_size.h"
#include "dd/core/error.h"
#include "dd/run/stage_options.h"

namespace dd::run {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kPicturesShown = 8;

/// Passes through the whole U-Net that take as long as all passes of an image do.
double whole_passes(const DrawingWork& drawing, const ModelCosts& costs) {
  const auto shallow = static_cast<double>(drawing.shallow_passes);
  if (shallow == 0) return static_cast<double>(drawing.passes);
  return static_cast<double>(drawing.passes) -
         shallow * (1 - costs.shallow_evaluation / costs.evaluation);
}

}  // namespace

bool can_compare(const Setup& setup) {
  return std::ranges::all_of(indices_by_class(*setup.data), [&](const auto& indices) {
    return std::ssize(indices) > setup.options.shots;
  });
}

const char* work_name(Work work) {
  constexpr std::array kNames{"shots", "adapt", "generate", "train", "evaluate", "align"};
  return kNames.at(static_cast<std::size_t>(work));
}

std::int64_t Measurement::shots() const {
  return cell.needs_shots() ? cell.settings.shots : 0;
}

std::int64_t Measurement::images_per_class() const {
  return cell.method.images == ImageSource::kNone ? 0 : cell.settings.per_class;
}

Chain::Chain(const Setup& setup, StageNames::Style style)
    : setup_(setup), names_(style), predictions_(style == StageNames::Style::kShort) {}

const Stage& Chain::stage(const std::string& name) const {
  return stages_.at(places_.at(name));
}

fs::path Chain::folder(const std::string& stage) const {
  return stage.empty() ? fs::path() : setup_.common.out / stage;
}

Effort Chain::effort(const Cell& cell) const {
  return effort_of(cell, setup_.costs, setup_.data->num_classes());
}

Share Chain::put(Stage stage) {
  const auto [place, is_new] = places_.emplace(stage.name, stages_.size());
  Share share{stage.name, stage.units};
  if (is_new) {
    stages_.push_back(std::move(stage));
  } else if (Stage& known = stages_[place->second]; known.units < stage.units) {
    known = std::move(stage);
  }
  return share;
}

void Chain::add_shots(const Cell& cell) {
  put({.name = names_.shots(cell),
       .what = cat(cell.settings.shots, " real images of each of ", setup_.data->num_classes(),
                   " classes"),
       .work = Work::kShots,
       .run = [&setup = setup_,
               draw = ShotDraw{cell.seed, cell.settings.shots, folder(names_.shots(cell))}](
                  Context&) { return write_shots_stage(setup, draw); }});
}

Share Chain::add_adapters(const Cell& cell) {
  const RunOptions& settings = cell.settings;
  const std::string name = names_.adapt(cell);
  const std::int64_t classes = setup_.data->num_classes();
  const std::string what =
      cell.mode == "class" ? cat(classes, " adapters, ", settings.adapt_steps, " updates in all")
                           : cat("one adapter, ", settings.adapt_steps, " updates");
  return put({.name = name,
              .what = cat(what, " of ", settings.adapt_batch, " images"),
              .work = Work::kAdapt,
              .units = settings.adapt_steps * settings.adapt_batch,
              .flops = effort(cell).adapt_flops,
              .bytes = adapt::adapter_bytes(settings.adapt_rank * setup_.costs.adapter_numbers,
                                            cell.mode == "class" ? classes : 1, 1),
              .run = [options = adapt_options(setup_, cell, folder(names_.shots_file(cell))),
                      own = setup_.stage_common(folder(name), cell.seed)](Context& context) {
                return adapt::run_adapt(options, own, context).adapters > 0;
              }});
}

Share Chain::add_images(const Cell& cell, const std::string& adapters, std::int64_t each) {
  const RunOptions& settings = cell.settings;
  const std::string name = names_.images(cell);
  const std::int64_t images = each * setup_.data->num_classes();
  const DrawingWork drawing = drawing_work(cell, setup_.costs);
  Cell whole = cell;
  whole.settings.per_class = each;
  DrawnFrom drawn_from{.adapters = folder(adapters)};
  if (cell.method.images == ImageSource::kShots) {
    drawn_from.shots_file = folder(names_.shots_file(cell));
  }
  return put(
      {.name = name,
       .what = cat(images, " images, ", settings.sample_steps, " steps of ", settings.sampler),
       .work = Work::kGenerate,
       .units = std::llround(static_cast<double>(images) * whole_passes(drawing, setup_.costs)),
       .flops = effort(whole).draw_flops,
       .bytes = images * setup_.costs.picture_bytes,
       .run = [options = generate_options(setup_, cell, drawn_from, each),
               own = setup_.stage_common(folder(name), cell.seed)](Context& context) {
         return generate::run_generate(options, own, context).written > 0;
       }});
}

Share Chain::add_classifier(const Cell& cell, const std::string& images) {
  const RunOptions& settings = cell.settings;
  const std::string name = names_.train(cell);
  const fs::path shots = cell.method.real ? folder(names_.shots_file(cell)) : fs::path();
  const std::int64_t trainings = cell.trainings();
  return put({.name = name,
              .what = cat(trainings > 1 ? cat(trainings, " x ") : "", settings.classifier_steps,
                          " updates of ", settings.classifier_batch, " images"),
              .work = Work::kTrain,
              .units = trainings * settings.classifier_steps * settings.classifier_batch,
              .flops = effort(cell).train_flops,
              .run = [options = train_options(setup_, cell, folder(images), shots),
                      own = setup_.stage_common(folder(name), cell.seed)](Context& context) {
                return !classify::run_train(options, own, context).skipped;
              }});
}

Share Chain::add_evaluation(const Cell& cell, const std::string& classifier) {
  const std::string name = names_.evaluate(cell);
  classify::EvaluateOptions options = evaluate_options(setup_, cell, folder(classifier));
  // A sweep would fill the disk with them.
  options.predictions = predictions_;
  return put(
      {.name = name,
       .what = cat("accuracy on ", setup_.test_images, " images (", options.split, ")"),
       .work = Work::kEvaluate,
       .units = setup_.test_images,
       .flops = static_cast<double>(setup_.test_images) * setup_.costs.score_picture,
       .run = [options, own = setup_.stage_common(folder(name), cell.seed)](Context& context) {
         return !classify::run_evaluate(options, own, context).skipped;
       }});
}

void Chain::add_pictures(const Cell& cell) {
  add_images(cell, "", kPicturesShown);
}

void Chain::compare(const Cell& cell) {
  add_shots(cell);
  const std::string name = names_.align(cell);
  const fs::path images = folder(names_.images(cell));
  put({.name = name,
       .what = "synthetic images beside real ones, by CLIP's features",
       .work = Work::kAlign,
       .units = cell.settings.per_class * setup_.data->num_classes(),
       .run = [options = align_options(setup_, cell, images, folder(names_.shots_file(cell))),
               own = setup_.stage_common(folder(name), cell.seed)](Context& context) {
         return !align::run_align(options, own, context).skipped;
       }});
  comparisons_.push_back({.cell = cell,
                          .kind = name.substr(name.rfind("align-") + 6),
                          .stage = name,
                          .drawing = names_.images(cell),
                          .seed = cell.seed,
                          .folder = folder(name),
                          .images = images});
}

void Chain::add(const Cell& cell) {
  Measurement measured{.cell = cell, .evaluation = {}, .classifier = {}, .stages = {}, .work = {}};
  if (cell.needs_shots()) {
    add_shots(cell);
    measured.stages.push_back(names_.shots(cell));
  }
  std::string images;
  if (cell.method.images != ImageSource::kNone) {
    std::string adapters;
    if (cell.adapted()) adapters = measured.work.emplace_back(add_adapters(cell)).stage;
    images = measured.work.emplace_back(add_images(cell, adapters, cell.settings.per_class)).stage;
  }
  if (!cell.method.zero_shot()) {
    measured.classifier = measured.work.emplace_back(add_classifier(cell, images)).stage;
  }
  for (const Share& share : measured.work) measured.stages.push_back(share.stage);
  measured.evaluation = add_evaluation(cell, measured.classifier).stage;
  measured.stages.push_back(measured.evaluation);
  measurements_.push_back(std::move(measured));
}

Chain plan_chain(const Setup& setup) {
  Chain chain(setup, StageNames::Style::kShort);
  const RunOptions& options = setup.options;
  const auto cell_of = [&](const Method& method, const std::string& mode, std::int64_t seed) {
    return Cell{.settings = options, .method = method, .mode = mode, .seed = seed};
  };
  if (options.wants("zero-shot")) {
    chain.add(cell_of(method_named("zero-shot"), "none", setup.seeds.front()));
  }
  for (const std::int64_t seed : setup.seeds) {
    chain.add_shots(cell_of(method_named("real"), "none", seed));
    for (const Method& method : all_methods()) {
      if (method.zero_shot() || method.images == ImageSource::kAdapted) continue;
      if (options.wants(method.name)) chain.add(cell_of(method, "none", seed));
    }
    chain.add_pictures(cell_of(method_named("frozen"), "none", seed));
    for (const std::string& mode : options.modes()) {
      for (const char* name : {"synthetic", "synthetic+real"}) {
        if (options.wants(name)) chain.add(cell_of(method_named(name), mode, seed));
      }
    }
    if (!options.align || !can_compare(setup)) continue;
    chain.compare(cell_of(method_named("frozen"), "none", seed));
    if (options.wants("disef") || options.wants("disef+real")) {
      chain.compare(cell_of(method_named("disef"), "none", seed));
    }
    for (const std::string& mode : options.modes()) {
      chain.compare(cell_of(method_named("synthetic"), mode, seed));
    }
  }
  return chain;
}

}  // namespace dd::run
