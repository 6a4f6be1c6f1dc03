// SPDX-License-Identifier: Apache-2.0
// A request queue, a result list, one thread between them.
#include "capture/process_reader.h"

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <system_error>
#include <utility>

namespace oomtrace::capture {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kWorthTelling = 1U << 20;  // bytes that the use of a mount must have changed by
constexpr std::size_t kMaxWaiting = 8192;
constexpr std::uint32_t kMaxAbove = 8;
constexpr std::size_t kMaxKnown = 65536;
constexpr std::size_t kMaxNamespaces = 32;  // looked at again and again
constexpr std::uint64_t kMaxStuck = 4;      // threads that hang
constexpr std::chrono::seconds kPatienceAtEnd(2);
constexpr std::chrono::milliseconds kLookAgain(50);  // whether memory is still short
constexpr std::chrono::seconds kLookedAtLately(2);

struct Namespace {
  std::uint32_t pid = 0;  // a process in it
  std::uint64_t told_bytes = 0;
};
using Namespaces = std::map<std::uint64_t, Namespace>;  // by inode

}  // namespace

struct ProcessReader::State {
  State(bool masks, const ProcessReads& by, std::chrono::milliseconds with)
      : redact(masks), reads(by), patience(with) {}

  const bool redact;
  const ProcessReads reads;
  const std::chrono::milliseconds patience;
  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable ended;
  std::deque<Request> waiting;
  std::set<std::uint32_t> known;  // pids that were read, and parents that wait
  std::vector<OwnedProcessInfo> done;
  std::vector<SeenMount> mounts;
  bool mounts_wanted = false;
  bool stop = false;
  std::uint64_t generation = 0;  // of the thread that is to go on
  bool running = false;          // that thread has not ended
  std::optional<Clock::time_point> reading_since;
  std::optional<Clock::time_point> short_since, last_short;  // memory, as far as it was looked at

  bool goes_on(std::uint64_t mine) const { return !stop && generation == mine; }
  bool must_wait(std::unique_lock<std::mutex>& lock);
  void want_parent(const Request& of, const OwnedProcessInfo& info);
  void read_one(Request wanted, Namespaces& namespaces, std::unique_lock<std::mutex>& lock);
  void read_mounts(Namespaces& namespaces, std::unique_lock<std::mutex>& lock);
};

ProcessReader::ProcessReader(bool redact, std::chrono::milliseconds patience, const ProcessReads& reads)
    : patience_(patience), state_(std::make_shared<State>(redact, reads, patience)) {
  start();
}

ProcessReader::~ProcessReader() {
  std::unique_lock lock(state_->mutex);
  state_->stop = true;
  state_->wake.notify_all();
  const bool ended = state_->ended.wait_for(lock, kPatienceAtEnd, [this] { return !state_->running; });
  lock.unlock();
  if (!thread_.joinable()) return;
  if (ended)
    thread_.join();
  else
    thread_.detach();  // it ends with the process
}

void ProcessReader::start() {
  state_->running = true;
  thread_ = std::thread([state = state_, generation = state_->generation] { run(state, generation); });
}

void ProcessReader::replace_stuck() {
  const std::lock_guard lock(state_->mutex);
  if (!state_->reading_since || Clock::now() - *state_->reading_since < patience_ || stuck_ == kMaxStuck) return;
  ++stuck_;
  ++state_->generation;
  state_->reading_since.reset();
  state_->running = false;
  thread_.detach();
  if (stuck_ == kMaxStuck) return;
  try {
    start();
  } catch (const std::system_error&) {
    state_->running = false;
    stuck_ = kMaxStuck;
  }
}

bool ProcessReader::request(Request wanted) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->waiting.size() >= kMaxWaiting) return false;
    state_->waiting.push_back(wanted);
  }
  state_->wake.notify_one();
  return true;
}

void ProcessReader::forget_parents() {
  const std::lock_guard lock(state_->mutex);
  state_->known.clear();
}

std::vector<OwnedProcessInfo> ProcessReader::take() {
  const std::lock_guard lock(state_->mutex);
  return std::exchange(state_->done, {});
}

