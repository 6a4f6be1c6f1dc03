// SPDX-License-Identifier: Apache-2.0
// The incident as a whole: domain and ledger, the machine, gaps, what it says when little is known.
#include "analysis_support.h"

namespace oomtrace::analysis {
namespace {

constexpr CgroupRef kCgroup{5, "/a"};

struct IncidentTest : AnalysisTest {
  static std::int64_t line(const std::vector<LedgerLine>& ledger, std::string_view what) {
    for (const LedgerLine& one : ledger) {
      if (one.what == what) return one.bytes;
    }
    return -1;
  }
  // A cgroup with 100 MiB in use, 50 anonymous and 30 of files; the rest is for a test to say.
  static CgroupMemory in_use(double kernel_mib) {
    CgroupMemory memory;
    memory.cgroup = kCgroup;
    memory.usage = bytes(100);
    memory.anon = bytes(50);
    memory.file = bytes(30);
    memory.kernel = bytes(kernel_mib);
    return memory;
  }
  // The domain of a kill in that cgroup, which has these counters at the kill.
  Domain domain_with(CgroupMemory memory) {
    memory.incident_id = 1;
    events.at(1).start();
    events.at(2).emit(memory);
    events.emit(test::memcg_kill(1, ref(10, "x"), mib(50), kCgroup, 100 * kMiB));
    return incident().domain;
  }
};

TEST_F(IncidentTest, the_ledger_of_a_cgroup_adds_up_to_its_usage) {
  CgroupMemory memory = in_use(5);
  memory.shmem = bytes(10);  // of the files
  const Domain domain = domain_with(memory);
  EXPECT_EQ(domain.kind, "memcg");
  EXPECT_EQ(domain.cgroup, "/a");
  EXPECT_EQ(domain.limit_bytes, bytes(100));
  EXPECT_EQ(line(domain.ledger, "anonymous"), 50 * kMiB);
  EXPECT_EQ(line(domain.ledger, "page cache"), 20 * kMiB);
  EXPECT_EQ(line(domain.ledger, "shared memory and tmpfs"), 10 * kMiB);
  EXPECT_EQ(domain.residue_bytes, 15 * kMiB);
}

TEST_F(IncidentTest, a_kill_outside_of_a_narrowed_recording_is_not_one_that_nobody_watched) {
  events.narrowed = true;
  domain_with(in_use(5));
  const Report all = report();
  const Incident& found = all.incidents.at(0);
  ASSERT_FALSE(found.growth);
  EXPECT_TRUE(found.narrowed);
  std::string told = found.cause.summary;
  for (const std::string& line : found.missing) told += "\n" + line;
  for (const Remedy& remedy : found.remedies) told += "\n" + remedy.title;
  EXPECT_NE(told.find("Not recorded: the recording was narrowed to chosen processes, cgroups or kinds of event"),
            std::string::npos);
  EXPECT_NE(told.find("Record the next run without --pid, --cgroup and --events"), std::string::npos) << told;
  for (const char* untrue : {"nobody watched", "started earlier", "the log has only the moment"})
    EXPECT_EQ(told.find(untrue), std::string::npos) << told;
  EXPECT_EQ(std::count_if(all.source.notes.begin(), all.source.notes.end(),
                          [](const std::string& note) { return note.find("was narrowed") != std::string::npos; }),
            1);
}

TEST_F(IncidentTest, of_a_stream_of_chosen_kinds_the_notes_say_which) {
  events.selected_kinds = {"oom", "process.exit"};
  domain_with(in_use(5));
  const Report all = report();
  EXPECT_EQ(
      std::count(all.source.notes.begin(), all.source.notes.end(),
                 "the stream was narrowed to chosen kinds of event (oom,process.exit): what others tell is not in it"),
      1);
  EXPECT_TRUE(all.incidents.at(0).narrowed) << "not all who grew are told of";
}

TEST_F(IncidentTest, a_stream_with_all_who_grow_was_not_narrowed) {
  events.selected_kinds = {"oom", "process"};
  domain_with(in_use(5));
  EXPECT_FALSE(report().incidents.at(0).narrowed);
}

TEST_F(IncidentTest, a_counter_below_nothing_is_told_as_the_kernel_tells_it) {
  events.at(1).start();
  MemoryCounters memory = mib(60);
  memory.file = -32768;
  events.at(2).emit(test::memcg_kill(1, ref(10, "x"), memory, kCgroup, 100 * kMiB));
  const Report all = report();
  const Victim& victim = all.incidents.at(0).victims.at(0);
  EXPECT_EQ(victim.file_rss_bytes, 0);
  EXPECT_EQ(victim.anon_rss_bytes, 60 * kMiB);
}

TEST_F(IncidentTest, behind_what_a_report_weighs_growth_is_said_to_be_left_out) {
  events.at(1).start();
  for (const unsigned pid : {10U, 20U}) {
    events.at(pid).memory(ref(pid, "x"), mib(10), 0, kCgroup);
    events.at(pid + 5).memory(ref(pid, "x"), mib(60), 0, kCgroup);
    events.emit(test::memcg_kill(pid, ref(pid, "x"), mib(60), kCgroup, 100 * kMiB));
  }
  ASSERT_TRUE(report().incidents.at(1).growth);
  const Report all = build_report(world, {"trace", "test.oomtrace", {}}, 0);
  EXPECT_TRUE(all.incidents.at(0).growth);
  EXPECT_FALSE(all.incidents.at(0).growth_left_out);
  const Incident& found = all.incidents.at(1);
  EXPECT_FALSE(found.growth);
  EXPECT_TRUE(found.growth_left_out);
  std::string told = found.cause.summary;
  for (const std::string& line : found.missing) told += "\n" + line;
  EXPECT_NE(told.find("more kills and processes than one report weighs"), std::string::npos) << told;
  EXPECT_EQ(told.find("nobody watched"), std::string::npos) << told;
  EXPECT_NE(all.source.notes.back().find("of 1 incident nobody's growth was weighed"), std::string::npos);
}

TEST_F(IncidentTest, kernel_memory_is_told_by_its_parts) {
  CgroupMemory memory = in_use(12);
  memory.slab = bytes(6);
  memory.page_tables = bytes(4);
  const Domain domain = domain_with(memory);
  EXPECT_EQ(line(domain.ledger, "slab"), 6 * kMiB);
  EXPECT_EQ(line(domain.ledger, "page tables"), 4 * kMiB);
  EXPECT_EQ(line(domain.ledger, "kernel, else"), 2 * kMiB);
  EXPECT_EQ(line(domain.ledger, "kernel"), -1);
  EXPECT_EQ(domain.residue_bytes, 8 * kMiB);
}

TEST_F(IncidentTest, the_machines_ledger_and_pressure_are_those_before_the_kill) {
  events.at(1).start();
  SystemMemory memory;
  memory.total = bytes(1000);
  memory.free = bytes(20);
  memory.anon = bytes(800);
  memory.cached = bytes(100);
  memory.shmem = bytes(40);
  memory.commit_limit = bytes(500);
  memory.balloon = bytes(7);
  events.at(2).emit(memory);
  events.at(2).emit(SystemPressure{"memory", Pressure{12.5, 0, 0, 0}, Pressure{3.5, 0, 0, 0}});
  events.at(3).emit(test::global_kill(1, ref(10, "x"), mib(50), 256000));
  memory.anon = bytes(1);
  events.at(4).emit(memory);
  const Incident found = incident();
  EXPECT_EQ(line(found.domain.ledger, "anonymous"), 800 * kMiB);
  EXPECT_EQ(line(found.domain.ledger, "page cache"), 60 * kMiB);
  EXPECT_EQ(found.domain.residue_bytes, (1000 - 20 - 800 - 60 - 40) * kMiB);
  EXPECT_EQ(found.system.psi_memory_some_avg10, 12.5);
  EXPECT_EQ(found.system.psi_memory_full_avg10, 3.5);
  EXPECT_EQ(found.system.balloon_bytes, 7 * kMiB);
  EXPECT_EQ(found.system.overcommit.limit_bytes, bytes(500));
}

TEST_F(IncidentTest, a_whole_incident_is_complete_and_nothing_is_missing) {
  events.at(1).start();
  events.memory(ref(10, "x"), mib(10), 0, kCgroup);
  events.at(2).memory(ref(10, "x"), mib(90), 0, kCgroup);
  events.at(3).emit(test::memcg_kill(1, ref(10, "x"), mib(95), kCgroup, 100 * kMiB));
  events.candidate(1, ref(10, "x"), mib(95), 0, kCgroup);
  events.end(1, 1);
  const Incident found = incident();
  EXPECT_TRUE(found.complete);
  EXPECT_TRUE(found.missing.empty()) << found.missing.front();
  EXPECT_EQ(found.time, "2026-03-24T14:20:03.000000000Z");
  EXPECT_EQ(found.host, "trainer-7");
  EXPECT_EQ(found.trigger.pid, 10u);
}

TEST_F(IncidentTest, dropped_candidates_make_it_incomplete) {
  events.at(1).start();
  events.memory(ref(10, "x"), mib(10));
  events.at(3).emit(test::global_kill(1, ref(10, "x"), mib(95), 256000));
  events.candidate(1, ref(10, "x"), mib(95));
  events.end(1, 1, 3);
  const Incident found = incident();
  EXPECT_FALSE(found.complete);
  ASSERT_FALSE(found.missing.empty());
  EXPECT_NE(found.missing.at(0).find("3 candidates"), std::string::npos) << found.missing.at(0);
}

TEST_F(IncidentTest, candidates_without_a_decision_are_told_as_such) {
  events.at(1).start();
  events.candidate(1, ref(10, "x"), mib(95));
  const Incident found = incident();
  EXPECT_TRUE(found.victims.empty());
  EXPECT_FALSE(found.complete);
  EXPECT_EQ(found.domain.kind, "unknown");
}

TEST_F(IncidentTest, nobody_was_killed_is_said_with_its_reason) {
  events.at(1).start();
  OomKill kill = test::global_kill(1, {}, {}, 100000);
  kill.victim = {};
  kill.no_victim = "no_killable_process";
  events.emit(kill);
  const Incident found = incident();
  EXPECT_TRUE(found.victims.empty());
  EXPECT_NE(found.selection.summary.find("no process that the kernel could kill"), std::string::npos);
}

TEST_F(IncidentTest, victims_carry_job_and_command) {
  const CgroupRef pod{5,
                      "/kubepods/burstable/pod11111111-2222-3333-4444-555555555555/"
                      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"};
  events.at(1).start();
  events.exec(ref(10, "python3"), "/usr/bin/python3", "python3 train.py", 1);
  events.memory(ref(10, "python3"), mib(10), 0, pod);
  events.at(2).emit(test::memcg_kill(1, ref(10, "python3"), mib(95), pod, 100 * kMiB));
  const Incident found = incident();
  ASSERT_EQ(found.victims.size(), 1u);
  EXPECT_EQ(found.victims[0].command_line, "python3 train.py");
  EXPECT_EQ(found.victims[0].job, "pod 11111111-2222-3333-4444-555555555555");
}

TEST_F(IncidentTest, the_unknown_cause_has_figures) {
  events.at(1).start();
  events.memory(ref(10, "x"), mib(1), 0, kCgroup);
  events.at(2).memory(ref(10, "x"), mib(2), 0, kCgroup);
  events.at(3).emit(test::memcg_kill(1, ref(10, "x"), mib(2), kCgroup, 100 * kMiB));
  const Cause cause = incident().cause;
  EXPECT_EQ(cause.kind, "unknown");
  EXPECT_GE(cause.evidence.size(), 5u);
  EXPECT_FALSE(cause.summary.empty());
}

TEST_F(IncidentTest, a_kind_that_is_all_of_the_growth_is_not_called_a_part_of_it) {
  events.at(1).start();
  const auto tell = [&](double anon_mib, double file_mib) {
    ProcessMemory memory;
    memory.process = ref(10, "x");
    memory.memory = mib(anon_mib, file_mib);
    memory.cgroup = kCgroup;
    events.emit(memory);
  };
  tell(1, 3);
  events.at(2);
  tell(3, 2);
  events.at(3).emit(test::memcg_kill(1, ref(10, "x"), mib(3, 2), kCgroup, 100 * kMiB));
  const Incident found = incident();
  ASSERT_EQ(found.cause.kind, "unknown");
  ASSERT_FALSE(found.remedies.empty());
  EXPECT_EQ(found.remedies.front().why.find("The 2.0 MiB that came in the window were fresh anonymous memory"), 0U)
      << found.remedies.front().why;
}

TEST_F(IncidentTest, two_traces_keep_their_incidents_apart) {
  events.at(1).start();
  events.emit(test::global_kill(1, ref(10, "x"), mib(95), 256000));
  events.set_trace("ffffffffffffffffffffffffffffffff", "boot-2");
  events.at(1).start();
  events.emit(test::global_kill(1, ref(10, "y"), mib(95), 256000));
  const Report all = report();
  ASSERT_EQ(all.incidents.size(), 2u);
  EXPECT_NE(all.incidents[0].id, all.incidents[1].id);
  EXPECT_EQ(all.incidents[0].victims.at(0).comm, "x");
  EXPECT_EQ(all.incidents[1].victims.at(0).comm, "y");
}

TEST_F(IncidentTest, the_source_says_what_was_read) {
  events.at(1).start();
  events.at(9).emit(TraceStop{"signal", {}});
  const Source source = report().source;
  EXPECT_EQ(source.kind, "trace");
  EXPECT_EQ(source.kernel, "6.18.44");
  EXPECT_EQ(source.host, "trainer-7");
  EXPECT_EQ(source.from, "2026-03-24T14:20:01.000000000Z");
  EXPECT_EQ(source.to, "2026-03-24T14:20:09.000000000Z");
  EXPECT_TRUE(source.notes.empty()) << source.notes.front();
}

TEST_F(IncidentTest, a_trace_without_an_end_is_noted) {
  events.at(1).start();
  EXPECT_EQ(report().source.notes.size(), 1u);
}

}  // namespace
}  // namespace oomtrace::analysis
