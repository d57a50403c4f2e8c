// SPDX-License-Identifier: Apache-2.0
#include "dd/convert/whole_folder.h"

#include <unistd.h>

#include <algorithm>
#include <set>

#include "dd/core/files.h"

namespace dd::convert {
namespace fs = std::filesystem;
namespace {

void rename_or_fail(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) {
    fail_resource(cat("cannot write ", to.string(), ": ", error.message(),
                      "; check the folder's permissions"));
  }
}

/// `path` beside itself, under a name that no one else uses.
fs::path beside(const fs::path& path, const char* ending) {
  const fs::path clean = path.has_filename() ? path : path.parent_path();
  return clean.parent_path() / cat(clean.filename().string(), ".", ending, ::getpid());
}

bool lies_in(const fs::path& path, const fs::path& folder) {
  const fs::path inner = fs::weakly_canonical(path);
  const fs::path outer = fs::weakly_canonical(folder);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

}  // namespace

void check_target(const fs::path& out, const fs::path& source, const char* mark, bool force) {
  if (lies_in(out, source) || lies_in(source, out)) {
    fail_usage(cat("--out ", out.string(), " and ", source.string(),
                   " lie in one another; choose another --out"));
  }
  if (!fs::exists(out)) return;
  if (!force) {
    fail_usage(cat(out.string(), " is there already; use --force to replace it, or another --out"));
  }
  const bool is_folder = fs::is_directory(out);
  const bool wants_folder = *mark != '\0';
  if (is_folder != wants_folder || (is_folder && !fs::exists(out / mark))) {
    fail_usage(cat(out.string(),
                   " is nothing that this command writes, so it is not replaced; "
                   "choose another --out"));
  }
}

void write_whole_folder(const fs::path& folder, const std::function<void(const fs::path&)>& write) {
  const fs::path fresh = beside(folder, "tmp");
  const fs::path old = beside(folder, "old");
  std::error_code ignored;
  try {
    make_folder(fresh);
    write(fresh);
    if (fs::exists(folder)) rename_or_fail(folder, old);
    rename_or_fail(fresh, folder);
  } catch (...) {
    fs::remove_all(fresh, ignored);
    if (fs::exists(old) && !fs::exists(folder)) fs::rename(old, folder, ignored);
    throw;
  }
  fs::remove_all(old, ignored);
}

void copy_small_files(const fs::path& from, const fs::path& to) {
  if (!fs::is_directory(from)) return;
  static const std::set<std::string> kLeftOut{".safetensors", ".bin",  ".ckpt",   ".pt",
                                              ".pth",         ".onnx", ".msgpack"};
  make_folder(to);
  for (const fs::directory_entry& entry : fs::directory_iterator(from)) {
    const std::string name = entry.path().filename().string();
    const bool is_index = name.ends_with(".index.json") || name.ends_with(".index.fp16.json");
    if (!entry.is_regular_file() || kLeftOut.contains(entry.path().extension()) || is_index) {
      continue;
    }
    write_file_atomically(to / name, read_file(entry.path()));
  }
}

void copy_config(const fs::path& from, const fs::path& to, const std::string& dtype) {
  Json config = read_json(from);
  for (const char* key : {"torch_dtype", "dtype"}) {
    if (config.contains(key)) config[key] = dtype;
  }
  write_json(to, config);
}

}  // namespace dd::convert
