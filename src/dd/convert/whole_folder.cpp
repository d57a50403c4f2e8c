// SPDX-License-Identifier: Apache-2.0
#include "dd/convert/whole_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "dd/core/durable_files.h"
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

/// Afterwards `folder` is the fresh one and what was there before is gone. At every moment one of
/// the two bears the name, where the disk can exchange names (all of Linux's own can).
void put_in_place(const fs::path& fresh, const fs::path& folder) {
  std::error_code ignored;
  if (!path_exists(folder)) return rename_or_fail(fresh, folder);
  if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE) == 0) {
    fs::remove_all(fresh, ignored);
    return;
  }
  // Not a temporary ending: after a kill between the two it is all that there is.
  const fs::path old = folder.parent_path() / cat(folder.filename().string(), ".old", ::getpid());
  rename_or_fail(folder, old);
  try {
    rename_or_fail(fresh, folder);
  } catch (...) {
    fs::rename(old, folder, ignored);
    throw;
  }
  fs::remove_all(old, ignored);
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
  if (!path_exists(out)) return;
  if (!force) {
    fail_usage(cat(out.string(), " is there already; use --force to replace it, or another --out"));
  }
  const bool is_folder = path_is_folder(out);
  const bool wants_folder = *mark != '\0';
  if (is_folder != wants_folder || (is_folder && !path_exists(out / mark))) {
    fail_usage(cat(out.string(),
                   " is nothing that this command writes, so it is not replaced; "
                   "choose another --out"));
  }
}

void write_whole_folder(const fs::path& folder, const std::function<void(const fs::path&)>& write) {
  const fs::path clean = folder.has_filename() ? folder : folder.parent_path();
  // Known by its ending, so that it is removed even after this process was killed (FolderLock).
  const fs::path fresh = clean.parent_path() / (clean.filename().string() + temporary_ending());
  std::error_code ignored;
  try {
    make_folder(fresh);
    write(fresh);
    put_in_place(fresh, clean);
    sync_folder(clean.parent_path());
  } catch (...) {
    fs::remove_all(fresh, ignored);
    throw;
  }
}

void copy_small_files(const fs::path& from, const fs::path& to) {
  if (!path_is_folder(from)) return;
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
