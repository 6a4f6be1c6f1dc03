// SPDX-License-Identifier: Apache-2.0
// Real traces damaged event by event: lost, repeated, moved, mixed with another trace's, numbers and members changed.
// Every report is made to its end, as text and as JSON. Worth the most under the sanitizers.
//
// OOMTRACE_MUTATIONS=N: N rounds of each trace.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "analysis/build_report.h"
#include "model/world.h"
#include "replay/replay_support.h"
#include "report/render_json.h"
#include "report/render_text.h"
#include "support/narrow_limits.h"
#include "trace/byte_source.h"
#include "trace/detect.h"
#include "trace/event_source.h"

namespace oomtrace {
namespace {

using Json = nlohmann::ordered_json;
using Events = std::vector<Json>;

class Damage {
 public:
  explicit Damage(std::uint64_t seed) : random_(seed) {}

  // Some changes, and the numbers in sequence again, so that the reader takes the events in the order they are left in.
  Events of(Events events, const Events& other) {
    for (std::size_t left = 1 + below(8); left > 0 && !events.empty(); --left) change(events, other);
    for (std::size_t i = 0; i < events.size(); ++i) events[i]["seq"] = i + 1;
    return events;
  }

  std::size_t below(std::size_t n) { return n == 0 ? 0 : random_() % n; }

 private:
  void change(Events& events, const Events& other) {
    const std::size_t at = below(events.size());
    const auto here = events.begin() + static_cast<std::ptrdiff_t>(at);
    switch (below(8)) {
      case 0:
        events.erase(here);
        break;
      case 1:
        events.erase(here, here + static_cast<std::ptrdiff_t>(below(std::min<std::size_t>(events.size() - at, 200))));
        break;
      case 2:
        events.insert(events.begin() + static_cast<std::ptrdiff_t>(below(events.size())), Json(*here));
        break;
      case 3:
        std::swap(events[at], events[below(events.size())]);
        break;
      case 4: {
        const std::size_t from = below(other.size());
        events.insert(here, other.begin() + static_cast<std::ptrdiff_t>(from),
                      other.begin() + static_cast<std::ptrdiff_t>(std::min(other.size(), from + 1 + below(40))));
        break;
      }
      case 5:
        another_value(events[at], events[below(events.size())]);
        break;
      default:
        change_member(events[at]);
    }
  }

  // A member as another event has it: a pid, a start, an incident's id.
  void another_value(Json& event, const Json& from) {
    if (from.empty()) return;
    const auto member = std::next(from.begin(), static_cast<std::ptrdiff_t>(below(from.size())));
    event[member.key()] = member.value();
  }

  void change_member(Json& value) {
    if (!value.is_structured() || value.empty()) return change_scalar(value);
    const auto member = std::next(value.begin(), static_cast<std::ptrdiff_t>(below(value.size())));
    if (below(6) == 0) {
      value.erase(member);
    } else {
      change_member(*member);
    }
  }

  void change_scalar(Json& value) {
    static const std::vector<Json> kValues{
        nullptr, 0,     1,    -1, 4096,      4294967295U,    INT64_MAX,     INT64_MIN,     UINT64_MAX,
        0.5,     1e300, true, "", "python3", "\x1b[2J\n<b>", Json::array(), Json::object()};
    if (value.is_number_integer() && below(2) == 0) {
      // Within what it may be, which the reader lets through.
      const auto was = value.get<std::int64_t>();
      value = below(2) == 0 ? was / 2 : (was < INT64_MAX / 2 ? was * 2 : 1);
    } else {
      value = kValues[below(kValues.size())];
    }
  }

  std::mt19937_64 random_;
};

Events read_events(const std::filesystem::path& path) {
  Events events;
  const std::string bytes = replay::read_file(path);
  auto detected = trace::detect_input(std::make_unique<trace::MemorySource>(bytes));
  EXPECT_TRUE(detected) << path;
  if (!detected) return events;
  const auto lines = trace::make_line_source(std::move(*detected));
  for (auto line = lines->next_line(); line && *line; line = lines->next_line()) events.push_back(Json::parse(**line));
  EXPECT_FALSE(events.empty()) << path;
  return events;
}

void expect_reported(const std::string& ndjson, const model::World::Limits& limits) {
  auto detected = trace::detect_input(std::make_unique<trace::MemorySource>(ndjson));
  ASSERT_TRUE(detected);
  if (detected->format != trace::InputFormat::kNdjson) return;
  std::vector<trace::EventInput> inputs;
  inputs.push_back({"damaged", trace::make_line_source(std::move(*detected))});
  auto source = trace::EventSource::open(std::move(inputs));
  ASSERT_TRUE(source) << source.error().context;
  model::World world(limits);
  for (auto event = source->next(); event && *event; event = source->next()) world.apply(**event);
  if (world.traces().empty()) return;
  const Report report = analysis::build_report(world, {"trace", "damaged", source->notes()});
  EXPECT_FALSE(render_text(report, {}).empty());
  EXPECT_FALSE(nlohmann::json::parse(render_json(report), nullptr, false).is_discarded());
}

TEST(DamagedTraces, are_reported) {
  std::vector<Events> traces;
  std::vector<std::string> names;
  for (const char* folder : {"traces", "training"}) {
    for (const auto& entry : std::filesystem::directory_iterator(replay::kFolder / folder)) {
      if (entry.path().extension() == ".oomtrace") names.push_back(entry.path().string());
    }
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) traces.push_back(read_events(name));
  const char* wanted = std::getenv("OOMTRACE_MUTATIONS");
  const std::uint64_t rounds = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 6;
  for (std::uint64_t seed = 0; seed < rounds; ++seed) {
    for (std::size_t i = 0; i < traces.size(); ++i) {
      SCOPED_TRACE(names[i] + " seed " + std::to_string(seed));
      Damage damage(seed * traces.size() + i);
      std::string ndjson;
      for (const Json& event : damage.of(traces[i], traces[damage.below(traces.size())]))
        ndjson += event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
      ASSERT_NO_FATAL_FAILURE(expect_reported(ndjson, {}));
      ASSERT_NO_FATAL_FAILURE(expect_reported(ndjson, test::narrow_limits()));
    }
  }
}

}  // namespace
}  // namespace oomtrace
