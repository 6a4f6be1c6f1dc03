// SPDX-License-Identifier: Apache-2.0
// The verbs that record, in a build that cannot.
#include "cli/exit_status.h"
#include "cli/verbs.h"

namespace oomtrace::cli {

namespace {

int refuse(const char* verb) {
  return report_error(verb, Error{Errc::kKernelUnsupported, 0, "this oomtrace was built without recording",
                                  "build it with libbpf, bpftool and clang: cmake --preset release"});
}

}  // namespace

int run_record(const RecordOptions&) { return refuse("record"); }
int run_live_stream(const StreamOptions&) { return refuse("stream"); }

}  // namespace oomtrace::cli
