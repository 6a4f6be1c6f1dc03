// SPDX-License-Identifier: Apache-2.0
// What `report` reads where no input is named.
#include "cli/input_search.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <memory>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "cli/input_command.h"
#include "cli/input_kmsg.h"

namespace oomtrace::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

struct DirCloser {
  void operator()(DIR* directory) const noexcept { static_cast<void>(closedir(directory)); }
};

std::vector<std::string> names_in(const std::string& folder) {
  const std::unique_ptr<DIR, DirCloser> directory(opendir(folder.c_str()));
  std::vector<std::string> names;
  if (!directory) return names;
  while (const dirent* entry = readdir(directory.get()))  // NOLINT(concurrency-mt-unsafe): a stream of our own
    names.emplace_back(entry->d_name);
  return names;
}

std::optional<std::int64_t> change_ns(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return static_cast<std::int64_t>(status.st_mtim.tv_sec) * kSecond + status.st_mtim.tv_nsec;
}

bool all_digits(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// What logrotate puts behind a name: ".1", ".2.gz", "-20260324", "-20260324.gz", "-20260324-1774362731".
bool is_rotation(std::string_view behind) {
  if (behind.empty()) return true;
  if (behind.ends_with(".gz")) behind.remove_suffix(3);
  if (behind.size() < 2 || (behind.front() != '.' && behind.front() != '-')) return false;
  std::string digits;
  for (const char c : behind.substr(1)) {
    if (c != '-') digits += c;
  }
  return all_digits(digits);
}

kernel_log::LogHost this_host() {
  kernel_log::LogHost host;
  utsname names{};
  if (uname(&names) == 0) host.name = names.nodename;
  const long page_size = sysconf(_SC_PAGESIZE);
  if (page_size > 0) host.page_size = static_cast<std::uint32_t>(page_size);
  host.local_time = true;
  return host;
}

std::int64_t clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::int64_t>(now.tv_sec) * kSecond + now.tv_nsec;
}

}  // namespace

std::optional<std::string> newest_trace(const Places& places) {
  std::optional<std::string> newest;
  std::int64_t newest_ns = 0;
  for (const std::string& folder : {places.work_dir, places.state_dir}) {
    for (const std::string& name : names_in(folder)) {
      if (!name.ends_with(".oomtrace")) continue;
      const std::string path = folder == "." ? name : folder + "/" + name;
      const auto changed = change_ns(path);
      if (!changed || (newest && *changed <= newest_ns)) continue;
      newest = path;
      newest_ns = *changed;
    }
  }
  return newest;
}

std::vector<std::string> journal_command(const Places& places, const std::optional<BootChoice>& boot,
                                         const TimeBounds& bounds) {
  std::vector<std::string> argv{places.journalctl, "--no-pager", "--output=export"};
  if (boot && !boot->all) argv.push_back("--boot=" + boot->text());
  // Whole seconds outwards: the exact bounds are applied to the report.
  if (bounds.since_ns) argv.push_back(fmt::format("--since=@{}", *bounds.since_ns / kSecond));
  if (bounds.until_ns) argv.push_back(fmt::format("--until=@{}", *bounds.until_ns / kSecond + 1));
  // Not --dmesg, which means this boot only. "+" is "or"; the message IDs are systemd's own (sd-messages.h): a unit
  // failed with a result, a unit's process was OOM-killed, systemd-oomd killed a cgroup.
  argv.insert(argv.end(),
              {"_TRANSPORT=kernel", "+", "SYSLOG_IDENTIFIER=earlyoom", "+", "SYSLOG_IDENTIFIER=nohang", "+",
               "SYSLOG_IDENTIFIER=systemd-oomd", "+", "MESSAGE_ID=d9b373ed55a64feb8242e02dbe79a49c", "+",
               "MESSAGE_ID=fe6faa94e7774663a0da52717891d8ef", "+", "MESSAGE_ID=d989611b15e44c9dbf31e3c81256e4ed"});
  return argv;
}

std::vector<std::string> syslog_files(const std::string& folder) {
  const std::vector<std::string> names = names_in(folder);
  for (const std::string_view base : {"kern.log", "messages", "syslog"}) {
    std::vector<std::pair<std::int64_t, std::string>> found;
    for (const std::string& name : names) {
      if (!name.starts_with(base) || !is_rotation(std::string_view(name).substr(base.size()))) continue;
      const std::string path = folder + "/" + name;
      if (const auto changed = change_ns(path)) found.emplace_back(*changed, path);
    }
    if (found.empty()) continue;
    std::sort(found.begin(), found.end());
    std::vector<std::string> paths;
    for (auto& [changed, path] : found) paths.push_back(std::move(path));
    return paths;
  }
  return {};
}

KernelLogSearch::KernelLogSearch(Places places, std::optional<BootChoice> boot, TimeBounds bounds)
    : places_(std::move(places)), boot_(std::move(boot)), bounds_(bounds) {}

