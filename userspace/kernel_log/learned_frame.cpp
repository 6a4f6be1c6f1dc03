// SPDX-License-Identifier: Apache-2.0
// What stands around the messages of a log in a form that nobody taught.
#include "kernel_log/learned_frame.h"

#include <algorithm>
#include <array>
#include <optional>

#include "kernel_log/scan.h"
#include "kernel_log/timestamp.h"

namespace oomtrace::kernel_log {
namespace {

constexpr std::size_t kMaxBefore = 256;
constexpr std::size_t kMaxBehind = 64;

// A line whose beginning, and perhaps end, is the kernel's: dump_header() and what it calls.
struct Anchor {
  std::string_view text;
  bool whole;  // nothing of the kernel's follows
};
constexpr std::array<Anchor, 9> kAnchors{{{"Call Trace:", true},
                                          {"Call trace:", true},
                                          {"Mem-Info:", true},
                                          {"Tasks state (memory values in pages):", true},
                                          {"oom-kill:constraint=", false},
                                          {"Memory cgroup stats for ", false},
                                          {"memory: usage ", false},
                                          {"Memory cgroup out of memory: Kill", false},
                                          {"Out of memory: Kill", false}}};

bool is_word(char c) { return is_alpha(c) || is_digit(c); }

std::size_t word_end(std::string_view s, std::size_t at) {
  while (at < s.size() && is_word(s[at])) ++at;
  return at;
}
bool has_digit(std::string_view s) { return std::any_of(s.begin(), s.end(), is_digit); }

// "CPU: 3 PID: 77 Comm: ", with the user id of 6.12 and later.
std::size_t find_header(std::string_view s) {
  const auto at = s.find("CPU: ");
  if (at == s.npos || !contains(s.substr(at), "PID: ") || !contains(s.substr(at), "Comm: ")) return s.npos;
  return at;
}

// "[ pid ]   uid  tgid ... name".
std::size_t find_table_header(std::string_view s) {
  for (const std::string_view head : {"[ pid ]", "[  pid  ]"}) {
    const auto at = s.find(head);
    if (at != s.npos && contains(s.substr(at), " uid ") && contains(s.substr(at), " tgid ")) return at;
  }
  return s.npos;
}

void find_stamp(std::string_view taken, Stamp& stamp) {
  for (std::size_t at = 0; at < taken.size() && !stamp.known(); ++at) {
    std::string_view s = taken.substr(at);
    if (s.front() == '[') {
      take_printk_stamp(s, stamp);
    } else if (is_digit(s.front()) && (at == 0 || !is_word(taken[at - 1]))) {
      // A stamp in a column of its own ends in what is no blank.
      const auto end = s.find_first_of("\",;\t|");
      std::string_view cell = s.substr(0, end);
      take_iso_stamp(cell, stamp);
    }
  }
}

}  // namespace

std::size_t match_alike(std::string_view sample, std::string_view text) {
  std::size_t i = 0, j = 0;
  while (i < sample.size()) {
    if (is_blank(sample[i])) {
      const std::size_t blanks = i;
      while (i < sample.size() && is_blank(sample[i])) ++i;
      std::size_t k = j;
      while (k < text.size() && is_blank(text[k])) ++k;
      if (i == sample.size()) {
        // The last blanks: more of them are the message's own.
        if (k - j < i - blanks) return sample.npos;
        return j + (i - blanks);
      }
      // Numbers are set to the right of their column.
      if (k == j && !is_digit(sample[i])) return sample.npos;
      j = k;
    } else if (is_word(sample[i])) {
      while (j < text.size() && is_blank(text[j]) && is_digit(sample[i])) ++j;
      const std::size_t end = word_end(sample, i), text_end = word_end(text, j);
      const std::string_view want = sample.substr(i, end - i), got = text.substr(j, text_end - j);
      if (has_digit(want) ? !has_digit(got) : want != got) return sample.npos;
      i = end;
      j = text_end;
    } else {
      if (j >= text.size() || text[j] != sample[i]) return sample.npos;
      ++i;
      ++j;
    }
  }
  return j;
}

void LearnedFrame::learn(std::string_view before, std::string_view behind) {
  if (before.size() > kMaxBefore || behind.size() > kMaxBehind) return;
  before_ = before;
  behind_ = std::string(behind);  // it may be a view of what is there
}

// Learns from a line that is fixed.
void LearnedFrame::look(std::string_view message) {
  if (contains(message, " tgid ")) {
    const std::size_t start = find_table_header(message);
    if (start == message.npos) return;
    constexpr std::string_view kName = " name";
    const auto name = message.rfind(kName);
    learn(message.substr(0, start),
          name == message.npos ? std::string_view(behind_) : message.substr(name + kName.size()));
    return;
  }
  if (!contains(message, ":")) return;
  for (const Anchor& anchor : kAnchors) {
    const auto start = message.find(anchor.text);
    if (start == message.npos) continue;
    learn(message.substr(0, start),
          anchor.whole ? message.substr(start + anchor.text.size()) : std::string_view(behind_));
    return;
  }
  if (const std::size_t start = find_header(message); start != message.npos) learn(message.substr(0, start), behind_);
}

void LearnedFrame::apply(LogRecord& record) {
  const std::string_view message = record.message;
  if (record.foreign || message.empty()) return;
  look(message);
  if (before_.empty() && behind_.empty()) return;
  std::string_view rest = message;
  if (!before_.empty()) {
    const std::size_t length = match_alike(before_, rest);
    if (length == rest.npos) return;
    find_stamp(rest.substr(0, length), record.stamp);
    rest.remove_prefix(length);
    record.prefixed = true;
  }
  if (!behind_.empty()) {
    // From where the last one like it could begin; what stands behind is the same text, but for numbers.
    for (std::size_t n = std::min(rest.size(), behind_.size() + 8); n > 0; --n) {
      const std::string_view tail = rest.substr(rest.size() - n);
      if (match_alike(behind_, tail) != n) continue;
      rest.remove_suffix(n);
      break;
    }
  }
  record.message = trim_back(rest);
}

}  // namespace oomtrace::kernel_log
