// SPDX-License-Identifier: Apache-2.0
// Roles and jobs: the training families that PyTorch versions and launchers make, and what is no training at all.
#include "roles_support.h"

namespace oomtrace::model {
namespace {

TEST_F(RolesTest, a_plain_parent_is_no_trainer_and_its_forked_children_are_workers) {
  start(10, 1, "grower", "grower 3");
  fork(11, 10, "grower");
  fork(12, 10, "grower");
  EXPECT_EQ(role(10), "other");
  EXPECT_EQ(role(11), "worker");
  EXPECT_EQ(role(12), "worker");
}

TEST_F(RolesTest, a_child_that_execs_is_no_worker) {
  start(10, 1, "sh", "sh run.sh");
  start(11, 10, "ls", "ls -l");
  EXPECT_EQ(role(10), "other");
  EXPECT_EQ(role(11), "other");
}

TEST_F(RolesTest, old_pytorch_by_its_library_and_forks) {
  start(10, 1, "python3", "python3 train.py", {}, {"libtorch_cpu.so"});
  fork(11, 10, "python3");
  EXPECT_EQ(role(10), "trainer");
  EXPECT_EQ(role(11), "dataloader_worker");
}

TEST_F(RolesTest, new_pytorch_by_the_names_of_its_workers_alone) {
  start(10, 1, "python3", "python3 train.py");
  fork(11, 10, "pt_data_worker");
  fork(12, 10, "python3");
  EXPECT_EQ(role(10), "trainer");
  EXPECT_EQ(role(11), "dataloader_worker");
  EXPECT_EQ(role(12), "dataloader_worker");
}

// A pool of the trainer's own, as of datasets.map(num_proc=...). What was seen just after its fork may get a name yet.
TEST_F(RolesTest, forks_without_a_name_beside_named_workers_are_another_pool_s) {
  start(10, 1, "python3", "python3 train.py", {}, {"libtorch_cpu.so"});
  start(50, 1, "python3", "python3 train.py", {}, {"libtorch_cpu.so"});
  for (const std::uint32_t pid : {11U, 12U, 13U, 14U}) fork(pid, 10, "python3");
  fork(51, 50, "python3");
  fork(60, 10, "pt_data_worker");
  events.at(11.5).memory(ref(11, "python3", 11), mib(50));
  events.at(30).memory(ref(12, "python3", 12), mib(50));
  events.at(13.1).exit(ref(13, "python3", 13));
  events.at(30).exit(ref(14, "python3", 14));
  events.at(90).memory(ref(51, "python3", 51), mib(50));
  EXPECT_EQ(role(10), "trainer");
  EXPECT_EQ(role(11), "dataloader_worker");
  EXPECT_EQ(role(12), "worker");
  EXPECT_EQ(role(13), "dataloader_worker");
  EXPECT_EQ(role(14), "worker");
  EXPECT_EQ(role(51), "dataloader_worker") << "this PyTorch names none";
  EXPECT_EQ(role(60), "dataloader_worker");
}

TEST_F(RolesTest, pytorch_2_3_names_workers_like_the_trainer) {
  start(10, 1, "pt_main_thread", "python3 train.py");
  fork(11, 10, "pt_main_thread");
  EXPECT_EQ(role(10), "trainer");
  EXPECT_EQ(role(11), "dataloader_worker");
}

TEST_F(RolesTest, forkserver_workers_are_grandchildren) {
  start(10, 1, "python3", "python3 train.py", {}, {"libtorch_cpu.so"});
  start(11, 10, "python3", "python3 -c from multiprocessing.resource_tracker import main;main(5)");
  start(12, 10, "python3", "python3 -c from multiprocessing.forkserver import main; main(8, 9, ['__main__'])");
  fork(13, 12, "pt_data_worker");
  fork(14, 12, "python3");
  EXPECT_EQ(role(10), "trainer");
  EXPECT_EQ(role(11), "other");
  EXPECT_EQ(role(12), "other");
  EXPECT_EQ(role(13), "dataloader_worker");
  EXPECT_EQ(role(14), "dataloader_worker");
  const Roles roles(world);
  const Jobs jobs(world, roles);
  EXPECT_EQ(jobs.root_of(world.by_pid(0, 13)->id), world.by_pid(0, 10)->id);
}

TEST_F(RolesTest, spawned_workers_of_a_trainer_and_of_a_plain_program) {
  const char* const spawned =
      "python3 -c from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=6, pipe_handle=8) "
      "--multiprocessing-fork";
  start(10, 1, "python3", "python3 train.py", {}, {"libtorch_cpu.so"});
  start(11, 10, "python3", spawned);
  start(20, 1, "python3", "python3 pool.py");
  start(21, 20, "python3", spawned);
  EXPECT_EQ(role(11), "dataloader_worker");
  EXPECT_EQ(role(20), "other");
  EXPECT_EQ(role(21), "worker");
}

TEST_F(RolesTest, a_spawned_process_with_workers_of_its_own_is_a_trainer) {
  start(10, 1, "python3", "python3 main.py");
  start(11, 10, "python3",
        "python3 -c from multiprocessing.spawn import spawn_main; spawn_main(pipe_handle=8) --multiprocessing-fork");
  fork(12, 11, "pt_data_worker");
  EXPECT_EQ(role(11), "trainer");
  EXPECT_EQ(role(12), "dataloader_worker");
}

TEST_F(RolesTest, torchrun_ranks_and_their_workers_are_one_job) {
  start(10, 1, "pt_elastic", "python3 /usr/bin/torchrun --nproc-per-node=2 train.py");
  start(11, 10, "python3", "python3 -u train.py", {{"RANK", "0"}, {"LOCAL_RANK", "0"}});
  start(12, 10, "python3", "python3 -u train.py", {{"RANK", "1"}, {"LOCAL_RANK", "1"}});
  fork(13, 11, "pt_data_worker");
  start(14, 12, "nvidia-smi", "nvidia-smi -q", {{"RANK", "1"}, {"LOCAL_RANK", "1"}});
  EXPECT_EQ(role(10), "launcher");
  EXPECT_EQ(role(11), "trainer");
  EXPECT_EQ(role(12), "trainer");
  EXPECT_EQ(role(13), "dataloader_worker");
  EXPECT_EQ(role(14), "other");
  const Roles roles(world);
  const Jobs jobs(world, roles);
  const ProcessId root = world.by_pid(0, 10)->id;
  for (const std::uint32_t pid : {11u, 12u, 13u, 14u}) EXPECT_EQ(jobs.root_of(world.by_pid(0, pid)->id), root) << pid;
  EXPECT_EQ(jobs.of(root).name, "pt_elastic (10)");
}

TEST_F(RolesTest, launchers_by_command_line_and_not_by_a_path_that_contains_the_word) {
  start(10, 1, "python3", "/usr/bin/python3 -m torch.distributed.run train.py");
  start(11, 1, "accelerate", "/opt/venv/bin/python /opt/venv/bin/accelerate launch train.py");
  start(12, 1, "python3", "python3 /home/u/deepspeed/train.py");
  start(13, 1, "python3", "python3 train.py --launcher torchrun");
  start(14, 1, "accelerate-laun", "/opt/venv/bin/python /opt/venv/bin/accelerate-launch train.py");
  EXPECT_EQ(role(10), "launcher");
  EXPECT_EQ(role(11), "launcher");
  EXPECT_EQ(role(12), "other");
  EXPECT_EQ(role(13), "other");
  EXPECT_EQ(role(14), "launcher");
}

TEST_F(RolesTest, helpers_by_name_and_command_line) {
  start(10, 1, "python3", "python3 train.py", {}, {"libtorch_cpu.so"});
  start(11, 10, "torch_shm_manag", "/usr/lib/torch/bin/torch_shm_manager");
  start(12, 10, "python3", "python3 /usr/lib/torch/_inductor/compile_worker/__main__.py --workers=4 --parent=10");
  fork(13, 12, "python3");
  EXPECT_EQ(role(11), "shm_manager");
  EXPECT_EQ(role(12), "compile_worker");
  EXPECT_EQ(role(13), "compile_worker");
}

TEST_F(RolesTest, ray_workers_by_their_titles_and_trainers_by_what_they_run) {
  start(10, 1, "raylet", "/opt/ray/core/src/ray/raylet/raylet --store_socket_name=x");
  start(11, 10, "ray::IDLE", "python -u /opt/ray/_private/workers/default_worker.py --node-ip-address=1");
  start(12, 10, "ray::Pool.map()", "ray::Pool.map()");
  start(13, 10, "ray::_RayTrainW", "ray::_RayTrainWorker__execute.get_next()", {}, {"libtorch_cpu.so"});
  start(14, 10, "ray::learn()", "ray::learn()", {}, {"libtorch_cpu.so", "nvidia0"});
  fork(15, 13, "ray::_RayTrainW");
  start(16, 1, "xray::IDLE", "xray::IDLE");
  EXPECT_EQ(role(10), "launcher");
  EXPECT_EQ(role(11), "worker");
  EXPECT_EQ(role(12), "worker");
  EXPECT_EQ(role(13), "trainer");
  EXPECT_EQ(role(14), "trainer");
  EXPECT_EQ(role(15), "dataloader_worker");
  EXPECT_EQ(role(16), "other");
}

TEST_F(RolesTest, a_rank_below_a_shell_wrapper_is_the_trainer) {
  start(10, 1, "bash", "bash run.sh", {{"RANK", "3"}});
  start(11, 10, "python3", "python3 train.py", {{"RANK", "3"}});
  EXPECT_EQ(role(10), "other");
  EXPECT_EQ(role(11), "trainer");
}

TEST_F(RolesTest, a_program_that_is_built_into_its_shell_is_no_worker) {
  start(10, 1, "busybox", "busybox sh run.sh");
  fork(11, 10, "mkdir");
  EXPECT_EQ(role(11), "other");
}

TEST_F(RolesTest, a_script_that_names_its_shell_is_a_shell) {
  start(10, 1, "run.sh", "run.sh", {{"RANK", "3"}});
  events.exec(ref(10, "run.sh", 10), "/job/run.sh", "/bin/bash /job/run.sh", 1);
  fork(11, 10, "run.sh");
  start(12, 10, "python3", "python3 train.py", {{"RANK", "3"}});
  EXPECT_EQ(role(10), "other");
  EXPECT_EQ(role(11), "other");
  EXPECT_EQ(role(12), "trainer");
}

TEST_F(RolesTest, families_of_one_shell_are_different_jobs) {
  start(10, 1, "bash", "bash");
  start(11, 10, "grower", "grower 1");
  start(12, 10, "grower", "grower 2");
  fork(13, 11, "grower");
  const Roles roles(world);
  const Jobs jobs(world, roles);
  const auto root = [&](std::uint32_t pid) { return jobs.root_of(world.by_pid(0, pid)->id); };
  EXPECT_EQ(root(13), root(11));
  EXPECT_NE(root(11), root(12));
  EXPECT_NE(root(11), root(10));
}

TEST_F(RolesTest, circles_and_endless_lines_of_hostile_events_end) {
  events.at(1).fork(ref(10, "a", 10), ref(11, "a", 11));
  events.at(2).fork(ref(11, "a", 11), ref(10, "a", 10));
  for (std::uint32_t pid = 100; pid < 3000; ++pid) {
    events.at(pid).fork(ref(pid + 1, "z", 5000 - pid), ref(pid, "z", 5001 - pid));
  }
  const Roles roles(world);
  const Jobs jobs(world, roles);
  EXPECT_EQ(roles.of(world.by_pid(0, 10)->id).role, Role::kWorker);
  EXPECT_NE(jobs.root_of(world.by_pid(0, 100)->id), kNoProcess);
}

}  // namespace
}  // namespace oomtrace::model
