// SPDX-License-Identifier: Apache-2.0
// The project's own logs, 5.10 to 7.3: every value against expected.tsv, which was read off the logs by hand and
// script.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "event_collector.h"
#include "log_files.h"

namespace oomtrace::kernel_log {
namespace {

using Row = std::map<std::string, std::string>;

std::vector<Row> expected() {
  const std::vector<std::string> lines = split(read_file(log_folder() / "expected.tsv"), '\n');
  const std::vector<std::string> names = split(lines.at(0), '\t');
  std::vector<Row> rows;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> cells = split(lines[i], '\t');
    EXPECT_EQ(cells.size(), names.size()) << lines[i];
    Row row;
    for (std::size_t c = 0; c < cells.size(); ++c) row[names[c]] = cells[c];
    rows.push_back(row);
  }
  return rows;
}

std::string text_of(std::string_view text) { return text.empty() ? "-" : std::string(text); }
template <class T>
std::string text_of(const std::optional<T>& value) {
  return value ? std::to_string(*value) : "-";
}
std::string kb(const OomKill& kill, MemoryField field, std::int64_t bytes) {
  return kill.memory && !(kill.memory->missing & field) ? std::to_string(bytes / 1024) : "-";
}

Row found(const CollectedIncident& incident) {
  static const std::map<DomainKind, std::string> domains{
      {DomainKind::kGlobal, "global"}, {DomainKind::kMemcg, "memcg"}, {DomainKind::kSysrq, "sysrq"}};
  static const std::map<DecidedBy, std::string> deciders{
      {DecidedBy::kKernel, "kernel"}, {DecidedBy::kAllocatingTask, "allocating_task"}, {DecidedBy::kSysrq, "sysrq"}};
  const OomKill& kill = incident.kills.front();
  const OomDecision& d = kill.decision;
  Row row;
  row["trigger"] = d.trigger.comm;
  row["tid"] = text_of(d.trigger_tid);
  std::ostringstream mask;
  mask << "0x" << std::hex << d.gfp_mask.value_or(0);
  row["gfp_mask"] = mask.str();
  row["gfp_names"] = d.gfp_names;
  row["order"] = text_of(d.order);
  row["trigger_adj"] = text_of(d.trigger_oom_score_adj);
  row["domain"] = domains.at(d.domain);
  row["decided_by"] = deciders.at(d.decided_by);
  row["constraint"] = text_of(d.constraint);
  row["oom_memcg"] = text_of(d.cgroup.path);
  row["task_memcg"] = text_of(kill.cgroup.path);
  row["usage_kb"] = d.usage ? std::to_string(*d.usage / 1024) : "-";
  row["limit_kb"] = d.limit ? std::to_string(*d.limit / 1024) : "-";
  row["total_pages"] = text_of(d.total_pages);
  row["victim"] = kill.victim.pid ? std::to_string(kill.victim.pid) : "-";
  row["comm"] = text_of(kill.victim.comm);
  row["uid"] = text_of(kill.uid);
  const MemoryCounters m = kill.memory.value_or(MemoryCounters{});
  row["total_vm_kb"] = kb(kill, kMemoryTotalVm, static_cast<std::int64_t>(m.total_vm));
  row["anon_kb"] = kb(kill, kMemoryAnon, m.anon);
  row["file_kb"] = kb(kill, kMemoryFile, m.file);
  row["shmem_kb"] = kb(kill, kMemoryShmem, m.shmem);
  row["pgtables_kb"] = kb(kill, kMemoryPgtables, static_cast<std::int64_t>(m.pgtables));
  row["adj"] = text_of(kill.oom_score_adj);
  row["rows"] = std::to_string(incident.candidates.size());
  row["rss_pages"] = row["pgtables_bytes"] = row["swapents"] = "-";
  if (!incident.candidates.empty()) {
    std::int64_t rss = 0, swap = 0;
    std::uint64_t pgtables = 0;
    for (const OomCandidate& c : incident.candidates) {
      rss += (c.rss ? *c.rss : c.memory->anon + c.memory->file + c.memory->shmem) / 4096;
      swap += c.memory->swap / 4096;
      pgtables += c.memory->pgtables;
    }
    row["rss_pages"] = std::to_string(rss);
    row["swapents"] = std::to_string(swap);
    row["pgtables_bytes"] = std::to_string(pgtables);
  }
  row["first_frame"] = d.stack.empty() ? "-" : std::string(d.stack.front());
  row["frames"] = std::to_string(d.stack.size());
  row["kernel"] = incident.kernel_release;
  row["group"] = "-";
  for (std::size_t i = 1; i < incident.kills.size(); ++i) {
    EXPECT_TRUE(incident.kills[i].group_member);
    row["group"] = (i == 1 ? "" : row["group"] + ",") + std::to_string(incident.kills[i].victim.pid);
  }
  row["no_victim"] = text_of(kill.no_victim);
  return row;
}

TEST(RecordedLogs, give_every_expected_value) {
  std::map<std::string, EventCollector> logs;
  for (const std::string& name : log_names()) logs.emplace(name, collect(read_file(log_folder() / name)));
  std::map<std::string, std::size_t> incidents;
  for (const Row& want : expected()) {
    const EventCollector& log = logs.at(want.at("log"));
    const std::size_t n = std::stoul(want.at("n"));
    ++incidents[want.at("log")];
    ASSERT_LT(n, log.incidents.size()) << want.at("log");
    const Row got = found(log.incidents[n]);
    for (const auto& [key, value] : got)
      EXPECT_EQ(value, want.at(key)) << want.at("log") << " incident " << n << ": " << key;
  }
  for (const auto& [name, log] : logs) {
    EXPECT_EQ(log.incidents.size(), incidents[name]) << name;
    EXPECT_EQ(log.stops, 1U) << name;
    EXPECT_TRUE(log.last_seq_ok) << name;
    for (const TraceStart& start : log.starts) {
      EXPECT_EQ(start.source, "kernel_log");
      EXPECT_EQ(start.page_size, 4096U) << name;
      if (name != "6.18.44-host-memcg-v1.txt") {
        EXPECT_EQ(start.arch, "x86_64") << name;
      }
    }
  }
}

// oom_badness(): the figures of the table have to make the kernel's choice the one with the most points.
TEST(RecordedLogs, the_victim_has_the_most_points) {
  std::size_t checked = 0;
  for (const std::string& name : log_names()) {
    for (const CollectedIncident& incident : collect(read_file(log_folder() / name)).incidents) {
      const OomKill& kill = incident.kills.front();
      if (incident.candidates.empty() || kill.decision.decided_by == DecidedBy::kAllocatingTask || !kill.victim.pid)
        continue;
      ASSERT_TRUE(kill.decision.total_pages) << name;
      const auto unit = static_cast<std::int64_t>(*kill.decision.total_pages / 1000);
      std::int64_t best = 0, victim = 0;
      bool any = false;
      for (const OomCandidate& c : incident.candidates) {
        if (c.excluded != Excluded::kNot) continue;
        const std::int64_t rss = c.rss ? *c.rss : c.memory->anon + c.memory->file + c.memory->shmem;
        const std::int64_t points = rss / 4096 + c.memory->swap / 4096 +
                                    static_cast<std::int64_t>(c.memory->pgtables / 4096) + *c.oom_score_adj * unit;
        if (!any || points >= best) best = points;
        if (c.process.pid == kill.victim.pid) victim = points;
        any = true;
      }
      EXPECT_EQ(victim, best) << name << " victim " << kill.victim.pid;
      ++checked;
    }
  }
  EXPECT_GE(checked, 38U);
}

TEST(RecordedLogs, name_the_cgroup_that_died_as_a_whole) {
  const EventCollector log = collect(read_file(log_folder() / "6.12.117-memcg-v2.txt"));
  ASSERT_EQ(log.incidents.size(), 3U);
  EXPECT_EQ(log.incidents[1].kills.size(), 4U);  // the first victim is printed again, and is no fifth
  for (const OomKill& kill : log.incidents[1].kills) EXPECT_EQ(kill.decision.oom_group, "/a.slice/leaf");
  EXPECT_TRUE(log.incidents[0].kills[0].decision.oom_group.empty());
}

TEST(RecordedLogs, give_the_memory_of_the_machine_and_of_the_cgroup) {
  const EventCollector global = collect(read_file(log_folder() / "6.12.117-panic_on_oom.txt"));
  ASSERT_EQ(global.incidents.size(), 1U);
  ASSERT_EQ(global.incidents[0].memory.size(), 1U);
  const SystemMemory& m = global.incidents[0].memory[0];
  EXPECT_EQ(m.total, 109428ULL * 4096);
  EXPECT_EQ(m.free, 985ULL * 4096);
  EXPECT_EQ(m.anon, (101657ULL - 1211) * 4096);
  EXPECT_EQ(m.shmem, 1211ULL * 4096);
  EXPECT_EQ(m.slab_unreclaimable, 1891ULL * 4096);
  EXPECT_EQ(m.swap_total, 0U);
  EXPECT_EQ(global.starts.front().mem_total, 109428ULL * 4096);
  EXPECT_EQ(global.incidents[0].kills[0].no_victim, "panic");
  EXPECT_FALSE(global.incidents[0].end.report_cut);

  const EventCollector memcg = collect(read_file(log_folder() / "6.18.44-host-memcg-v1.txt"));
  ASSERT_EQ(memcg.incidents.size(), 1U);
  ASSERT_EQ(memcg.incidents[0].cgroups.size(), 1U);
  const CgroupMemory& g = memcg.incidents[0].cgroups[0];
  EXPECT_EQ(g.cgroup.path, "/kf_test");
  EXPECT_EQ(g.version, 1);
  EXPECT_EQ(g.usage, 65536ULL * 1024);
  EXPECT_EQ(g.anon, 66920448U);
  EXPECT_EQ(memcg.incidents[0].boot_ns, 3132277696ULL * 1000);  // of the kill line
}

TEST(RecordedLogs, keep_what_lies_between_incidents) {
  const EventCollector log = collect(read_file(log_folder() / "7.3.4-global.txt"));
  ASSERT_EQ(log.incidents.size(), 3U);  // the allocation failure behind them has a Mem-Info, too
  for (const CollectedIncident& incident : log.incidents) EXPECT_EQ(incident.memory.size(), 1U);
  bool failure = false;
  for (const KernelLog& line : log.lines) failure |= line.message.starts_with("hog_main: page allocation failure");
  EXPECT_TRUE(failure);
}

}  // namespace
}  // namespace oomtrace::kernel_log