std::optional<LogPlace> KernelLogSearch::next() {
  // The ring buffer begins with this boot: what is asked of before is in the journal or nowhere.
  const std::int64_t boot_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
  const bool older = (bounds_.since_ns && *bounds_.since_ns < boot_ns) || (boot_ && boot_->all);
  while (step_ < 4) {
    std::optional<LogPlace> place;
    switch (step_++) {
      case 0:
        if (!older) place = open_kmsg();
        break;
      case 1:
        place = open_journal();
        break;
      case 2:
        place = open_files();
        break;
      default:
        if (older) place = open_kmsg();
        break;
    }
    if (place) return place;
  }
  return std::nullopt;
}

std::optional<LogPlace> KernelLogSearch::open_kmsg() {
  std::string id;
  if (const auto text = read_small_file(places_.boot_id.c_str(), 64)) {
    id = plain_boot_id(*text);
    while (!id.empty() && id.back() == '\n') id.pop_back();
  }
  const bool this_boot = !boot_ || boot_->all || (boot_->id.empty() && boot_->offset == 0) ||
                         (!boot_->id.empty() && boot_->id == id && boot_->offset.value_or(0) == 0);
  if (!this_boot) return std::nullopt;
  auto bytes = KmsgSource::open(places_.kmsg);
  if (!bytes) {
    refuse(places_.kmsg, bytes.error());
    return std::nullopt;
  }
  Input input;
  input.name = places_.kmsg;
  input.bytes = *std::move(bytes);
  input.kernel_log = true;
  input.host = this_host();
  input.host.boot_id = id;
  // printk's clock stands still while the machine sleeps, as CLOCK_MONOTONIC does.
  input.host.realtime_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
  utsname names{};
  if (uname(&names) == 0) {
    input.host.kernel_release = names.release;
    input.host.kernel_version = names.version;
  }
  LogPlace place{places_.kmsg, "what the kernel's buffer holds of this boot", {}};
  place.inputs.push_back(std::move(input));
  return place;
}

std::optional<LogPlace> KernelLogSearch::open_journal() {
  const std::vector<std::string> argv = journal_command(places_, boot_, bounds_);
  auto bytes = CommandSource::start(argv);
  if (!bytes) {
    Error error = std::move(bytes).error();
    if (error.sys_errno == ENOENT) error.context = "there is no journalctl";
    refuse("the journal", error);
    return std::nullopt;
  }
  const CommandSource* command = bytes->get();
  // Nothing to show ends at once: then standard error may say why.
  std::string head(1 << 16, '\0');
  auto size = (*bytes)->read(head);
  if (!size) {
    refuse("the journal", size.error());
    return std::nullopt;
  }
  head.resize(*size);
  if (head.empty() || head.starts_with("-- No entries --")) {
    const std::string why = command->error_text();
    const bool hidden = why.find("not seeing messages from") != why.npos;
    refuse("the journal", Error{hidden ? Errc::kPermission : Errc::kInput,
                                0,
                                hidden ? "its kernel messages are not for this user" : "it has no such entries",
                                {}});
    return std::nullopt;
  }
  Input input;
  input.name = "the journal";
  input.bytes = std::make_unique<trace::PrefixedSource>(std::move(head), *std::move(bytes));
  input.kernel_log = true;
  input.host = this_host();
  LogPlace place{"the journal", boot_ ? "boot " + boot_->text() : "this and earlier boots", {}};
  place.inputs.push_back(std::move(input));
  return place;
}

std::optional<LogPlace> KernelLogSearch::open_files() {
  if (boot_ && !boot_->all) return std::nullopt;  // they name no boots
  LogPlace place;
  const std::vector<std::string> paths = syslog_files(places_.log_dir);
  if (paths.empty()) {
    refuse(places_.log_dir, Error{Errc::kInput, 0, "no kern.log, messages or syslog", {}});
    return std::nullopt;
  }
  for (const std::string& path : paths) {
    auto input = open_input(path);
    if (!input) {
      refuse(path, input.error());
      continue;
    }
    input->kernel_log = true;
    input->host = this_host();
    input->host.not_after_ns = change_ns(path);
    place.inputs.push_back(*std::move(input));
  }
  if (place.inputs.empty()) return std::nullopt;
  place.name = place.inputs.back().name;
  if (place.inputs.size() > 1) place.about = fmt::format("and {} older ones", place.inputs.size() - 1);
  return place;
}

void KernelLogSearch::refuse(const LogPlace& place, const Error& error) { refuse(place.name, error); }

void KernelLogSearch::refuse(const std::string& name, const Error& error) {
  denied_ = denied_ || error.code == Errc::kPermission;
  if (!reasons_.empty()) reasons_ += "; ";
  reasons_ += error.context.starts_with(name) ? error.context : name + ": " + error.context;
}

Error KernelLogSearch::error() const {
  Error error{denied_ ? Errc::kPermission : Errc::kInput, 0, "no kernel log can be read here", {}};
  if (!reasons_.empty()) error.context += ": " + reasons_;
  if (denied_) {
    error.hint = "sudo oomtrace report, or become a reader of the journal: sudo usermod -aG systemd-journal USER";
  } else if (boot_) {
    error.hint = "`journalctl --list-boots` has the boots that the journal still holds";
  } else {
    error.hint = "name a trace or a log, or read one from elsewhere: dmesg | oomtrace report -";
  }
  return error;
}

}  // namespace oomtrace::cli
