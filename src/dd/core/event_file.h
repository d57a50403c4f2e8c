// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace dd {

/// Scalars over steps in a file that TensorBoard opens: TFRecord frames around protocol buffers of
/// TensorFlow's Event (tensorflow/core/util/event.proto, core/framework/summary.proto; framing in
/// core/lib/io/record_writer.h). Lines are added and flushed one by one, so that a training can be
/// watched; nothing but TensorBoard reads the file, and no result depends on it. Not thread-safe.
class EventFile {
 public:
  static constexpr const char* kName = "events.out.tfevents.datadream";

  /// Starts FOLDER/events.out.tfevents.datadream anew; or, with `resumed_at`, goes on with what is
  /// there: a record that was cut off is removed, and TensorBoard is told to forget what was
  /// written for later steps. Makes the folder. Throws Error(kResource).
  explicit EventFile(const std::filesystem::path& folder,
                     std::optional<std::int64_t> resumed_at = std::nullopt);

  /// Adds one value. Tags with a common "group/" share a pane. Throws Error(kResource).
  void add(const std::string& tag, std::int64_t step, double value);

 private:
  void write(const std::string& event);

  std::filesystem::path path_;
  std::ofstream out_;
};

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4).
std::uint32_t crc32c(std::string_view bytes);

namespace event_bytes {

// The pieces of a file, whose bytes the tests compare with those of TensorBoard's own writer.

/// Seconds since 1970 and the opening event of a file.
std::string version_event(double wall_time);
/// Says that training goes on, and that what was written for `step` and later is void.
std::string restart_event(double wall_time, std::int64_t step);
std::string scalar_event(double wall_time, std::int64_t step, const std::string& tag, float value);
/// The event in its frame: length, checksum, content, checksum.
std::string record(std::string_view event);
/// How many of the bytes are whole records with right checksums, from the start.
std::size_t whole_records(std::string_view bytes);

}  // namespace event_bytes
}  // namespace dd
