// SPDX-License-Identifier: Apache-2.0
#include "dd/data/links.h"

#include <string>
#include <system_error>

#include "dd/core/error.h"
#include "dd/core/utf8.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void fail_link(const fs::path& link, const std::error_code& problem) {
  std::error_code ignored;
  const std::string target = fs::read_symlink(link, ignored).string();
  std::string how = problem.message();
  if (problem == std::errc::no_such_file_or_directory) how = "it leads nowhere";
  if (problem == std::errc::too_many_symbolic_link_levels) how = "it leads in a circle";
  fail_input(cat("cannot follow the link ", link.string(), " to ",
                 is_utf8(target) ? target : escaped_bytes(target), ": ", how,
                 "; mount the store that it links to, or remove the link"));
}

/// Of what `path` leads to; not_found where there is not even a link.
fs::file_type type_at(const fs::path& path) {
  std::error_code problem;
  const fs::file_status status = fs::status(path, problem);
  if (fs::exists(status)) return status.type();
  std::error_code ignored;
  if (fs::is_symlink(path, ignored)) fail_link(path, problem);
  if (status.type() == fs::file_type::not_found) return status.type();
  fail_input(cat("cannot read ", path.string(), ": ", problem.message(),
                 "; check the permissions of the folders that it lies in"));
}

const char* kind_of(fs::file_type type) {
  if (type == fs::file_type::directory) return "a folder";
  if (type == fs::file_type::fifo) return "a pipe";
  if (type == fs::file_type::socket) return "a socket";
  return "a device";
}

}  // namespace

bool is_there(const fs::path& path) {
  return type_at(path) != fs::file_type::not_found;
}

bool is_folder(const fs::path& path) {
  return type_at(path) == fs::file_type::directory;
}

void check_plain_file(const fs::path& path) {
  const fs::file_type type = type_at(path);
  if (type == fs::file_type::regular) return;
  if (type == fs::file_type::not_found) {
    fail_input(cat("cannot read ", path.string(), ": no such file; check the path"));
  }
  fail_input(cat("cannot read ", path.string(), ": it is ", kind_of(type),
                 ", no plain file; put an image in its place, or remove it"));
}

}  // namespace dd
