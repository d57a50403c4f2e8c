// SPDX-License-Identifier: Apache-2.0
#include "dd/data/tar_index.h"

#include <archive.h>
#include <archive_entry.h>

#include <memory>

#include "dd/core/error.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

struct CloseArchive {
  void operator()(archive* open) const { archive_read_free(open); }
};

[[noreturn]] void fail_damaged(const fs::path& path, const std::string& why) {
  fail_input(cat(path.string(), " is no sound tar archive: ", why,
                 "; unpack it if it is compressed, or fetch it again"));
}

std::string problem_of(archive* open) {
  const char* text = archive_error_string(open);
  return text == nullptr ? "it cannot be read" : text;
}

}  // namespace

void visit_tar(const fs::path& path, const std::function<void(const TarMember&)>& visit) {
  std::error_code error;
  const std::uintmax_t length = fs::file_size(path, error);
  if (error) fail_input(cat("cannot open ", path.string(), ": ", error.message()));
  const std::unique_ptr<archive, CloseArchive> reader(archive_read_new());
  ensure(reader != nullptr, "no memory for a tar reader");
  archive_read_support_format_tar(reader.get());
  constexpr std::size_t kBlock = 10240;
  if (archive_read_open_filename(reader.get(), path.c_str(), kBlock) != ARCHIVE_OK) {
    fail_damaged(path, problem_of(reader.get()));
  }
  for (archive_entry* entry = nullptr;;) {
    const int status = archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF) return;
    if (status != ARCHIVE_OK) fail_damaged(path, problem_of(reader.get()));
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr || archive_entry_filetype(entry) != AE_IFREG ||
        archive_entry_hardlink(entry) != nullptr) {
      continue;
    }
    if (archive_entry_sparse_count(entry) > 0) fail_damaged(path, "it has sparse members");
    // Without a decompressing filter, bytes consumed so far are the place in the file.
    const TarMember member{name, static_cast<std::uint64_t>(archive_filter_bytes(reader.get(), 0)),
                           static_cast<std::uint64_t>(archive_entry_size(entry))};
    if (member.offset > length || member.bytes > length - member.offset) {
      fail_damaged(path, cat("member ", member.name, " is cut off"));
    }
    visit(member);
  }
}

}  // namespace dd
