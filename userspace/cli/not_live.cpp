// SPDX-License-Identifier: Apache-2.0
// The verbs that record, in a build that cannot.
#include "cli/doctor_sections.h"
#include "cli/exit_status.h"
#include "cli/verbs.h"

namespace oomtrace::cli {

namespace {

constexpr const char* kWhy = "this oomtrace was built without recording";
constexpr const char* kFix = "build it with libbpf, bpftool and clang: cmake --preset release";

int refuse(const char* verb) { return report_error(verb, Error{Errc::kKernelUnsupported, 0, kWhy, kFix}); }

}  // namespace

int run_record(const RecordOptions&) { return refuse("record"); }
int run_live_stream(const StreamOptions&) { return refuse("stream"); }

std::vector<doctor::Section> doctor_sections() {
  return {{"recording", {{"build", doctor::Severity::kProblem, "cannot record", kWhy, kFix}}}};
}

}  // namespace oomtrace::cli
