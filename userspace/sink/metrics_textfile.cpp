// SPDX-License-Identifier: Apache-2.0
// The file for node_exporter's textfile collector, rewritten by a thread of its own.
#include <fcntl.h>
#include <prometheus/text_serializer.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <sstream>
#include <thread>
#include <utility>

#include "base/fd.h"
#include "base/file.h"
#include "base/sys_error.h"
#include "sink/metrics_families.h"
#include "sink/metrics_outlets.h"

namespace oomtrace::sink {
namespace {

// node_exporter is scraped every 15 s as a rule.
constexpr std::chrono::seconds kInterval(10);

class TextFile final : public MetricsOutlet {
 public:
  TextFile(std::string path, std::shared_ptr<const MetricsBoard> board, BuildInfo build)
      // The collector reads only what ends in .prom, so not this one.
      : path_(std::move(path)), next_(path_ + ".new"), board_(std::move(board)), build_(std::move(build)) {}

  ~TextFile() override {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
    ::unlink(path_.c_str());
  }

  Result<void> write() const {
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, make_families(board_->latest(), read_self_usage(), build_));
    ::unlink(next_.c_str());  // of a recorder that was killed between two calls
    auto file = open_fd(next_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644, Errc::kOutput);
    if (!file) return tl::make_unexpected(std::move(file).error());
    if (::fchmod(file->get(), 0644) != 0) return fail_errno(Errc::kOutput, next_, errno);
    if (auto written = write_all(*file, text.str()); !written) return written;
    if (::rename(next_.c_str(), path_.c_str()) != 0) return fail_errno(Errc::kOutput, path_, errno);
    return {};
  }

  void start() {
    // Signals are for the thread that waits for them.
    sigset_t all;
    sigset_t old;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &old);
    thread_ = std::thread([this] { run(); });
    ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, kInterval, [this] { return stop_; })) {
      lock.unlock();
      static_cast<void>(write());  // a full disk now may have room next time; the file's age tells
      lock.lock();
    }
  }

  const std::string path_, next_;
  const std::shared_ptr<const MetricsBoard> board_;
  const BuildInfo build_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<MetricsOutlet>> write_metrics_file(const std::string& path,
                                                          std::shared_ptr<const MetricsBoard> board, BuildInfo build) {
  auto file = std::make_unique<TextFile>(path, std::move(board), std::move(build));
  if (auto written = file->write(); !written) return tl::make_unexpected(std::move(written).error());
  file->start();
  return std::unique_ptr<MetricsOutlet>(std::move(file));
}

}  // namespace oomtrace::sink