void ProcessReader::request_mounts() {
  replace_stuck();
  {
    const std::lock_guard lock(state_->mutex);
    state_->mounts_wanted = true;
  }
  state_->wake.notify_one();
}

std::vector<ProcessReader::SeenMount> ProcessReader::take_mounts() {
  const std::lock_guard lock(state_->mutex);
  return std::exchange(state_->mounts, {});
}

bool ProcessReader::State::must_wait(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  const bool is_short = reads.memory_short();
  lock.lock();
  if (!is_short) {
    short_since.reset();
    return false;
  }
  const auto now = reads.now();
  // Nobody looks while nobody is to be read.
  if (!short_since || now - *last_short > kLookedAtLately) short_since = now;
  last_short = now;
  return now - *short_since < patience;
}

// Not init, everybody's parent. A pid that another process has taken since is not read again: that one's exec is told
// by an event of its own.
void ProcessReader::State::want_parent(const Request& of, const OwnedProcessInfo& info) {
  if (known.size() >= kMaxKnown) return;
  known.insert(of.pid);
  const std::uint32_t parent = info.parent_pid.value_or(0);
  if (parent <= 1 || of.above == kMaxAbove) return;
  if (known.insert(parent).second) waiting.push_front({parent, 0, of.above + 1});
}

void ProcessReader::State::read_one(Request wanted, Namespaces& namespaces, std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  auto info = reads.info(wanted.pid, wanted.start_boot_ns, redact);
  const auto mount = info && wanted.above == 0 ? reads.shm(wanted.pid) : std::nullopt;
  if (mount && (namespaces.size() < kMaxNamespaces || namespaces.contains(mount->mount_namespace))) {
    namespaces[mount->mount_namespace] = {wanted.pid, mount->used_bytes};
  }
  lock.lock();
  if (info) {
    want_parent(wanted, *info);
    done.push_back(*std::move(info));
  }
  if (mount) mounts.push_back({wanted.pid, *mount});
}

void ProcessReader::State::read_mounts(Namespaces& namespaces, std::unique_lock<std::mutex>& lock) {
  mounts_wanted = false;
  lock.unlock();
  std::vector<SeenMount> seen;
  for (auto place = namespaces.begin(); place != namespaces.end();) {
    Namespace& known = place->second;
    const auto mount = reads.shm(known.pid);
    // The process is gone, or its pid another's.
    if (!mount || mount->mount_namespace != place->first) {
      place = namespaces.erase(place);
      continue;
    }
    ++place;
    const std::uint64_t used = mount->used_bytes;
    if (std::max(used, known.told_bytes) - std::min(used, known.told_bytes) < kWorthTelling) continue;
    known.told_bytes = used;
    seen.push_back({known.pid, *mount});
  }
  lock.lock();
  mounts.insert(mounts.end(), seen.begin(), seen.end());
}

void ProcessReader::run(const std::shared_ptr<State>& state, std::uint64_t generation) {
  // Signals belong to the main thread's signalfd.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  Namespaces namespaces;
  std::unique_lock lock(state->mutex);
  while (state->goes_on(generation)) {
    if (!state->mounts_wanted && state->waiting.empty()) {
      state->wake.wait(lock);
      continue;
    }
    if (!state->mounts_wanted && state->must_wait(lock)) {
      if (state->goes_on(generation)) state->wake.wait_for(lock, kLookAgain);
      continue;
    }
    // Meanwhile others may have been taken away, or the end have come.
    if (!state->goes_on(generation) || (!state->mounts_wanted && state->waiting.empty())) continue;
    state->reading_since = Clock::now();
    if (state->mounts_wanted) {
      state->read_mounts(namespaces, lock);
    } else {
      const Request wanted = state->waiting.front();
      state->waiting.pop_front();
      state->read_one(wanted, namespaces, lock);
    }
    // Of one that was replaced meanwhile, this is another thread's.
    if (state->generation == generation) state->reading_since.reset();
  }
  if (state->generation != generation) return;
  state->running = false;
  state->ended.notify_all();
}

}  // namespace oomtrace::capture
