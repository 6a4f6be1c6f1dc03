// SPDX-License-Identifier: Apache-2.0
// Reads segments back, writes reports; removes what is too old or too much.
#include "cli/state_jobs.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <utility>

#include "base/fd.h"
#include "base/file.h"
#include "base/sys_error.h"
#include "cli/exit_status.h"
#include "cli/helper_server.h"
#include "cli/make_report.h"
#include "report/render_json.h"
#include "report/render_text.h"
#include "trace/retention.h"
#include "trace/segments.h"

namespace oomtrace::cli {

namespace {

constexpr const char* kPostMortem = "post-mortem";
constexpr const char* kTidy = "tidy";
constexpr std::size_t kMaxTexts = 4096;
constexpr std::size_t kColumns = 100;  // as a report that goes to a file

template <class Number>
Number number_of(const std::string& text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Whole at any time: under another name first.
Result<void> write_whole(const std::string& path, const std::string& text) {
  const std::string next = path + ".new";
  unlink(next.c_str());
  auto written = [&]() -> Result<void> {
    auto file = open_fd(next.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, Errc::kOutput);
    if (!file) return tl::make_unexpected(std::move(file).error());
    if (auto done = write_all(*file, text); !done) return done;
    if (fsync(file->get()) != 0) return fail_errno(Errc::kOutput, next, errno);
    if (rename(next.c_str(), path.c_str()) != 0) return fail_errno(Errc::kOutput, path, errno);
    return {};
  }();
  if (!written) unlink(next.c_str());
  return written;
}

// A segment may have been thinned or removed since it was named.
std::string name_now(const std::string& segment) {
  if (access(segment.c_str(), F_OK) == 0) return segment;
  auto name = trace::SegmentName::parse(segment);
  if (!name) return {};
  name->thinned = true;
  std::string thinned = name->file_name();
  return access(thinned.c_str(), F_OK) == 0 ? thinned : std::string();
}

Result<Report> report_of(const std::vector<std::string>& segments) {
  std::vector<Input> inputs;
  for (const std::string& segment : segments) {
    const std::string name = name_now(segment);
    if (name.empty()) continue;
    auto input = open_input(name);
    if (!input && input.error().sys_errno == ENOENT) continue;  // tidied up meanwhile
    if (!input) return tl::make_unexpected(std::move(input).error());
    inputs.push_back(*std::move(input));
  }
  if (inputs.empty()) return fail(Errc::kInput, segments.front() + " and what followed is gone");
  return make_report(std::move(inputs), {});
}

Result<void> write_post_mortem(const PostMortem& wanted, Report report) {
  if (auto kept = keep_incident(wanted.incident, report); !kept) return kept;
  TextOptions text;
  text.width = kColumns;
  if (auto written = write_whole(wanted.output + ".json", render_json(report)); !written) return written;
  return write_whole(wanted.output + ".txt", render_text(report, text));
}

// All are tried; the first error counts.
Result<void> write_post_mortems(const std::vector<PostMortem>& wanted, const std::vector<std::string>& segments) {
  const auto report = report_of(segments);
  if (!report) return tl::make_unexpected(report.error());
  Result<void> all;
  for (const PostMortem& one : wanted) {
    auto written = write_post_mortem(one, *report);
    if (all && !written) all = std::move(written);
  }
  return all;
}

Result<void> post_mortem(const std::vector<std::string>& job) {
  constexpr std::size_t kHead = 2;
  const auto count = number_of<std::size_t>(job[1]);
  if (count > kMaxTexts || job.size() <= kHead + 2 * count) return fail(Errc::kUsage, "no such job");
  std::vector<PostMortem> wanted;
  for (std::size_t i = 0; i < count; ++i)
    wanted.push_back({number_of<std::uint64_t>(job[kHead + 2 * i]), job[kHead + 2 * i + 1]});
  return write_post_mortems(wanted, {job.begin() + static_cast<std::ptrdiff_t>(kHead + 2 * count), job.end()});
}

Result<void> tidy(const std::vector<std::string>& job) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  trace::RetentionOptions retention;
  retention.now_ns = static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
  retention.retain_ns = number_of<std::int64_t>(job[1]) * 1'000'000'000;
  retention.now_ns -= number_of<std::int64_t>(job[2]);
  retention.max_bytes = number_of<std::uint64_t>(job[3]);
  retention.reserve_bytes = number_of<std::uint64_t>(job[4]);
  retention.keep = "./" + job[5];
  auto result = trace::keep_within(".", retention);
  return result ? Result<void>{} : tl::make_unexpected(std::move(result).error());
}

}  // namespace

std::vector<std::string> post_mortem_job(const std::vector<PostMortem>& post_mortems,
                                         const std::vector<std::string>& segments) {
  std::vector<std::string> job = {kPostMortem, std::to_string(post_mortems.size())};
  for (const PostMortem& one : post_mortems) job.insert(job.end(), {std::to_string(one.incident), one.output});
  job.insert(job.end(), segments.begin(), segments.end());
  return job;
}

std::vector<std::string> tidy_job(const StateOptions& options, std::int64_t lag_ns, std::uint64_t reserve_bytes,
                                  const std::string& keep) {
  return {kTidy,
          std::to_string(options.retain_seconds),
          std::to_string(lag_ns),
          std::to_string(options.max_bytes),
          std::to_string(reserve_bytes),
          keep};
}

int do_state_job(const std::vector<std::string>& job) {
  constexpr std::size_t kTidyTexts = 6;
  Result<void> done = fail(Errc::kUsage, "no such job");
  if (job.front() == kPostMortem && job.size() > 1)
    done = post_mortem(job);
  else if (job.front() == kTidy && job.size() == kTidyTexts)
    done = tidy(job);
  if (done) return kDone;
  // Tidying up makes room, soon.
  if (done.error().sys_errno == ENOSPC || done.error().sys_errno == EDQUOT) return kTryAgain;
  return report_error(job.front(), done.error());
}

}  // namespace oomtrace::cli
