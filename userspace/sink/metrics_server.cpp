// SPDX-License-Identifier: Apache-2.0
// The endpoint that Prometheus scrapes, by prometheus-cpp.
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <utility>

#include "sink/metrics_families.h"
#include "sink/metrics_outlets.h"

namespace oomtrace::sink {
namespace {

// Figures are made when they are asked for, in the server's thread.
class Collector final : public prometheus::Collectable {
 public:
  Collector(std::shared_ptr<const MetricsBoard> board, BuildInfo build)
      : board_(std::move(board)), build_(std::move(build)) {}
  std::vector<prometheus::MetricFamily> Collect() const override {
    return make_families(board_->latest(), read_self_usage(), build_);
  }

 private:
  const std::shared_ptr<const MetricsBoard> board_;
  const BuildInfo build_;
};

class Server final : public MetricsOutlet {
 public:
  Server(const std::string& address, std::shared_ptr<Collector> collector)
      // A client that sends nothing holds one of two threads for so long at most.
      : collector_(std::move(collector)),
        exposer_({"listening_ports", address, "num_threads", "2", "request_timeout_ms", "5000"}) {
    exposer_.RegisterCollectable(collector_);
  }

 private:
  std::shared_ptr<Collector> collector_;
  prometheus::Exposer exposer_;
};

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port < 65536;
}

// civetweb takes more than addresses here, options of its own among it: only what an address is made of may pass.
Result<std::string> listening_address(const std::string& address) {
  if (is_port(address)) return "127.0.0.1:" + address;
  const std::size_t colon = address.rfind(':');
  const bool plain = std::all_of(address.begin(), address.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '.' || c == ':' ||
           c == '[' || c == ']';
  });
  if (colon == std::string::npos || colon == 0 || !plain || !is_port(std::string_view(address).substr(colon + 1)))
    return fail(Errc::kUsage, "'" + address + "' is no address to serve metrics on", 0,
                "write 127.0.0.1:9435, [::1]:9435 or only a port");
  return address;
}

}  // namespace

Result<std::unique_ptr<MetricsOutlet>> serve_metrics(const std::string& address,
                                                     std::shared_ptr<const MetricsBoard> board, BuildInfo build) {
  auto listening = listening_address(address);
  if (!listening) return tl::make_unexpected(std::move(listening).error());
  try {
    return std::make_unique<Server>(*listening, std::make_shared<Collector>(std::move(board), std::move(build)));
  } catch (const std::exception&) {
    // civetweb's words tell less than this.
    return fail(Errc::kOutput, "cannot serve metrics on " + *listening, 0,
                "the port is taken or the address is not this machine's; `ss -ltn` shows who listens");
  }
}

}  // namespace oomtrace::sink
