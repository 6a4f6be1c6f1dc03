// SPDX-License-Identifier: Apache-2.0
// Everything between inputs and what is rendered.
#pragma once

#include <vector>

#include "cli/input.h"
#include "cli/report_scope.h"
#include "oomtrace/report.h"
#include "oomtrace/result.h"

namespace oomtrace::cli {

// The report of all inputs together, within the scope's times and boot; its incident is not applied here.
// Errors: those of read_inputs() and keep_between(); Errc::kUsage where nothing is of the chosen boot.
Result<Report> make_report(std::vector<Input> inputs, const ReportScope& scope);

}  // namespace oomtrace::cli
