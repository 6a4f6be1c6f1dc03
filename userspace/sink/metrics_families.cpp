// SPDX-License-Identifier: Apache-2.0
// One function for each group of figures.
#include "sink/metrics_families.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <span>
#include <string>
#include <utility>

#include "base/file.h"

namespace oomtrace::sink {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Families = std::vector<MetricFamily>;
using Labels = std::vector<ClientMetric::Label>;

constexpr double kNsPerSecond = 1e9;

MetricFamily& add_family(Families& families, const char* name, const char* help, MetricType type) {
  MetricFamily& family = families.emplace_back();
  family.name = name;
  family.help = help;
  family.type = type;
  return family;
}

void add_value(MetricFamily& family, double value, Labels labels = {}) {
  ClientMetric& metric = family.metric.emplace_back();
  metric.label = std::move(labels);
  if (family.type == MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
}

void add_single(Families& families, const char* name, const char* help, MetricType type, double value) {
  add_value(add_family(families, name, help, type), value);
}

ClientMetric::Label label(const char* name, std::string_view value) { return {name, std::string(value)}; }

void add_kills(Families& families, const RecorderMetrics& metrics) {
  MetricFamily& kills =
      add_family(families, "oomtrace_kills_total",
                 "Processes killed for want of memory, by what ran out and who killed", MetricType::Counter);
  for (std::size_t scope = 0; scope < kScopes.size(); ++scope)
    add_value(kills, static_cast<double>(metrics.kills[0][scope]),
              {label("scope", kScopes[scope]), label("killer", kKillers[0])});
  for (std::size_t killer = 1; killer < kKillers.size(); ++killer)
    add_value(kills, static_cast<double>(metrics.kills[killer][0]),
              {label("scope", kScopes[0]), label("killer", kKillers[killer])});
  add_single(families, "oomtrace_last_kill_timestamp_seconds", "When the last of them was killed; 0 before the first",
             MetricType::Gauge, static_cast<double>(metrics.last_kill_wall_ns) / kNsPerSecond);
}

void add_headroom(Families& families, const RecorderMetrics& metrics) {
  const std::array<std::pair<const char*, const std::optional<Headroom>*>, 2> domains = {
      {{"global", &metrics.machine}, {"memcg", &metrics.tightest_cgroup}}};
  MetricFamily bytes{"oomtrace_headroom_bytes",
                     "Memory left: MemAvailable of the machine; of the memory cgroups with a limit, the tightest",
                     MetricType::Gauge,
                     {}};
  MetricFamily ratio{
      "oomtrace_headroom_ratio", "The same as a share of the memory or the limit, 0 to 1", MetricType::Gauge, {}};
  for (const auto& [name, headroom] : domains) {
    if (!*headroom) continue;  // no cgroup has a limit
    const auto left = static_cast<double>((*headroom)->bytes);
    add_value(bytes, left, {label("domain", name)});
    add_value(ratio, left / static_cast<double>((*headroom)->limit_bytes), {label("domain", name)});
  }
  families.push_back(std::move(bytes));
  families.push_back(std::move(ratio));
}

void add_roles(Families& families, const RecorderMetrics& metrics) {
  MetricFamily processes{"oomtrace_processes", "Processes by their role in a training", MetricType::Gauge, {}};
  MetricFamily resident{"oomtrace_resident_bytes",
                        "Resident memory by role; shared pages count for each process that maps them",
                        MetricType::Gauge,
                        {}};
  MetricFamily grown{"oomtrace_growth_bytes_total",
                     "Memory that processes of a role newly filled, what a child inherits not counted",
                     MetricType::Counter,
                     {}};
  for (std::size_t i = 0; i < kRoles.size(); ++i) {
    const RoleFigures& role = metrics.roles[i];
    add_value(processes, static_cast<double>(role.processes), {label("role", kRoles[i])});
    add_value(resident, static_cast<double>(role.resident_bytes), {label("role", kRoles[i])});
    add_value(grown, static_cast<double>(role.grown_bytes), {label("role", kRoles[i])});
  }
  for (MetricFamily* family : {&processes, &resident, &grown}) families.push_back(std::move(*family));
}

void add_recorder(Families& families, const RecorderMetrics& metrics, const SelfUsage& self, const BuildInfo& build) {
  add_single(families, "oomtrace_events_total", "Events recorded", MetricType::Counter,
             static_cast<double>(metrics.recorder.events));
  MetricFamily& lost =
      add_family(families, "oomtrace_events_lost_total",
                 "Events that were not seen, or not taken by an output (trace, stream, metrics)", MetricType::Counter);
  for (std::size_t i = 0; i < kLossSources.size(); ++i)
    add_value(lost, static_cast<double>(metrics.lost[i]), {label("source", kLossSources[i])});
  add_single(families, "oomtrace_start_timestamp_seconds", "When the recording began", MetricType::Gauge,
             static_cast<double>(metrics.start_wall_ns) / kNsPerSecond);
  add_single(families, "oomtrace_self_resident_bytes", "Resident memory of the recorder itself", MetricType::Gauge,
             static_cast<double>(self.resident_bytes));
  add_single(families, "oomtrace_self_cpu_seconds_total",
             "Processor time of the recorder itself; not that of its BPF programs, which is their processes'",
             MetricType::Counter, self.cpu_seconds);
  add_value(add_family(families, "oomtrace_build_info", "1; the recorder's version and the kernel it runs on",
                       MetricType::Gauge),
            1, {label("version", build.version), label("kernel", build.kernel_release)});
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

SelfUsage read_self_usage() {
  SelfUsage self;
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) self.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  std::array<char, 128> buffer{};
  const auto size = read_into("/proc/self/statm", buffer);
  if (!size) return self;
  // "total resident shared ..." in pages.
  const std::string_view text(buffer.data(), *size);
  const std::size_t second = text.find(' ') + 1;
  std::uint64_t pages = 0;
  std::from_chars(text.data() + second, text.data() + text.size(), pages);
  self.resident_bytes = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return self;
}

Families make_families(const RecorderMetrics& metrics, const SelfUsage& self, const BuildInfo& build) {
  Families families;
  add_kills(families, metrics);
  add_headroom(families, metrics);
  add_roles(families, metrics);
  add_recorder(families, metrics, self, build);
  return families;
}

}  // namespace oomtrace::sink
