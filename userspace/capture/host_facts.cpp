// SPDX-License-Identifier: Apache-2.0
// uname, /proc/sys, /proc/self/mountinfo, clocks.
#include "capture/host_facts.h"

#include <sys/random.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <charconv>

#include "base/file.h"
#include "capture/meminfo.h"

namespace oomtrace::capture {

namespace {

constexpr std::size_t kSmallFile = 4096;

std::string read_trimmed(const char* path) {
  auto text = read_small_file(path, kSmallFile);
  if (!text) return {};
  while (!text->empty() && (text->back() == '\n' || text->back() == ' ')) text->pop_back();
  return *std::move(text);
}

std::int64_t clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

// Readers take traces by trace_id: of one boot, which one World replays, the earlier has to come first. So it begins
// with the milliseconds of CLOCK_BOOTTIME, in 48 bits; the other 80 are random.
std::string make_trace_id() {
  unsigned char bytes[16] = {};
  if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) {
    // Only before the pool is initialised at boot: the clocks make it unique enough.
    std::int64_t fallback[2] = {clock_ns(CLOCK_REALTIME), clock_ns(CLOCK_BOOTTIME) ^ getpid()};
    static_assert(sizeof(fallback) == sizeof(bytes));
    __builtin_memcpy(bytes, fallback, sizeof(bytes));
  }
  std::uint64_t milliseconds = boot_now_ns() / 1'000'000;
  for (int i = 5; i >= 0; --i, milliseconds >>= 8U) bytes[i] = static_cast<unsigned char>(milliseconds & 0xFFU);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string id;
  for (const unsigned char byte : bytes) {
    id.push_back(kDigits[byte >> 4]);
    id.push_back(kDigits[byte & 15]);
  }
  return id;
}

// Splits off the next field at a blank.
std::string_view next_field(std::string_view& line) {
  const std::size_t end = line.find(' ');
  const std::string_view field = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  return field;
}

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    const std::size_t end = options.find(',');
    if (options.substr(0, end) == wanted) return true;
    options.remove_prefix(end == std::string_view::npos ? options.size() : end + 1);
  }
  return false;
}

// The hierarchy that the memory controller is bound to; proc_pid_mountinfo(5).
void find_memcg_mount(HostFacts& facts) {
  const auto text = read_small_file("/proc/self/mountinfo", 1U << 20);
  if (!text) return;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    for (int i = 0; i < 4; ++i) next_field(line);
    const std::string mount_point(next_field(line));
    const std::size_t dash = line.find("- ");
    if (dash == std::string_view::npos) continue;
    line.remove_prefix(dash + 2);
    const std::string_view type = next_field(line);
    next_field(line);
    if (type == "cgroup" && has_option(line, "memory")) {
      facts.cgroup_version = 1;
      facts.memcg_mount = mount_point;
      return;
    }
    if (type == "cgroup2" && !facts.cgroup_version) {
      const std::string controllers = read_trimmed((mount_point + "/cgroup.controllers").c_str());
      if ((" " + controllers + " ").find(" memory ") == std::string::npos) continue;
      facts.cgroup_version = 2;
      facts.memcg_mount = mount_point;
    }
  }
}

}  // namespace

std::optional<std::int64_t> read_sysctl(const char* path) {
  const std::string text = read_trimmed(path);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::uint64_t boot_now_ns() { return static_cast<std::uint64_t>(clock_ns(CLOCK_BOOTTIME)); }

std::optional<std::int64_t> read_realtime_offset() {
  constexpr int kTries = 5;
  constexpr std::int64_t kMostApartNs = 500'000;
  for (int i = 0; i < kTries; ++i) {
    const std::int64_t before = clock_ns(CLOCK_BOOTTIME);
    const std::int64_t wall = clock_ns(CLOCK_REALTIME);
    const std::int64_t apart = clock_ns(CLOCK_BOOTTIME) - before;
    if (apart <= kMostApartNs) return wall - (before + apart / 2);
  }
  return std::nullopt;
}

HostFacts read_host_facts() {
  HostFacts facts;
  facts.trace_id = make_trace_id();
  facts.boot_id = read_trimmed("/proc/sys/kernel/random/boot_id");
  facts.host_id = read_trimmed("/etc/machine-id");
  utsname name{};
  if (uname(&name) == 0) {
    facts.host_name = name.nodename;
    facts.kernel_release = name.release;
    facts.kernel_version = name.version;
    facts.arch = name.machine;
  }
  facts.page_size = static_cast<std::uint32_t>(sysconf(_SC_PAGESIZE));
  facts.cpus = static_cast<std::uint32_t>(sysconf(_SC_NPROCESSORS_ONLN));
  const auto offset = read_realtime_offset();
  facts.realtime_offset_ns = offset ? *offset : clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
  if (const auto memory = read_system_memory()) {
    facts.mem_total = memory->total;
    facts.swap_total = memory->swap_total;
  }
  facts.overcommit_memory = read_sysctl("/proc/sys/vm/overcommit_memory");
  facts.overcommit_ratio = read_sysctl("/proc/sys/vm/overcommit_ratio");
  if (const auto kbytes = read_sysctl("/proc/sys/vm/overcommit_kbytes"); kbytes && *kbytes >= 0)
    facts.overcommit_kbytes = static_cast<std::uint64_t>(*kbytes);
  facts.panic_on_oom = read_sysctl("/proc/sys/vm/panic_on_oom");
  facts.oom_kill_allocating_task = read_sysctl("/proc/sys/vm/oom_kill_allocating_task");
  facts.oom_dump_tasks = read_sysctl("/proc/sys/vm/oom_dump_tasks");
  facts.swappiness = read_sysctl("/proc/sys/vm/swappiness");
  find_memcg_mount(facts);
  return facts;
}

TraceStart make_trace_start(const HostFacts& facts, const features::AttachPlan& plan, PlanText& plan_text,
                            const std::vector<std::string>& warnings, const std::string& command) {
  TraceStart start;
  start.tool_version = OOMTRACE_VERSION;
  start.kernel_release = facts.kernel_release;
  start.kernel_version = facts.kernel_version;
  start.arch = facts.arch;
  start.page_size = facts.page_size;
  start.cpus = facts.cpus;
  start.realtime_offset_ns = facts.realtime_offset_ns;
  start.mem_total = facts.mem_total;
  start.swap_total = facts.swap_total;
  start.cgroup_version = facts.cgroup_version;
  start.overcommit_memory = facts.overcommit_memory;
  start.overcommit_ratio = facts.overcommit_ratio;
  start.overcommit_kbytes = facts.overcommit_kbytes;
  start.panic_on_oom = facts.panic_on_oom;
  start.oom_kill_allocating_task = facts.oom_kill_allocating_task;
  start.oom_dump_tasks = facts.oom_dump_tasks;
  start.swappiness = facts.swappiness;
  start.source = "live";
  start.command = command;
  plan_text.why.clear();
  plan_text.why.reserve(plan.facts.size());
  for (const features::Fact& fact : plan.facts) {
    const std::string& why = plan_text.why.emplace_back(fact.why_not_better());
    const features::Way* way = fact.way();
    start.plan.push_back(PlanRow{fact.name, way != nullptr ? std::string_view(way->name) : std::string_view(), why});
  }
  for (const std::string& warning : warnings) start.warnings.push_back(warning);
  return start;
}

}  // namespace oomtrace::capture
