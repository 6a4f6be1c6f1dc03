// SPDX-License-Identifier: Apache-2.0
// Entry point: picks the verb; exceptions end here.
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <bit>
#include <charconv>
#include <exception>

#include "cli/cgroup_argument.h"
#include "cli/exit_status.h"
#include "cli/standard_descriptors.h"
#include "cli/tell.h"
#include "cli/verbs.h"

namespace {

using namespace oomtrace::cli;

constexpr const char* kFooter =
    "Exit status: 0 done; 1 found something (doctor, report --exit-code); 2 usage; 3 not permitted; 4 input "
    "unreadable;\n"
    "5 the kernel lacks what is needed; 6 output cannot be written or the recording is incomplete.\n"
    "With `record -- CMD`, once CMD runs: CMD's own status (128+N for signal N); 126, 127 if it cannot be run.\n"
    "See oomtrace(1).";

constexpr const char* kTargets = "- (standard output), FILE, unix:PATH or journal";

// As the kernel takes them (kernel/bpf/ringbuf.c, ringbuf_map_alloc); a gibibyte is more than any machine fills.
std::string is_ring_size(const std::string& text) {
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  constexpr std::uint64_t kMost = std::uint64_t{1} << 30;
  std::uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  const bool number = error == std::errc() && end == text.data() + text.size();
  if (number && std::has_single_bit(bytes) && bytes >= page && bytes <= kMost) return {};
  return fmt::format("{} is no power of two from {} (a page) to 1G", text, page);
}

// What narrows events, and what becomes of files that events go to.
void add_stream_options(CLI::App& verb, oomtrace::sink::StreamOptions& options, const std::string& events_help) {
  verb.add_option("--events", options.filter.kinds, events_help)->delimiter(',')->type_name("KIND,...");
  verb.add_option("--pid", options.filter.pids, "Of processes only this one and its descendants; kills always come")
      ->type_name("PID");
  verb.add_option("--cgroup", options.filter.cgroup, "Of processes only those in this cgroup and below")
      ->type_name("PATH")
      ->transform([](const std::string& path) { return cgroup_in_hierarchy(path); });
  verb.add_option("--rotate-size", options.file.rotate_bytes,
                  "Before FILE of the stream grows beyond this, it becomes FILE.1, and that FILE.2 (100M, 1G)")
      ->transform(CLI::AsSizeValue(false))
      ->type_name("SIZE");
  verb.add_option("--rotate-keep", options.file.keep, "How many of FILE.1, FILE.2, ... are kept [5]")
      ->check(CLI::Range(1U, 1000U))
      ->type_name("N");
}

CLI::App* add_record(CLI::App& app, RecordOptions& options) {
  CLI::App* verb = app.add_subcommand("record", "Record until interrupted, or while CMD runs");
  verb->add_option("-o,--output", options.output,
                   "Trace file [oomtrace-<host>-<UTC time>.oomtrace in the working directory]");
  verb->add_flag("--force", options.force, "Replace an existing file");
  verb->add_flag("!--no-redact", options.redact, "Keep what looks like a secret in command lines");
  verb->add_option("--rungs", options.rungs, "Use only these ways to see things (comma-separated; for tests)")
      ->delimiter(',')
      ->type_name("WAY,...");
  verb->add_option("--ring-size", options.ring_bytes,
                   "Room for what the kernel tells of births, deaths and growth (for tests; kills have their own)")
      ->transform(CLI::AsSizeValue(false))
      ->check(is_ring_size)
      ->type_name("SIZE");
  options.stream.target.clear();
  verb->add_option("--stream", options.stream.target,
                   std::string("Write the events as JSON lines, too: to ") + kTargets)
      ->type_name("TARGET");
  add_stream_options(*verb, options.stream, "Of the stream only these kinds: oom.kill, or oom for all of a family");
  verb->add_option("--metrics", options.metrics.address,
                   "Serve metrics to Prometheus on http://ADDR:PORT/metrics [127.0.0.1:9435]")
      ->expected(0, 1)
      ->default_str(std::string(oomtrace::sink::kDefaultMetricsAddress))
      ->type_name("ADDR:PORT");
  verb->add_option("--metrics-textfile", options.metrics.textfile,
                   "Write them to this file, for node_exporter's textfile collector")
      ->type_name("FILE.prom");
  verb->add_option("--state-dir", options.state.directory,
                   "Record into rolling files of this directory, with a post-mortem of every kill, until told to stop")
      ->type_name("DIR")
      ->excludes("--output");
  verb->add_option("--retain", options.state.retain_seconds, "Keep them for so long (30m, 12h, 7d) [7d]")
      ->transform(CLI::AsNumberWithUnit(
          std::map<std::string, std::int64_t>{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}}))
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{100} * 365 * 86400))
      ->type_name("TIME")
      ->needs("--state-dir");
  verb->add_option("--max-size", options.state.max_bytes, "Let them take no more than this (500M, 2G) [500M]")
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::Range(std::uint64_t{1} << 20, UINT64_MAX))
      ->type_name("SIZE")
      ->needs("--state-dir");
  verb->add_option("CMD", options.command, "Command to run as the invoking user, after --");
  verb->positionals_at_end();
  return verb;
}

