// SPDX-License-Identifier: Apache-2.0
// Roles under each launcher and framework: command lines, names and environment are those that their sources set.
#include "roles_support.h"

namespace oomtrace::model {
namespace {

using Environment = std::vector<std::pair<std::string_view, std::string_view>>;

struct FrameworkRolesTest : RolesTest {
  ProcessId root(std::uint32_t pid) {
    const Roles roles(world);
    return Jobs(world, roles).root_of(world.by_pid(0, pid)->id);
  }
  ProcessId id(std::uint32_t pid) { return world.by_pid(0, pid)->id; }
};

// torch/distributed/elastic/agent/server/local_elastic_agent.py: up to 2.4 the agent has no name of its own.
TEST_F(FrameworkRolesTest, torchrun_of_old_pytorch) {
  start(10, 1, "torchrun", "/usr/bin/python3 /usr/bin/torchrun --nproc_per_node 2 train.py", {}, {"libtorch_cpu.so"});
  start(11, 10, "python3", "/usr/bin/python3 -u train.py",
        {{"RANK", "0"}, {"LOCAL_RANK", "0"}, {"WORLD_SIZE", "2"}, {"TORCHELASTIC_RUN_ID", "none"}},
        {"libtorch_cpu.so"});
  start(12, 10, "python3", "/usr/bin/python3 -u train.py", {{"RANK", "1"}, {"LOCAL_RANK", "1"}}, {"libtorch_cpu.so"});
  fork(13, 12, "python3");
  EXPECT_EQ(role(10), "launcher");
  EXPECT_EQ(role(11), "trainer");
  EXPECT_EQ(role(12), "trainer");
  EXPECT_EQ(role(13), "dataloader_worker");
  EXPECT_EQ(root(13), id(10));
}

// A pod of Kubeflow has RANK, the node's number, which torchrun inherits; its ranks have LOCAL_RANK beside their own.
TEST_F(FrameworkRolesTest, torchrun_that_inherits_the_node_s_rank) {
  const Environment node = {{"RANK", "0"}, {"WORLD_SIZE", "2"}};
  for (const std::uint32_t pid : {10U, 20U}) {
    start(pid - 1, 1, "bash", "bash entry.sh", node);
    start(pid, pid - 1, pid == 10 ? "python3" : "pt_elastic", "/usr/bin/python3 /usr/bin/torchrun train.py", node,
          {"libtorch_cpu.so"});
    start(pid + 1, pid, "python3", "/usr/bin/python3 -u train.py", {{"RANK", "0"}, {"LOCAL_RANK", "0"}});
    start(pid + 2, pid, "python3", "/usr/bin/python3 -u train.py", {{"RANK", "1"}, {"LOCAL_RANK", "1"}});
    fork(pid + 3, pid + 1, "python3");
    start(pid + 4, pid + 1, "nvidia-smi", "nvidia-smi -q", {{"RANK", "0"}, {"LOCAL_RANK", "0"}});
    EXPECT_EQ(role(pid), "launcher");
    EXPECT_EQ(role(pid + 1), "trainer");
    EXPECT_EQ(role(pid + 2), "trainer");
    EXPECT_EQ(role(pid + 3), "dataloader_worker");
    EXPECT_EQ(role(pid + 4), "other");
    EXPECT_EQ(root(pid + 3), id(pid));
  }
}

// A launcher for one process gives it no LOCAL_RANK.
TEST_F(FrameworkRolesTest, accelerate_that_inherits_the_node_s_rank) {
  start(10, 1, "accelerate", "/usr/bin/python3 /usr/local/bin/accelerate launch train.py", {{"RANK", "0"}});
  start(11, 10, "python3", "/usr/bin/python3 train.py", {{"RANK", "0"}});
  EXPECT_EQ(role(10), "launcher");
  EXPECT_EQ(role(11), "trainer");
}

// Of two programs with the same RANK one below the other, LOCAL_RANK tells them apart; what has both is a rank's own.
TEST_F(FrameworkRolesTest, a_launcher_that_a_rank_starts_is_none) {
  start(10, 1, "pt_elastic", "/usr/bin/python3 /usr/bin/torchrun train.py");
  start(11, 10, "python3", "/usr/bin/python3 -u train.py", {{"RANK", "0"}, {"LOCAL_RANK", "0"}});
  start(12, 11, "mpirun", "mpirun -np 2 preprocess", {{"RANK", "0"}, {"LOCAL_RANK", "0"}});
  EXPECT_EQ(role(11), "trainer");
  EXPECT_EQ(role(12), "other");
}

TEST_F(FrameworkRolesTest, pytorch_after_2_14_names_workers_longer) {
  start(10, 1, "python3", "python3 train.py", {}, {"libtorch_cpu.so"});
  fork(11, 10, "pt_multiprocess");
  EXPECT_EQ(role(11), "dataloader_worker");
}

// Lightning-AI/pytorch-lightning, subprocess_script.py: rank 0 is the user's own process and starts the others.
TEST_F(FrameworkRolesTest, lightning_rank_0_starts_the_others) {
  start(10, 1, "python3", "python3 fit.py", {}, {"libtorch_cpu.so"});
  start(11, 10, "python3", "/usr/bin/python3 fit.py", {{"LOCAL_RANK", "1"}, {"NODE_RANK", "0"}, {"WORLD_SIZE", "2"}},
        {"libtorch_cpu.so"});
  fork(12, 10, "pt_data_worker");
  fork(13, 11, "pt_data_worker");
  EXPECT_EQ(role(10), "trainer");
  EXPECT_EQ(role(11), "trainer");
  EXPECT_EQ(role(12), "dataloader_worker");
  EXPECT_EQ(role(13), "dataloader_worker");
  EXPECT_EQ(root(13), id(10));
}

// huggingface/accelerate, commands/launch.py: several devices run torchrun's code inside of the launcher's process.
TEST_F(FrameworkRolesTest, accelerate_on_several_devices) {
  const Environment first = {{"RANK", "0"}, {"LOCAL_RANK", "0"}, {"ACCELERATE_MIXED_PRECISION", "bf16"}};
  const Environment second = {{"RANK", "1"}, {"LOCAL_RANK", "1"}, {"ACCELERATE_MIXED_PRECISION", "bf16"}};
  start(10, 1, "pt_elastic", "/usr/bin/python3 /usr/local/bin/accelerate launch --multi_gpu train.py", {},
        {"libtorch_cpu.so"});
  start(11, 10, "python3", "/usr/bin/python3 -u train.py", first, {"libtorch_cpu.so"});
  start(12, 10, "python3", "/usr/bin/python3 -u train.py", second, {"libtorch_cpu.so"});
  EXPECT_EQ(role(10), "launcher");
  EXPECT_EQ(role(11), "trainer");
  EXPECT_EQ(role(12), "trainer");
}

// And one device by a plain Popen, without RANK.
TEST_F(FrameworkRolesTest, accelerate_on_one_device) {
  start(10, 1, "accelerate", "/usr/bin/python3 /usr/local/bin/accelerate launch train.py", {}, {"libtorch_cpu.so"});
  start(11, 10, "python3", "/usr/bin/python3 train.py", {{"ACCELERATE_MIXED_PRECISION", "no"}}, {"libtorch_cpu.so"});
  fork(12, 11, "python3");
  EXPECT_EQ(role(10), "launcher");
  EXPECT_EQ(role(11), "trainer");
  EXPECT_EQ(role(12), "dataloader_worker");
  EXPECT_EQ(root(12), id(10));
}

// deepspeedai/DeepSpeed, launcher/runner.py and launcher/launch.py.
TEST_F(FrameworkRolesTest, deepspeed_has_two_launchers_one_below_the_other) {
  start(10, 1, "deepspeed", "/usr/bin/python3 /usr/local/bin/deepspeed --num_gpus 2 train.py --deepspeed ds.json");
  start(11, 10, "python3", "/usr/bin/python3 -u -m deepspeed.launcher.launch --world_info=eyJsb2NhbGhvc3Qi train.py");
  start(12, 11, "python3", "/usr/bin/python3 -u train.py --local_rank=0 --deepspeed ds.json",
        {{"RANK", "0"}, {"LOCAL_RANK", "0"}, {"CROSS_RANK", "0"}}, {"libtorch_cpu.so"});
  start(13, 11, "python3", "/usr/bin/python3 -u train.py --local_rank=1 --deepspeed ds.json",
        {{"RANK", "1"}, {"LOCAL_RANK", "1"}, {"CROSS_RANK", "0"}}, {"libtorch_cpu.so"});
  EXPECT_EQ(role(10), "launcher");
  EXPECT_EQ(role(11), "launcher");
  EXPECT_EQ(role(12), "trainer");
  EXPECT_EQ(role(13), "trainer");
  EXPECT_EQ(root(13), id(10));
}

// Ray: workers are children of the raylet and set titles, which replace the command line.
TEST_F(FrameworkRolesTest, ray_workers_that_train_and_that_idle) {
  start(10, 1, "raylet", "/usr/lib/python3/dist-packages/ray/core/src/ray/raylet/raylet --raylet_socket_name=/tmp/r");
  start(11, 1, "gcs_server", "/usr/lib/python3/dist-packages/ray/core/src/ray/gcs/gcs_server --log_dir=/tmp");
  start(12, 10, "ray::RayTrainWo", "ray::RayTrainWorker._RayTrainWorker__execute()",
        {{"RAY_JOB_ID", "01000000"}, {"RAY_RAYLET_PID", "10"}}, {"libtorch_cpu.so"});
  start(13, 10, "ray::IDLE", "ray::IDLE");
  start(15, 10, "ray::RayTrainWo", "ray::RayTrainWorker._RayTrainWorker__execute()");
  start(16, 10, "ray::IDLE", "ray::RayTrainWorker._RayTrainWorker__execute()");
  fork(14, 12, "pt_data_worker");
  EXPECT_EQ(role(10), "launcher");
  EXPECT_EQ(role(11), "other");
  EXPECT_EQ(role(12), "trainer");
  EXPECT_EQ(role(13), "worker");
  EXPECT_EQ(role(14), "dataloader_worker");
  EXPECT_EQ(role(15), "trainer");
  EXPECT_EQ(role(16), "trainer");
  EXPECT_EQ(root(14), id(10));
  EXPECT_NE(root(11), id(10));
}

// multiprocess's Pool forks and keeps the command line: before training and without torch there is no sign of either.
TEST_F(FrameworkRolesTest, hugging_face_datasets_map) {
  start(10, 1, "python3", "python3 prepare.py");
  for (const std::uint32_t pid : {11u, 12u, 13u}) fork(pid, 10, "python3");
  EXPECT_EQ(role(10), "other");
  EXPECT_EQ(role(11), "worker");
  start(20, 1, "python3", "python3 train.py", {}, {"libtorch_cpu.so"});
  start(21, 20, "python3", "/usr/bin/python3 -c from multiprocess.resource_tracker import main;main(5)");
  start(22, 20, "python3",
        "/usr/bin/python3 -c from multiprocess.spawn import spawn_main; spawn_main(pipe_handle=8) "
        "--multiprocessing-fork");
  EXPECT_EQ(role(21), "other");
  EXPECT_EQ(role(22), "dataloader_worker");
}

TEST_F(FrameworkRolesTest, jax_has_no_workers_of_its_own) {
  start(10, 1, "python3", "python3 train.py", {{"JAX_PROCESS_ID", "0"}}, {"xla_extension.so"});
  start(11, 1, "python3", "python3 other.py", {}, {"libjax_common.so"});
  EXPECT_EQ(role(10), "trainer");
  EXPECT_EQ(role(11), "trainer");
}

TEST_F(FrameworkRolesTest, tensorflow_reads_its_data_in_threads) {
  start(10, 1, "python3", "python3 train.py", {{"TF_CONFIG", "{}"}}, {"libtensorflow_cc.so.2"}, {"tf_data_private"});
  EXPECT_EQ(role(10), "trainer");
}

// Ranks under srun and mpirun have no RANK until the script sets it. srun asks slurmd, whose slurmstepd starts them.
TEST_F(FrameworkRolesTest, slurm_ranks_are_below_the_step_s_daemon) {
  const Environment batch = {{"SLURM_PROCID", "0"}, {"SLURM_LOCALID", "0"}};
  start(10, 1, "slurmstepd", "slurmstepd: [17.batch]");
  start(11, 10, "bash", "/bin/bash /var/spool/slurmd/job00017/slurm_script", batch);
  start(12, 11, "srun", "srun --ntasks=2 python3 train.py", batch);
  start(20, 1, "slurmstepd", "slurmstepd: [17.0]");
  start(21, 20, "python3", "python3 train.py", batch, {"libtorch_cpu.so"});
  start(22, 20, "python3", "python3 train.py", {{"SLURM_PROCID", "1"}, {"SLURM_LOCALID", "1"}}, {"libtorch_cpu.so"});
  start(23, 21, "nvidia-smi", "nvidia-smi -q", batch);
  EXPECT_EQ(role(10), "launcher");
  EXPECT_EQ(role(11), "other");
  EXPECT_EQ(role(12), "launcher");
  EXPECT_EQ(role(20), "launcher");
  EXPECT_EQ(role(21), "trainer");
  EXPECT_EQ(role(22), "trainer");
  EXPECT_EQ(role(23), "other");
  EXPECT_EQ(root(22), id(20));
}

TEST_F(FrameworkRolesTest, mpi_ranks_are_below_mpirun_or_a_daemon_of_another_node_s) {
  std::uint32_t pid = 10;
  for (const char* const daemon : {"mpirun", "prterun", "orted", "prted", "hydra_pmi_proxy"}) {
    start(pid, 1, daemon, "/usr/bin/" + std::string(daemon) + " -np 2 python3 train.py");
    start(pid + 1, pid, "python3", "python3 train.py", {{"OMPI_COMM_WORLD_RANK", "2"}}, {"libtorch_cpu.so"});
    EXPECT_EQ(role(pid), "launcher") << daemon;
    EXPECT_EQ(role(pid + 1), "trainer") << daemon;
    EXPECT_EQ(root(pid + 1), id(pid)) << daemon;
    pid += 2;
  }
}

// A site's own launcher is known by the first rank that it starts, whatever numbers that has.
TEST_F(FrameworkRolesTest, a_starter_of_first_ranks_by_each_variable) {
  std::uint32_t pid = 10;
  for (const char* const name : {"RANK", "LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "MV2_COMM_WORLD_RANK", "PMI_RANK",
                                 "SLURM_PROCID", "JAX_PROCESS_ID"}) {
    start(pid, 1, "launch-jobs", "launch-jobs train.py");
    start(pid + 1, pid, "python3", "python3 train.py", {{name, "0"}});
    EXPECT_EQ(role(pid), "launcher") << name;
    start(pid + 2, 1, "launch-jobs", "launch-jobs train.py");
    start(pid + 3, pid + 2, "python3", "python3 train.py", {{name, "1"}});
    EXPECT_EQ(role(pid + 2), "other") << name;
    start(pid + 4, 1, "python3", "python3 run.py", {{"SLURM_JOB_ID", "17"}, {name, "0"}});
    start(pid + 5, pid + 4, "python3", "python3 part.py", {{"SLURM_JOB_ID", "17"}, {name, "0"}});
    EXPECT_NE(role(pid + 4), "launcher") << name;
    pid += 6;
  }
}

// A title that overwrites the environment leaves the scheduler's numbers to the programs that a trainer starts alone.
TEST_F(FrameworkRolesTest, a_trainer_without_its_environment_starts_no_rank) {
  start(10, 1, "VLLM::Worker", "VLLM::Worker", {}, {"libtorch_cpu.so"});
  start(11, 10, "wandb-core", "wandb-core --port-file=/tmp/p", {{"SLURM_PROCID", "0"}});
  EXPECT_EQ(role(10), "trainer");
}

// Each task of the step in a shell of its own, and the step's daemon not seen.
TEST_F(FrameworkRolesTest, trainers_of_one_slurm_step_are_one_job) {
  std::uint32_t pid = 10;
  for (const char* const cgroup : {"job_17/step_0/user/task_0", "job_17/step_0/user/task_1",
                                   "job_17/step_1/user/task_0", "job_18/step_0/user/task_0", "job_17"}) {
    start(pid, 1, "bash", "bash run.sh");
    start(pid + 1, pid, "python3", "python3 train.py", {}, {"libtorch_cpu.so"});
    const std::string path = "/system.slice/slurmstepd.scope/" + std::string(cgroup);
    for (const std::uint32_t member : {pid, pid + 1}) {
      ProcessMemory memory;
      memory.process = ref(member, member == pid ? "bash" : "python3", member);
      memory.memory = mib(100);
      memory.cgroup = CgroupRef{member, path};
      events.emit(memory);
    }
    fork(pid + 2, pid + 1, "pt_data_worker");
    pid += 3;
  }
  EXPECT_EQ(root(14), id(11));
  EXPECT_EQ(root(15), id(11));
  for (const std::uint32_t alone : {10U, 13U, 17U, 20U, 23U}) EXPECT_EQ(root(alone), id(alone));
  const Roles roles(world);
  EXPECT_EQ(Jobs(world, roles).of(id(14)).name, "Slurm job 17 step 0");
  EXPECT_EQ(Jobs(world, roles).of(id(14)).members, 4U);
}

// torch.multiprocessing.spawn: RANK is set inside of the child, and the trainer looks like a spawned worker.
TEST_F(FrameworkRolesTest, spawned_ranks_are_known_by_what_they_do) {
  const char* const spawned =
      "/usr/bin/python3 -c from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=6, pipe_handle=8) "
      "--multiprocessing-fork";
  start(10, 1, "python3", "python3 main.py", {}, {"libtorch_cpu.so"});
  start(11, 10, "python3", spawned, {}, {"libtorch_cpu.so"}, {"pt_autograd_0"});
  start(12, 10, "python3", spawned, {}, {"libtorch_cuda.so", "nvidia0"});
  EXPECT_EQ(role(11), "trainer");
  EXPECT_EQ(role(12), "trainer");
}

// The middle process of a double fork is gone; the grandchild has a new parent and the family's command line.
TEST_F(FrameworkRolesTest, a_double_fork_stays_in_the_family) {
  start(10, 1, "python3", "python3 train.py", {}, {"libtorch_cpu.so"});
  fork(11, 10, "python3");
  fork(12, 11, "python3");
  events.at(13).exit(ref(11, "python3", 11));
  events.at(14).memory(ref(12, "python3", 12), mib(50), 0, {}, 1);
  EXPECT_EQ(root(12), id(10));
  EXPECT_EQ(world.by_pid(0, 12)->parent_pid, 1u);
  EXPECT_TRUE(world.by_pid(0, 12)->reparented_ns);
}

// Workers poll their parent: after the trainer's death they live on for seconds, orphans of init.
TEST_F(FrameworkRolesTest, an_orphaned_worker_stays_its_trainers) {
  start(10, 1, "python3", "python3 train.py", {}, {"libtorch_cpu.so"});
  fork(11, 10, "python3");
  events.at(12).exit(ref(10, "python3", 10), 9);
  events.at(13).memory(ref(11, "python3", 11), mib(400), 0, {}, 1);
  EXPECT_EQ(role(11), "dataloader_worker");
  EXPECT_EQ(root(11), id(10));
}

// A worker's feeder threads have names of their own from Python 3.14 on: the leader's counts.
TEST_F(FrameworkRolesTest, the_names_of_a_workers_threads_do_not_count) {
  start(10, 1, "python3", "python3 train.py", {}, {"libtorch_cpu.so"});
  fork(11, 10, "pt_data_worker");
  ProcessInfo info;
  info.process = ref(11, "pt_data_worker", 11);
  info.threads = {"pt_data_worker", "QueueFeederThre", "Thread-1 (_serv"};
  events.at(12).emit(info);
  EXPECT_EQ(role(11), "dataloader_worker");
}

}  // namespace
}  // namespace oomtrace::model
