// SPDX-License-Identifier: Apache-2.0
// sd_journal_sendv(3), without waiting for a journald that does not read.
#include "sink/journal_sink.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include <cerrno>
#include <utility>

#include "base/sys_error.h"
#include "sink/journal_fields.h"

namespace oomtrace::sink {
namespace {

constexpr sockaddr_un kJournal = {AF_UNIX, "/run/systemd/journal/socket"};
constexpr int kPollMilliseconds = 100;  // how soon cancel() is noticed

}  // namespace

Result<std::unique_ptr<JournalSink>> JournalSink::open() {
  std::unique_ptr<JournalSink> sink(new JournalSink);
  if (const int error = sink->connect(); error != 0) {
    auto failed = fail_errno(Errc::kOutput, std::string("connect to the journal at ") + kJournal.sun_path, error);
    failed.value().hint = "systemd-journald does not run here; write to a FILE or unix:PATH instead";
    return failed;
  }
  return sink;
}

// Anew for each message: a journald that was restarted has a new socket under the old name.
int JournalSink::connect() {
  if (!probe_) probe_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe_ || ::connect(probe_.get(), reinterpret_cast<const sockaddr*>(&kJournal), sizeof(kJournal)) != 0)
    return errno;
  return 0;
}

// A connected datagram socket polls as writable while its peer's queue has room.
Result<void> JournalSink::wait_for_room() {
  if (const int error = connect(); error != 0) return fail(Errc::kOutput, "connect", error);
  while (!cancelled_.load(std::memory_order_relaxed)) {
    pollfd entry{probe_.get(), POLLOUT, 0};
    const int ready = ::poll(&entry, 1, kPollMilliseconds);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail(Errc::kOutput, "poll", errno);
  }
  return fail(Errc::kOutput, "write", ECANCELED);
}

Result<void> JournalSink::write(std::string_view line) {
  const auto event = decoder_.decode(line);
  if (!event || !*event) return fail(Errc::kOutput, "decode", EINVAL);
  if (auto room = wait_for_room(); !room) return room;
  make_journal_fields(**event, line, fields_);
  std::vector<iovec> parts;
  parts.reserve(fields_.size());
  for (std::string& field : fields_) parts.push_back({field.data(), field.size()});
  const int result = ::sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
  if (result < 0) return fail(Errc::kOutput, "write", -result);
  return {};
}

}  // namespace oomtrace::sink
