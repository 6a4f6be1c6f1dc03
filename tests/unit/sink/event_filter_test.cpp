// SPDX-License-Identifier: Apache-2.0
// What a filter lets through, by kind, family and cgroup.
#include "sink/event_filter.h"

#include <gtest/gtest.h>

#include "support/event_builder.h"

namespace oomtrace::test {
namespace {

using sink::EventFilter;
using sink::FilterOptions;

// A filter and whether the last event passed it.
struct Rig {
  explicit Rig(const FilterOptions& options) : filter(std::move(*EventFilter::create(options))) {}

  EventFilter filter;
  bool passed = false;
  EventStream events{[this](const Event& event) { passed = filter.passes(event); }};

  bool kill(const CgroupRef& cgroup = {}) {
    OomKill event;
    event.cgroup = cgroup;
    event.victim = ref(77, "victim");
    events.emit(event);
    return passed;
  }
  bool memory(std::uint32_t pid, const CgroupRef& cgroup = {}, Opt<std::uint32_t> parent_pid = {}) {
    events.memory(ref(pid, "p"), mib(1), 0, cgroup, parent_pid);
    return passed;
  }
  bool fork(std::uint32_t parent, std::uint32_t child) {
    events.fork(ref(parent, "p"), ref(child, "c"));
    return passed;
  }
  bool exit(std::uint32_t pid) {
    events.exit(ref(pid, "p"));
    return passed;
  }
};

TEST(EventFilter, without_options_everything_passes) {
  EventFilter filter;
  Event event;
  event.payload = SystemMemory{};
  EXPECT_TRUE(filter.passes(event));
}

TEST(EventFilter, kinds_are_named_one_by_one_or_by_family_and_trace_always_passes) {
  for (const char* family : {"oom", "oom.*"}) {
    Rig rig({.kinds = {family, "signal.kill"}});
    EXPECT_TRUE(rig.kill()) << family;
    rig.events.signal(ref(1, "a"), ref(2, "b"));
    EXPECT_TRUE(rig.passed);
    EXPECT_FALSE(rig.memory(5));
    rig.events.start();
    EXPECT_TRUE(rig.passed);
    rig.events.emit(TraceLost{"ring.kill", 1, ""});
    EXPECT_TRUE(rig.passed);
  }
  Rig rig({.kinds = {"oom.candidate"}});
  EXPECT_FALSE(rig.kill());
}

TEST(EventFilter, unknown_kind_names_the_known_ones) {
  for (const char* wrong : {"oom.kil", "oo", ""}) {
    const auto filter = EventFilter::create({.kinds = {wrong}});
    ASSERT_FALSE(filter) << wrong;
    EXPECT_EQ(filter.error().code, Errc::kUsage);
    EXPECT_NE(filter.error().hint.find("oom.kill, oom.candidate"), std::string::npos);
  }
}

TEST(EventFilter, pid_brings_its_descendants_and_no_strangers) {
  Rig rig({.pids = {100}});
  EXPECT_TRUE(rig.memory(100));
  EXPECT_FALSE(rig.memory(50));
  EXPECT_TRUE(rig.fork(100, 101));
  EXPECT_TRUE(rig.fork(101, 102));
  EXPECT_FALSE(rig.fork(50, 51));
  EXPECT_TRUE(rig.memory(102));
  EXPECT_TRUE(rig.memory(103, {}, 102));  // there before the recording: known by its parent
  EXPECT_TRUE(rig.memory(103));
  EXPECT_TRUE(rig.exit(101));
  EXPECT_TRUE(rig.memory(102));  // outlives its parent
  EXPECT_FALSE(rig.memory(101));
}

TEST(EventFilter, pid_that_is_used_again_belongs_to_its_new_parent) {
  Rig rig({.pids = {100}});
  EXPECT_TRUE(rig.fork(100, 101));
  EXPECT_FALSE(rig.fork(50, 101));  // the exit of the first was lost
  EXPECT_FALSE(rig.memory(101));
}

TEST(EventFilter, cgroup_brings_what_is_below_it_and_no_namesake) {
  for (const char* path : {"/job", "job", "/job/"}) {
    Rig rig({.cgroup = path});
    EXPECT_TRUE(rig.memory(10, {1, "/job"})) << path;
    EXPECT_TRUE(rig.memory(11, {2, "/job/step"}));
    EXPECT_FALSE(rig.memory(12, {3, "/job2"}));
    EXPECT_FALSE(rig.memory(13, {4, "/"}));
    EXPECT_TRUE(rig.fork(10, 20));
    EXPECT_TRUE(rig.exit(10));
    EXPECT_FALSE(rig.memory(10));
    EXPECT_FALSE(rig.memory(11, {4, "/"}));  // moved away
    CgroupMemory memory;
    memory.cgroup = {2, "/job/step"};
    rig.events.emit(memory);
    EXPECT_TRUE(rig.passed);
    memory.cgroup = {3, "/job2"};
    rig.events.emit(memory);
    EXPECT_FALSE(rig.passed);
  }
  Rig rig({.cgroup = "/"});
  EXPECT_TRUE(rig.memory(10, {4, "/"}));
  EXPECT_TRUE(rig.memory(10, {4, "/job"}));
}

TEST(EventFilter, kills_and_what_explains_them_pass_whoever_is_asked_for) {
  Rig rig({.pids = {100}, .cgroup = "/job"});
  EXPECT_TRUE(rig.kill({9, "/other"}));
  rig.events.candidate(1, ref(77, "victim"), mib(1), 0, {9, "/other"});
  EXPECT_TRUE(rig.passed);
  rig.events.end(1, 1);
  EXPECT_TRUE(rig.passed);
  ProcessMemory memory;
  memory.process = ref(77, "victim");
  memory.reason = MemoryReason::kKill;
  rig.events.emit(memory);
  EXPECT_TRUE(rig.passed);
  CgroupMemory cgroup;
  cgroup.cgroup = {9, "/other"};
  cgroup.incident_id = 1;
  rig.events.emit(cgroup);
  EXPECT_TRUE(rig.passed);
  rig.events.emit(SystemMemory{});
  EXPECT_TRUE(rig.passed);
  rig.events.signal(ref(50, "a"), ref(51, "b"));
  EXPECT_FALSE(rig.passed);
  rig.events.signal(ref(100, "a"), ref(51, "b"));
  EXPECT_TRUE(rig.passed);
}

TEST(EventFilter, impossible_pids) {
  EXPECT_FALSE(EventFilter::create({.pids = {0}}));
  EXPECT_FALSE(EventFilter::create({.pids = {1U << 22}}));
  Rig rig({.pids = {100}});
  EXPECT_FALSE(rig.memory(0xFFFFFFFF));  // out of a hostile line: no member, and no write out of bounds
  EXPECT_FALSE(rig.fork(0xFFFFFFFF, 0xFFFFFFFE));
}

TEST(NarrowedStart, says_what_is_left_after_each_narrowing) {
  const auto kinds_after = [](std::vector<std::string_view> before, std::vector<std::string> asked) {
    Event event;
    TraceStart start;
    start.selected_kinds = std::move(before);
    event.payload = start;
    FilterOptions options;
    options.kinds = std::move(asked);
    options.pids = {5};
    const auto told = narrowed_start(event, options);
    EXPECT_TRUE(told && std::get<TraceStart>(told->payload).narrowed);
    std::vector<std::string> kinds;
    for (const std::string_view kind : std::get<TraceStart>(told->payload).selected_kinds) kinds.emplace_back(kind);
    return kinds;
  };
  using Kinds = std::vector<std::string>;
  EXPECT_EQ(kinds_after({}, {}), Kinds());
  EXPECT_EQ(kinds_after({}, {"oom", "process.exit"}), (Kinds{"oom", "process.exit"}));
  EXPECT_EQ(kinds_after({"oom"}, {}), Kinds{"oom"});
  EXPECT_EQ(kinds_after({"oom", "system"}, {"oom.kill", "process"}), Kinds{"oom.kill"});
  EXPECT_EQ(kinds_after({"oom.kill", "system"}, {"oom.*"}), Kinds{"oom.kill"});
  EXPECT_EQ(kinds_after({"oom"}, {"process"}), Kinds{"trace"});
  EXPECT_FALSE(narrowed_start(Event{}, FilterOptions{}));
}

}  // namespace
}  // namespace oomtrace::test