CLI::App* add_report(CLI::App& app, ReportOptions& options) {
  CLI::App* verb = app.add_subcommand("report", "Say what died, who drove the growth and why that one was chosen");
  verb->add_option("FILE", options.inputs,
                   "Traces, event streams or kernel logs; - is standard input "
                   "[the newest trace here, else this machine's kernel log]");
  verb->add_option("--format", options.format, "text or json")->check(CLI::IsMember({"text", "json"}));
  verb->add_option("-o,--output", options.output, "Write to this file instead of standard output");
  verb->add_option("--incident", options.incident, "Only the incident with this number");
  verb->add_flag("--all", options.all, "All incidents in full, not the first few of many");
  verb->add_option("-b,--boot", options.boot,
                   "Kernel log of this boot: 0 the present one, -1 the one before, or its ID; read from the journal");
  verb->add_option(
      "-S,--since", options.since,
      "Only what happened since then ('2026-03-24 14:00' local time, '2026-03-24 14:00:00 UTC', yesterday, -2h)");
  verb->add_option("-U,--until", options.until, "Only what happened until then, read likewise");
  verb->add_flag("--exit-code", options.exit_code, "Exit with 1 where there is an incident");
  verb->add_option("--color", options.color, "auto, always or never; NO_COLOR is honoured")
      ->check(CLI::IsMember({"auto", "always", "never"}));
  return verb;
}

CLI::App* add_stream(CLI::App& app, StreamOptions& options) {
  CLI::App* verb = app.add_subcommand("stream", "Write events as JSON lines while they happen");
  verb->add_option("FILE", options.input, "Replay this recording instead of watching");
  verb->add_option("-o,--output", options.stream.target, std::string("Where to: ") + kTargets + " [-]")
      ->type_name("TARGET");
  add_stream_options(*verb, options.stream, "Only these kinds: oom.kill, or oom for all of a family");
  verb->add_flag("!--no-redact", options.redact, "Keep what looks like a secret in command lines");
  verb->add_option("--rungs", options.rungs, "Use only these ways to see things (comma-separated; for tests)")
      ->delimiter(',')
      ->type_name("WAY,...");
  return verb;
}

CLI::App* add_list(CLI::App& app, ListOptions& options) {
  CLI::App* verb = app.add_subcommand("list", "List the recordings of a directory and the kills in them");
  CLI::Option* directory = verb->add_option("DIR", options.directory, "Where to look [/var/lib/oomtrace]");
  verb->add_option("--state-dir", options.directory, "The same, as for record")->type_name("DIR")->excludes(directory);
  verb->add_option("--format", options.format, "text or json")->check(CLI::IsMember({"text", "json"}));
  return verb;
}

CLI::App* add_whatif(CLI::App& app, WhatIfOptions& options) {
  CLI::App* verb = app.add_subcommand("whatif", "Say who would have been killed under other settings, and who next");
  verb->add_option("FILE", options.input, "A trace, event stream or kernel log; - is standard input")->required();
  verb->add_option("--oom-score-adj", options.oom_score_adj, "Give the process this oom_score_adj, -1000 to 1000")
      ->type_name("PID=N");
  verb->add_option("--without", options.without, "Leave out this process")->type_name("PID");
  verb->add_option("--limit", options.limit, "Give the memory cgroup this limit; suffixes K, M, G, T are of 1024")
      ->type_name("BYTES");
  verb->add_option("--incident", options.incident, "Only the incident with this number");
  verb->add_option("--format", options.format, "text or json")->check(CLI::IsMember({"text", "json"}));
  verb->add_option("--color", options.color, "auto, always or never; NO_COLOR is honoured")
      ->check(CLI::IsMember({"auto", "always", "never"}));
  return verb;
}

CLI::App* add_doctor(CLI::App& app, DoctorOptions& options) {
  CLI::App* verb = app.add_subcommand("doctor", "Say whether recording works here, by which ways, and what would help");
  verb->add_option("--format", options.format, "text or json")->check(CLI::IsMember({"text", "json"}));
  return verb;
}

int run(int argc, char** argv) {
  CLI::App app("oomtrace: the flight recorder for out-of-memory kills on AI-training machines", "oomtrace");
  app.set_version_flag("--version", std::string("oomtrace ") + OOMTRACE_VERSION);
  app.require_subcommand(1);
  app.footer(kFooter);
  RecordOptions record;
  ReportOptions report;
  StreamOptions stream;
  WhatIfOptions whatif;
  DoctorOptions doctor;
  ListOptions list;
  const CLI::App* record_verb = add_record(app, record);
  const CLI::App* report_verb = add_report(app, report);
  const CLI::App* stream_verb = add_stream(app, stream);
  const CLI::App* whatif_verb = add_whatif(app, whatif);
  const CLI::App* doctor_verb = add_doctor(app, doctor);
  const CLI::App* list_verb = add_list(app, list);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsageError;
  }
  if (record_verb->parsed()) return run_record(record);
  if (report_verb->parsed()) return run_report(report);
  if (stream_verb->parsed()) return run_stream(stream);
  if (whatif_verb->parsed()) return run_whatif(whatif);
  if (doctor_verb->parsed()) return run_doctor(doctor);
  if (list_verb->parsed()) return run_list(list);
  return kUsageError;
}

}  // namespace

int main(int argc, char** argv) {
  if (!hold_standard_descriptors()) return kOutputFailed;
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    tell_text("oomtrace: out of memory\n");
  } catch (const std::exception& error) {
    tell("oomtrace: {}\n", error.what());
  }
  return kOutputFailed;
}
