// SPDX-License-Identifier: Apache-2.0
// The Report: plain data that renderers print and that computes nothing. JSON form: schema oomtrace.report/1.
//
// Sizes are bytes, counts of pages say so, shares and confidence lie in [0, 1], times are RFC 3339 text in UTC.
// std::nullopt is what is not known. Text is raw (any bytes): renderers escape it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace oomtrace {

inline constexpr const char* kReportSchema = "oomtrace.report/1";

struct Evidence {
  std::string what;  // "anonymous growth in the window"
  double value = 0;
  std::string unit;    // "bytes", "bytes/s", "processes", "ratio", ...
  std::string source;  // "process.memory", "/proc/meminfo", "oom.candidate", ...
};

struct Cause {
  std::string kind;  // a word of the design's list
  double confidence = 0;
  std::string summary;  // one sentence with this incident's numbers
  std::vector<Evidence> evidence;
};

struct Remedy {
  std::string title;
  std::optional<std::string> command;  // for a shell
  std::string why;                     // with this incident's numbers
  std::string risk;
  std::optional<std::string> code;  // lines of a program or a configuration
};

struct LedgerLine {
  std::string what;
  std::int64_t bytes = 0;
};

// What is charged to a cgroup but to none of the cgroups below it that are listed as well.
struct CgroupCharge {
  std::string cgroup;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> limit_bytes;  // nullopt: none
};

struct Domain {
  std::string kind;  // "global", "memcg", "cpuset", "mempolicy", "sysrq", "unknown"
  std::optional<std::string> constraint;
  std::optional<std::string> cgroup;
  std::optional<std::uint64_t> limit_bytes, usage_bytes, swap_limit_bytes;
  std::optional<std::string> nodes;
  // The ledger shares out `ledger_bytes`, the usage as it was told with it, which may be `ledger_age_ns` before the
  // kill and less than usage_bytes.
  std::vector<LedgerLine> ledger;
  std::optional<std::int64_t> residue_bytes;
  std::optional<std::uint64_t> ledger_bytes, ledger_age_ns;
  std::vector<CgroupCharge> cgroups;  // the largest first, at most 100
  std::optional<std::uint64_t> cgroups_age_ns;
};

struct Trigger {
  std::optional<std::uint32_t> pid;
  std::optional<std::string> comm, role, gfp_mask;  // gfp_mask as "0xcc0(GFP_KERNEL)" or "0xcc0"
  std::optional<std::int32_t> order, oom_score_adj;
  std::vector<std::string> stack;
};

// Where in its training a process stands. Numbers count from 0, as the frameworks do.
struct TrainingPlace {
  std::optional<std::string> role_reason;  // the sign that the role was given for
  std::optional<std::uint32_t> rank, local_rank, world_size;
  std::optional<std::uint32_t> worker;  // of a DataLoader worker: which of those that its parent started together
};

struct Victim {
  std::uint32_t pid = 0;
  std::string comm;
  std::optional<std::string> command_line, role, job, cgroup;
  TrainingPlace place;
  std::optional<std::uint32_t> uid;
  std::optional<std::int64_t> anon_rss_bytes, file_rss_bytes, shmem_rss_bytes, swap_bytes;
  std::optional<std::uint64_t> pgtables_bytes, total_vm_bytes;
  std::optional<std::int32_t> oom_score_adj;
  std::optional<std::int64_t> points;
  std::optional<std::uint64_t> score;
  std::optional<bool> reaped;
  bool group_member = false;
};

struct Candidate {
  std::uint32_t pid = 0;
  std::string comm;
  std::optional<std::string> role;
  std::optional<std::int64_t> rss_pages, swap_pages, pgtables_pages;
  std::optional<std::int32_t> oom_score_adj;
  std::optional<std::int64_t> adj_points;  // oom_score_adj * (total_pages / 1000)
  std::optional<std::int64_t> points;      // rss + swap + pgtables + adj_points
  std::optional<std::string> excluded;
  bool victim = false;
};

struct Selection {
  std::string summary;
  std::optional<std::string> provenance;
  std::optional<std::uint64_t> total_pages;
  std::optional<bool> points_reproduced;
  std::optional<std::uint32_t> runner_up_pid;
  std::optional<std::int64_t> margin_points;  // victim's points less the runner-up's
  bool candidates_complete = false;           // the end of the list was seen, and every candidate that it counts
  std::vector<Candidate> candidates;          // by points, highest first; the excluded last
};

struct ProcessGrowth {
  std::uint32_t pid = 0;
  std::string comm;
  std::optional<std::string> role;
  std::int64_t grown_bytes = 0;
  double share = 0;
  std::optional<std::int64_t> fresh_anon_bytes, cow_copied_bytes, file_bytes, shmem_bytes, swap_bytes;
  TrainingPlace place;
  std::optional<std::int64_t> pgtables_bytes;     // growth of its page tables: charged too, but no part of grown_bytes
  std::optional<std::int64_t> hiwater_rss_bytes;  // the most that it ever had resident, as last told
  // At the kill: of what it inherited or passed on by fork, at least so much is still one copy with a living relative.
  std::optional<std::int64_t> shared_bytes;
};

