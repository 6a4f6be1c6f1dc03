// SPDX-License-Identifier: Apache-2.0
// What a recorder does for its state directory: when to begin a new segment, when to write a post-mortem, when to tidy.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock_history.h"
#include "cli/helper_process.h"
#include "cli/state_options.h"
#include "oomtrace/event.h"
#include "sink/event_tap.h"
#include "trace/segment_writer.h"

namespace oomtrace::cli {

class StateKeeper final : public sink::EventTap {
 public:
  // One for each kind of job: in a storm of kills post-mortems would keep tidying up waiting while segments come.
  struct Helpers {
    std::unique_ptr<HelperProcess> post_mortems, tidying;
  };

  // `segments` must outlive it.
  StateKeeper(const StateOptions& options, std::string recording, const trace::SegmentWriter& segments,
              Helpers helpers);

  // Notes kills that an incident is told of. Those of its own helpers are passed over: a post-mortem of them would be
  // killed again.
  void on_event(const Event& event, std::string_view line) noexcept override;

  // Once a second. `flush` puts into the file what was given so far; `failing`: the disk takes nothing. True: begin a
  // new segment now.
  bool each_second(std::uint64_t boot_now_ns, const std::function<void()>& flush, bool failing);
  // Keeps the helpers busy; often.
  void service(std::uint64_t boot_now_ns) {
    helpers_.tidying->service(boot_now_ns);
    helpers_.post_mortems->service(boot_now_ns);
  }
  // After a new segment was begun, the first one too.
  void began_segment(std::uint64_t boot_now_ns);

  // After the last line is on file: post-mortems that are still owed.
  void finish();
  // After finish(): post-mortems that were not written, and other work that was not done.
  std::uint64_t left_out() const {
    return kills_left_out_ + helpers_.post_mortems->left_out() + helpers_.tidying->left_out();
  }

 private:
  struct Kill {
    std::uint64_t incident_id = 0;
    std::uint64_t boot_ns = 0;
    std::int64_t wall_ns = 0;
    std::uint32_t segment = 0;
    bool flushed = false;
  };
  // More at once than any storm leaves alive; beyond it the segments still have them.
  static constexpr std::size_t kMaxKills = 256;

  // Of kills_[0, count); the others move up.
  void write_post_mortems(std::size_t count);
  void tidy(std::uint64_t boot_now_ns);
  std::string name_of(std::uint32_t segment) const;

  const StateOptions options_;
  const std::string recording_;
  const trace::SegmentWriter& segments_;
  const std::uint64_t segment_bytes_;
  const Helpers helpers_;
  std::array<Kill, kMaxKills> kills_{};
  std::size_t kill_count_ = 0;
  std::uint64_t kills_left_out_ = 0;
  std::uint64_t segment_began_ns_ = 0;
  std::uint64_t tidied_ns_ = 0;
  bool post_mortems_came_ = false;  // since then
  ClockHistory clock_;
};

}  // namespace oomtrace::cli
