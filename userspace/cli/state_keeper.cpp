// SPDX-License-Identifier: Apache-2.0
// Ages and sizes into decisions, decisions into helpers.
#include "cli/state_keeper.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/time_text.h"
#include "cli/state_jobs.h"
#include "trace/segments.h"

namespace oomtrace::cli {

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
// Deaths that follow from a kill, the reaper and the kernel's own lines come within this time.
constexpr std::uint64_t kSettleNs = 5 * kSecond;
constexpr std::uint64_t kMaxSegmentAgeNs = 3600 * kSecond;
// A segment is what retention removes at once: a small part of the whole.
constexpr std::uint64_t kSegmentsInDirectory = 16;
constexpr std::uint64_t kMaxSegmentBytes = std::uint64_t{32} << 20;
// A snapshot begins each; where that alone is as large as a segment, there is one every so often and no more.
constexpr std::uint64_t kMinSegmentAgeNs = 5 * kSecond;
// A file system that is full is looked after that often.
constexpr std::uint64_t kTidyWhileFailingNs = 10 * kSecond;
// Where kills come without end and segments seldom, post-mortems are what grows.
constexpr std::uint64_t kTidyAfterPostMortemsNs = 10 * kSecond;
constexpr std::chrono::seconds kFinishPatience(20);

}  // namespace

StateKeeper::StateKeeper(const StateOptions& options, std::string recording, const trace::SegmentWriter& segments,
                         Helpers helpers)
    : options_(options),
      recording_(std::move(recording)),
      segments_(segments),
      segment_bytes_(std::min(options.max_bytes / kSegmentsInDirectory, kMaxSegmentBytes)),
      helpers_(std::move(helpers)) {}

void StateKeeper::on_event(const Event& event, std::string_view) noexcept {
  if (const auto* start = std::get_if<TraceStart>(&event.payload))
    clock_.note(event.boot_ns, start->realtime_offset_ns);
  else if (const auto* set = std::get_if<TraceClock>(&event.payload))
    clock_.note(event.boot_ns, set->realtime_offset_ns);
  const auto* kill = std::get_if<OomKill>(&event.payload);
  // Who was dying already was not killed anew: it belongs to no incident, or to one that another kill stands for.
  if (kill == nullptr || kill->already_dying || kill->decision.incident_id == 0) return;
  const auto victim = static_cast<pid_t>(kill->victim.pid);
  if (helpers_.post_mortems->is_helper(victim) || helpers_.tidying->is_helper(victim)) return;
  const auto end = kills_.begin() + static_cast<std::ptrdiff_t>(kill_count_);
  const std::uint64_t id = kill->decision.incident_id;
  if (std::any_of(kills_.begin(), end, [id](const Kill& one) { return one.incident_id == id; })) return;
  if (kill_count_ == kMaxKills) {
    ++kills_left_out_;
    return;
  }
  kills_[kill_count_++] = {id, event.boot_ns, event.wall_ns, segments_.number(), false};
}

std::string StateKeeper::name_of(std::uint32_t segment) const {
  return trace::SegmentName{recording_, segment, false}.file_name();
}

// One reading does for all of them: a storm of kills has many.
void StateKeeper::write_post_mortems(std::size_t count) {
  if (count == 0) return;
  const auto end = kills_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<PostMortem> wanted;
  std::uint32_t first = segments_.number();
  for (auto kill = kills_.begin(); kill != end; ++kill) {
    const std::string id = std::to_string(kill->incident_id);
    wanted.push_back({kill->incident_id, "incident-" + compact_utc(kill->wall_ns) + "-" + id});
    first = std::min(first, kill->segment);
  }
  // Growth may have begun in the segment before.
  std::vector<std::string> segments;
  for (std::uint32_t segment = first > 1 ? first - 1 : 1; segment <= segments_.number(); ++segment)
    segments.push_back(name_of(segment));
  helpers_.post_mortems->run(post_mortem_job(wanted, segments));
  post_mortems_came_ = true;
  std::move(end, kills_.begin() + static_cast<std::ptrdiff_t>(kill_count_), kills_.begin());
  kill_count_ -= count;
}

void StateKeeper::tidy(std::uint64_t boot_now_ns) {
  tidied_ns_ = boot_now_ns;
  post_mortems_came_ = false;
  // Files have the times of a clock that may have been set since: by the lowest that it was set to, within the time
  // that they are kept, none of them is taken for older than it is.
  const std::uint64_t retain_ns = static_cast<std::uint64_t>(options_.retain_seconds) * kSecond;
  const std::uint64_t earliest_ns = boot_now_ns - std::min(boot_now_ns, retain_ns);
  const std::int64_t lag_ns = clock_.last_offset() - clock_.lowest_since(earliest_ns);
  helpers_.tidying->run(tidy_job(options_, lag_ns, 2 * segment_bytes_, name_of(segments_.number())));
}

bool StateKeeper::each_second(std::uint64_t boot_now_ns, const std::function<void()>& flush, bool failing) {
  // In order of their time. What they need is on file a second after the flush.
  std::size_t settled = 0, flushed = 0;
  for (std::size_t i = 0; i < kill_count_ && boot_now_ns >= kills_[i].boot_ns + kSettleNs; ++i) {
    ++settled;
    flushed += std::exchange(kills_[i].flushed, true) ? 1U : 0U;
  }
  if (settled > flushed) flush();
  write_post_mortems(flushed);
  const bool due = (failing && boot_now_ns >= tidied_ns_ + kTidyWhileFailingNs) ||
                   (post_mortems_came_ && boot_now_ns >= tidied_ns_ + kTidyAfterPostMortemsNs);
  if (due) tidy(boot_now_ns);
  if (boot_now_ns < segment_began_ns_ + kMinSegmentAgeNs) return false;
  // A kill and what follows from it stay in one segment, unless there is no end of kills.
  if (kill_count_ > 0) return segments_.bytes() >= 2 * segment_bytes_;
  return segments_.bytes() >= segment_bytes_ || boot_now_ns >= segment_began_ns_ + kMaxSegmentAgeNs;
}

void StateKeeper::began_segment(std::uint64_t boot_now_ns) {
  segment_began_ns_ = boot_now_ns;
  tidy(boot_now_ns);
}

void StateKeeper::finish() {
  write_post_mortems(kill_count_);
  helpers_.post_mortems->finish(kFinishPatience);
  helpers_.tidying->finish(kFinishPatience);
}

}  // namespace oomtrace::cli
