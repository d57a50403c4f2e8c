// SPDX-License-Identifier: Apache-2.0
#include "dd/core/event_file.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "support/temporary_folder.h"

namespace {

using dd::EventFile;
using dd::event_bytes::record;
using dd::event_bytes::whole_records;

std::filesystem::path file_in(const std::filesystem::path& folder) {
  return folder / EventFile::kName;
}

/// Each content of a file of whole records.
std::vector<std::string> events_of(const std::string& bytes) {
  std::vector<std::string> events;
  EXPECT_EQ(whole_records(bytes), bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const auto size = static_cast<unsigned char>(bytes[at]);  // all are short
    events.push_back(bytes.substr(at + 12, size));
    at += 16U + size;
  }
  return events;
}

TEST(Crc32c, AgreesWithTheVectorsOfRfc3720) {
  EXPECT_EQ(dd::crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(dd::crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(dd::crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  EXPECT_EQ(dd::crc32c(""), 0U);
}

TEST(EventBytes, AreTheWireFormat) {
  // wall_time 1.0, step 300, summary { value { tag: "loss" simple_value: 0.5 } }
  const std::string expected(
      "\x09\0\0\0\0\0\0\xF0\x3F\x10\xAC\x02\x2A\x0D\x0A\x0B\x0A\x04loss\x15\0\0\0\x3F", 27);
  EXPECT_EQ(dd::event_bytes::scalar_event(1.0, 300, "loss", 0.5F), expected);
  // Step 0 is left out, as protocol buffers do.
  EXPECT_EQ(dd::event_bytes::scalar_event(1.0, 0, "a", 0.5F).size(), 21U);
  EXPECT_EQ(dd::event_bytes::restart_event(1.0, 7),
            std::string("\x09\0\0\0\0\0\0\xF0\x3F\x10\x07\x3A\x02\x08\x01", 15));
}

TEST(EventBytes, RecordsEndWhereDamageBegins) {
  const std::string first = record("one");
  const std::string second = record("another");
  EXPECT_EQ(first.size(), 19U);
  EXPECT_EQ(whole_records(first + second), first.size() + second.size());
  EXPECT_EQ(whole_records(""), 0U);
  for (std::size_t kept = 0; kept < second.size(); ++kept) {
    EXPECT_EQ(whole_records(first + second.substr(0, kept)), first.size()) << kept;
  }
  for (std::size_t i = 0; i < second.size(); ++i) {
    std::string damaged = first + second;
    damaged[first.size() + i] = static_cast<char>(damaged[first.size() + i] ^ 1);
    EXPECT_EQ(whole_records(damaged), first.size()) << i;
  }
}

TEST(EventBytes, AHugeLengthWithARightChecksumIsNotBelieved) {
  std::string bytes = record("one");
  // Eight 0xFF bytes and their masked checksum, as the second record.
  const std::string length(8, '\xFF');
  const std::string head = record(length).substr(20, 4);
  EXPECT_EQ(whole_records(bytes + length + head + std::string(64, 'x')), bytes.size());
}

TEST(EventFile, StartsAnewAndGoesOn) {
  const dd::test::TemporaryFolder folder;
  const std::filesystem::path file = file_in(folder.path());
  {
    EventFile events(folder.path());
    events.add("loss", 10, 0.5);
    events.add("loss", 20, 0.25);
    EXPECT_EQ(events_of(dd::read_file(file)).size(), 3U) << "each value is there at once";
  }
  const std::string before = dd::read_file(file);
  dd::write_file_atomically(file, before + record("cut off").substr(0, 9));
  {
    EventFile events(folder.path(), 10);
    events.add("loss", 20, 0.125);
  }
  const std::string after = dd::read_file(file);
  EXPECT_TRUE(after.starts_with(before));
  const auto events = events_of(after);
  ASSERT_EQ(events.size(), 5U);
  // Steps from 11 on are void: field 2 = 11, then session_log { status: START }.
  EXPECT_EQ(events[3].substr(9), std::string("\x10\x0B\x3A\x02\x08\x01", 6));
  { const EventFile anew(folder.path()); }
  EXPECT_EQ(events_of(dd::read_file(file)).size(), 1U);
}

TEST(EventFile, AResumeWithoutAFileStartsOne) {
  const dd::test::TemporaryFolder folder;
  { const EventFile events(folder.path() / "deeper", 500); }
  EXPECT_EQ(events_of(dd::read_file(file_in(folder.path() / "deeper"))).size(), 1U);
}

TEST(EventFile, SaysWhatCannotBeWritten) {
  const dd::test::TemporaryFolder folder;
  std::filesystem::create_directories(file_in(folder.path()));
  EXPECT_THROW(EventFile(folder.path()), dd::Error);
}

}  // namespace
