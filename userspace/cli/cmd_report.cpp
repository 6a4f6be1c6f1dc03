// SPDX-License-Identifier: Apache-2.0
// oomtrace report: from events to the story of each kill.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "analysis/build_report.h"
#include "base/file.h"
#include "cli/exit_status.h"
#include "cli/input.h"
#include "cli/kernel_log_join.h"
#include "cli/verbs.h"
#include "model/world.h"
#include "report/render_json.h"
#include "report/render_text.h"

namespace oomtrace::cli {

namespace {

constexpr const char* kVerb = "report";
constexpr std::size_t kPlainWidth = 100;

bool wants_color(const std::string& when, bool tty) {
  if (when == "always") return true;
  if (when == "never") return false;
  const char* no_color = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe): no other thread runs
  return tty && (no_color == nullptr || *no_color == '\0');
}

bool utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): no other thread runs
    if (value == nullptr || *value == '\0') continue;
    return std::strstr(value, "UTF-8") != nullptr || std::strstr(value, "utf8") != nullptr;
  }
  return false;
}

TextOptions text_options(const ReportOptions& options) {
  TextOptions text;
  const bool tty = options.output.empty() && isatty(STDOUT_FILENO) != 0;
  winsize size{};
  text.width = kPlainWidth;
  if (tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) text.width = size.ws_col;
  text.color = wants_color(options.color, tty);
  text.unicode = tty && utf8_locale();
  return text;
}

Result<void> write_out(const std::string& path, const std::string& text) {
  if (path.empty()) {
    const Fd out(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
    return write_all(out, text);
  }
  auto file = open_fd(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644, Errc::kOutput);
  if (!file) return tl::make_unexpected(std::move(file).error());
  return write_all(*file, text);
}

}  // namespace

int run_report(const ReportOptions& options) {
  std::vector<std::string> inputs = options.inputs;
  if (inputs.empty()) {
    const auto newest = newest_trace_here();
    if (!newest)
      return report_error(kVerb, Error{Errc::kInput, 0, "no *.oomtrace file in the working directory",
                                       "name a trace, or give this machine's kernel log: dmesg | oomtrace report -"});
    inputs.push_back(*newest);
    fmt::print(stderr, "oomtrace report: reading {}\n", *newest);
  }
  model::World world;
  const std::function<void(const Event&)> apply = [&](const Event& event) { world.apply(event); };
  KernelLogJoin join(apply);
  const auto summary = read_inputs(inputs, [&](const Event& event) { join.take(event); });
  if (!summary) return report_error(kVerb, summary.error());
  join.finish();

  Report report = analysis::build_report(world, {summary->kind, summary->name, summary->notes});
  const bool found = !report.incidents.empty();
  if (options.incident) {
    std::erase_if(report.incidents, [&](const Incident& incident) { return incident.id != *options.incident; });
    if (report.incidents.empty())
      return report_error(kVerb, Error{Errc::kUsage, 0, fmt::format("there is no incident {}", *options.incident), {}});
  }
  const std::string text = options.format == "json" ? render_json(report) : render_text(report, text_options(options));
  if (auto written = write_out(options.output, text); !written) return report_error(kVerb, written.error());
  return options.exit_code && found ? kFound : kDone;
}

}  // namespace oomtrace::cli
