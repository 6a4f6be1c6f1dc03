// SPDX-License-Identifier: Apache-2.0
// Signs by which training programs show what a process is: names, command lines, libraries, environment.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/process.h"

namespace oomtrace::model {

// What a command line runs: the script's or program's base name, or the module after python's -m.
struct Program {
  bool python = false;
  std::string name;  // "train.py", "torchrun", "torch.distributed.run"; empty = not known
};
Program program_of(std::string_view command_line);

bool is_shell(const Process& process);

// Names that PyTorch 2.5 and later give their processes (thread-group leaders).
bool named_data_worker(std::string_view comm);
bool named_elastic_agent(std::string_view comm);
// PyTorch 2.3 and 2.4 name the main thread of any program that imports them.
bool named_main_thread(std::string_view comm);

bool is_shm_manager(const Process& process);
bool is_resource_tracker(std::string_view command_line);
bool runs_fork_server(std::string_view command_line);  // the server, and its children, which keep its command line
bool is_spawn_child(std::string_view command_line);
bool is_compile_worker(std::string_view command_line);
// One that starts ranks and is none: what a launcher was given as LOCAL_RANK would be a rank's own.
bool is_launcher(const Process& process);
// Of a scheduler or of MPI: the parent of the ranks on its node ("slurmstepd", "orted").
bool is_node_daemon(const Process& process);
// Ray: its workers carry what they run as their title ("ray::IDLE", "ray::Actor.method()"), by setproctitle(3).
bool is_ray_worker(const Process& process);
bool is_ray_train_worker(const Process& process);
bool is_ray_daemon(const Process& process);

// The sign itself, for the reason text; nullopt where there is none.
std::optional<std::string> trainer_thread(const Process& process);
std::optional<std::string> training_library(const Process& process);
std::optional<std::string> accelerator_mapping(const Process& process);

// RANK, else LOCAL_RANK, of the environment.
std::optional<std::string> rank_of(const Process& process);
// Both RANK and LOCAL_RANK are the same, or are missing in both.
bool same_rank(const Process& a, const Process& b);

}  // namespace oomtrace::model
