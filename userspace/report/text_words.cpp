// SPDX-License-Identifier: Apache-2.0
// Single values in words.
#include "report/text_words.h"

#include <fmt/format.h>

#include <limits>

#include "base/units.h"

namespace oomtrace {

namespace {

constexpr std::size_t kNameColumns = 24;
constexpr std::size_t kHeadlinePath = 60;

// "2026-11-24T08:49:12.123456789Z", in UTC, or nullopt.
std::optional<std::string> normal_time(const std::string& text) {
  const std::optional<std::int64_t> wall_ns = parse_rfc3339(text);
  if (!wall_ns) return std::nullopt;
  return format_rfc3339_ns(*wall_ns);
}

}  // namespace

std::int64_t to_signed(std::uint64_t value) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  return value > static_cast<std::uint64_t>(kMax) ? kMax : static_cast<std::int64_t>(value);
}

std::string bytes_or_unknown(const std::optional<std::int64_t>& bytes) {
  return bytes ? format_bytes(*bytes) : kNotKnown;
}

std::string bytes_or_unknown(const std::optional<std::uint64_t>& bytes) {
  return bytes ? format_bytes(to_signed(*bytes)) : kNotKnown;
}

std::string bytes_cell(const std::optional<std::int64_t>& bytes) { return bytes ? format_bytes(*bytes) : kUnknownCell; }

std::string count_cell(const std::optional<std::int64_t>& count) { return count ? format_count(*count) : kUnknownCell; }

std::string text_or_unknown(const Canvas& canvas, const std::optional<std::string>& text) {
  return text && !text->empty() ? canvas.safe(*text) : kNotKnown;
}

std::string name_text(const Canvas& canvas, std::string_view comm) {
  return comm.empty() ? "(no name)" : canvas.safe_cut(comm, kNameColumns);
}

std::string process_text(const Canvas& canvas, std::string_view comm, std::uint32_t pid,
                         const std::optional<std::string>& role, const TrainingPlace& place) {
  if (!role || role->empty()) return fmt::format("{} (pid {})", name_text(canvas, comm), pid);
  std::string text = fmt::format("{} (pid {}, {}", name_text(canvas, comm), pid, role_cell(canvas, role, place));
  if (place.rank) {
    text += fmt::format(" of rank {}", *place.rank);
  } else if (place.local_rank) {
    text += fmt::format(" of local rank {}", *place.local_rank);
  }
  return text + ")";
}

std::string role_cell(const Canvas& canvas, const std::optional<std::string>& role, const TrainingPlace& place) {
  if (!role || role->empty()) return kUnknownCell;
  std::string text = canvas.safe_cut(*role, kNameColumns);
  if (place.worker) text += fmt::format(" {}", *place.worker);
  return text;
}

std::string rank_cell(const TrainingPlace& place) {
  if (place.rank) return std::to_string(*place.rank);
  return place.local_rank ? fmt::format("local {}", *place.local_rank) : std::string();
}

std::string rank_text(const TrainingPlace& place) {
  std::string text;
  if (place.rank) {
    text = fmt::format("rank {}", *place.rank);
  } else if (place.local_rank) {
    text = fmt::format("local rank {}", *place.local_rank);
  } else {
    return text;
  }
  if (place.world_size) text += fmt::format(" of {}", *place.world_size);
  return text;
}

std::string time_text(const Canvas& canvas, const std::string& rfc3339) {
  const auto time = normal_time(rfc3339);
  if (!time) return canvas.safe_cut(rfc3339, kNameColumns);
  return fmt::format("{} {} UTC", time->substr(0, 10), time->substr(11, 8));
}

std::string clock_text(const Canvas& canvas, const std::string& rfc3339) {
  const auto time = normal_time(rfc3339);
  return time ? time->substr(11, 8) : canvas.safe_cut(rfc3339, kNameColumns);
}

std::string chosen_text(const Canvas& canvas, const Source& source) {
  if (source.since && source.until)
    return fmt::format("between {} and {}", time_text(canvas, *source.since), time_text(canvas, *source.until));
  if (source.since) return "since " + time_text(canvas, *source.since);
  return source.until ? "until " + time_text(canvas, *source.until) : std::string();
}

