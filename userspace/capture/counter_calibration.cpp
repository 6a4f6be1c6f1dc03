// SPDX-License-Identifier: Apache-2.0
// Votes: an observation that only one of the two counters explains counts for that one.
#include "capture/counter_calibration.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace oomtrace::capture {

namespace {

constexpr std::size_t kNoted = 1024;

std::int64_t rss_of(std::int64_t file, std::int64_t anon, std::int64_t shmem) {
  return std::max<std::int64_t>(file, 0) + std::max<std::int64_t>(anon, 0) + std::max<std::int64_t>(shmem, 0);
}

oomtrace_mm with_exact(oomtrace_mm mm, const oomtrace_rss& exact) {
  mm.file_pages = exact.file_pages;
  mm.anon_pages = exact.anon_pages;
  mm.swap_pages = exact.swap_pages;
  mm.shmem_pages = exact.shmem_pages;
  return mm;
}

std::int64_t base_of(const oomtrace_mm& mm, std::uint32_t page_size) { return points_of(mm, 0, 0, page_size); }

// `record`: an OOM_KILL or OOM_CANDIDATE.
template <class Record>
void take_exact(Record& record, std::uint32_t page_size) {
  if ((record.h.valid & OOMTRACE_HAS_EXACT_RSS) == 0) return;
  const std::int64_t before = base_of(record.mm, page_size);
  record.mm = with_exact(record.mm, record.exact);
  if ((record.h.valid & OOMTRACE_HAS_POINTS) != 0) record.points += base_of(record.mm, page_size) - before;
}

void skip_blanks(std::string_view& text) { text.remove_prefix(std::min(text.find_first_not_of(' '), text.size())); }

template <class Number>
bool take_number(std::string_view& text, Number& value) {
  skip_blanks(text);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool is_table_header(std::string_view line) {
  if (!line.starts_with('[')) return false;
  line.remove_prefix(1);
  skip_blanks(line);
  return line.starts_with("pid");
}

}  // namespace

std::int64_t points_of(const oomtrace_mm& mm, std::int32_t adj, std::uint64_t total_pages, std::uint32_t page_size) {
  std::int64_t points = static_cast<std::int64_t>(mm.pgtables_bytes / page_size);
  for (const std::int64_t pages : {mm.file_pages, mm.anon_pages, mm.swap_pages, mm.shmem_pages})
    points += std::max<std::int64_t>(pages, 0);
  return points + adj * static_cast<std::int64_t>(total_pages / 1000);
}

bool parse_table_row(std::string_view line, TableRow& row) {
  if (!line.starts_with('[')) return false;
  line.remove_prefix(1);
  std::uint32_t pid = 0;
  if (!take_number(line, pid)) return false;
  skip_blanks(line);
  if (!line.starts_with(']')) return false;
  line.remove_prefix(1);
  std::uint32_t uid = 0;
  std::uint64_t total_vm = 0;
  TableRow found;
  if (!take_number(line, uid) || !take_number(line, found.tgid) || !take_number(line, total_vm) ||
      !take_number(line, found.rss_pages) || !line.starts_with(' '))
    return false;
  row = found;
  return true;
}

CounterCalibration::CounterCalibration(std::uint32_t page_size, KernelLogFollower log)
    : page_size_(page_size), log_(std::move(log)) {
  noted_.reserve(kNoted);
}

void CounterCalibration::begin_decision() { noted_.clear(); }

void CounterCalibration::note(std::uint32_t tgid, const oomtrace_mm& mm, const oomtrace_rss& exact) {
  const Noted noted{tgid, rss_of(mm.file_pages, mm.anon_pages, mm.shmem_pages),
                    rss_of(exact.file_pages, exact.anon_pages, exact.shmem_pages)};
  if (noted.approximate_rss != noted.exact_rss && noted_.size() < kNoted) noted_.push_back(noted);
}

void CounterCalibration::Votes::add(bool approximate_fits, bool exact_fits) {
  if (approximate_fits == exact_fits) return;
  ++(exact_fits ? exact : approximate);
}

void CounterCalibration::learn_from_points(const oomtrace_mm& mm, const oomtrace_rss& exact, std::int32_t adj,
                                           std::uint64_t total_pages, std::int64_t kernel_points) {
  votes_.add(points_of(mm, adj, total_pages, page_size_) == kernel_points,
             points_of(with_exact(mm, exact), adj, total_pages, page_size_) == kernel_points);
}

void CounterCalibration::count_line(std::string_view line, Votes& table) const {
  if (is_table_header(line)) table = {};
  TableRow row;
  if (!parse_table_row(line, row)) return;
  for (const Noted& noted : noted_)
    if (noted.tgid == row.tgid) table.add(noted.approximate_rss == row.rss_pages, noted.exact_rss == row.rss_pages);
}

void CounterCalibration::take(const Votes& table) {
  votes_.approximate += table.approximate;
  votes_.exact += table.exact;
}

// The last table is this decision's, or that of one right behind it.
void CounterCalibration::learn_from_table(std::string_view log) {
  Votes table;
  while (!log.empty()) {
    const std::string_view line = log.substr(0, log.find('\n'));
    log.remove_prefix(std::min(line.size() + 1, log.size()));
    count_line(line, table);
  }
  take(table);
}

void CounterCalibration::learn_from_kernel_log() {
  if (settled() || noted_.empty()) return;
  Votes table;
  while (const auto line = log_.next()) count_line(line->message, table);
  take(table);
}

void CounterCalibration::skip_kernel_log() {
  if (!settled()) log_.skip();
}

void CounterCalibration::apply(oomtrace_oom_kill& record) const {
  if (exact()) take_exact(record, page_size_);
}

void CounterCalibration::apply(oomtrace_oom_candidate& record) const {
  if (exact()) take_exact(record, page_size_);
}

}  // namespace oomtrace::capture
