// SPDX-License-Identifier: Apache-2.0
// How single values read in a text report; what is not known says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "oomtrace/report.h"
#include "report/text_canvas.h"
#include "report/text_table.h"

namespace oomtrace {

inline constexpr const char* kNotKnown = "not known";
inline constexpr std::size_t kTableRows = 15;  // longer tables say how many more there are

std::string bytes_or_unknown(const std::optional<std::int64_t>& bytes);
std::string bytes_or_unknown(const std::optional<std::uint64_t>& bytes);
std::string bytes_cell(const std::optional<std::int64_t>& bytes);
std::string count_cell(const std::optional<std::int64_t>& count);
// Clamped: what does not fit an int64 is shown as its maximum.
std::int64_t to_signed(std::uint64_t value);

std::string text_or_unknown(const Canvas& canvas, const std::optional<std::string>& text);
std::string name_text(const Canvas& canvas, std::string_view comm);
// "python3 (pid 14441, trainer of rank 3)", "pt_data_worker (pid 14450, dataloader_worker 2 of rank 3)"
std::string process_text(const Canvas& canvas, std::string_view comm, std::uint32_t pid,
                         const std::optional<std::string>& role = std::nullopt, const TrainingPlace& place = {});
// "dataloader_worker 2": the rank has a column of its own, empty where none is known.
std::string role_cell(const Canvas& canvas, const std::optional<std::string>& role, const TrainingPlace& place);
std::string rank_cell(const TrainingPlace& place);
// "rank 3 of 8", "rank 3", "local rank 1"; empty where none is known.
std::string rank_text(const TrainingPlace& place);

// "2026-11-24 08:49:12 UTC" and "08:49:12"; text that is no RFC 3339 time is shown as it is.
std::string time_text(const Canvas& canvas, const std::string& rfc3339);
std::string clock_text(const Canvas& canvas, const std::string& rfc3339);
// "between 2026-11-24 08:49:12 UTC and 2026-11-24 08:50:00 UTC", "since ...", "until ..."; empty: all was chosen.
std::string chosen_text(const Canvas& canvas, const Source& source);
// "3.4 s"; nullopt where one end is not known or no time.
std::optional<std::string> span_text(const std::optional<std::string>& from, const std::optional<std::string>& to);

// "memory cgroup /ot_test reached its limit of 320.0 MiB"
std::string domain_reason(const Canvas& canvas, const Domain& domain);
std::string domain_kind_text(const Canvas& canvas, const std::string& kind);
std::string excluded_text(const Canvas& canvas, const std::string& reason);
std::string provenance_text(const Canvas& canvas, const std::string& provenance);

// "976 MiB copied on write, of which 960 MiB is the same region of 240 MiB copied 4 times"
std::string duplicated_text(const Duplicated& duplicated);

// "284 more candidates are not shown here"; nothing where more is 0.
void write_more(Canvas& canvas, std::size_t more, const char* one, const char* several);

}  // namespace oomtrace
