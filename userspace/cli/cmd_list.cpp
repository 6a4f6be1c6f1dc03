// SPDX-License-Identifier: Apache-2.0
// oomtrace list: recordings of a directory and the kills in them.
#include <dirent.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "base/clock_history.h"
#include "base/sys_error.h"
#include "base/text.h"
#include "base/time_text.h"
#include "base/units.h"
#include "cli/exit_status.h"
#include "cli/tell.h"
#include "cli/text_output.h"
#include "cli/verbs.h"
#include "trace/summary.h"

namespace oomtrace::cli {

namespace {

constexpr const char* kVerb = "list";
constexpr std::string_view kStateDir = "/var/lib/oomtrace";

struct Recording {
  std::string name;
  std::uint64_t bytes = 0;
  std::int64_t ended_ns = 0;  // on one line of time; see place_in_time()
  Result<trace::TraceSummary> summary;
};

struct Contents {
  std::vector<Recording> recordings;  // by their end
  std::vector<std::string> post_mortems;
};

// Within a boot the order is that of its monotonic time, since somebody may have set the clock; boots stand beside each
// other by the clock as it was last. What cannot be read has the time of the file's last change, as it came.
void place_in_time(std::vector<Recording>& recordings) {
  std::map<std::string, const trace::TraceSummary*> last;
  const auto dated = [](const Recording& one) { return one.summary && one.summary->to_wall_ns != 0; };
  for (const Recording& one : recordings) {
    if (!dated(one)) continue;
    const trace::TraceSummary*& latest = last[one.summary->boot_id];
    if (latest == nullptr || latest->to_boot_ns <= one.summary->to_boot_ns) latest = &*one.summary;
  }
  for (Recording& one : recordings) {
    if (!dated(one)) continue;
    const trace::TraceSummary& latest = *last[one.summary->boot_id];
    one.ended_ns = wall_time(one.summary->to_boot_ns, wall_time(0 - latest.to_boot_ns, latest.to_wall_ns));
  }
  std::sort(recordings.begin(), recordings.end(), [](const Recording& a, const Recording& b) {
    return std::tie(a.ended_ns, a.name) < std::tie(b.ended_ns, b.name);
  });
}

Result<Contents> read_directory(const std::string& directory) {
  struct DirCloser {
    void operator()(DIR* stream) const noexcept { static_cast<void>(closedir(stream)); }
  };
  const std::unique_ptr<DIR, DirCloser> stream(opendir(directory.c_str()));
  if (!stream) return fail_errno(Errc::kInput, directory, errno);
  Contents contents;
  while (const dirent* entry = readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe): a stream of our own
    const std::string name = entry->d_name;
    if (name.starts_with("incident-") && name.ends_with(".txt")) contents.post_mortems.push_back(name);
    const std::string path = directory + "/" + name;
    struct stat status {};
    if (!name.ends_with(".oomtrace") || stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    contents.recordings.push_back(
        {name, static_cast<std::uint64_t>(status.st_size),
         static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec,
         trace::summarize(path)});
  }
  place_in_time(contents.recordings);
  std::sort(contents.post_mortems.begin(), contents.post_mortems.end());
  return contents;
}

// "2026-11-24 08:30:00Z": seconds are enough for people.
std::string short_time(std::int64_t wall_ns) {
  if (wall_ns == 0) return "?";
  std::string text = format_rfc3339_ns(wall_ns).substr(0, 19) + "Z";
  text[10] = ' ';
  return text;
}

// The post-mortem of an incident: "incident-<UTC time>-<number>.txt".
std::string post_mortem_of(const trace::KillSummary& kill, const std::vector<std::string>& names) {
  const std::string ending = "-" + std::to_string(kill.incident_id) + ".txt";
  const std::string stamp = compact_utc(kill.wall_ns);
  for (const std::string& name : names)
    if (name.ends_with(ending) && name.find(stamp) != std::string::npos) return name;
  return {};
}

std::string render_text_list(const Contents& contents) {
  std::string text;
  for (const Recording& one : contents.recordings) {
    text += escape_terminal(one.name);
    if (!one.summary) {
      text += fmt::format("\n    {}\n", escape_terminal(one.summary.error().context));
      continue;
    }
    const trace::TraceSummary& summary = *one.summary;
    text += fmt::format("\n    {} to {}, {}, {}, {} killed\n", short_time(summary.from_wall_ns),
                        short_time(summary.to_wall_ns), format_bytes(static_cast<std::int64_t>(one.bytes)),
                        format_count(static_cast<std::int64_t>(summary.events), "event"),
                        summary.kills.size() + summary.more_kills);
    for (const trace::KillSummary& kill : summary.kills) {
      text += fmt::format("    {}  incident {}: {} ({}), {}{}\n", short_time(kill.wall_ns), kill.incident_id,
                          escape_terminal(kill.comm), kill.pid, kill.domain,
                          kill.cgroup.empty() ? "" : " " + escape_terminal(kill.cgroup));
      if (const std::string found = post_mortem_of(kill, contents.post_mortems); !found.empty())
        text += fmt::format("        {}\n", escape_terminal(found));
    }
  }
  return text;
}

std::string render_json_list(const Contents& contents) {
  using nlohmann::json;
  const auto time = [](std::int64_t wall_ns) { return wall_ns == 0 ? json() : json(format_rfc3339_ns(wall_ns)); };
  json recordings = json::array();
  for (const Recording& one : contents.recordings) {
    json entry = {{"file", one.name}, {"bytes", one.bytes}};
    if (!one.summary) {
      entry["error"] = one.summary.error().context;
      recordings.push_back(std::move(entry));
      continue;
    }
    const trace::TraceSummary& summary = *one.summary;
    json kills = json::array();
    for (const trace::KillSummary& kill : summary.kills) {
      const std::string found = post_mortem_of(kill, contents.post_mortems);
      kills.push_back({{"incident", kill.incident_id},
                       {"time", time(kill.wall_ns)},
                       {"pid", kill.pid},
                       {"comm", kill.comm},
                       {"domain", kill.domain},
                       {"cgroup", kill.cgroup.empty() ? json() : json(kill.cgroup)},
                       {"post_mortem", found.empty() ? json() : json(found)}});
    }
    entry.update({{"trace_id", summary.trace_id},
                  {"host", summary.host},
                  {"from", time(summary.from_wall_ns)},
                  {"to", time(summary.to_wall_ns)},
                  {"events", summary.events},
                  {"kills", std::move(kills)},
                  {"notes", summary.notes}});
    recordings.push_back(std::move(entry));
  }
  return json({{"recordings", std::move(recordings)}}).dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace

int run_list(const ListOptions& options) {
  const std::string directory = options.directory.empty() ? std::string(kStateDir) : options.directory;
  const auto contents = read_directory(directory);
  if (!contents) {
    Error error = contents.error();
    if (error.hint.empty())
      error.hint =
          error.code == Errc::kPermission ? "sudo oomtrace list " + directory : "give a directory: oomtrace list DIR";
    return report_error(kVerb, error);
  }
  if (options.format == "text" && contents->recordings.empty())
    tell("oomtrace list: no recordings in {}\n", escape_terminal(directory));
  const std::string text = options.format == "json" ? render_json_list(*contents) : render_text_list(*contents);
  auto written = write_output({}, text);
  return written ? kDone : report_error(kVerb, written.error());
}

}  // namespace oomtrace::cli
