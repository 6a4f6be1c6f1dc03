// SPDX-License-Identifier: Apache-2.0
// From words to sinks.
#include "sink/target.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/sys_error.h"
#include "sink/socket_sink.h"
#include "sink/stdout_sink.h"
#ifdef OOMTRACE_SYSTEMD
#include "sink/journal_sink.h"
#endif

namespace oomtrace::sink {
namespace {

template <class T>
Result<std::unique_ptr<LineSink>> as_sink(Result<std::unique_ptr<T>> opened) {
  if (!opened) return tl::make_unexpected(std::move(opened).error());
  return std::unique_ptr<LineSink>(*std::move(opened));
}

Result<std::unique_ptr<LineSink>> open_journal() {
#ifdef OOMTRACE_SYSTEMD
  return as_sink(JournalSink::open());
#else
  return fail(Errc::kUsage, "this oomtrace was built without the journal", 0,
              "install libsystemd-dev and build again, or write to a FILE");
#endif
}

}  // namespace

Target parse_target(std::string_view text) {
  constexpr std::string_view kSocket = "unix:";
  if (text == "-") return {};
  if (text == "journal") return {TargetKind::kJournal, {}};
  if (text.starts_with(kSocket)) return {TargetKind::kSocket, std::string(text.substr(kSocket.size()))};
  return {TargetKind::kFile, std::string(text)};
}

Result<std::unique_ptr<LineSink>> open_target(const Target& target, const FileSinkOptions& file_options,
                                              bool must_be_there) {
  switch (target.kind) {
    case TargetKind::kFile:
      return as_sink(FileSink::open(target.path, file_options));
    case TargetKind::kSocket:
      return as_sink(SocketSink::open(target.path, must_be_there,
                                      file_options.owner ? std::optional(file_options.owner->uid) : std::nullopt));
    case TargetKind::kJournal:
      return open_journal();
    case TargetKind::kStdout:
      break;
  }
  Fd out(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
  if (!out) return fail_errno(Errc::kOutput, "standard output", errno);
  // What stands there where it was closed: a stream to it would only end.
  if ((::fcntl(out.get(), F_GETFL) & O_ACCMODE) == O_RDONLY) return fail_errno(Errc::kOutput, "standard output", EBADF);
  return std::unique_ptr<LineSink>(std::make_unique<StdoutSink>(std::move(out)));
}

}  // namespace oomtrace::sink
