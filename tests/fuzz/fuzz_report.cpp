// SPDX-License-Identifier: Apache-2.0
// libFuzzer: any bytes as `oomtrace report` reads them, up to the text and the JSON that it prints. Narrow limits, so
// that what is beyond them is reached too.
//
// Seeds: tests/replay/traces, tests/replay/kernel_logs, tests/fuzz/seeds/event_line.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/build_report.h"
#include "kernel_log/log_parser.h"
#include "model/world.h"
#include "report/render_json.h"
#include "report/render_text.h"
#include "support/narrow_limits.h"
#include "trace/detect.h"
#include "trace/event_source.h"

namespace {

using namespace oomtrace;

class Applier final : public kernel_log::EventConsumer {
 public:
  explicit Applier(model::World& world) : world_(world) {}
  void on_event(const Event& event) override { world_.apply(event); }

 private:
  model::World& world_;
};

void read_events(trace::DetectedInput detected, model::World& world) {
  std::vector<trace::EventInput> inputs;
  inputs.push_back({"fuzz", trace::make_line_source(std::move(detected))});
  trace::EventSourceOptions options;
  options.max_collected_bytes = std::uint64_t{64} << 20;
  auto events = trace::EventSource::open(std::move(inputs), options);
  if (!events) return;
  for (;;) {
    const auto event = events->next();
    if (!event || !*event) return;
    world.apply(**event);
  }
}

void read_log(std::string_view bytes, model::World& world) {
  Applier applier(world);
  kernel_log::LogParser parser(applier);
  parser.feed(bytes);
  parser.finish();
}

void report_on(std::string_view bytes, const model::World::Limits& limits) {
  auto detected = trace::detect_input(std::make_unique<trace::MemorySource>(bytes));
  if (!detected) return;
  model::World world(limits);
  if (detected->format == trace::InputFormat::kOther)
    read_log(bytes, world);
  else if (detected->format != trace::InputFormat::kEmpty)
    read_events(std::move(*detected), world);
  if (world.traces().empty()) return;
  const Report report = analysis::build_report(world, {"fuzz", "fuzz", {}});
  if (render_text(report, {}).empty()) std::abort();
  if (nlohmann::json::parse(render_json(report), nullptr, false).is_discarded()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  report_on(bytes, {});
  report_on(bytes, test::narrow_limits());
  return 0;
}
