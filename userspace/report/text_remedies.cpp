// SPDX-License-Identifier: Apache-2.0
// What to change: commands for a shell, lines for a program, and why.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "report/text_sections.h"
#include "report/text_words.h"

namespace oomtrace {

namespace {

// Whether breaking at a blank and continuing with a backslash leaves the command what it is to a shell: nothing is
// quoted or commented out, and each word fits on a line.
bool may_continue(const std::string& command, std::size_t room) {
  if (command.find_first_of("'\"\\#") != std::string::npos) return false;
  for (std::size_t start = 0; start < command.size();) {
    const std::size_t end = std::min(command.find(' ', start), command.size());
    if (display_width(std::string_view(command).substr(start, end - start)) > room) return false;
    start = end + 1;
  }
  return true;
}

void write_command(Canvas& canvas, const std::string& command) {
  const std::string text = canvas.safe(command);
  const std::size_t room = canvas.width() - 9;
  const char* more = may_continue(text, room) ? " \\" : "";
  const std::vector<std::string> pieces = wrap_text(text, room, room);
  for (std::size_t i = 0; i < pieces.size(); ++i)
    canvas.line(fmt::format("{}{}{}", i == 0 ? "     $ " : "       ", pieces[i], i + 1 < pieces.size() ? more : ""));
}

// Lines of a program keep their form: what is too wide is cut, not broken.
void write_code(Canvas& canvas, const std::string& code) {
  constexpr std::size_t kLines = 12;
  std::size_t start = 0;
  for (std::size_t line = 0; line < kLines && start <= code.size(); ++line) {
    const std::size_t end = std::min(code.find('\n', start), code.size());
    canvas.line("     | " + canvas.safe(std::string_view(code).substr(start, end - start)));
    start = end + 1;
  }
}

}  // namespace

const Remedy* first_step(const std::vector<Remedy>& remedies) {
  const auto first = std::find_if(remedies.begin(), remedies.end(),
                                  [](const Remedy& remedy) { return remedy.command || remedy.code; });
  return first == remedies.end() ? nullptr : &*first;
}

void write_remedies(Canvas& canvas, const std::vector<Remedy>& remedies) {
  if (remedies.empty()) return;
  canvas.section("What to change");
  for (std::size_t i = 0; i < remedies.size(); ++i) {
    const Remedy& remedy = remedies[i];
    canvas.prefixed(fmt::format("  {}. ", i + 1), canvas.safe(remedy.title), 5);
    if (remedy.command) write_command(canvas, *remedy.command);
    if (remedy.code) write_code(canvas, *remedy.code);
    if (!remedy.why.empty()) canvas.prefixed("     why: ", canvas.safe(remedy.why), 10);
    if (!remedy.risk.empty()) canvas.prefixed("     risk: ", canvas.safe(remedy.risk), 11);
  }
}

}  // namespace oomtrace
