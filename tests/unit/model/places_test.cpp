// SPDX-License-Identifier: Apache-2.0
// Places: the rank that a process belongs to, and the number of a DataLoader worker.
#include "model/places.h"

#include "roles_support.h"

namespace oomtrace::model {
namespace {

using Environment = std::vector<std::pair<std::string_view, std::string_view>>;
using Number = std::optional<std::uint32_t>;
using Numbers = std::vector<Number>;

constexpr std::string_view kSpawned =
    "python3 -c from multiprocessing.spawn import spawn_main; spawn_main(pipe_handle=8) --multiprocessing-fork";

struct PlacesTest : RolesTest {
  Place place(std::uint32_t pid) {
    const Roles roles(world);
    return Places(world, roles).of(world.by_pid(0, pid)->id);
  }
  Number rank(std::uint32_t pid) { return place(pid).rank; }
  Number worker(std::uint32_t pid) { return place(pid).worker; }
  Numbers workers(const std::vector<std::uint32_t>& pids) {
    Numbers numbers;
    for (const std::uint32_t pid : pids) numbers.push_back(worker(pid));
    return numbers;
  }

  void trainer(std::uint32_t pid, std::uint32_t parent, const Environment& environment = {}) {
    start(pid, parent, "python3", "python3 train.py", environment, {"libtorch_cpu.so"});
  }
  void worker_at(double s, std::uint32_t pid, std::uint32_t parent) {
    events.at(s).fork(ref(parent, "python3", parent), ref(pid, "pt_data_worker", s));
  }
};

TEST_F(PlacesTest, torchrun_gives_ranks_and_workers_have_their_trainers) {
  start(10, 1, "pt_elastic", "python3 /usr/bin/torchrun train.py");
  trainer(11, 10, {{"RANK", "4"}, {"LOCAL_RANK", "0"}, {"WORLD_SIZE", "8"}});
  trainer(12, 10, {{"RANK", "5"}, {"LOCAL_RANK", "1"}, {"WORLD_SIZE", "8"}});
  worker_at(20, 21, 12);
  start(22, 12, "nvidia-smi", "nvidia-smi -q", {{"RANK", "5"}});
  EXPECT_EQ(rank(10), std::nullopt);
  EXPECT_EQ(rank(11), 4U);
  EXPECT_EQ(place(12).rank, 5U);
  EXPECT_EQ(place(12).local_rank, 1U);
  EXPECT_EQ(place(12).world_size, 8U);
  EXPECT_EQ(place(12).worker, std::nullopt);
  EXPECT_EQ(rank(21), 5U);
  EXPECT_EQ(place(21).world_size, 8U);
  EXPECT_EQ(worker(21), 0U);
  EXPECT_EQ(rank(22), 5U);
}

TEST_F(PlacesTest, a_scheduler_s_own_numbers_give_way_to_the_frameworks) {
  start(10, 1, "bash", "bash job.sh", {{"SLURM_PROCID", "0"}});
  start(11, 10, "torchrun", "torchrun train.py", {{"SLURM_PROCID", "0"}});
  trainer(12, 11, {{"SLURM_PROCID", "0"}, {"RANK", "0"}});
  trainer(13, 11, {{"SLURM_PROCID", "0"}, {"RANK", "1"}});
  EXPECT_EQ(rank(11), std::nullopt);
  EXPECT_EQ(rank(12), 0U);
  EXPECT_EQ(rank(13), 1U);
}

TEST_F(PlacesTest, mpirun_srun_and_jax) {
  trainer(10, 1, {{"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_LOCAL_RANK", "0"}});
  trainer(11, 1, {{"SLURM_PROCID", "7"}, {"SLURM_LOCALID", "3"}});
  trainer(12, 1, {{"JAX_PROCESS_ID", "1"}, {"JAX_PROCESS_COUNT", "2"}});
  EXPECT_EQ(rank(10), 2U);
  EXPECT_EQ(place(10).world_size, 4U);
  EXPECT_EQ(rank(11), 7U);
  EXPECT_EQ(place(11).local_rank, 3U);
  EXPECT_EQ(place(11).world_size, std::nullopt);
  EXPECT_EQ(rank(12), 1U);
  EXPECT_EQ(place(12).local_rank, std::nullopt);
  trainer(13, 1,
          {{"MV2_COMM_WORLD_RANK", "5"},
           {"MV2_COMM_WORLD_SIZE", "8"},
           {"MV2_COMM_WORLD_LOCAL_RANK", "1"},
           {"PMI_RANK", "5"}});
  EXPECT_EQ(rank(13), 5U);
  EXPECT_EQ(place(13).local_rank, 1U);
  EXPECT_EQ(place(13).world_size, 8U);
}

// torch.multiprocessing.spawn: the children inherit what the parent has, and learn their ranks by argument.
TEST_F(PlacesTest, what_is_inherited_from_a_trainer_is_no_rank_of_one_s_own) {
  trainer(10, 1, {{"SLURM_PROCID", "0"}});
  start(11, 10, "python3", kSpawned, {{"SLURM_PROCID", "0"}}, {"libtorch_cpu.so", "nvidia0"});
  ASSERT_EQ(role(11), "trainer");
  EXPECT_EQ(rank(10), 0U);
  EXPECT_EQ(rank(11), std::nullopt);
}

TEST_F(PlacesTest, lightning_s_first_rank_is_told_by_those_it_starts) {
  trainer(10, 1);
  trainer(11, 10, {{"LOCAL_RANK", "1"}, {"NODE_RANK", "0"}, {"WORLD_SIZE", "2"}});
  trainer(20, 1);
  trainer(21, 20, {{"LOCAL_RANK", "1"}, {"NODE_RANK", "1"}, {"WORLD_SIZE", "4"}});
  EXPECT_EQ(rank(11), 1U);
  EXPECT_EQ(rank(10), 0U);
  EXPECT_EQ(place(10).local_rank, 0U);
  EXPECT_EQ(place(10).world_size, 2U);
  EXPECT_EQ(rank(20), std::nullopt);
  EXPECT_EQ(place(20).local_rank, 0U);
  EXPECT_EQ(rank(21), std::nullopt);
  EXPECT_EQ(place(21).local_rank, 1U);
}

TEST_F(PlacesTest, values_that_are_no_numbers_are_not_there) {
  std::uint32_t pid = 10;
  for (const char* const value : {"", "-1", "1x", " 1", "4294967296", "rank"}) {
    trainer(++pid, 1, {{"RANK", value}});
    EXPECT_EQ(rank(pid), std::nullopt) << value;
  }
}

TEST_F(PlacesTest, workers_are_numbered_as_they_were_started) {
  trainer(10, 1);
  worker_at(20.00, 31, 10);
  worker_at(20.01, 30, 10);  // pids may have wrapped
  worker_at(20.50, 32, 10);
  EXPECT_EQ(workers({31, 30, 32, 10}), (Numbers{0U, 1U, 2U, std::nullopt}));
}

TEST_F(PlacesTest, a_pause_begins_another_loader_s_workers) {
  trainer(10, 1);
  worker_at(20.0, 31, 10);
  worker_at(20.1, 32, 10);
  worker_at(21.3, 33, 10);
  worker_at(21.4, 34, 10);
  EXPECT_EQ(workers({32, 33, 34}), (Numbers{1U, 0U, 1U}));
}

TEST_F(PlacesTest, a_large_parent_takes_seconds_to_fork) {
  trainer(10, 1);
  worker_at(20.0, 31, 10);
  worker_at(20.9, 32, 10);
  worker_at(22.9, 33, 10);
  EXPECT_EQ(worker(33), 2U);
}

TEST_F(PlacesTest, a_data_set_is_pickled_for_each_spawned_worker) {
  trainer(10, 1);
  for (const std::uint32_t pid : {20U, 32U, 44U}) start(pid, 10, "python3", kSpawned);
  EXPECT_EQ(workers({20, 32, 44}), (Numbers{0U, 1U, 2U}));
}

TEST_F(PlacesTest, workers_that_follow_ended_ones_are_a_new_epoch_s) {
  trainer(10, 1);
  worker_at(20.0, 31, 10);
  worker_at(20.1, 32, 10);
  events.at(20.3).exit(ref(31, "pt_data_worker", 20.0));
  events.at(20.3).exit(ref(32, "pt_data_worker", 20.1));
  worker_at(20.4, 33, 10);
  worker_at(20.5, 34, 10);
  EXPECT_EQ(workers({33, 34}), (Numbers{0U, 1U}));
}

TEST_F(PlacesTest, workers_of_a_fork_server_are_numbered_and_have_the_rank) {
  trainer(10, 1, {{"RANK", "1"}});
  start(12, 10, "python3", "python3 -c from multiprocessing.forkserver import main; main(8, 9, ['__main__'])");
  worker_at(20.0, 31, 12);
  worker_at(20.1, 32, 12);
  EXPECT_EQ(worker(32), 1U);
  EXPECT_EQ(rank(32), 1U);
}

}  // namespace
}  // namespace oomtrace::model