std::optional<std::string> span_text(const std::optional<std::string>& from, const std::optional<std::string>& to) {
  if (!from || !to) return std::nullopt;
  const auto start = parse_rfc3339(*from);
  const auto end = parse_rfc3339(*to);
  if (!start || !end || *end < *start) return std::nullopt;
  return format_duration(static_cast<std::uint64_t>(*end) - static_cast<std::uint64_t>(*start));
}

std::string domain_reason(const Canvas& canvas, const Domain& domain) {
  const std::string nodes = domain.nodes ? " " + canvas.safe_cut(*domain.nodes, kNameColumns) : " (which: not known)";
  if (domain.kind == "memcg") {
    const std::string path = domain.cgroup ? " " + canvas.safe_path(*domain.cgroup, kHeadlinePath) : std::string();
    if (domain.limit_bytes)
      return fmt::format("memory cgroup{} reached its limit of {}", path, bytes_or_unknown(domain.limit_bytes));
    return fmt::format("memory cgroup{} reached its limit (how much: not known)", path);
  }
  if (domain.kind == "global") return "the whole machine ran out of memory";
  if (domain.kind == "cpuset") return fmt::format("the memory nodes{} of its cpuset ran out of memory", nodes);
  if (domain.kind == "mempolicy") return fmt::format("the memory nodes{} of its memory policy ran out", nodes);
  if (domain.kind == "sysrq") return "somebody asked the kernel for a kill (SysRq f)";
  return "which memory ran out is not known";
}

std::string domain_kind_text(const Canvas& canvas, const std::string& kind) {
  if (kind == "memcg") return "memory cgroup";
  if (kind == "global") return "global: the whole machine";
  if (kind == "cpuset") return "cpuset: the memory nodes it allows";
  if (kind == "mempolicy") return "mempolicy: the memory nodes it names";
  if (kind == "sysrq") return "sysrq: asked for by hand";
  if (kind.empty() || kind == "unknown") return kNotKnown;
  return canvas.safe(kind);
}

std::string excluded_text(const Canvas& canvas, const std::string& reason) {
  if (reason == "oom_score_adj_min") return "oom_score_adj is -1000: never killed";
  if (reason == "init") return "init is never killed";
  if (reason == "kernel_thread") return "kernel thread";
  if (reason == "other_domain") return "outside of what ran out";
  if (reason == "already_dying") return "was dying already";
  if (reason == "in_vfork") return "in vfork: the memory is its parent's";
  if (reason == "no_memory") return "has no memory of its own";
  return canvas.safe(reason);
}

std::string provenance_text(const Canvas& canvas, const std::string& provenance) {
  if (provenance == "kernel_exact") return "kernel_exact: what the kernel's own scan computed";
  if (provenance == "kernel_walk") return "kernel_walk: all tasks read inside of the kill, just after the decision";
  if (provenance == "kernel_log") return "kernel_log: the table that the kernel logged";
  if (provenance == "census") return "census: the processes counted right after the kill";
  if (provenance == "reconstructed") return "reconstructed: recomputed from what was recorded before";
  return canvas.safe(provenance);
}

std::string duplicated_text(const Duplicated& duplicated) {
  const std::string region = bytes_or_unknown(std::optional(duplicated.region_bytes));
  const std::string copied =
      duplicated.copied_bytes ? format_bytes(*duplicated.copied_bytes) + " copied on write, of which " : "";
  if (!duplicated.duplicated_bytes)
    return fmt::format("{}up to {} by each of {} process{}", copied, region, format_count(duplicated.copies),
                       duplicated.copies == 1 ? "" : "es");
  if (duplicated.families > 1)
    return fmt::format(
        "{}{} is the same data copied several times in each of {} families, most of it a region of {} copied {}",
        copied, format_bytes(*duplicated.duplicated_bytes), format_count(duplicated.families), region,
        format_count(duplicated.copies, "time"));
  return fmt::format("{}{} is the same region of {} copied {}", copied, format_bytes(*duplicated.duplicated_bytes),
                     region, format_count(duplicated.copies, "time"));
}

void write_more(Canvas& canvas, std::size_t more, const char* one, const char* several) {
  if (more == 0) return;
  canvas.paragraph(fmt::format("{} more {} not shown here; --format json has them all.", format_count(to_signed(more)),
                               more == 1 ? one : several),
                   2, 2);
}

}  // namespace oomtrace
