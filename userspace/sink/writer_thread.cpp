// SPDX-License-Identifier: Apache-2.0
// Taking, writing, flushing, and what becomes of errors.
#include "sink/writer_thread.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/sys_error.h"
#include "base/touch_stack.h"

namespace oomtrace::sink {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

// A line that the sink will not take, which says nothing about the next one.
bool is_about_the_line(const Error& error) { return error.sys_errno == EINVAL || error.sys_errno == EMSGSIZE; }

void add(std::atomic<std::uint64_t>& counter, std::uint64_t count = 1) {
  counter.fetch_add(count, std::memory_order_relaxed);
}

}  // namespace

WriterThread::WriterThread(LineQueue& queue, std::vector<SinkEntry> sinks, const WriterThreadOptions& options)
    : queue_(queue), options_(options), slot_count_(sinks.size()), slots_(std::make_unique<Slot[]>(sinks.size())) {
  for (std::size_t i = 0; i < slot_count_; ++i) {
    slots_[i].sink = std::move(sinks[i].sink);
    slots_[i].flush_when_idle = sinks[i].flush_when_idle;
    slots_[i].loss = sinks[i].loss;
  }
}

Result<std::unique_ptr<WriterThread>> WriterThread::start(LineQueue& queue, std::vector<SinkEntry> sinks,
                                                          const WriterThreadOptions& options) {
  std::unique_ptr<WriterThread> writer(new WriterThread(queue, std::move(sinks), options));
  // The new thread inherits the mask, so that signals reach the thread that waits for them.
  sigset_t all;
  sigset_t old;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &old);
  int error = 0;
  try {
    writer->thread_ = std::thread([self = writer.get()] { self->run(); });
  } catch (const std::system_error& failure) {
    error = failure.code().value();
  }
  ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  if (error != 0) return fail_errno(Errc::kOutput, "start the writer thread", error);
  ::pthread_setname_np(writer->thread_.native_handle(), "oomtrace-writer");
  return writer;
}

WriterThread::~WriterThread() { drain_and_stop(); }

void WriterThread::drain_and_stop(milliseconds patience) {
  if (!thread_.joinable()) return;
  stop_.store(true, std::memory_order_release);
  queue_.wake();
  {
    std::unique_lock lock(mutex_);
    if (!finished_.wait_for(lock, patience, [this] { return is_finished_; })) {
      for (std::size_t i = 0; i < slot_count_; ++i) slots_[i].sink->cancel();
    }
  }
  thread_.join();
}

void WriterThread::run() {
  touch_stack();
  next_tick_ = Clock::now() + options_.frame_interval;
  for (;;) {
    // Read before the queue: what was pushed before the stop is then seen.
    const bool stopping = stop_.load(std::memory_order_acquire);
    if (stopping) flush_all(false);  // the last chance of a failing sink to take what is queued
    take_queued();
    flush_as_asked();
    if (stopping) break;
    const auto left = duration_cast<milliseconds>(next_tick_ - Clock::now()) + milliseconds(1);
    queue_.wait(std::max(left, milliseconds(0)));
  }
  flush_all(true);
  close_books();
  const std::lock_guard lock(mutex_);
  is_finished_ = true;
  finished_.notify_all();
}

void WriterThread::take_queued() {
  for (;;) {
    const auto now = Clock::now();
    if (now >= next_tick_) {
      flush_all(false);
      next_tick_ = now + options_.frame_interval;
    }
    if (sync_asked_ && now - *sync_asked_ >= options_.sync_gather) flush_as_asked();
    const auto item = queue_.front();
    if (!item) break;
    take(*item);
    queue_.pop();
  }
  note_flags(queue_.take_dropped_flags());
  for (std::size_t i = 0; i < slot_count_; ++i) {
    Slot& slot = slots_[i];
    if (slot.flush_when_idle && slot.unflushed > 0 && !slot.suspended) flush(slot, false);
  }
}

void WriterThread::take(const LineQueue::Item& item) {
  if ((item.flags & kRoll) != 0) roll_all();
  if ((item.flags & kNotice) != 0) write_notice(item.text);
  if ((item.flags & kLine) != 0) {
    for (std::size_t i = 0; i < slot_count_; ++i) write_line(slots_[i], item);
  }
  note_flags(item.flags);
}

void WriterThread::note_flags(std::uint32_t flags) {
  if ((flags & kFlush) != 0) flush_asked_ = true;
  if ((flags & kSync) != 0 && !sync_asked_) sync_asked_ = Clock::now();
}

// What was taken is in the old segment then, durably. Where there is no new one, the old one goes on.
void WriterThread::roll_all() {
  for (std::size_t i = 0; i < slot_count_; ++i) {
    Slot& slot = slots_[i];
    if (slot.ended.load(std::memory_order_relaxed)) continue;
    if (auto rolled = slot.sink->roll(); !rolled) {
      add(slot.errors);
      const std::lock_guard lock(mutex_);
      if (!slot.first_error) slot.first_error = std::move(rolled).error();
    }
  }
}

void WriterThread::refuse(Slot& slot, const LineQueue::Item& item) {
  add(slot.lines_not_written);
  if (item.line_class != LineClass::kNormal) add(slot.kill_lines_not_written);
  slot.refused.note(item.text);
}

void WriterThread::write_line(Slot& slot, const LineQueue::Item& item) {
  if (slot.suspended || slot.ended.load(std::memory_order_relaxed) || !slot.sink->takes(item.line_class)) {
    refuse(slot, item);
    note_shortage(slot);
    return;
  }
  tell_refused(slot);
  auto written = slot.sink->write(item.text);
  if (written) {
    add(slot.lines);
    ++slot.unflushed;
    return;
  }
  refuse(slot, item);
  slot.suspended = !is_about_the_line(written.error());
  if (slot.suspended) slot.kills_only.store(false, std::memory_order_relaxed);
  on_error(slot, std::move(written).error());
}

