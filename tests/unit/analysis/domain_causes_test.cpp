// SPDX-License-Identifier: Apache-2.0
// Causes that lie in workers, neighbors and the domain: each as it is, and what looks like it and is something else.
#include "training_support.h"

namespace oomtrace::analysis {
namespace {

// --- dataloader_duplication by spawned workers ---

struct SpawnTest : TrainingTest {
  // Workers that load one after the other, four seconds each, and then rest.
  void load(std::uint32_t count, double each_mib, double trainer_mib, double last_part = 1) {
    begin_trainer(10);
    rise(trainer, 10, trainer_mib, 1, 3);
    for (std::uint32_t i = 0; i < count; ++i) {
      const double at = 10 + 5 * i;
      events.at(at);
      spawn_worker(11 + i);
      rise(worker(11 + i), 0.1, each_mib * (i + 1 == count ? last_part : 1), at, at + 4);
    }
  }
};

TEST_F(SpawnTest, whole_copies_in_spawned_workers_duplicate) {
  load(3, 280, 250, 0.7);
  kill(trainer, 250);
  const Incident found = incident();
  EXPECT_EQ(found.cause.kind, "dataloader_duplication") << found.cause.summary;
  EXPECT_EQ(found.growth->driver->role, "dataloader_worker");
  EXPECT_EQ(figure(found.cause, "workers that loaded a copy"), 3);
  EXPECT_NEAR(figure(found.cause, "held by a worker that had finished loading"), 280.0 * kMiB, 5.0 * kMiB);
}

TEST_F(SpawnTest, workers_that_are_mostly_interpreters_have_no_data_set) {
  load(8, 115, 60);
  kill(trainer, 60);
  EXPECT_FALSE(has(incident(), "dataloader_duplication"));
}

TEST_F(SpawnTest, spawned_workers_that_leak_all_along_do_not_load) {
  begin_trainer(200);
  for (std::uint32_t pid = 11; pid <= 13; ++pid) {
    events.at(10);
    spawn_worker(pid);
  }
  during(10, 90, [&](double part) {
    for (std::uint32_t pid = 11; pid <= 13; ++pid) level(worker(pid), 120 + 140 * part);
  });
  kill(trainer, 200);
  const Incident found = incident();
  EXPECT_FALSE(has(found, "dataloader_duplication"));
  EXPECT_EQ(found.cause.kind, "steady_growth") << found.cause.summary;
}

TEST_F(TrainingTest, a_fork_without_copies_duplicates_nothing) {
  begin_trainer(400);
  for (std::uint32_t pid = 11; pid <= 14; ++pid) {
    events.at(20);
    fork_worker(pid, 400);
  }
  during(30, 40, [&](double part) {
    for (std::uint32_t pid = 11; pid <= 14; ++pid) level(worker(pid), 400, 0, 3 * part);
    level(trainer, 400 + 580 * part);
  });
  kill(trainer, 980);
  EXPECT_FALSE(has(incident(), "dataloader_duplication"));
}

// --- commands ---

struct CommandTest : TrainingTest {
  // Commands that are proposed for a kill in this cgroup, one after the other.
  std::string commands_for(std::string_view cgroup) {
    job.path = cgroup;
    events.cgroup_version = 2;
    begin_trainer(100);
    during(10, 40, [&](double part) { level(trainer, 100 + 880 * part); });
    kill(trainer, 980);
    std::string commands;
    for (const Remedy& remedy : incident().remedies) commands += remedy.command.value_or("") + "\n";
    return commands;
  }
};

TEST_F(CommandTest, a_unit_is_changed_by_its_name) {
  EXPECT_NE(commands_for("/system.slice/job.service").find("set-property --runtime job.service "), std::string::npos);
}

// systemctl -H HOST goes to another machine; to a shell $() is a command.
TEST_F(CommandTest, a_unit_whose_name_is_an_option_is_none) {
  EXPECT_EQ(commands_for("/system.slice/-Hexample.org.service").find("systemctl"), std::string::npos);
}

TEST_F(CommandTest, a_name_that_a_shell_would_run_is_in_no_command) {
  EXPECT_EQ(commands_for("/job$(reboot)").find("reboot"), std::string::npos);
}

// --- shm_exhaustion ---

struct ShmTest : TrainingTest {
  void prefetch(double shmem_mib, double heap_mib) {
    begin_trainer(100);
    for (std::uint32_t pid = 11; pid <= 14; ++pid) {
      events.at(20);
      fork_worker(pid, 100);
    }
    events.at(29);
    ledger(110, 0);
    during(30, 40, [&](double part) {
      for (std::uint32_t pid = 11; pid <= 14; ++pid) {
        level(worker(pid), 100 + heap_mib / 4 * part, shmem_mib / 4 * part);
      }
    });
    ledger(110 + heap_mib, shmem_mib);
  }
};

TEST_F(ShmTest, batches_in_shared_memory_exhaust_it) {
  prefetch(700, 40);
  kill(trainer, 100);
  const Incident found = incident();
  EXPECT_EQ(found.cause.kind, "shm_exhaustion");
  EXPECT_GT(found.cause.confidence, 0.8);
  EXPECT_EQ(found.growth->driver->role, "dataloader_worker");
  EXPECT_NE(found.remedies.front().title.find("fewer batches"), std::string::npos);
}

TEST_F(ShmTest, a_file_that_nobody_maps_is_no_batch) {
  begin_trainer(100);
  const ProcessRef sidecar = test::ref(20, "sidecar", 20);
  start_other(sidecar, 10);
  events.at(29);
  ledger(110, 0);
  rise(trainer, 100, 130, 30, 40);
  ledger(140, 800);
  kill(trainer, 130);
  const Incident found = incident();
  ASSERT_EQ(found.cause.kind, "shm_exhaustion") << found.cause.summary;
  EXPECT_NE(found.cause.summary.find("files in a tmpfs"), std::string::npos) << found.cause.summary;
  for (const Remedy& remedy : found.remedies) {
    EXPECT_EQ(remedy.why.find("uint8"), std::string::npos);
    EXPECT_EQ(remedy.title.find("batches"), std::string::npos);
  }
  EXPECT_NE(found.remedies.front().title.find("other tmpfs mounts"), std::string::npos) << found.remedies.front().title;
}

TEST_F(ShmTest, a_little_shared_memory_beside_a_leak_does_not) {
  prefetch(60, 700);
  kill(trainer, 100);
  EXPECT_FALSE(has(incident(), "shm_exhaustion"));
}

TEST_F(TrainingTest, shared_memory_that_was_always_there_is_not_what_filled_the_domain) {
  begin_trainer(100);
  level(trainer, 100, 400);
  ledger(100, 400);
  rise(trainer, 100, 101, 2, 30);
  during(30, 90, [&](double part) { level(trainer, 101 + 490 * part, 400); });
  ledger(591, 400);
  kill(trainer, 591);
  const Incident found = incident();
  EXPECT_NE(found.cause.kind, "shm_exhaustion") << found.cause.summary;
}

TEST_F(TrainingTest, pinned_memory_of_an_accelerator_is_no_batch) {
  begin_trainer(200);
  inform(trainer, "python3 train.py", {"nvidia0"});
  rise(trainer, 200, 201, 2, 30);
  ledger(200, 0);
  during(30, 31, [&](double part) { level(trainer, 201, 760 * part); });
  ledger(201, 760);
  kill(trainer, 201, 760);
  const Incident found = incident();
  EXPECT_FALSE(has(found, "shm_exhaustion")) << found.cause.summary;
  EXPECT_EQ(found.cause.kind, "offload_burst");
  EXPECT_NE(found.cause.summary.find("pinned"), std::string::npos) << found.cause.summary;
}

// --- neighbors within one job ---

TEST_F(TrainingTest, a_sidecar_of_the_same_launcher_is_a_neighbor) {
  begin();
  const ProcessRef launcher = ref(5, "python3", 1), sidecar = ref(20, "python3", 3);
  start_trainer(launcher, 50, "python3 launch.py");
  events.at(2).fork(launcher, trainer);
  events.exec(trainer, "/usr/bin/python3", "python3 train.py", launcher.pid);
  ProcessInfo rank;
  rank.process = trainer;
  rank.environment = {{"RANK", "0"}, {"LOCAL_RANK", "0"}};
  rank.libraries = {"libtorch_cpu.so"};
  events.emit(rank);
  events.at(3).fork(launcher, sidecar);
  events.exec(sidecar, "/usr/bin/python3", "python3 metrics.py", launcher.pid);
  rise(trainer, 1, 600, 3, 6);
  during(6, 60, [&](double part) {
    level(sidecar, 10 + 330 * part);
    level(trainer, 600);
  });
  kill(trainer, 600);
  const Incident found = incident();
  EXPECT_EQ(found.cause.kind, "neighbor_growth") << found.cause.summary;
  EXPECT_EQ(found.growth->driver->pid, 20u);
  EXPECT_EQ(found.victims.front().role, "trainer");
  EXPECT_NE(found.cause.summary.find("python3 metrics.py"), std::string::npos) << found.cause.summary;
}

struct RanksTest : TrainingTest {
  // The trainer is killed because the other rank of its job grew.
  Incident other_rank_grew(const ProcessRef& starter, std::string_view executable, std::string_view command) {
    const ProcessRef other = ref(20, "python3", 2);
    start_ranks(starter, executable, command, other);
    during(6, 60, [&](double part) {
      level(other, 300 + 390 * part);
      level(trainer, 300);
    });
    kill(trainer, 300);
    return incident();
  }
};

TEST_F(RanksTest, another_rank_of_the_same_job_is_no_neighbor) {
  const Incident found =
      other_rank_grew(ref(5, "pt_elastic", 1), "/usr/bin/python3", "python3 -m torch.distributed.run train.py");
  EXPECT_FALSE(has(found, "neighbor_growth"));
  EXPECT_EQ(found.cause.kind, "steady_growth");
}

// srun's tasks are children of the step's daemon.
TEST_F(RanksTest, another_task_of_the_same_slurm_step_is_no_neighbor) {
  const Incident found = other_rank_grew(ref(5, "slurmstepd", 1), "/usr/sbin/slurmstepd", "slurmstepd: [17.0]");
  EXPECT_FALSE(has(found, "neighbor_growth"));
  EXPECT_EQ(found.cause.kind, "steady_growth");
  EXPECT_EQ(found.growth->driver->pid, 20u);
  EXPECT_EQ(found.growth->driver->role, "trainer");
}

// --- memory_ballooning, numa_node_exhausted ---

struct MachineCauseTest : TrainingTest {
  void machine(double total_mib, double balloon_mib, double free_mib, double committed_mib = 4000) {
    SystemMemory memory;
    memory.total = bytes(total_mib);
    memory.free = bytes(free_mib);
    memory.balloon = bytes(balloon_mib);
    memory.anon = bytes(total_mib - free_mib - 200);
    memory.cached = bytes(100);
    memory.shmem = bytes(1);
    memory.committed = bytes(committed_mib);
    memory.swap_total = 0;
    memory.swap_free = 0;
    events.emit(memory);
  }
  void global(DomainKind kind, std::int32_t order = 0) {
    OomKill kill = test::global_kill(1, trainer, mib(700), 8192 * 256);
    kill.decision.domain = kind;
    kill.decision.order = order;
    if (kind != DomainKind::kGlobal) kill.decision.nodes = "0";
    events.at(clock + 0.05).emit(kill);
  }
};

TEST_F(MachineCauseTest, a_machine_that_shrinks_is_ballooned) {
  begin_trainer(600);
  machine(8192, 0, 2000);
  during(10, 40, [&](double part) {
    machine(8192 - 3000 * part, 3000 * part, 2000 * (1 - part) + 40);
    level(trainer, 600 + 50 * part);
  });
  global(DomainKind::kGlobal);
  const Incident found = incident();
  EXPECT_EQ(found.cause.kind, "memory_ballooning") << found.cause.summary;
  EXPECT_NEAR(figure(found.cause, "MemTotal fell by"), 3000.0 * kMiB, 100.0 * kMiB);
  EXPECT_NE(found.remedies.front().title.find("hypervisor"), std::string::npos);
}

TEST_F(MachineCauseTest, a_balloon_that_was_there_before_took_nothing) {
  begin_trainer(600);
  machine(8192, 3000, 2000);
  during(10, 60, [&](double part) {
    machine(8192, 3000, 2000 * (1 - part) + 40);
    level(trainer, 600 + 1900 * part);
  });
  global(DomainKind::kGlobal);
  EXPECT_FALSE(has(incident(), "memory_ballooning"));
}

TEST_F(MachineCauseTest, a_balloon_does_not_fill_a_cgroup) {
  begin_trainer(500);
  machine(8192, 0, 2000);
  rise(trainer, 500, 990, 2, 60);
  machine(5192, 3000, 500);
  kill(trainer, 990);
  EXPECT_FALSE(has(incident(), "memory_ballooning"));
}

TEST_F(MachineCauseTest, a_full_node_beside_free_ones_is_told) {
  begin_trainer(500);
  rise(trainer, 500, 700, 2, 60);
  machine(8192, 0, 4000);
  global(DomainKind::kMempolicy);
  const Incident found = incident();
  EXPECT_EQ(found.cause.kind, "numa_node_exhausted");
  EXPECT_GT(found.cause.confidence, 0.85);
  EXPECT_NE(found.remedies.front().command.value_or("").find("numactl"), std::string::npos);
}

TEST_F(MachineCauseTest, without_a_node_set_no_node_is_to_blame) {
  begin_trainer(500);
  rise(trainer, 500, 700, 2, 60);
  machine(8192, 0, 40);
  global(DomainKind::kGlobal);
  EXPECT_FALSE(has(incident(), "numa_node_exhausted"));
}

// --- page_cache_pinned, kernel_memory_growth ---

TEST_F(TrainingTest, cache_that_is_there_at_the_kill_is_pinned) {
  begin_trainer(300);
  rise(trainer, 300, 400, 2, 30);
  kill(trainer, 400);
  ledger(400, 0, 590, 0, 1);
  EXPECT_EQ(incident().cause.kind, "page_cache_pinned") << incident().cause.summary;
}

TEST_F(TrainingTest, cache_that_filled_the_cgroup_before_is_reclaimed_and_nothing) {
  begin_trainer(300);
  rise(trainer, 300, 302, 2, 30);
  ledger(302, 0, 690);
  rise(trainer, 302, 985, 30, 90);
  kill(trainer, 985);
  const Incident found = incident();
  EXPECT_FALSE(has(found, "page_cache_pinned"));
  EXPECT_EQ(found.cause.kind, "steady_growth");
}

TEST_F(TrainingTest, a_little_cache_at_the_kill_is_not_what_filled_it) {
  begin_trainer(300);
  rise(trainer, 300, 880, 2, 60);
  kill(trainer, 880);
  ledger(880, 0, 100, 0, 1);
  EXPECT_FALSE(has(incident(), "page_cache_pinned"));
}

TEST_F(TrainingTest, slab_that_fills_the_cgroup_is_the_kernels) {
  begin_trainer(100);
  rise(trainer, 100, 120, 2, 30);
  kill(trainer, 120);
  ledger(120, 0, 0, 860, 1);
  const Incident found = incident();
  EXPECT_EQ(found.cause.kind, "kernel_memory_growth") << found.cause.summary;
}

TEST_F(TrainingTest, the_usual_kernel_memory_is_not) {
  begin_trainer(300);
  rise(trainer, 300, 900, 2, 60);
  kill(trainer, 900);
  ledger(900, 0, 0, 90, 1);
  EXPECT_FALSE(has(incident(), "kernel_memory_growth"));
}

// --- what contributed ---

TEST_F(MachineCauseTest, promises_beyond_the_machine_and_no_swap_contributed) {
  begin_trainer(500);
  TraceStart again;
  rise(trainer, 500, 700, 2, 60);
  machine(8192, 0, 40, 20000);
  global(DomainKind::kGlobal, 2);
  const Incident found = incident();
  EXPECT_TRUE(has(found, "no_swap"));
  EXPECT_TRUE(has(found, "fragmentation"));
}

TEST_F(TrainingTest, a_cgroup_s_kill_is_not_blamed_on_overcommit) {
  begin_trainer(500);
  rise(trainer, 500, 990, 2, 60);
  kill(trainer, 990);
  const Incident found = incident();
  EXPECT_FALSE(has(found, "overcommit_policy"));
  EXPECT_FALSE(has(found, "no_swap"));
  const auto strict = std::find_if(found.remedies.begin(), found.remedies.end(), [](const Remedy& remedy) {
    return remedy.title.find("vm.overcommit_memory = 2") != std::string::npos;
  });
  ASSERT_NE(strict, found.remedies.end());
  EXPECT_NE(strict->title.find("would not have prevented"), std::string::npos);
}

TEST_F(TrainingTest, huge_pages_show_in_few_faults) {
  begin_trainer(100);
  during(2, 60, [&](double part) { level(trainer, 100 + 890 * part, 0, 0, 890 * part / 512); });
  kill(trainer, 990);
  EXPECT_TRUE(has(incident(), "transparent_huge_pages"));
}

// --- containers ---

// "docker", "podman" or nothing: whose --oom-kill-disable the report warns of.
std::string warned_of(const Incident& incident) {
  for (const Remedy& remedy : incident.remedies) {
    if (const std::size_t at = remedy.title.find(" run --oom-kill-disable"); at != std::string::npos)
      return remedy.title.substr(remedy.title.rfind(' ', at - 1) + 1, at - remedy.title.rfind(' ', at - 1) - 1);
  }
  return {};
}

struct ContainerTest : TrainingTest {
  std::string warned_in(const std::string& path) {
    path_ = path;
    job = CgroupRef{77, path_};
    events.cgroup_version = 2;
    begin_trainer(100);
    rise(trainer, 100, 900, 1, 20);
    kill(trainer, 900);
    return warned_of(incident());
  }
  std::string path_;
};

TEST_F(ContainerTest, docker_is_warned_of_its_switch) {
  EXPECT_EQ(warned_in("/docker/" + std::string(64, 'a')), "docker");
}
TEST_F(ContainerTest, podman_likewise) {
  EXPECT_EQ(warned_in("/machine.slice/libpod-" + std::string(64, 'a') + ".scope"), "podman");
}
TEST_F(ContainerTest, a_unit_has_no_such_switch) { EXPECT_EQ(warned_in("/system.slice/train.service"), ""); }

}  // namespace
}  // namespace oomtrace::analysis
