// SPDX-License-Identifier: Apache-2.0
// proc_pid_stat(5), proc_pid_status(5), proc_pid_environ(5), proc_pid_maps(5), proc_pid_cgroup(5).
#include "capture/process_info.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include "base/file.h"
#include "base/redact.h"

namespace oomtrace::capture {

namespace {

constexpr std::size_t kMaxCommandLine = 4096;
constexpr std::size_t kMaxEnvironment = 256U << 10;
constexpr std::size_t kMaxMaps = 4U << 20;
// Those of OpenMP come first, one for each processor: PyTorch's own start with the first backward pass.
constexpr std::size_t kMaxThreadsRead = 1024;
constexpr std::size_t kMaxThreadNames = 64;  // PyTorch's apart
constexpr std::size_t kMaxValue = 256;

constexpr std::array<std::string_view, 42> kVariables = {"RANK",
                                                         "LOCAL_RANK",
                                                         "WORLD_SIZE",
                                                         "LOCAL_WORLD_SIZE",
                                                         "GROUP_RANK",
                                                         "GROUP_WORLD_SIZE",
                                                         "ROLE_RANK",
                                                         "ROLE_NAME",
                                                         "NODE_RANK",
                                                         "LOCAL_SIZE",
                                                         "CROSS_RANK",
                                                         "MASTER_ADDR",
                                                         "MASTER_PORT",
                                                         "TORCHELASTIC_RUN_ID",
                                                         "TORCHELASTIC_RESTART_COUNT",
                                                         "SLURM_JOB_ID",
                                                         "SLURM_STEP_ID",
                                                         "SLURM_PROCID",
                                                         "SLURM_LOCALID",
                                                         "SLURM_NODEID",
                                                         "SLURM_ARRAY_JOB_ID",
                                                         "SLURM_ARRAY_TASK_ID",
                                                         "OMPI_COMM_WORLD_RANK",
                                                         "OMPI_COMM_WORLD_LOCAL_RANK",
                                                         "OMPI_COMM_WORLD_SIZE",
                                                         "MV2_COMM_WORLD_RANK",
                                                         "MV2_COMM_WORLD_LOCAL_RANK",
                                                         "MV2_COMM_WORLD_SIZE",
                                                         "PMI_RANK",
                                                         "PMI_SIZE",
                                                         "MPI_LOCALRANKID",
                                                         "RAY_JOB_ID",
                                                         "RAY_NODE_IP_ADDRESS",
                                                         "RAY_RAYLET_PID",
                                                         "JAX_PROCESS_ID",
                                                         "JAX_PROCESS_COUNT",
                                                         "TF_CONFIG",
                                                         "ACCELERATE_USE_DEEPSPEED",
                                                         "ACCELERATE_USE_FSDP",
                                                         "FSDP_OFFLOAD_PARAMS",
                                                         "CUDA_VISIBLE_DEVICES",
                                                         "KUBERNETES_SERVICE_HOST"};

constexpr std::array<std::string_view, 12> kLibraries = {
    "libtorch",           "libc10", "libcudart",     "libcuda", "libnccl",  "libtensorflow",
    "_pywrap_tensorflow", "libjax", "xla_extension", "jaxlib",  "cpu_adam", "_raylet"};
// Of NVIDIA's driver ("/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm") and AMD's; not so many that they take the
// libraries' room.
constexpr std::size_t kMaxDevices = 8;
constexpr std::array<std::string_view, 2> kDevices = {"/dev/nvidia", "/dev/kfd"};

std::string proc_path(std::uint32_t pid, const char* file) { return "/proc/" + std::to_string(pid) + "/" + file; }

// As read_small_file, but a longer file gives its first bytes: command lines and environments may be huge.
std::string read_prefix(const std::string& path, std::size_t max_bytes, bool& cut) {
  std::string text = read_file_start(path.c_str(), max_bytes).value_or("");
  cut = text.size() == max_bytes;
  return text;
}

template <class Visit>
void for_each_piece(std::string_view text, char separator, Visit visit) {
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    visit(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

void trim_newline(std::string& text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
}

std::optional<std::uint32_t> read_uid(std::uint32_t pid) {
  bool cut = false;
  const std::string status = read_prefix(proc_path(pid, "status"), 4096, cut);
  const std::size_t at = status.find("\nUid:\t");
  if (at == std::string::npos) return std::nullopt;
  std::uint32_t uid = 0;
  const char* begin = status.data() + at + 6;
  const auto [end, error] = std::from_chars(begin, status.data() + status.size(), uid);
  if (error != std::errc{}) return std::nullopt;
  return uid;
}

std::vector<std::string> read_thread_names(std::uint32_t pid) {
  struct DirCloser {
    void operator()(DIR* directory) const noexcept { static_cast<void>(closedir(directory)); }
  };
  std::vector<std::string> names;
  const std::string path = proc_path(pid, "task");
  const std::unique_ptr<DIR, DirCloser> directory(opendir(path.c_str()));
  if (!directory) return names;
  std::size_t looked_at = 0;
  while (const dirent* entry = readdir(directory.get())) {  // NOLINT(concurrency-mt-unsafe): a stream of our own
    if (entry->d_name[0] == '.' || ++looked_at > kMaxThreadsRead) continue;
    auto comm = read_small_file((path + "/" + entry->d_name + "/comm").c_str(), 64);
    if (!comm) continue;
    trim_newline(*comm);
    if (names.size() >= kMaxThreadNames && !comm->starts_with("pt_")) continue;
    if (std::find(names.begin(), names.end(), *comm) == names.end()) names.push_back(*std::move(comm));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::optional<StatFields> parse_stat(std::string_view text) {
  const std::size_t close = text.rfind(')');
  if (close == std::string_view::npos) return std::nullopt;
  StatFields fields;
  int number = 2;
  bool parent = false;
  bool start = false;
  for_each_piece(text.substr(close + 1), ' ', [&](std::string_view word) {
    if (word.empty()) return;
    ++number;
    const char* end = word.data() + word.size();
    if (number == 4) parent = std::from_chars(word.data(), end, fields.parent_pid).ec == std::errc{};
    if (number == 22) start = std::from_chars(word.data(), end, fields.start_ticks).ec == std::errc{};
  });
  if (!parent || !start) return std::nullopt;
  return fields;
}

std::string parse_cgroup_path(std::string_view text) {
  std::string unified;
  std::string memory;
  for_each_piece(text, '\n', [&](std::string_view line) {
    const std::size_t first = line.find(':');
    if (first == std::string_view::npos) return;
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string_view::npos) return;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string_view path = line.substr(second + 1);
    if (controllers.empty()) unified = path;
    for_each_piece(controllers, ',', [&](std::string_view controller) {
      if (controller == "memory") memory = path;
    });
  });
  return memory.empty() ? unified : memory;
}

std::vector<std::pair<std::string, std::string>> select_environment(std::string_view environ_bytes, bool redact) {
  std::vector<std::pair<std::string, std::string>> selected;
  for_each_piece(environ_bytes, '\0', [&](std::string_view variable) {
    const std::size_t equals = variable.find('=');
    if (equals == std::string_view::npos) return;
    const std::string_view name = variable.substr(0, equals);
    if (std::find(kVariables.begin(), kVariables.end(), name) == kVariables.end()) return;
    if (selected.size() >= kVariables.size()) return;
    std::string value(variable.substr(equals + 1));
    if (redact) {  // before it is cut, and once more as if it were a command line
      const std::string masked = redacted_command_line(variable);
      value = redacted_command_line(masked.substr(masked.find('=') + 1));  // npos + 1 is 0
    }
    selected.emplace_back(name, value.substr(0, kMaxValue));
  });
  return selected;
}

std::vector<std::string> select_libraries(std::string_view maps) {
  std::vector<std::string> found;
  std::size_t devices = 0;
  for_each_piece(maps, '\n', [&](std::string_view line) {
    const std::size_t slash = line.rfind('/');
    if (slash == std::string_view::npos || found.size() >= 32) return;
    const std::string_view name = line.substr(slash + 1);
    if (name.empty()) return;
    const std::string_view path = line.substr(line.find('/'));
    const auto begins = [](std::string_view text, const auto& prefixes) {
      return std::any_of(prefixes.begin(), prefixes.end(),
                         [&](std::string_view prefix) { return text.starts_with(prefix); });
    };
    const bool library = name.find(".so") != std::string_view::npos && begins(name, kLibraries);
    const bool device = devices < kMaxDevices && begins(path, kDevices);
    if ((!library && !device) || std::find(found.begin(), found.end(), name) != found.end()) return;
    found.emplace_back(name);
    if (device) ++devices;
  });
  return found;
}

std::optional<OwnedProcessInfo> read_process_info(std::uint32_t pid, std::uint64_t start_boot_ns, bool redact) {
  const auto stat_text = read_small_file(proc_path(pid, "stat").c_str(), 4096);
  if (!stat_text) return std::nullopt;
  const auto stat = parse_stat(*stat_text);
  if (!stat) return std::nullopt;
  const auto ticks_per_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  const std::uint64_t tick_ns = 1'000'000'000 / ticks_per_second;
  if (start_boot_ns != 0 && start_boot_ns / tick_ns != stat->start_ticks) return std::nullopt;

  OwnedProcessInfo info;
  info.pid = pid;
  info.start_boot_ns = start_boot_ns;
  info.parent_pid = stat->parent_pid;
  bool cut = false;
  info.comm = read_prefix(proc_path(pid, "comm"), 64, cut);
  trim_newline(info.comm);
  info.command_line = read_prefix(proc_path(pid, "cmdline"), kMaxCommandLine, info.command_line_truncated);
  while (!info.command_line.empty() && info.command_line.back() == '\0') info.command_line.pop_back();
  if (redact) info.command_line.resize(redact_command_line(info.command_line));
  std::replace(info.command_line.begin(), info.command_line.end(), '\0', ' ');
  info.executable = read_link(proc_path(pid, "exe").c_str()).value_or("");
  info.uid = read_uid(pid);
  info.cgroup_path = parse_cgroup_path(read_prefix(proc_path(pid, "cgroup"), 8192, cut));
  info.environment = select_environment(read_prefix(proc_path(pid, "environ"), kMaxEnvironment, cut), redact);
  info.libraries = select_libraries(read_prefix(proc_path(pid, "maps"), kMaxMaps, cut));
  info.threads = read_thread_names(pid);
  return info;
}

ProcessInfo OwnedProcessInfo::view() const {
  ProcessInfo event;
  event.process = ProcessRef{pid, start_boot_ns, comm};
  event.parent_pid = parent_pid;
  event.uid = uid;
  event.cgroup.path = cgroup_path;
  event.executable = executable;
  event.command_line = command_line;
  event.command_line_truncated = command_line_truncated;
  for (const auto& [name, value] : environment) event.environment.emplace_back(name, value);
  for (const std::string& library : libraries) event.libraries.emplace_back(library);
  for (const std::string& thread : threads) event.threads.emplace_back(thread);
  return event;
}

}  // namespace oomtrace::capture
