// SPDX-License-Identifier: Apache-2.0
// Metrics in a build without prometheus-cpp.
#include "sink/metrics_outlets.h"

namespace oomtrace::sink {
namespace {

tl::unexpected<Error> refuse() {
  return fail(Errc::kUsage, "this oomtrace was built without metrics", 0,
              "install prometheus-cpp-dev and build it again");
}

}  // namespace

Result<std::unique_ptr<MetricsOutlet>> serve_metrics(const std::string&, std::shared_ptr<const MetricsBoard>,
                                                     BuildInfo) {
  return refuse();
}

Result<std::unique_ptr<MetricsOutlet>> write_metrics_file(const std::string&, std::shared_ptr<const MetricsBoard>,
                                                          BuildInfo) {
  return refuse();
}

}  // namespace oomtrace::sink
