// SPDX-License-Identifier: Apache-2.0
#include "dd/core/files.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <random>
#include <system_error>
#include <vector>

#include "dd/core/durable_files.h"
#include "dd/core/error.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    ensure(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1,
           "SHA-256 is not available");
  }
  void add(const char* data, std::size_t size) { EVP_DigestUpdate(context_.get(), data, size); }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (unsigned int i = 0; i < size; ++i) {
      text += kDigits[digest[i] >> 4];
      text += kDigits[digest[i] & 15];
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

/// Some disks put off saying that they are full or broken until here.
void sync_to_disk(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;
  const int problem = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  // Files that are not on a disk, and folders on some network disks, cannot be synced.
  if (problem == 0 || problem == EINVAL || problem == EROFS || problem == EBADF) return;
  fail_resource(cat("cannot write ", path.string(), ": ", std::strerror(problem),
                    "; free some space or check the disk, then run the same command again"));
}

/// Leaves the new name to sync_folder.
void put_in_place(const fs::path& path, const std::function<void(const fs::path&)>& write) {
  if (path.has_parent_path()) make_folder(path.parent_path());
  fs::path temporary = path;
  temporary += temporary_ending();
  std::error_code ignored;
  try {
    write(temporary);
    sync_to_disk(temporary);
  } catch (...) {
    fs::remove(temporary, ignored);
    throw;
  }
  std::error_code error;
  fs::rename(temporary, path, error);
  if (error) {
    fs::remove(temporary, ignored);
    fail_resource(cat("cannot write ", path.string(), ": ", error.message(),
                      "; check the folder's permissions"));
  }
}

/// Error(kInput) where the system does not say.
fs::file_status status_of(const fs::path& path) {
  std::error_code problem;
  const fs::file_status status = fs::status(path, problem);
  if (status.type() != fs::file_type::none) return status;
  fail_input(cat("cannot reach ", path.string(), ": ", problem.message(),
                 "; check the path and its permissions"));
}

/// Whether it is a shell's own, as of `--config <(command)`. One that lies in a folder may have
/// nobody who writes, and whoever opens it then waits for ever.
bool is_shells_pipe(const fs::path& path) {
  return path.native().starts_with("/dev/") || path.native().starts_with("/proc/");
}

std::ifstream open_for_reading(const fs::path& path) {
  const fs::file_status status = status_of(path);
  if (!fs::exists(status))
    fail_input(cat("cannot read ", path.string(), ": no such file; check the path"));
  if (fs::is_socket(status) || (fs::is_fifo(status) && !is_shells_pipe(path)))
    fail_input(cat("cannot read ", path.string(), ": it is a pipe or a socket; name a file"));
  if (fs::is_directory(status))
    fail_input(cat("cannot read ", path.string(), ": it is a folder; name a file"));
  std::ifstream in(path, std::ios::binary);
  if (!in)
    fail_input(
        cat("cannot read ", path.string(), ": ", std::strerror(errno), "; check its permissions"));
  return in;
}

}  // namespace

std::string read_file(const fs::path& path, std::uintmax_t limit) {
  std::ifstream in = open_for_reading(path);
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (!error && size > limit) {
    fail_input(cat("cannot read ", path.string(), ": it has ", size, " bytes, more than ", limit,
                   " make sense here; is it the right file?"));
  }
  std::string bytes;
  if (!error) bytes.reserve(size);
  std::string block(std::size_t{1} << 16, '\0');
  // Pipes and devices have no size beforehand.
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
    bytes.append(block, 0, static_cast<std::size_t>(in.gcount()));
    if (bytes.size() > limit)
      fail_input(cat("cannot read ", path.string(), ": it has more than the ", limit,
                     " bytes that make sense here; is it the right file?"));
  }
  if (in.bad()) fail_input(cat("reading ", path.string(), " failed; the disk may be damaged"));
  return bytes;
}

const std::string& temporary_ending() {
  // The number alone would not do: on one network disk, processes of two hosts may share it.
  static const std::string kEnding = [] {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%d-%08x", static_cast<int>(::getpid()),
                  static_cast<unsigned int>(std::random_device()()));
    return std::string(kTemporaryStart) + text.data();
  }();
  return kEnding;
}

bool is_temporary_ending(std::string_view text) {
  constexpr std::string_view kStart = kTemporaryStart;
  constexpr std::size_t kHexDigits = 8;
  if (!text.starts_with(kStart) || text.size() < kStart.size() + 2 + kHexDigits) return false;
  const std::string_view number =
      text.substr(kStart.size(), text.size() - kStart.size() - 1 - kHexDigits);
  const auto is_in = [](std::string_view word, std::string_view digits) {
    return word.find_first_not_of(digits) == std::string_view::npos;
  };
  return is_in(number, "0123456789") && text[text.size() - 1 - kHexDigits] == '-' &&
         is_in(text.substr(text.size() - kHexDigits), "0123456789abcdef");
}

void sync_folder(const fs::path& folder) {
  sync_to_disk(folder.empty() ? fs::path(".") : folder);
}

void drop_record(const fs::path& record) {
  std::error_code problem;
  if (fs::remove(record, problem)) sync_folder(record.parent_path());
}

void write_file_atomically(const fs::path& path,
                           const std::function<void(const fs::path&)>& write) {
  put_in_place(path, write);
  // The new name is only safe from a power cut once the folder is on the disk too.
  sync_folder(path.parent_path());
}

void write_file_atomically(const fs::path& path, std::string_view bytes) {
  write_file_name_later(path, bytes);
  sync_folder(path.parent_path());
}

void write_file_name_later(const fs::path& path, std::string_view bytes) {
  put_in_place(path, [&](const fs::path& temporary) {
    std::ofstream out(temporary, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out) {
      fail_resource(cat("cannot write ", path.string(), ": ", std::strerror(errno),
                        "; free some space or check permissions, then run the same command again"));
    }
  });
}

bool path_exists(const fs::path& path) {
  return fs::exists(status_of(path));
}

bool path_is_folder(const fs::path& path) {
  return fs::is_directory(status_of(path));
}

bool path_is_file(const fs::path& path) {
  return fs::is_regular_file(status_of(path));
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> fresh;
  for (fs::path path = folder; !path.empty() && !fs::exists(path, error);
       path = path.parent_path()) {
    fresh.push_back(path);
  }
  fs::create_directories(folder, error);
  std::error_code ignored;
  if (error && !fs::is_directory(folder, ignored)) {
    const std::string text = cat("cannot make the folder ", folder.string(), ": ", error.message(),
                                 "; choose another --out or check permissions");
    const bool is_wrong = error == std::errc::not_a_directory || error == std::errc::file_exists ||
                          error == std::errc::filename_too_long ||
                          error == std::errc::too_many_symbolic_link_levels;
    throw Error(is_wrong ? ErrorKind::kInput : ErrorKind::kResource, text);
  }
  // A file is only safe from a power cut where its folder is.
  for (const fs::path& path : fresh) sync_folder(path.parent_path());
}

std::string sha256_of_file(const fs::path& path) {
  std::ifstream in = open_for_reading(path);
  Sha256 hash;
  std::string block(std::size_t{1} << 20, '\0');
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
    hash.add(block.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) fail_input(cat("reading ", path.string(), " failed; the disk may be damaged"));
  return hash.hex();
}

std::string sha256_of(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes.data(), bytes.size());
  return hash.hex();
}

}  // namespace dd