// A terminal that is stopped must not keep a kill from the disk: what it does not take at once is dropped.
void WriterThread::write_notice(std::string_view text) {
  if (options_.notice_fd < 0) return;
  pollfd entry{options_.notice_fd, POLLOUT, 0};
  char newline = '\n';
  const std::array<iovec, 2> parts = {iovec{const_cast<char*>(text.data()), text.size()}, iovec{&newline, 1}};
  const bool ready = ::poll(&entry, 1, 0) == 1 && (entry.revents & POLLOUT) != 0;
  const bool wrote = ready && ::writev(options_.notice_fd, parts.data(), parts.size()) > 0;
  add(wrote ? notices_ : notices_dropped_);
}

void WriterThread::flush_as_asked() {
  if (sync_asked_) {
    const auto since = *sync_asked_;
    flush_all(true);
    const auto took = static_cast<std::uint64_t>(duration_cast<microseconds>(Clock::now() - since).count());
    add(syncs_);
    if (took > longest_sync_us_.load(std::memory_order_relaxed)) {
      longest_sync_us_.store(took, std::memory_order_relaxed);
    }
  } else if (flush_asked_) {
    flush_all(false);
  }
}

void WriterThread::flush_all(bool durable) {
  for (std::size_t i = 0; i < slot_count_; ++i) {
    Slot& slot = slots_[i];
    const bool failing = slot.failing.load(std::memory_order_relaxed);
    if (durable || slot.unflushed > 0 || failing || slot.suspended || slot.sync_owed) flush(slot, durable);
  }
  flush_asked_ = false;
  if (durable) sync_asked_.reset();
}

void WriterThread::flush(Slot& slot, bool durable) {
  if (slot.ended.load(std::memory_order_relaxed)) return;
  // A kill that could not be made durable is still owed when the disk takes bytes again.
  slot.sync_owed = slot.sync_owed || durable;
  if (auto flushed = slot.sink->flush(slot.sync_owed); !flushed) {
    slot.kills_only.store(false, std::memory_order_relaxed);
    on_error(slot, std::move(flushed).error());
    return;
  }
  slot.unflushed = 0;
  slot.suspended = false;
  slot.sync_owed = false;
  if (!slot.sink->takes(LineClass::kNormal)) return note_shortage(slot);
  slot.kills_only.store(false, std::memory_order_relaxed);
  slot.failing.store(false, std::memory_order_relaxed);
  tell_refused(slot);
}

// A sink that works but does not take all.
void WriterThread::note_shortage(Slot& slot) {
  if (slot.suspended || slot.sink->takes(LineClass::kNormal)) return;
  slot.kills_only.store(true, std::memory_order_relaxed);
  if (!slot.failing.load(std::memory_order_relaxed)) on_error(slot, Error{Errc::kOutput, ENOSPC, "no room", {}});
}

// Before the next line that is taken, so that lines stay in the order of their seq. It waits in the sink for the next
// flush.
void WriterThread::tell_refused(Slot& slot) {
  if (slot.refused.count() == 0 || slot.loss.source.empty()) return;
  const auto line = slot.refused.line(slot.loss);
  if (!line || slot.sink->write(*line)) slot.refused.clear();
}

void WriterThread::on_error(Slot& slot, Error error) {
  add(slot.errors);
  slot.last_errno.store(error.sys_errno, std::memory_order_relaxed);
  if (!is_about_the_line(error)) slot.failing.store(true, std::memory_order_relaxed);
  if (slot.sink->ended()) slot.ended.store(true, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  if (!slot.first_error) slot.first_error = std::move(error);
}

// After the last flush: what a sink took and could not hand on is lost too. Its own frames may have been closed
// between, so this is the most that can be missing.
void WriterThread::close_books() {
  for (std::size_t i = 0; i < slot_count_; ++i) {
    Slot& slot = slots_[i];
    add(slot.lines_not_written, slot.unflushed);
    add(slot.kill_lines_not_written, slot.unflushed);  // may be, for all that is known
    slot.lines.fetch_sub(slot.unflushed, std::memory_order_relaxed);
    slot.unflushed = 0;
  }
}

void WriterThread::reopen_sinks() noexcept {
  for (std::size_t i = 0; i < slot_count_; ++i) slots_[i].sink->reopen();
}

SinkStatus WriterThread::sink_status(std::size_t index) const {
  const Slot& slot = slots_[index];
  SinkStatus status;
  status.lines = slot.lines.load(std::memory_order_relaxed);
  status.lines_not_written = slot.lines_not_written.load(std::memory_order_relaxed);
  status.errors = slot.errors.load(std::memory_order_relaxed);
  status.last_errno = slot.last_errno.load(std::memory_order_relaxed);
  status.failing = slot.failing.load(std::memory_order_relaxed);
  status.kills_only = slot.kills_only.load(std::memory_order_relaxed);
  status.kill_lines_not_written = slot.kill_lines_not_written.load(std::memory_order_relaxed);
  status.ended = slot.ended.load(std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  status.first_error = slot.first_error;
  return status;
}

WriterThreadStatus WriterThread::status() const {
  return {notices_.load(std::memory_order_relaxed), notices_dropped_.load(std::memory_order_relaxed),
          syncs_.load(std::memory_order_relaxed), longest_sync_us_.load(std::memory_order_relaxed)};
}

bool WriterThread::all_sinks_ended() const {
  for (std::size_t i = 0; i < slot_count_; ++i) {
    if (!slots_[i].ended.load(std::memory_order_relaxed)) return false;
  }
  return slot_count_ > 0;
}

}  // namespace oomtrace::sink
