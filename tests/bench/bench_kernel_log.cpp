// SPDX-License-Identifier: Apache-2.0
// How fast a kernel log is read: reads FILE in pieces as `report` does and prints MB/s, incidents and peak memory.
//
//   bench_kernel_log FILE            measure
//   bench_kernel_log --make FILE MIB SEED_LOG   write a log of MIB mebibytes, other lines with SEED_LOG every 64 MiB
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "kernel_log/log_parser.h"

namespace {

using namespace oomtrace;
using namespace oomtrace::kernel_log;

class Counter : public EventConsumer {
 public:
  void on_event(const Event& event) override {
    ++events;
    if (const auto* end = std::get_if<OomEnd>(&event.payload)) incidents = end->incident_id;
  }
  std::uint64_t events = 0, incidents = 0;
};

int make(const char* path, std::size_t mib, const char* seed_path) {
  std::ifstream seed_file(seed_path, std::ios::binary);
  std::ostringstream seed;
  seed << seed_file.rdbuf();
  std::FILE* out = std::fopen(path, "wb");
  if (!out || seed.str().empty()) return 1;
  static constexpr const char* kLines[] = {
      "sshd[%lu]: Accepted publickey for user from 10.0.0.7 port 51234 ssh2: ED25519 SHA256:abcdefgh",
      "systemd[1]: Started Session %lu of User root.",
      "kernel: [%lu.123456] usb 1-1: new high-speed USB device number 4 using xhci_hcd",
      "CRON[%lu]: (root) CMD (test -x /usr/sbin/anacron || run-parts --report /etc/cron.hourly)",
      "kubelet[%lu]: I0324 14:32:11.123456    1 kubelet.go:2345] \"SyncLoop UPDATE\" source=\"api\" "
      "pods=[default/train-0]",
      "kernel: [%lu.223456] audit: type=1400 audit(1774362731.123:77): apparmor=\"ALLOWED\" operation=\"open\" "
      "comm=\"cups\""};
  std::size_t written = 0, since_seed = 0;
  for (unsigned long n = 0; written < mib << 20; ++n) {
    const int bytes = std::fprintf(out, "Mar 24 14:%02lu:%02lu node7 ", n / 60 % 60, n % 60) +
                      std::fprintf(out, kLines[n % 6], n) + std::fprintf(out, "\n");
    written += static_cast<std::size_t>(bytes);
    since_seed += static_cast<std::size_t>(bytes);
    if (since_seed > 64U << 20) {
      std::fwrite(seed.str().data(), 1, seed.str().size(), out);
      since_seed = 0;
    }
  }
  return std::fclose(out) == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 5 && std::string_view(argv[1]) == "--make")
    return make(argv[2], std::strtoul(argv[3], nullptr, 10), argv[4]);
  if (argc != 2) return 2;
  std::FILE* in = std::fopen(argv[1], "rb");
  if (!in) return 4;
  Counter counter;
  LogParser parser(counter);
  std::vector<char> piece(1 << 20);
  std::uint64_t bytes = 0;
  const auto begin = std::chrono::steady_clock::now();
  while (const std::size_t n = std::fread(piece.data(), 1, piece.size(), in)) {
    parser.feed(std::string_view(piece.data(), n));
    bytes += n;
  }
  parser.finish();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("%.0f MB in %.3f s: %.0f MB/s, %lu incidents, %lu events, peak %ld MiB\n",
              static_cast<double>(bytes) / 1e6, seconds, static_cast<double>(bytes) / 1e6 / seconds,
              static_cast<unsigned long>(counter.incidents), static_cast<unsigned long>(counter.events),
              usage.ru_maxrss / 1024);
  std::fclose(in);
  return 0;
}
