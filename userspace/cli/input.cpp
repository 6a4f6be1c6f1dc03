// SPDX-License-Identifier: Apache-2.0
// Opens, tells apart, and feeds.
#include "cli/input.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "base/sys_error.h"
#include "kernel_log/log_parser.h"
#include "trace/byte_source.h"
#include "trace/detect.h"
#include "trace/event_source.h"

namespace oomtrace::cli {

namespace {

std::string name_of(const std::string& path) { return path == "-" ? "standard input" : path; }

Result<std::unique_ptr<trace::ByteSource>> open_bytes(const std::string& path) {
  if (path == "-")
    return std::unique_ptr<trace::ByteSource>(
        std::make_unique<trace::FdSource>(Fd(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3))));
  struct stat status {};
  if (stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return fail_errno(Errc::kInput, path, EISDIR);
  auto file = trace::FdSource::open(path);
  if (!file) return tl::make_unexpected(std::move(file).error());
  return std::unique_ptr<trace::ByteSource>(*std::move(file));
}

class Consumer final : public kernel_log::EventConsumer {
 public:
  explicit Consumer(const std::function<void(const Event&)>& take) : take_(take) {}
  void on_event(const Event& event) override { take_(event); }

 private:
  const std::function<void(const Event&)>& take_;
};

struct LogInput {
  std::string name;
  std::unique_ptr<trace::ByteSource> bytes;
};

// Reads up to the buffer's size; less only at the end of the input.
Result<std::size_t> read_full(trace::ByteSource& source, std::span<char> buffer) {
  std::size_t size = 0;
  while (size < buffer.size()) {
    auto got = source.read(buffer.subspan(size));
    if (!got) return got;
    if (*got == 0) break;
    size += *got;
  }
  return size;
}

Result<void> read_log(LogInput& input, const std::function<void(const Event&)>& take) {
  std::vector<char> buffer(std::size_t{1} << 18);
  auto size = read_full(*input.bytes, buffer);
  if (!size) return tl::make_unexpected(std::move(size).error().within(input.name));
  if (!kernel_log::is_kernel_log({buffer.data(), *size}))
    return fail(
        Errc::kInput, input.name + " is neither a trace, an event stream nor a kernel log", 0,
        "give a file that `oomtrace record` or `oomtrace stream` wrote, or the output of dmesg or journalctl -k");
  Consumer consumer(take);
  kernel_log::LogParser parser(consumer, {std::nullopt, input.name, false});
  while (*size > 0) {
    parser.feed({buffer.data(), *size});
    size = read_full(*input.bytes, buffer);
    if (!size) return tl::make_unexpected(std::move(size).error().within(input.name));
  }
  parser.finish();
  return {};
}

}  // namespace

Result<InputSummary> read_inputs(const std::vector<std::string>& paths, const std::function<void(const Event&)>& take) {
  InputSummary summary;
  std::vector<trace::EventInput> event_inputs;
  std::vector<LogInput> logs;
  for (const std::string& path : paths) {
    auto bytes = open_bytes(path);
    if (!bytes) return tl::make_unexpected(std::move(bytes).error());
    auto detected = trace::detect_input(*std::move(bytes));
    if (!detected) return tl::make_unexpected(std::move(detected).error().within(name_of(path)));
    if (!summary.name.empty()) summary.name += ", ";
    summary.name += name_of(path);
    switch (detected->format) {
      case trace::InputFormat::kEmpty:
        return fail(Errc::kInput, name_of(path) + " is empty");
      case trace::InputFormat::kTrace:
      case trace::InputFormat::kNdjson:
        if (summary.kind.empty()) summary.kind = detected->format == trace::InputFormat::kTrace ? "trace" : "ndjson";
        event_inputs.push_back({name_of(path), trace::make_line_source(*std::move(detected))});
        break;
      case trace::InputFormat::kOther:
        logs.push_back({name_of(path), std::move(detected->bytes)});
        break;
    }
  }
  if (summary.kind.empty()) summary.kind = "kernel_log";
  if (!event_inputs.empty()) {
    auto events = trace::EventSource::open(std::move(event_inputs));
    if (!events) return tl::make_unexpected(std::move(events).error());
    while (true) {
      auto event = events->next();
      if (!event) return tl::make_unexpected(std::move(event).error());
      if (!*event) break;
      take(**event);
    }
    summary.notes = events->notes();
  }
  for (LogInput& log : logs)
    if (auto read = read_log(log, take); !read) return tl::make_unexpected(std::move(read).error());
  return summary;
}

std::optional<std::string> newest_trace_here() {
  struct DirCloser {
    void operator()(DIR* directory) const noexcept { static_cast<void>(closedir(directory)); }
  };
  const std::unique_ptr<DIR, DirCloser> directory(opendir("."));
  std::optional<std::string> newest;
  timespec newest_time{};
  if (!directory) return newest;
  while (const dirent* entry = readdir(directory.get())) {  // NOLINT(concurrency-mt-unsafe): a stream of our own
    const std::string name = entry->d_name;
    struct stat status {};
    if (!name.ends_with(".oomtrace") || stat(name.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    const timespec& time = status.st_mtim;
    const bool newer = !newest || time.tv_sec > newest_time.tv_sec ||
                       (time.tv_sec == newest_time.tv_sec && time.tv_nsec > newest_time.tv_nsec);
    if (!newer) continue;
    newest = name;
    newest_time = time;
  }
  return newest;
}

}  // namespace oomtrace::cli