// Those of the processes that grew or gave back which have no row of their own.
struct ProcessesLeftOut {
  std::uint32_t count = 0;
  std::int64_t grown_bytes = 0;  // of those that grew
  double share = 0;
};

struct RoleGrowth {
  std::string role;
  std::uint32_t count = 0;
  std::int64_t grown_bytes = 0;
  double share = 0;
};

struct Driver {
  std::optional<std::uint32_t> pid;  // null: a role as a whole, no single process stands out
  std::optional<std::string> role, comm;
  double share = 0;
  std::optional<std::string> job;  // that all who drove belong to
  TrainingPlace place;             // of that process
};

struct Duplicated {
  std::uint64_t region_bytes = 0;  // of what was copied several times, once; of several families the largest such
  std::uint32_t copies = 0;        // of that region
  std::optional<std::int64_t> copied_bytes;  // all that these families copied
  // Of it, copies of a region that several of a family copied; nullopt where regions were not told.
  std::optional<std::int64_t> duplicated_bytes;
  std::uint32_t families = 1;       // in each of which a region was copied several times
  std::optional<std::string> role;  // of those who copied most of it
};

// At even moments from the window's start to its end, both included.
struct RoleTimeline {
  std::string role;
  std::vector<std::int64_t> held_bytes;
};
struct GrowthTimeline {
  std::uint64_t length_ns = 0;
  std::vector<RoleTimeline> roles;
};

// What the domain's own counters say of the same window: usage, and the lines of its ledger, at its end less at its
// start, or `lead_ns` before it, where nothing nearer was told. `residue_bytes`: what usage rose by beyond the lines.
struct ChargedRise {
  std::uint64_t lead_ns = 0;
  std::int64_t bytes = 0;
  std::vector<LedgerLine> ledger;
  std::int64_t residue_bytes = 0;
};

struct Growth {
  std::optional<std::string> from, to;
  std::int64_t grown_bytes = 0;
  std::optional<ChargedRise> charged;  // nullopt: they were not told near both of its ends
  std::optional<Driver> driver;
  std::vector<RoleGrowth> roles;
  std::vector<ProcessGrowth> processes;
  std::optional<Duplicated> duplicated;
  std::optional<GrowthTimeline> timeline;
  ProcessesLeftOut left_out;
};

struct Overcommit {
  std::optional<std::int64_t> mode, ratio;
  std::optional<std::uint64_t> limit_bytes, committed_bytes;
};
struct SystemState {
  Overcommit overcommit;
  std::vector<LedgerLine> memory;  // /proc/meminfo nearest before the kill
  std::optional<double> psi_memory_some_avg10, psi_memory_full_avg10;
  std::optional<std::int64_t> balloon_bytes;
};

struct Incident {
  std::uint64_t id = 0;
  std::optional<std::string> time;
  std::optional<std::uint64_t> boot_ns;
  std::string host;
  bool complete = false;
  std::vector<std::string> missing;  // what is not there, and what would have told it
  std::string decided_by;            // "kernel", "allocating_task", "sysrq", "bpf"
  Domain domain;
  Trigger trigger;
  std::vector<Victim> victims;
  Selection selection;
  std::optional<Growth> growth;  // nullopt: nobody watched the processes of the domain
  bool narrowed = false;         // the recording was, to chosen processes or cgroups, or to kinds that do not tell all
  bool growth_left_out = false;  // there were more kills and processes beside them than a report weighs
  Cause cause;
  std::vector<Cause> contributing;
  std::vector<Remedy> remedies;
  SystemState system;
};

struct Death {
  std::uint32_t pid = 0;
  std::string comm;
  std::optional<std::string> role, time;
  TrainingPlace place;
  std::string verdict;
  std::optional<std::int32_t> signal, exit_code;
  struct Sender {
    std::uint32_t pid = 0;
    std::string comm;
  };
  std::optional<Sender> sender;
  std::optional<std::uint32_t> because_of_pid;
  std::optional<std::string> detail;
};

struct PlanFact {
  std::string fact, way, why_not_better;
};

struct Source {
  std::string kind;  // "trace", "ndjson", "kernel_log"
  std::string name;  // what was read, for people
  std::optional<std::string> host, kernel, from, to;
  std::optional<std::string> boot_id, trace_id;
  std::optional<std::string> since, until;              // the time that was chosen, both inclusive; null: no bound
  std::uint64_t incidents_outside = 0;                  // left out, since they lie before or after it
  std::optional<std::string> outside_from, outside_to;  // the first and the last of them
  std::uint64_t lost_events = 0;
  std::vector<std::string> notes;  // losses, cuts and gaps in words
  std::vector<PlanFact> plan;
};

struct Diagnosis {
  Cause cause;
  std::vector<Remedy> remedies;
};

struct Report {
  Source source;
  std::vector<Incident> incidents;
  std::vector<Death> deaths;
  std::vector<Diagnosis> diagnosis;
};

}  // namespace oomtrace
