// SPDX-License-Identifier: Apache-2.0
// Puts counter, role thread and outlets together.
#include "cli/metrics_output.h"

#include <sys/utsname.h>

#include <chrono>
#include <utility>

#include "cli/role_tracker.h"
#include "codec/json_reader.h"

namespace oomtrace::cli {

namespace {

// Working out roles looks at every process: not at every event.
constexpr std::chrono::seconds kRolesInterval(2);

class RoleSink final : public sink::LineSink {
 public:
  explicit RoleSink(std::shared_ptr<sink::MetricsBoard> board) : board_(std::move(board)) {}

  Result<void> write(std::string_view line) override {
    if (const auto event = decoder_.decode(line); event && *event) tracker_.apply(**event);
    return {};
  }
  Result<void> flush(bool) override {
    const auto now = std::chrono::steady_clock::now();
    if (now - published_ < kRolesInterval) return {};
    published_ = now;
    board_->publish_roles(tracker_.figures());
    return {};
  }

 private:
  const std::shared_ptr<sink::MetricsBoard> board_;
  codec::LineDecoder decoder_;
  RoleTracker tracker_;
  std::chrono::steady_clock::time_point published_{};
};

sink::BuildInfo build_info() {
  utsname name{};
  return {OOMTRACE_VERSION, uname(&name) == 0 ? name.release : ""};
}

}  // namespace

Result<std::unique_ptr<MetricsOutput>> MetricsOutput::create() {
  std::unique_ptr<MetricsOutput> output(new MetricsOutput);
  output->board_ = std::make_shared<sink::MetricsBoard>();
  sink::StreamOptions roles;
  roles.filter.kinds = {"process"};
  roles.queue = {.capacity = std::size_t{2} << 20, .reserve = 0, .wake_bytes = std::size_t{256} << 10};
  auto stream = sink::Stream::over(std::make_unique<RoleSink>(output->board_), roles);
  if (!stream) return tl::make_unexpected(std::move(stream).error());
  output->roles_ = *std::move(stream);
  return output;
}

Result<void> MetricsOutput::start(const MetricsOptions& options) {
  if (auto started = roles_->start(); !started) return started;
  if (!options.address.empty()) {
    auto server = sink::serve_metrics(options.address, board_, build_info());
    if (!server) return tl::make_unexpected(std::move(server).error());
    outlets_.push_back(*std::move(server));
  }
  if (!options.textfile.empty()) {
    auto file = sink::write_metrics_file(options.textfile, board_, build_info());
    if (!file) return tl::make_unexpected(std::move(file).error());
    outlets_.push_back(*std::move(file));
  }
  return {};
}

void MetricsOutput::on_event(const Event& event, std::string_view line) noexcept {
  counter_.on_event(event);
  roles_->on_event(event, line);
}

void MetricsOutput::publish(const RecorderStatus& recorder, std::uint64_t not_written, std::uint64_t not_streamed) {
  RecorderMetrics metrics = counter_.metrics();
  metrics.recorder = recorder;
  metrics.lost[kLossTrace] = not_written;
  metrics.lost[kLossStream] = not_streamed;
  metrics.lost[kLossMetrics] = roles_->status().not_delivered;
  board_->publish(metrics);
}

}  // namespace oomtrace::cli
