// SPDX-License-Identifier: Apache-2.0
#include "dd/convert/convert.h"

#include <c10/util/accumulate.h>

#include <algorithm>
#include <map>

#include "dd/convert/clip_folder.h"
#include "dd/convert/diffusers_folder.h"
#include "dd/convert/lora_conversion.h"
#include "dd/convert/single_file.h"
#include "dd/convert/whole_folder.h"
#include "dd/core/durable_files.h"
#include "dd/core/files.h"
#include "dd/core/room.h"
#include "dd/generate/loras.h"
#include "dd/inspect/detect.h"
#include "dd/lora/lora_file.h"
#include "dd/models/model_size.h"

namespace dd::convert {
namespace fs = std::filesystem;
namespace {

using inspect::Kind;

struct Request {
  const ConvertOptions& options;
  const CommonOptions& common;
  Context& context;
};

void require_format(const Request& request, Kind kind, std::initializer_list<const char*> formats) {
  std::string known;
  for (const char* format : formats) {
    if (request.options.to == format) return;
    known += cat(known.empty() ? "" : " or ", format);
  }
  fail_usage(cat(request.options.in.string(), " is a ", inspect::kind_name(kind),
                 ", which cannot be written as ", request.options.to, "; choose --to ", known));
}

void refuse_lora(const Request& request) {
  if (!request.options.lora.empty()) {
    fail_usage(cat("--lora is merged into a Stable Diffusion model, which ",
                   request.options.in.string(), " is not; leave it out"));
  }
}

std::string convert_lora_file(const Request& request, const fs::path& file) {
  require_format(request, Kind::kLora, {"diffusers", "kohya"});
  refuse_lora(request);
  const fs::path& out = request.common.out;
  check_target(out, file, "", request.common.force);
  if (out.extension() != ".safetensors") {
    fail_usage(cat("--out ", out.string(), " is to be a LoRA file; end its name in .safetensors"));
  }
  return convert_lora(file, request.options.to, request.common.dtype,
                      request.common.dry_run ? fs::path() : out, request.context.report);
}

/// What the weights are written as: as asked for, or as most of them are, where that is a type that
/// is written.
at::ScalarType written_type(const Request& request, const std::vector<io::TensorInfo>& tensors) {
  if (request.common.dtype != "auto") return parse_dtype(request.common.dtype, at::kCPU);
  std::map<at::ScalarType, std::int64_t> numbers;
  for (const io::TensorInfo& tensor : tensors) {
    numbers[tensor.dtype] += c10::multiply_integers(tensor.shape);
  }
  const auto most =
      std::ranges::max_element(numbers, {}, [](const auto& of_type) { return of_type.second; });
  const bool is_narrow =
      most != numbers.end() && (most->first == at::kHalf || most->first == at::kBFloat16);
  return is_narrow ? most->first : at::kFloat;
}

/// Merging into weights that change their type takes single precision.
MemoryNeed memory_of(const Request& request, const std::vector<io::TensorInfo>& tensors) {
  Placement loaded;
  if (request.common.dtype == "auto") loaded.dtype = written_type(request, tensors);
  return models::memory_need(tensors, loaded);
}

/// By the headers of the weights.
void report_disk(const Request& request, const std::vector<io::TensorInfo>& tensors) {
  if (tensors.empty()) return;
  constexpr std::int64_t kBeside = std::int64_t{16} << 20;  // tokenizer, configurations, names
  Placement written;
  written.dtype = written_type(request, tensors);
  report_space(request.common.out, models::model_bytes(tensors, written) + kBeside,
               "the written weights", request.context.report);
}

/// What `adapt` wrote for a whole data set is one file.
std::string convert_adapters(const Request& request) {
  const fs::path file = request.options.in / lora::kLoraFileName;
  if (!path_exists(file)) {
    fail_usage(cat(request.options.in.string(),
                   " holds a LoRA for each class; name one of them, CLASS/", lora::kLoraFileName));
  }
  return convert_lora_file(request, file);
}

/// In a folder beside a file that is not there yet: the conversion that makes both was interrupted.
constexpr const char* kUnfinished = ".unfinished";

/// The file, and beside it a folder for what the file does not hold. The file comes last: as long
/// as it is not there, the same command starts over.
void write_file_and_folder(const Request& request, const SourceModel& source) {
  const fs::path& out = request.common.out;
  const fs::path folder = folder_beside(out);
  const bool is_source = path_exists(folder) && path_exists(request.options.in) &&
                         fs::equivalent(folder, request.options.in);
  if (is_source) return write_single_file(source, out);  // it says all of it already
  write_whole_folder(folder, [&](const fs::path& fresh) {
    write_descriptions(source, request.options.in, fresh);
    write_file_atomically(fresh / kUnfinished, "");
  });
  write_single_file(source, out);
  drop_record(folder / kUnfinished);
  request.context.report.info(
      cat("what a single file does not hold (tokenizer, scheduler, "
          "configurations) is in ",
          folder.string()));
}

void write_folder(const Request& request, const SourceModel& source) {
  write_whole_folder(request.common.out, [&](const fs::path& folder) {
    for (const std::string& part : write_diffusers_folder(source, request.options.in, folder)) {
      request.context.report.info(cat("left out ", part, ", which is no part of the model"));
    }
  });
}

void check_single_target(const Request& request) {
  const fs::path& out = request.common.out;
  if (out.extension() != ".safetensors") {
    fail_usage(cat("--out ", out.string(), " is to be a file; end its name in .safetensors"));
  }
  check_target(out, request.options.in, "", request.common.force);
  const fs::path folder = folder_beside(out);
  const bool is_left_over = !path_exists(out) && path_exists(folder / kUnfinished);
  if (path_exists(folder) && !is_left_over && !fs::equivalent(folder, request.options.in)) {
    check_target(folder, request.options.in, "model_index.json", request.common.force);
  }
}

std::string convert_model(const Request& request) {
  require_format(request, Kind::kStableDiffusion, {"diffusers", "single-file"});
  const ConvertOptions& options = request.options;
  const bool to_file = options.to == "single-file";
  if (to_file) {
    check_single_target(request);
  } else {
    check_target(request.common.out, options.in, "model_index.json", request.common.force);
  }
  const std::vector<io::TensorInfo> tensors = models::model_tensors(options.in);
  std::vector<generate::LoraUse> uses;
  for (const std::string& text : options.lora) uses.push_back(generate::parse_lora_use(text));
  Reporter& report = request.context.report;
  const MemoryNeed need = memory_of(request, tensors);
  if (!need.fits()) report_memory(need, "the model's weights", report);
  const SourceModel source = SourceModel::load(options.in, request.common.dtype, options.model);
  for (const std::string& note : source.model.notes) report.info(note);
  const generate::LoadedLoras loras(source.model, uses, report);
  loras.merge_into_text_encoder().make_permanent();
  loras.merge_into_unet().make_permanent();
  request.context.cancel.check();
  if (need.fits()) report_memory(need, "the model's weights", report);
  report_disk(request, tensors);
  if (!request.common.dry_run) {
    to_file ? write_file_and_folder(request, source) : write_folder(request, source);
  }
  return cat("Stable Diffusion, ", options.to, ", ", dtype_name(source.dtypes.at("unet")), ", ",
             uses.size(), " LoRAs merged");
}

std::string convert_clip(const Request& request, Kind kind) {
  require_format(request, kind, {"hf-clip"});
  refuse_lora(request);
  const ConvertOptions& options = request.options;
  ClipSource source{.clip = options.in, .classifier = {}, .dtype = request.common.dtype};
  if (kind == Kind::kClassifier) {
    if (options.clip.empty()) {
      fail_usage(cat(options.in.string(),
                     " is a classifier; name the CLIP that it was trained on with --clip"));
    }
    source.clip = options.clip;
    source.classifier = options.in;
  }
  const fs::path& out = request.common.out;
  check_target(out, options.in, "config.json", request.common.force);
  check_target(out, source.clip, "config.json", request.common.force);
  report_disk(request, models::weights_in(source.clip));
  if (request.common.dry_run) return "CLIP folder of Hugging Face";
  std::string line;
  write_whole_folder(out, [&](const fs::path& folder) {
    line = write_clip_folder(source, folder, request.context.report);
  });
  return line;
}

std::string convert_kind(const Request& request, Kind kind) {
  switch (kind) {
    case Kind::kStableDiffusion:
      return convert_model(request);
    case Kind::kLora:
      return convert_lora_file(request, path_is_folder(request.options.in)
                                            ? request.options.in / "adapter_model.safetensors"
                                            : request.options.in);
    case Kind::kAdapters:
      return convert_adapters(request);
    case Kind::kClip:
    case Kind::kClassifier:
      return convert_clip(request, kind);
    case Kind::kUNet:
    case Kind::kVae:
    case Kind::kTextEncoder:
    case Kind::kDataset:
    case Kind::kImage:
    case Kind::kTensors:
      break;
  }
  fail_usage(
      cat(request.options.in.string(), " is a ", inspect::kind_name(kind),
          ", which cannot be converted; name a whole model, a LoRA, a CLIP or a classifier"));
}

}  // namespace

void ConvertOptions::visit(FieldVisitor& visitor) {
  visitor.field("in", in,
                {.help = "model (diffusers folder or single file), LoRA file, CLIP or classifier",
                 .required = true});
  visitor.field("to", to,
                {.help = "format to write: diffusers (model or LoRA), single-file (model), kohya "
                         "(LoRA), hf-clip (CLIP or classifier)",
                 .choices = {"diffusers", "single-file", "kohya", "hf-clip"},
                 .required = true});
  visitor.field("lora", lora, {.help = "LoRA file to merge, with FILE:SCALE for its strength"});
  model.visit(visitor);
  visitor.field("clip", clip, {.help = "the CLIP that the classifier was trained on"});
}

std::string run_convert(const ConvertOptions& options, const CommonOptions& common,
                        Context& context) {
  check_options(options);
  if (common.out.empty()) fail_usage("--out is missing; name the file or folder to write");
  const Request request{options, common, context};
  const std::string line = convert_kind(request, inspect::detect(options.in.string()));
  return common.dry_run ? cat("would write ", common.out.string(), ": ", line)
                        : cat(common.out.string(), ": ", line);
}

}  // namespace dd::convert
