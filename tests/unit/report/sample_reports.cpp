// SPDX-License-Identifier: Apache-2.0
// Reports of the kind that real recordings give.
#include "unit/report/sample_reports.h"

namespace oomtrace::test {

namespace {

constexpr std::int64_t kMiB = 1024 * 1024;

Candidate candidate(std::uint32_t pid, const char* comm, const char* role, std::int64_t rss, std::int64_t pgtables,
                    std::int32_t adj, std::uint64_t total_pages) {
  Candidate out;
  out.pid = pid;
  out.comm = comm;
  out.role = role;
  out.rss_pages = rss;
  out.swap_pages = 0;
  out.pgtables_pages = pgtables;
  out.oom_score_adj = adj;
  out.adj_points = adj * static_cast<std::int64_t>(total_pages / 1000);
  out.points = rss + pgtables + *out.adj_points;
  return out;
}

Victim victim(std::uint32_t pid, const char* comm, const char* role, std::int64_t anon_bytes) {
  Victim out;
  out.pid = pid;
  out.comm = comm;
  out.role = role;
  out.anon_rss_bytes = anon_bytes;
  out.file_rss_bytes = 6 * kMiB;
  out.shmem_rss_bytes = 0;
  out.swap_bytes = 0;
  out.pgtables_bytes = 676 * 1024;
  out.total_vm_bytes = 1024ULL * kMiB;
  out.oom_score_adj = 0;
  return out;
}

Source trace_source() {
  Source source;
  source.kind = "trace";
  source.name = "oomtrace-trainbox-20261124T084908Z.oomtrace";
  source.host = "trainbox";
  source.kernel = "6.18.15";
  source.from = "2026-11-24T08:49:08.500000000Z";
  source.to = "2026-11-24T08:49:13.000000000Z";
  source.boot_id = "0b5c4b5a-8f0e-4a51-9a3e-6f7f4b1d2c3e";
  source.trace_id = "5d0f6f2e9a7b4c1d8e3f2a1b0c9d8e7f";
  source.plan = {
      {"candidates", "walk of tasks inside mark_victim", "fexit on oom_evaluate_task is refused here (EPERM)"},
      {"growth", "page-fault tracepoints", ""}};
  return source;
}

}  // namespace

Report worker_report() {
  constexpr std::uint64_t kTotalPages = 81920;
  Incident incident;
  incident.id = 1;
  incident.time = "2026-11-24T08:49:12.345678901Z";
  incident.boot_ns = 123456789012;
  incident.host = "trainbox";
  incident.complete = true;
  incident.decided_by = "kernel";

  Domain& domain = incident.domain;
  domain.kind = "memcg";
  domain.constraint = "CONSTRAINT_MEMCG";
  domain.cgroup = "/ot_test";
  domain.limit_bytes = 320ULL * kMiB;
  domain.usage_bytes = 320ULL * kMiB;
  domain.swap_limit_bytes = 0;
  domain.ledger = {{"anonymous memory", 318 * kMiB}, {"file pages", 512 * 1024}, {"kernel memory", 900 * 1024}};
  domain.residue_bytes = 320 * kMiB - 318 * kMiB - 1412 * 1024;
  domain.cgroups_age_ns = 310'000'000;
  domain.cgroups = {{"/ot_test/trainer", 318ULL * kMiB, std::nullopt}, {"/ot_test/sidecar", 1ULL * kMiB, 64ULL * kMiB}};

  incident.trigger = {14441,
                      "python3",
                      "worker",
                      "0xcc0(GFP_KERNEL)",
                      0,
                      0,
                      {"oom_kill_process", "mem_cgroup_out_of_memory", "try_charge_memcg", "handle_mm_fault"}};

  Victim killed = victim(14441, "python3", "worker", 318 * kMiB + 400 * 1024);
  killed.command_line = "python3 train.py --workers 3 --data /data/imagenet";
  killed.job = "train.py (pid 14438)";
  killed.cgroup = "/ot_test";
  killed.uid = 1000;
  killed.points = 81912;
  killed.reaped = true;
  killed.place.role_reason = "forked without exec by python3 (14438), purpose unknown";
  incident.victims = {killed};

  Selection& selection = incident.selection;
  selection.summary = "pid 14441 had the most points of the four processes in /ot_test; oom_score_adj played no part.";
  selection.provenance = "kernel_walk";
  selection.total_pages = kTotalPages;
  selection.points_reproduced = true;
  selection.runner_up_pid = 14439;
  selection.margin_points = 76533;
  selection.candidates_complete = true;
  selection.candidates = {candidate(14441, "python3", "worker", 81743, 169, 0, kTotalPages),
                          candidate(14439, "grow", "worker", 5360, 19, 0, kTotalPages),
                          candidate(14440, "python3", "worker", 1204, 17, 0, kTotalPages),
                          candidate(14438, "python3", "trainer", 2610, 21, -20, kTotalPages)};
  selection.candidates.front().victim = true;
  Candidate immune = candidate(14430, "bash", "launcher", 900, 15, -1000, kTotalPages);
  immune.points.reset();
  immune.excluded = "oom_score_adj_min";
  selection.candidates.push_back(immune);

  Growth growth;
  growth.from = "2026-11-24T08:49:08.900000000Z";
  growth.to = "2026-11-24T08:49:12.300000000Z";
  growth.grown_bytes = 317 * kMiB;
  growth.charged =
      ChargedRise{0, 318 * kMiB, {{"anonymous memory", 317 * kMiB}, {"file pages", 256 * 1024}}, 768 * 1024};
  growth.driver = Driver{14441, "worker", "python3", 0.94, "container 0123456789ab"};
  growth.roles = {{"worker", 3, 312 * kMiB, 0.984}, {"trainer", 1, 5 * kMiB, 0.016}};
  growth.processes = {
      {14441, "python3", "worker", 298 * kMiB, 0.94, 290 * kMiB, 8 * kMiB, 0, 0, 0},
      {14439, "grow", "worker", 14 * kMiB, 0.044, 14 * kMiB, 0, 0, 0, 0},
      {14438, "python3", "trainer", 5 * kMiB, 0.016, 1 * kMiB, 4 * kMiB, 0, std::nullopt, 0},
  };
  growth.processes[0].shared_bytes = 20 * kMiB;
  growth.processes[1].shared_bytes = 0;
  growth.processes[0].pgtables_bytes = 612 * 1024;
  growth.processes[1].pgtables_bytes = 28 * 1024;
  growth.processes[0].hiwater_rss_bytes = 318 * kMiB;
  growth.timeline = GrowthTimeline{3'400'000'000, {{"worker", {}}, {"trainer", {}}}};
  for (std::int64_t i = 0; i <= 60; ++i) {
    growth.timeline->roles[0].held_bytes.push_back(i * i * 312 * kMiB / 3600);
    growth.timeline->roles[1].held_bytes.push_back((95 + i / 12) * kMiB);
  }
  incident.growth = growth;

  incident.cause = {"steady_growth",
                    0.8,
                    "pid 14441 grew by 298.0 MiB in 3.4 s at 87.6 MiB/s without giving anything back.",
                    {{"anonymous growth in the window", 298.0 * kMiB, "bytes", "process.memory"},
                     {"growth per second", 87.6 * kMiB, "bytes/s", "process.memory"},
                     {"processes that grew", 3, "processes", "process.memory"},
                     {"share of the driver", 0.94, "ratio", "process.memory"}}};
  incident.contributing = {
      {"limit_below_working_set", 0.3, "The limit of 320.0 MiB leaves the workers 2 MiB each.", {}}};
  incident.remedies = {{"Raise the limit of the cgroup", "echo 640M > /sys/fs/cgroup/ot_test/memory.max",
                        "at this rate it lasts 3.7 s longer", "other jobs on this machine get less"},
                       {"Find what worker 14441 keeps", std::nullopt, "it gave nothing back", ""}};
  incident.system.overcommit = {0, 50, 8192ULL * kMiB, 2100ULL * kMiB};
  incident.system.memory = {{"MemTotal", 16 * 1024 * kMiB}, {"MemAvailable", 12 * 1024 * kMiB}};
  incident.system.psi_memory_some_avg10 = 12.34;

  Report report;
  report.source = trace_source();
  report.incidents = {incident};
  Death death;
  death.pid = 14441;
  death.comm = "python3";
  death.role = "worker";
  death.time = "2026-11-24T08:49:12.350000000Z";
  death.verdict = "memcg_oom";
  death.signal = 9;
  Death trainer;
  trainer.pid = 14438;
  trainer.comm = "python3";
  trainer.role = "trainer";
  trainer.time = "2026-11-24T08:49:12.900000000Z";
  trainer.verdict = "exit_error";
  trainer.exit_code = 1;
  trainer.because_of_pid = 14441;
  trainer.detail = "RuntimeError: DataLoader worker (pid 14441) is killed by signal: Killed.";
  report.deaths = {death, trainer};
  return report;
}

Report group_kill_report() {
  Report report = worker_report();
  Incident& incident = report.incidents.front();
  for (std::uint32_t i = 0; i < 11; ++i) {
    Victim member = victim(14450 + i, "python3", i == 0 ? "trainer" : "dataloader_worker", (20 + i) * kMiB);
    member.group_member = true;
    member.place = {"a sign", 9, 1, 16, i == 0 ? std::nullopt : std::optional<std::uint32_t>(i - 1)};
    if (i == 4) member.anon_rss_bytes.reset();
    incident.victims.push_back(member);
  }
  report.source.lost_events = 12345;
  report.source.notes = {"12,345 events of the ring 'growth' were lost between 08:49:10 and 08:49:11"};
  incident.growth->driver = Driver{std::nullopt, "dataloader_worker", std::nullopt, 0.984, "Slurm job 17 step 0"};
  incident.growth->processes[0].place = {"a sign", 9, 1, 16, 2};
  incident.growth->processes[2].place = {"a sign", std::nullopt, 1, std::nullopt, std::nullopt};
  incident.victims.front().place = {"named pt_data_worker by PyTorch", 9, 1, 16, 2};
  report.deaths.front().place = incident.victims.front().place;
  incident.growth->roles.front().role = "dataloader_worker";
  incident.growth->duplicated = Duplicated{64ULL * kMiB, 3, 200LL * kMiB, 192LL * kMiB};
  return report;
}

Report crowd_report() {
  constexpr std::uint64_t kTotalPages = 4194304;
  Report report = worker_report();
  Incident& incident = report.incidents.front();
  incident.domain = {};
  incident.domain.kind = "global";
  incident.domain.constraint = "CONSTRAINT_NONE";
  incident.decided_by = "allocating_task";
  incident.complete = false;
  incident.missing = {"growth: no recorder was running; sudo oomtrace record would have told it"};
  incident.growth.reset();
  Selection& selection = incident.selection;
  selection = {};
  selection.provenance = "kernel_log";
  selection.total_pages = kTotalPages;
  selection.points_reproduced = false;
  selection.candidates_complete = true;
  for (std::uint32_t i = 0; i < 300; ++i) {
    Candidate row = candidate(20000 + i, "python3", "dataloader_worker", 900000 - 3000 * i, 1800, i % 7 == 0 ? 300 : 0,
                              kTotalPages);
    row.swap_pages = i % 3 == 0 ? 12345 : 0;
    *row.points += *row.swap_pages;
    row.victim = i == 200;
    selection.candidates.push_back(row);
  }
  for (const char* reason : {"init", "kernel_thread", "other_domain", "already_dying", "in_vfork", "no_memory"}) {
    Candidate out;
    out.pid = static_cast<std::uint32_t>(1 + selection.candidates.size());
    out.comm = reason;
    out.excluded = reason;
    selection.candidates.push_back(out);
  }
  incident.victims.front().pid = 20200;
  incident.trigger.pid = 20200;
  report.source.kind = "kernel_log";
  return report;
}

Report bare_report() {
  Report report;
  report.source.kind = "kernel_log";
  Incident incident;
  incident.id = 7;
  incident.decided_by = "kernel";
  incident.domain.kind = "unknown";
  incident.cause.kind = "unknown";
  incident.victims.resize(1);
  incident.victims.front().pid = 4242;
  report.incidents = {incident};
  return report;
}

Report no_incident_report() {
  Report report;
  report.source = trace_source();
  Death killed;
  killed.pid = 900;
  killed.comm = "python3";
  killed.role = "trainer";
  killed.time = "2026-11-24T08:49:12.350000000Z";
  killed.verdict = "sigkill";
  killed.signal = 9;
  killed.sender = Death::Sender{17, "systemd-oomd"};
  report.deaths = {killed};
  for (std::uint32_t i = 0; i < 40; ++i) {
    Death quiet;
    quiet.pid = 1000 + i;
    quiet.comm = "sh";
    quiet.verdict = "exit_ok";
    quiet.exit_code = 0;
    report.deaths.push_back(quiet);
  }
  Diagnosis diagnosis;
  diagnosis.cause = {"shm_exhaustion",
                     0.7,
                     "/dev/shm was full: 64.0 MiB of 64.0 MiB.",
                     {{"bytes used in /dev/shm", 64.0 * kMiB, "bytes", "system.mounts"}}};
  diagnosis.remedies = {
      {"Give the container more shared memory", "docker run --shm-size=8g --ipc=private IMAGE", "", ""}};
  report.diagnosis = {diagnosis};
  return report;
}

Report outside_report() {
  Report report;
  report.source = trace_source();
  report.source.since = "2026-11-24T13:49:00.000000000Z";
  report.source.until = "2026-11-24T13:50:00.999999999Z";
  report.source.incidents_outside = 7;
  report.source.outside_from = "2026-11-24T08:49:09.100000000Z";
  report.source.outside_to = "2026-11-24T08:49:12.345678901Z";
  return report;
}

Report empty_report() { return {}; }

std::vector<Sample> samples() {
  return {{"worker", worker_report()}, {"group_kill", group_kill_report()},   {"crowd", crowd_report()},
          {"bare", bare_report()},     {"no_incident", no_incident_report()}, {"outside", outside_report()},
          {"empty", empty_report()},   {"hostile", hostile_report()},         {"wide_names", wide_name_report()}};
}

}  // namespace oomtrace::test
