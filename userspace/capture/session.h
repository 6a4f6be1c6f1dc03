// SPDX-License-Identifier: Apache-2.0
// The capture session: rings, census and samples merged by boot time into one numbered sequence of events.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock_history.h"
#include "capture/bpf_session.h"
#include "capture/cgroup_sampler.h"
#include "capture/counter_calibration.h"
#include "capture/host_facts.h"
#include "capture/kernel_log_follower.h"
#include "capture/merge_buffer.h"
#include "capture/process_reader.h"
#include "codec/record_decoder.h"
#include "oomtrace/event.h"
#include "oomtrace/status.h"

namespace oomtrace::capture {

struct SessionOptions {
  BpfOptions bpf;
  std::vector<std::string> rungs;  // names of ways; empty = all
  std::string command;             // of `record -- CMD`
  bool redact = true;
  bool narrowed = false;  // what is kept of the events: told in trace.start
};

// Gets each event once, in order. On the way of a kill it must neither allocate nor wait.
class EventHandler {
 public:
  virtual ~EventHandler() = default;
  virtual void on_event(const Event& event) = 0;
  // A kill's record has been read: until on_kill_complete() nothing allocates.
  virtual void on_kill_begin() {}
  // All events of a kill have been given: make them durable now.
  virtual void on_kill_complete() = 0;
  // Events so far that were given and did not get on, to the file or at all; told in trace.lost.
  virtual std::uint64_t not_kept() const { return 0; }
};

// One thread uses it: the consumer. Not movable: callbacks hold its address.
class Session {
 public:
  static Result<std::unique_ptr<Session>> open(SessionOptions options, EventHandler& handler);

  // Becomes readable when a kill was seen; lifecycle and growth wait for the next service().
  int epoll_fd() const { return bpf_->epoll_fd(); }

  // Starts the thread that reads /proc: open() starts none, so that privileges can be dropped in between. Gives
  // trace.start, with the caller's warnings in it, and the processes that are there already.
  void start(const std::vector<std::string>& warnings);
  // Gives all that belongs to the segment that ends.
  void end_segment();
  // Gives what start() gave once more, at once after end_segment(): what follows can be read alone.
  void begin_segment();
  // Drains and gives on what is old enough; at once all of it when a kill is among it. Call on epoll_fd() and at least
  // ten times a second.
  void service();
  // Once a second: census, machine, cgroups, losses.
  void sample();
  // Last drain and trace.stop.
  void stop(std::string_view reason, Opt<int> command_status);

  const features::AttachPlan& plan() const { return plan_; }
  const HostFacts& host() const { return host_; }
  RecorderStatus status() const;

 private:
  Session(SessionOptions options, EventHandler& handler);

  struct Pending {  // an event of user space that waits for its turn
    std::uint64_t boot_ns;
    Payload payload;
    std::shared_ptr<const void> owner;  // of the text that the payload views
  };
  struct WantedInfo {
    std::uint32_t pid;
    std::uint64_t start_boot_ns;
    std::int64_t rss;  // bytes
  };
  struct Counter {
    std::string source;
    std::uint64_t told = 0;
  };

  void on_record(oomtrace_ring ring, std::span<const std::byte> record);
  void merge(std::uint32_t tag, std::span<const std::byte> record);
  void add_candidates(const oomtrace_oom_kill& kill);
  bool add_scanned(const oomtrace_oom_kill& kill);
  void add_census(const oomtrace_oom_kill& kill);
  void on_kill(const oomtrace_oom_kill& kill);
  void note(const oomtrace_oom_candidate& candidate);
  void add_counted(oomtrace_oom_candidate candidate);
  bool within(std::uint64_t memcg, std::uint64_t domain) const;
  void end_candidates(const oomtrace_oom_kill& kill, std::uint32_t count, std::uint32_t way);
  void release(std::uint64_t until_boot_ns);
  Result<bool> decode(std::span<const std::byte> bytes, Event& event);
  void give_record(const MergeBuffer::Item& item);
  void give(std::uint64_t boot_ns, Payload&& payload);
  void add(Payload payload, std::shared_ptr<const void> owner = nullptr);
  void note_cgroup(std::span<const std::byte> record);
  void want_info(std::uint32_t pid, std::uint64_t start_boot_ns, std::int64_t rss);
  void defer_info(WantedInfo wanted);
  void take_deferred();
  void sample_cgroups(CgroupSampler::Which which);
  void add_regions();
  void follow_clock();
  void follow_kernel_log();
  void tell_losses();
  void tell_loss(const std::string& source, std::uint64_t total, std::string_view detail);

  SessionOptions options_;
  std::vector<std::string> warnings_;  // of start()
  EventHandler& handler_;
  HostFacts host_;
  features::AttachPlan plan_;
  PlanText plan_text_;
  KernelSymbols symbols_;
  codec::DecodeContext decode_;
  ClockHistory clock_;
  MergeBuffer merge_;
  std::deque<Pending> pending_;
  std::unique_ptr<BpfSession> bpf_;
  std::unique_ptr<ProcessReader> reader_;
  KernelLogFollower kernel_log_;
  std::optional<CounterCalibration> calibration_;
  oomtrace_oom_kill given_kill_{};  // as given on: the event that is being handled views it
  oomtrace_oom_candidate given_candidate_{};
  CgroupSampler cgroups_;
  std::vector<WantedInfo> deferred_infos_;
  bool kill_in_hand_ = false;  // given on, and not yet on its way to the disk
  // By pid and start: what a process held when it was last asked for, bytes.
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::int64_t> info_wanted_;
  std::map<std::string, std::uint64_t, std::less<>> told_losses_;  // source -> total told so far
  std::uint64_t seq_ = 0;
  std::uint64_t undecodable_ = 0;
  std::uint64_t last_decision_ = 0;                // whose regions have not been told
  bool kill_waiting_ = false;                      // a kill is complete and wants to be made durable
  std::uint64_t walk_awaited_ns_ = 0;              // time of a kill whose walk has not ended yet; 0 = none
  const oomtrace_oom_kill* census_for_ = nullptr;  // while the census runs for a kill's candidates
  std::uint32_t census_count_ = 0;
  std::uint64_t silent_scans_ = 0;  // kills for which the attached scan delivered nothing
  RecorderStatus status_;
};

}  // namespace oomtrace::capture
