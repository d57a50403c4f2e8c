// SPDX-License-Identifier: Apache-2.0
// The same events as TensorBoard's own writer wrote them, byte for byte
// (tools/oracle/event_files.py).
#include <gtest/gtest.h>

#include <limits>

#include "dd/core/event_file.h"
#include "dd/core/files.h"
#include "dd/core/json.h"

namespace {

std::string bytes_of(const dd::Json& event) {
  const auto wall_time = event.at("wall_time").get<double>();
  const auto kind = event.at("kind").get<std::string>();
  if (kind == "version") return dd::event_bytes::version_event(wall_time);
  const auto step = event.at("step").get<std::int64_t>();
  if (kind == "restart") return dd::event_bytes::restart_event(wall_time, step);
  const dd::Json& value = event.at("value");
  const float number =
      value.is_string() ? -std::numeric_limits<float>::infinity() : value.get<float>();
  return dd::event_bytes::scalar_event(wall_time, step, event.at("tag").get<std::string>(), number);
}

TEST(EventBytes, AreThoseOfTensorBoardsOwnWriter) {
  const std::filesystem::path folder = std::string(DD_SOURCE_DIR) + "/tests/oracle/events";
  const std::string recorded = dd::read_file(folder / "events.tfevents");
  EXPECT_EQ(dd::event_bytes::whole_records(recorded), recorded.size());
  std::string ours;
  for (const dd::Json& event : dd::read_json(folder / "events.json")) {
    ours += dd::event_bytes::record(bytes_of(event));
    EXPECT_TRUE(recorded.starts_with(ours)) << event;
  }
  EXPECT_EQ(ours.size(), recorded.size());
}

}  // namespace
