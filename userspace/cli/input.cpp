// SPDX-License-Identifier: Apache-2.0
// Opens, tells apart, and feeds.
#include "cli/input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <string_view>
#include <utility>

#include "base/sys_error.h"
#include "cli/input_gzip.h"
#include "cli/input_progress.h"
#include "trace/detect.h"
#include "trace/event_source.h"

namespace oomtrace::cli {

namespace {

class Consumer final : public kernel_log::EventConsumer {
 public:
  explicit Consumer(const EventTaker& take) : take_(take) {}
  void on_event(const Event& event) override { take_(event); }

 private:
  const EventTaker& take_;
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

Result<std::unique_ptr<trace::ByteSource>> unpack(std::unique_ptr<trace::ByteSource> bytes) {
  std::string head(4, '\0');
  auto size = read_full(*bytes, head);
  if (!size) return tl::make_unexpected(std::move(size).error());
  head.resize(*size);
  const bool gzip = is_gzip(head);
  std::unique_ptr<trace::ByteSource> whole = std::make_unique<trace::PrefixedSource>(std::move(head), std::move(bytes));
  if (!gzip) return whole;
  return std::unique_ptr<trace::ByteSource>(std::make_unique<GunzipSource>(std::move(whole)));
}

Result<void> read_log(Input& input, const EventTaker& take, std::vector<std::string>& notes) {
  std::vector<char> buffer(std::size_t{1} << 18);
  auto size = read_full(*input.bytes, buffer);
  if (!size) return tl::make_unexpected(std::move(size).error().within(input.name));
  if (!input.kernel_log && !kernel_log::is_kernel_log({buffer.data(), *size}))
    return fail(
        Errc::kInput, input.name + " is neither a trace, an event stream nor a kernel log", 0,
        "give a file that `oomtrace record` or `oomtrace stream` wrote, or the output of dmesg or journalctl -k");
  Consumer consumer(take);
  kernel_log::LogOptions options;
  options.trace_id = input.name;
  options.host = input.host;
  if (options.host.not_after_ns) {
    constexpr std::int64_t kNsPerYear = 31'556'952'000'000'000;
    options.year = static_cast<int>(1970 + *options.host.not_after_ns / kNsPerYear);
  }
  kernel_log::LogParser parser(consumer, options);
  while (*size > 0) {
    parser.feed({buffer.data(), *size});
    size = read_full(*input.bytes, buffer);
    if (!size) return tl::make_unexpected(std::move(size).error().within(input.name));
  }
  parser.finish();
  for (const std::string& note : parser.notes()) notes.push_back(input.name + ": " + note);
  return {};
}

// Whether there was any event.
Result<bool> read_events(std::vector<trace::EventInput> inputs, const EventTaker& take,
                         const std::function<void()>& start_over, std::vector<std::string>& notes) {
  bool any = false;
  trace::EventSourceOptions options;
  options.start_over = start_over;
  // What has to be sorted may not be worth more than half of the machine.
  const auto machine =
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGE_SIZE));
  options.max_collected_bytes = std::min(options.max_collected_bytes, machine / 2);
  auto events = trace::EventSource::open(std::move(inputs), options);
  if (!events) return tl::make_unexpected(std::move(events).error());
  while (true) {
    auto event = events->next();
    if (!event) return tl::make_unexpected(std::move(event).error());
    if (!*event) break;
    any = true;
    take(**event);
  }
  notes = events->notes();
  return any;
}

}  // namespace

Result<Input> open_input(const std::string& path) {
  Input input;
  if (path == "-") {
    input.name = "standard input";
    input.bytes = std::make_unique<trace::FdSource>(Fd(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)));
    return input;
  }
  input.name = path;
  auto file = trace::FdSource::open(path);
  if (!file) return tl::make_unexpected(std::move(file).error());
  input.bytes = *std::move(file);
  struct stat status {};
  if (stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode))
    input.size = static_cast<std::uint64_t>(status.st_size);
  return input;
}

Result<InputSummary> read_inputs(std::vector<Input> inputs, const EventTaker& take,
                                 const std::function<void()>& start_over) {
  InputSummary summary;
  Progress progress(STDERR_FILENO);
  for (const Input& input : inputs) progress.expect(input.size);
  std::vector<trace::EventInput> event_inputs;
  std::vector<Input> logs;
  for (Input& input : inputs) {
    if (!summary.name.empty()) summary.name += ", ";
    summary.name += input.name;
    auto bytes = unpack(std::make_unique<WatchedSource>(std::move(input.bytes), progress));
    if (!bytes) return tl::make_unexpected(std::move(bytes).error().within(input.name));
    auto detected = trace::detect_input(*std::move(bytes));
    if (!detected) return tl::make_unexpected(std::move(detected).error().within(input.name));
    const trace::InputFormat format = input.kernel_log ? trace::InputFormat::kOther : detected->format;
    switch (format) {
      case trace::InputFormat::kEmpty:
        return fail(Errc::kInput, input.name + " is empty");
      case trace::InputFormat::kTrace:
      case trace::InputFormat::kNdjson:
        if (summary.kind.empty()) summary.kind = format == trace::InputFormat::kTrace ? "trace" : "ndjson";
        event_inputs.push_back({input.name, trace::make_line_source(*std::move(detected))});
        break;
      case trace::InputFormat::kOther:
        input.bytes = std::move(detected->bytes);
        logs.push_back(std::move(input));
        break;
    }
  }
  if (summary.kind.empty()) summary.kind = "kernel_log";
  if (!event_inputs.empty()) {
    auto read = read_events(std::move(event_inputs), take, start_over, summary.notes);
    if (!read) return tl::make_unexpected(std::move(read).error());
    // Even a recording of nothing begins with what it was made on: this is damage, and no proof that nothing was
    // killed.
    if (!*read && logs.empty()) {
      std::string why = summary.notes.empty() ? std::string() : ": " + summary.notes.front();
      return fail(Errc::kInput, summary.name + " has no event that could be read" + why);
    }
  }
  for (Input& log : logs)
    if (auto read = read_log(log, take, summary.notes); !read) return tl::make_unexpected(std::move(read).error());
  return summary;
}

Result<InputSummary> read_inputs(const std::vector<std::string>& paths, const EventTaker& take,
                                 const std::function<void()>& start_over) {
  std::vector<Input> inputs;
  for (const std::string& path : paths) {
    auto input = open_input(path);
    if (!input) return tl::make_unexpected(std::move(input).error());
    inputs.push_back(*std::move(input));
  }
  return read_inputs(std::move(inputs), take, start_over);
}

}  // namespace oomtrace::cli
