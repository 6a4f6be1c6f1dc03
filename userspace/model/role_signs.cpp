// SPDX-License-Identifier: Apache-2.0
// Signs by which training programs show what a process is: names, command lines, libraries, environment.
#include "model/role_signs.h"

#include <algorithm>
#include <array>

namespace oomtrace::model {
namespace {

std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view next_word(std::string_view& rest) {
  const std::size_t begin = std::min(rest.find_first_not_of(' '), rest.size());
  rest.remove_prefix(begin);
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

template <std::size_t N>
std::optional<std::string> first_with_prefix(const std::vector<std::string>& names,
                                             const std::array<std::string_view, N>& prefixes) {
  for (const std::string& name : names) {
    for (const std::string_view prefix : prefixes) {
      if (name.starts_with(prefix)) return name;
    }
  }
  return std::nullopt;
}

// Empty where the environment has no such variable, too.
std::string_view value_of(const Process& process, std::string_view name) {
  for (const auto& [key, value] : process.environment) {
    if (key == name) return value;
  }
  return {};
}

template <std::size_t N>
bool one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

}  // namespace

Program program_of(std::string_view command_line) {
  std::string_view rest = command_line;
  Program program;
  const std::string_view first = base_name(next_word(rest));
  program.python = first.starts_with("python") || first.starts_with("pypy");
  if (!program.python) {
    program.name = std::string(first);
    return program;
  }
  for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) {
    if (word == "-m") {
      program.name = std::string(next_word(rest));
      return program;
    }
    if (word == "-c") return program;
    if (word == "-W" || word == "-X") {
      next_word(rest);
      continue;
    }
    if (word.starts_with("-")) continue;
    program.name = std::string(base_name(word));
    return program;
  }
  return program;
}

bool is_shell(const Process& process) {
  constexpr std::array<std::string_view, 7> kShells{"sh", "bash", "dash", "zsh", "ksh", "fish", "busybox"};
  // A login shell's first argument has a dash in front.
  std::string_view name = base_name(process.executable.empty() ? std::string_view(process.comm) : process.executable);
  if (name.starts_with("-")) name.remove_prefix(1);
  // A script that names its shell in its first line is executed under its own name; its command line begins with it.
  return one_of(name, kShells) || one_of(program_of(process.command_line).name, kShells);
}

bool named_data_worker(std::string_view comm) {
  return comm.starts_with("pt_data_worker") || comm.starts_with("pt_multi");
}
bool named_elastic_agent(std::string_view comm) { return comm == "pt_elastic"; }
bool named_main_thread(std::string_view comm) { return comm == "pt_main_thread"; }

bool is_shm_manager(const Process& process) {
  return process.comm.starts_with("torch_shm_manag") || base_name(process.executable) == "torch_shm_manager";
}

bool is_resource_tracker(std::string_view command_line) {
  return contains(command_line, "from multiprocessing.resource_tracker import main") ||
         contains(command_line, "from multiprocess.resource_tracker import main");
}

bool runs_fork_server(std::string_view command_line) {
  return contains(command_line, "from multiprocessing.forkserver import main") ||
         contains(command_line, "from multiprocess.forkserver import main");
}

bool is_spawn_child(std::string_view command_line) { return contains(command_line, "--multiprocessing-fork"); }

bool is_compile_worker(std::string_view command_line) {
  return contains(command_line, "torch/_inductor/compile_worker") ||
         contains(command_line, "torch._inductor.compile_worker");
}

bool is_launcher(const Process& process) {
  constexpr std::array<std::string_view, 17> kLaunchers{"torchrun",
                                                        "torch.distributed.run",
                                                        "torch.distributed.launch",
                                                        "accelerate",
                                                        "accelerate-launch",
                                                        "deepspeed",
                                                        "horovodrun",
                                                        "deepspeed.launcher.launch",
                                                        "accelerate.commands.launch",
                                                        "srun",
                                                        "mpirun",
                                                        "mpiexec",
                                                        "mpiexec.hydra",
                                                        "mpirun_rsh",
                                                        "prterun",
                                                        "orterun",
                                                        "raylet"};
  if (named_elastic_agent(process.comm) || is_node_daemon(process)) return true;
  return value_of(process, "LOCAL_RANK").empty() && one_of(program_of(process.command_line).name, kLaunchers);
}

bool is_node_daemon(const Process& process) {
  constexpr std::array<std::string_view, 4> kDaemons{"slurmstepd", "orted", "prted", "hydra_pmi_proxy"};
  return one_of(process.comm, kDaemons) || one_of(base_name(process.executable), kDaemons);
}

bool is_ray_worker(const Process& process) {
  return process.comm.starts_with("ray::") || process.command_line.starts_with("ray::") ||
         contains(process.command_line, "/ray/_private/workers/default_worker.py");
}
// comm has 15 characters.
bool is_ray_train_worker(const Process& process) {
  return process.comm.starts_with("ray::RayTrainWo") || process.comm.starts_with("ray::_RayTrainW") ||
         contains(process.command_line, "ray::RayTrainWorker") ||
         contains(process.command_line, "ray::_RayTrainWorker");
}
bool is_ray_daemon(const Process& process) {
  return process.comm == "raylet" || base_name(process.executable) == "raylet";
}

std::optional<std::string> trainer_thread(const Process& process) {
  constexpr std::array<std::string_view, 4> kNames{"pt_autograd", "pt_data_pin", "pt_dist_engine", "pt_gloo_runloo"};
  return first_with_prefix(process.threads, kNames);
}

std::optional<std::string> training_library(const Process& process) {
  constexpr std::array<std::string_view, 7> kNames{"libtorch",      "libcudart", "libtensorflow", "_pywrap_tensorflow",
                                                   "xla_extension", "libjax",    "jaxlib"};
  return first_with_prefix(process.libraries, kNames);
}

std::optional<std::string> accelerator_mapping(const Process& process) {
  constexpr std::array<std::string_view, 2> kNames{"nvidia", "kfd"};
  return first_with_prefix(process.libraries, kNames);
}

std::optional<std::string> rank_of(const Process& process) {
  for (const std::string_view name : {"RANK", "LOCAL_RANK"}) {
    const std::string_view value = value_of(process, name);
    if (!value.empty()) return std::string(name).append("=").append(value);
  }
  return std::nullopt;
}

bool same_rank(const Process& a, const Process& b) {
  return value_of(a, "RANK") == value_of(b, "RANK") && value_of(a, "LOCAL_RANK") == value_of(b, "LOCAL_RANK");
}

}  // namespace oomtrace::model
