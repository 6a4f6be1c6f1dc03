// SPDX-License-Identifier: Apache-2.0
// Formats into a fixed buffer: this runs on the way of a kill.
#include "sink/kill_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace oomtrace::sink {

namespace {

class Line {
 public:
  explicit Line(std::span<char> buffer) : buffer_(buffer) {}

  template <class... Values>
  void add(fmt::format_string<Values...> format, Values&&... values) {
    const auto room = buffer_.size() - used_;
    const auto result = fmt::format_to_n(buffer_.data() + used_, room, format, std::forward<Values>(values)...);
    used_ += std::min<std::size_t>(result.size, room);
  }

  // Names are anybody's: what could move a terminal's cursor becomes a question mark.
  void add_name(std::string_view text) {
    for (const char c : text) {
      if (used_ == buffer_.size()) return;
      const auto byte = static_cast<unsigned char>(c);
      buffer_[used_++] = byte < 0x20 || byte >= 0x7f ? '?' : c;
    }
  }

  void add_size(std::uint64_t bytes) {
    if (bytes >= 1ULL << 30)
      add("{:.1f} GiB", static_cast<double>(bytes) / (1ULL << 30));
    else
      add("{:.1f} MiB", static_cast<double>(bytes) / (1ULL << 20));
  }

  std::string_view text() const { return {buffer_.data(), used_}; }

 private:
  std::span<char> buffer_;
  std::size_t used_ = 0;
};

void add_domain(Line& line, const OomDecision& decision) {
  switch (decision.domain) {
    case DomainKind::kMemcg:
      line.add("memory cgroup ");
      line.add_name(decision.cgroup.path.empty() ? "(path not known)" : decision.cgroup.path);
      if (decision.limit) {
        line.add(" at its limit of ");
        line.add_size(*decision.limit);
      }
      return;
    case DomainKind::kGlobal:
      line.add("the machine is out of memory");
      return;
    case DomainKind::kCpuset:
      line.add("the cpuset's memory nodes are full");
      return;
    case DomainKind::kMempolicy:
      line.add("the memory policy's nodes are full");
      return;
    case DomainKind::kSysrq:
      line.add("asked for by sysrq-f");
      return;
    case DomainKind::kUnknown:
      break;
  }
  line.add("out of memory");
}

}  // namespace

std::string_view format_kill_line(const OomKill& kill, std::span<char> buffer) {
  Line line(buffer);
  line.add("oomtrace: killed ");
  line.add_name(kill.victim.comm);
  line.add(" (pid {}", kill.victim.pid);
  if (kill.memory) {
    const std::int64_t rss = kill.memory->anon + kill.memory->file + kill.memory->shmem;
    line.add(", ");
    line.add_size(static_cast<std::uint64_t>(std::max<std::int64_t>(rss, 0)));
  }
  line.add("): ");
  add_domain(line, kill.decision);
  if (kill.group_member) line.add(", with its group (memory.oom.group)");
  line.add("; triggered by ");
  line.add_name(kill.decision.trigger.comm);
  line.add(" (pid {})", kill.decision.trigger.pid);
  return line.text();
}

}  // namespace oomtrace::sink
