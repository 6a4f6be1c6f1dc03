// SPDX-License-Identifier: Apache-2.0
// Where encoded lines end: a trace file, a stream, a socket.
#pragma once

#include <string_view>

#include "oomtrace/result.h"
#include "sink/line_queue.h"

namespace oomtrace::sink {

// Called by one thread, the writer's, but for cancel() and reopen(). What it does between a kill and its flush must not
// allocate, errors included: an Error's text of up to 15 bytes needs no memory.
class LineSink {
 public:
  virtual ~LineSink() = default;

  // Whether it takes lines of this class now: a trace file has its last room for kills. What it does not take is not
  // offered to it, and lost.
  virtual bool takes(LineClass) const { return true; }

  // Takes one line, without a newline. On an error it was not taken, and may be lost.
  virtual Result<void> write(std::string_view line) = 0;

  // Hands on what was taken; `durable` waits until it would survive a crash of the machine.
  virtual Result<void> flush(bool durable) = 0;

  // The next line begins a new segment; only recordings in segments care. May allocate.
  virtual Result<void> roll() { return {}; }

  // After an error: whether the sink is over for good (its reader is gone), so that trying again is pointless.
  virtual bool ended() const { return false; }

  // From any thread: a write(), flush() that waits for a slow reader gives up, now and later.
  virtual void cancel() noexcept {}

  // From any thread: the file under this name may be another one now (SIGHUP); only files care.
  virtual void reopen() noexcept {}
};

}  // namespace oomtrace::sink
