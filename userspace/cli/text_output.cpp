// SPDX-License-Identifier: Apache-2.0
// The terminal's width, colours and characters.
#include "cli/text_output.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "base/file.h"
#include "cli/invoking_user.h"
#include "cli/output_file.h"

namespace oomtrace::cli {

namespace {

constexpr std::size_t kPlainWidth = 100;

bool wants_color(const std::string& when, bool tty) {
  if (when == "always") return true;
  if (when == "never") return false;
  const char* no_color = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe): no other thread runs
  return tty && (no_color == nullptr || *no_color == '\0');
}

bool utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): no other thread runs
    if (value == nullptr || *value == '\0') continue;
    return std::strstr(value, "UTF-8") != nullptr || std::strstr(value, "utf8") != nullptr;
  }
  return false;
}

}  // namespace

TextOptions text_options(const std::string& color, bool to_stdout) {
  TextOptions text;
  const bool tty = to_stdout && isatty(STDOUT_FILENO) != 0;
  winsize size{};
  text.width = kPlainWidth;
  if (tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) text.width = size.ws_col;
  text.color = wants_color(color, tty);
  text.unicode = tty && utf8_locale();
  return text;
}

Result<void> write_output(const std::string& path, const std::string& text) {
  if (path.empty()) {
    const Fd out(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
    return write_all(out, text);
  }
  const InvokingUser user = find_invoking_user();
  auto file = open_output_file(path, user.through_sudo ? std::optional(FileOwner{user.uid, user.gid}) : std::nullopt);
  if (!file) return tl::make_unexpected(std::move(file).error());
  return write_all(*file, text);
}

}  // namespace oomtrace::cli
