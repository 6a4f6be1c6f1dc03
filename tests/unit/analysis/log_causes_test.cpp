// SPDX-License-Identifier: Apache-2.0
// Causes from a kernel log alone: each for what it names, and against what looks alike.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "analysis/build_report.h"
#include "kernel_log/log_parser.h"
#include "model/world.h"

namespace oomtrace::analysis {
namespace {

class Replay : public kernel_log::EventConsumer {
 public:
  void on_event(const Event& event) override { world.apply(event); }
  model::World world;
};

Incident read(const std::string& log) {
  Replay replay;
  kernel_log::LogParser parser(replay);
  parser.feed(log);
  parser.finish();
  const Report report = build_report(replay.world, {"kernel_log", "test.log", {}});
  EXPECT_EQ(report.incidents.size(), 1U);
  return report.incidents.empty() ? Incident{} : report.incidents[0];
}

struct Memcg {
  std::uint64_t anon_mib = 0, file_mib = 0, shmem_mib = 0, kernel_mib = 0;  // file with shmem
};

// A kill in a memory cgroup at its limit; `rows` are "COMM MIB" of pages of 4 KiB.
std::string memcg_kill(const Memcg& memory, const std::vector<std::pair<std::string, std::uint64_t>>& rows) {
  constexpr std::uint64_t kMib = 1 << 20;
  std::string log =
      "[   10.000001] python3 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
      "[   10.000002] CPU: 1 PID: 100 Comm: python3 Not tainted 6.1.0 #1\n"
      "[   10.000003] RIP: 0033:0x7f\n";
  const std::uint64_t used_kib = (memory.anon_mib + memory.file_mib + memory.kernel_mib) * 1024;
  log += fmt::format("[   10.000004] memory: usage {0}kB, limit {0}kB, failcnt 5\n", used_kib);
  log +=
      "[   10.000005] swap: usage 0kB, limit 0kB, failcnt 0\n"
      "[   10.000006] Memory cgroup stats for /job:\n";
  log +=
      fmt::format("[   10.000007] anon {}\n[   10.000007] file {}\n[   10.000007] kernel {}\n[   10.000007] shmem {}\n",
                  memory.anon_mib * kMib, memory.file_mib * kMib, memory.kernel_mib * kMib, memory.shmem_mib * kMib);
  log +=
      "[   10.000008] Tasks state (memory values in pages):\n"
      "[   10.000009] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n";
  std::uint32_t pid = 100;
  for (const auto& [comm, mib] : rows) {
    log += fmt::format("[   10.000010] [{:7}]  1000 {:5} {:8} {:8}   409600        0             0 {}\n", pid, pid,
                       mib * 512, mib * 256, comm);
    ++pid;
  }
  return log +
         "[   10.000011] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/job,"
         "task_memcg=/job,task=python3,pid=100,uid=1000\n"
         "[   10.000012] Memory cgroup out of memory: Killed process 100 (python3) total-vm:" +
         std::to_string(rows.at(0).second * 2048) +
         "kB, anon-rss:4096kB, file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:400kB oom_score_adj:0\n";
}

// A kill for the whole machine of 4 GiB. Pages of 4 KiB.
std::string global_kill(const std::string& mem_info, const std::string& constraint, int order = 0) {
  return fmt::format(
             "[   10.000001] python3 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order={}, oom_score_adj=0\n"
             "[   10.000002] CPU: 1 PID: 100 Comm: python3 Not tainted 6.1.0 #1\n"
             "[   10.000003] RIP: 0033:0x7f\n"
             "[   10.000004] Mem-Info:\n",
             order) +
         mem_info +
         "[   10.000006] 1048576 pages RAM\n"
         "[   10.000006] 0 pages HighMem/MovableOnly\n"
         "[   10.000006] 0 pages reserved\n"
         "[   10.000008] Tasks state (memory values in pages):\n"
         "[   10.000009] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n"
         "[   10.000010] [    100]  1000   100   100000    90000   409600        0             0 python3\n"
         "[   10.000011] oom-kill:constraint=" +
         constraint +
         ",task_memcg=/,task=python3,pid=100,uid=1000\n"
         "[   10.000012] Out of memory: Killed process 100 (python3) total-vm:400000kB, anon-rss:360000kB, "
         "file-rss:0kB, "
         "shmem-rss:0kB, UID:1000 pgtables:400kB oom_score_adj:0\n";
}

std::string mem_info(std::uint64_t anon, std::uint64_t unevictable, std::uint64_t dirty, std::uint64_t slab,
                     std::uint64_t shmem, std::uint64_t free, std::uint64_t cache) {
  return fmt::format(
      "[   10.000005] active_anon:0 inactive_anon:{} isolated_anon:0\n"
      "[   10.000005]  active_file:0 inactive_file:{} isolated_file:0\n"
      "[   10.000005]  unevictable:{} dirty:{} writeback:0\n"
      "[   10.000005]  slab_reclaimable:0 slab_unreclaimable:{}\n"
      "[   10.000005]  mapped:0 shmem:{} pagetables:100\n"
      "[   10.000005]  free:{} free_pcp:0 free_cma:0\n"
      "[   10.000005] {} total pagecache pages\n"
      "[   10.000005] 0 pages in swap cache\n"
      "[   10.000005] Free swap  = 0kB\n"
      "[   10.000005] Total swap = 1048576kB\n",
      anon + shmem, cache, unevictable, dirty, slab, shmem, free, cache + shmem);
}

const char* const kAnyNode = "CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0-1,global_oom";

double value(const Cause& cause, const std::string& what) {
  for (const Evidence& evidence : cause.evidence) {
    if (evidence.what == what) return evidence.value;
  }
  return -1;
}

TEST(LogCauses, suspect_workers_of_one_name_and_size) {
  const Incident incident = read(memcg_kill({900, 10, 0, 10}, {{"python3", 200},
                                                               {"pt_data_worker", 170},
                                                               {"pt_data_worker", 165},
                                                               {"pt_data_worker", 180},
                                                               {"pt_data_worker", 172}}));
  EXPECT_EQ(incident.cause.kind, "dataloader_duplication");
  EXPECT_LT(incident.cause.confidence, 0.5) << "a suspicion";
  EXPECT_EQ(value(incident.cause, "processes of that name"), 4);
  EXPECT_NE(incident.cause.summary.find("4 processes named pt_data_worker"), std::string::npos);
}

// The same pages counted once for each process: shared, so nobody copied.
TEST(LogCauses, do_not_take_shared_pages_for_copies) {
  const Incident incident = read(memcg_kill({300, 10, 0, 10}, {{"python3", 200},
                                                               {"pt_data_worker", 170},
                                                               {"pt_data_worker", 165},
                                                               {"pt_data_worker", 180},
                                                               {"pt_data_worker", 172}}));
  EXPECT_EQ(incident.cause.kind, "unknown");
}

TEST(LogCauses, do_not_suspect_workers_of_other_programs_or_a_few) {
  const Incident few = read(memcg_kill({900, 0, 0, 0}, {{"python3", 300}, {"python3", 300}, {"python3", 300}}));
  EXPECT_EQ(few.cause.kind, "unknown");
  const Incident others = read(memcg_kill(
      {900, 0, 0, 0}, {{"postgres", 200}, {"postgres", 200}, {"postgres", 200}, {"postgres", 200}, {"python3", 1}}));
  EXPECT_EQ(others.cause.kind, "unknown");
  EXPECT_NE(others.cause.summary.find("postgres, 4 processes"), std::string::npos) << others.cause.summary;
}

TEST(LogCauses, name_shared_memory_that_was_most_of_the_cgroup) {
  const Incident incident = read(memcg_kill({200, 750, 700, 10}, {{"python3", 200}}));
  EXPECT_EQ(incident.cause.kind, "shm_exhaustion");
  EXPECT_EQ(value(incident.cause, "shared memory and tmpfs"), 700.0 * (1 << 20));
  EXPECT_EQ(read(memcg_kill({700, 300, 250, 10}, {{"python3", 700}})).cause.kind, "unknown") << "a part only";
}

TEST(LogCauses, name_the_kernels_own_memory) {
  const Incident incident = read(memcg_kill({200, 10, 0, 700}, {{"python3", 200}}));
  EXPECT_EQ(incident.cause.kind, "kernel_memory_growth");
  EXPECT_EQ(value(incident.cause, "kernel memory"), 700.0 * (1 << 20));
  const Incident global = read(global_kill(mem_info(200'000, 0, 0, 700'000, 0, 10'000, 20'000), kAnyNode));
  EXPECT_EQ(global.cause.kind, "kernel_memory_growth");
  const Incident unnamed = read(global_kill(mem_info(200'000, 0, 0, 10'000, 0, 10'000, 20'000), kAnyNode));
  EXPECT_EQ(unnamed.cause.kind, "kernel_memory_growth") << "pages that no counter names";
  EXPECT_LE(unnamed.cause.confidence, 0.3);
}

TEST(LogCauses, name_pages_that_reclaim_may_not_take) {
  const Incident locked = read(global_kill(mem_info(300'000, 600'000, 0, 10'000, 0, 10'000, 700'000), kAnyNode));
  EXPECT_EQ(locked.cause.kind, "page_cache_pinned");
  EXPECT_EQ(locked.cause.evidence.at(0).what, "unevictable");
  const Incident dirty = read(global_kill(mem_info(300'000, 0, 500'000, 10'000, 0, 10'000, 700'000), kAnyNode));
  EXPECT_EQ(dirty.cause.evidence.at(0).what, "dirty or under writeback");
}

TEST(LogCauses, name_a_node_that_was_exhausted_while_others_had_room) {
  const char* const bound = "CONSTRAINT_CPUSET,nodemask=(null),cpuset=/a,mems_allowed=0";
  const Incident incident = read(global_kill(mem_info(600'000, 0, 0, 10'000, 0, 400'000, 20'000), bound));
  EXPECT_EQ(incident.cause.kind, "numa_node_exhausted");
  EXPECT_EQ(value(incident.cause, "free in the machine"), 400'000.0 * 4096);
  const Incident full = read(global_kill(mem_info(1'000'000, 0, 0, 10'000, 0, 10'000, 20'000), bound));
  EXPECT_EQ(full.cause.kind, "unknown") << "nobody had room";
}

TEST(LogCauses, tell_broken_memory_from_used_up_memory) {
  const Incident broken = read(global_kill(mem_info(600'000, 0, 0, 10'000, 0, 400'000, 20'000), kAnyNode, 4));
  EXPECT_EQ(broken.cause.kind, "unknown");
  EXPECT_NE(broken.cause.summary.find("16 pages in one piece"), std::string::npos) << broken.cause.summary;
  const Incident used_up = read(global_kill(mem_info(1'000'000, 0, 0, 10'000, 0, 10'000, 20'000), kAnyNode, 4));
  EXPECT_EQ(used_up.cause.summary.find("in one piece"), std::string::npos);
}

TEST(LogCauses, say_at_least_what_memory_was) {
  const Incident incident = read(global_kill(mem_info(1'000'000, 0, 0, 10'000, 0, 10'000, 20'000), kAnyNode));
  EXPECT_EQ(incident.cause.kind, "unknown");
  EXPECT_NE(incident.cause.summary.find("anonymous"), std::string::npos);
  EXPECT_NE(incident.cause.summary.find("swap was full"), std::string::npos);
  EXPECT_EQ(value(incident.cause, "swap"), 1048576.0 * 1024);
  EXPECT_EQ(value(incident.cause, "swap, free"), 0);
}

}  // namespace
}  // namespace oomtrace::analysis
