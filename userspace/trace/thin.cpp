// SPDX-License-Identifier: Apache-2.0
// Two passes: when were kills, then what stays.
#include "trace/thin.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/sys_error.h"
#include "codec/json_reader.h"
#include "codec/names.h"
#include "oomtrace/event.h"
#include "trace/reader.h"
#include "trace/writer.h"

namespace oomtrace::trace {
namespace {

// What a figure is about: its kind, and which process, cgroup or resource. nullopt: not a figure, stays whole.
std::optional<std::string> subject_of(const Event& event) {
  const std::string kind(codec::event_kind_name(event));
  if (const auto* memory = std::get_if<ProcessMemory>(&event.payload)) {
    // The first look at a process, and the last before its death, are not to be had again.
    if (memory->reason == MemoryReason::kSnapshot || memory->reason == MemoryReason::kKill) return std::nullopt;
    return kind + " " + std::to_string(memory->process.pid) + " " + std::to_string(memory->process.start_boot_ns);
  }
  if (const auto* pressure = std::get_if<SystemPressure>(&event.payload))
    return kind + " " + std::string(pressure->resource);
  if (const auto* cgroup = std::get_if<CgroupMemory>(&event.payload)) {
    if (cgroup->incident_id) return std::nullopt;
    return kind + " " + std::to_string(cgroup->cgroup.id) + " " + std::string(cgroup->cgroup.path);
  }
  if (std::holds_alternative<SystemMemory>(event.payload) || std::holds_alternative<SystemMounts>(event.payload))
    return kind;
  return std::nullopt;
}

class Thinner {
 public:
  Thinner(std::vector<std::uint64_t> kills, const ThinOptions& options) : kills_(std::move(kills)), options_(options) {
    std::sort(kills_.begin(), kills_.end());
  }

  bool keeps(const Event& event) {
    auto subject = subject_of(event);
    if (!subject || near_kill(event.boot_ns)) return true;
    const auto [last, first] = last_kept_.try_emplace(std::move(*subject), event.boot_ns);
    if (first) return true;
    if (event.boot_ns - std::min(event.boot_ns, last->second) < options_.keep_every_ns) return false;
    last->second = event.boot_ns;
    return true;
  }

 private:
  bool near_kill(std::uint64_t boot_ns) const {
    const std::uint64_t earliest = boot_ns - std::min(boot_ns, options_.after_kill_ns);
    const auto kill = std::lower_bound(kills_.begin(), kills_.end(), earliest);
    return kill != kills_.end() && *kill <= boot_ns + options_.before_kill_ns;
  }

  std::vector<std::uint64_t> kills_;
  const ThinOptions options_;
  std::map<std::string, std::uint64_t> last_kept_;
};

// Gives each event with its line; lines that cannot be decoded (a later version's) come without an event.
template <class Take>
Result<void> each_line(Reader& reader, std::chrono::steady_clock::time_point until, Take take) {
  constexpr std::uint64_t kLinesBetweenLooks = 1024;
  codec::LineDecoder decoder;
  for (std::uint64_t lines = 0;; ++lines) {
    if (lines % kLinesBetweenLooks == 0 && std::chrono::steady_clock::now() >= until)
      return fail(Errc::kInput, "no time left to thin it");
    auto line = reader.next_line();
    if (!line) return tl::make_unexpected(std::move(line).error());
    if (!*line) return {};
    const auto event = decoder.decode(**line);
    const Event* const known = event && *event ? &**event : nullptr;
    if (auto taken = take(known, **line); !taken) return taken;
  }
}

Result<ThinResult> write_thinned(Reader& reader, Writer& writer, const ThinOptions& options) {
  std::vector<std::uint64_t> kills;
  ThinResult result;
  auto read = each_line(reader, options.until, [&](const Event* event, std::string_view) -> Result<void> {
    ++result.lines;
    if (event != nullptr && std::holds_alternative<OomKill>(event->payload)) kills.push_back(event->boot_ns);
    return {};
  });
  if (!read) return tl::make_unexpected(std::move(read).error());
  if (!reader.rewind()) return fail(Errc::kInput, "cannot be read a second time");
  Thinner thinner(std::move(kills), options);
  auto written = each_line(reader, options.until, [&](const Event* event, std::string_view line) -> Result<void> {
    if (event != nullptr && !thinner.keeps(*event)) return {};
    ++result.kept;
    return writer.append(line);
  });
  if (written) written = writer.close_frame();
  if (written) written = writer.sync();
  if (!written) return tl::make_unexpected(std::move(written).error());
  result.bytes = writer.stats().bytes;
  return result;
}

}  // namespace

Result<ThinResult> thin_trace(const std::string& from, const std::string& to, const ThinOptions& options) {
  struct stat status {};
  if (::stat(from.c_str(), &status) != 0) return fail_errno(Errc::kInput, from, errno);
  auto reader = Reader::open(from);
  if (!reader) return tl::make_unexpected(std::move(reader).error());
  WriterOptions writer_options;
  writer_options.owner = Owner{status.st_uid, status.st_gid};
  auto writer = Writer::create(to, writer_options);
  if (!writer) return tl::make_unexpected(std::move(writer).error());
  auto result = write_thinned(**reader, **writer, options);
  if (!result) {
    ::unlink(to.c_str());
    return result;
  }
  // Its age is that of what it tells.
  const timespec times[2] = {status.st_atim, status.st_mtim};
  ::utimensat(AT_FDCWD, to.c_str(), times, 0);
  return result;
}

}  // namespace oomtrace::trace
