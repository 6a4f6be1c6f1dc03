// SPDX-License-Identifier: Apache-2.0
// A bounded writer that follows the description of an event; a field that has no room is taken back whole.
#include "codec/json_writer.h"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <type_traits>

#include "base/text.h"
#include "base/time_text.h"
#include "codec/describe.h"

namespace oomtrace::codec {

namespace {

// Kept free for what closes a line: brackets and the note that something was left out.
constexpr std::size_t kTail = 64;

class Writer {
 public:
  explicit Writer(std::span<char> out) : out_(out), limit_(out.size() - kTail) {}

  template <class T>
  void number(std::string_view key, const T& value) {
    field(key, [&] {
      if constexpr (std::is_floating_point_v<T>)
        format("{:.2f}", value);
      else
        format("{}", value);
    });
  }
  void nonzero(std::string_view key, std::uint64_t value) {
    if (value != 0) number(key, value);
  }
  template <class T>
  void known(std::string_view key, const T& value, std::uint8_t missing, MemoryField bit) {
    if ((missing & bit) == 0) number(key, value);
  }
  template <class T>
  void opt(std::string_view key, const Opt<T>& value) {
    if (value) number(key, *value);
  }
  void text(std::string_view key, std::string_view value) {
    if (!value.empty()) field(key, [&] { quoted(value); });
  }
  void constant(std::string_view key, std::string_view value) { text(key, value); }
  void flag(std::string_view key, bool value) {
    if (value) field(key, [&] { raw("true"); });
  }
  template <class E, std::size_t N>
  void name(std::string_view key, E value, const std::array<std::string_view, N>& names) {
    text(key, names[static_cast<std::size_t>(value)]);
  }

  // An object without members is taken back, with its key.
  template <class F>
  void object(std::string_view key, F members) {
    const State before = state();
    if (!open(key, '{')) return restore_after_overflow(before);
    const std::size_t start = used_;
    members(*this);
    if (used_ == start) return restore(before);
    close('}');
  }
  template <class T>
  void opt_object(std::string_view key, const Opt<T>& value) {
    if (!value) return;
    T copy = *value;
    object(key, [&](Writer& o) { describe(o, copy); });
  }
  template <class List>
  void texts(std::string_view key, const List& list) {
    array(key, list, [&](std::string_view item) { quoted(item); });
  }
  template <class T>
  void rows(std::string_view key, const std::vector<T>& list) {
    array(key, list, [&](const T& item) {
      T copy = item;
      raw("{");
      comma_ = false;
      describe(*this, copy);
      raw("}");
    });
  }
  void map(std::string_view key, const std::vector<std::pair<std::string_view, std::string_view>>& list) {
    object(key, [&](Writer& o) {
      for (const auto& [name, value] : list) o.field(name, [&] { o.quoted(value); });
    });
  }

  void raw(std::string_view bytes) {
    if (overflow_) return;
    if (bytes.size() > limit_ - used_) {
      overflow_ = true;
      return;
    }
    bytes.copy(out_.data() + used_, bytes.size());
    used_ += bytes.size();
  }

  std::size_t finish() {
    limit_ = out_.size();
    overflow_ = false;
    if (truncated_) raw(",\"truncated\":true");
    raw("}");
    return used_;
  }

 private:
  struct State {
    std::size_t used;
    bool comma;
  };
  State state() const { return {used_, comma_}; }
  void restore(State before) {
    used_ = before.used;
    comma_ = before.comma;
  }
  void restore_after_overflow(State before) {
    restore(before);
    overflow_ = false;
    truncated_ = true;
  }

  template <class F>
  void field(std::string_view key, F value) {
    const State before = state();
    start_member(key);
    value();
    if (overflow_) return restore_after_overflow(before);
    comma_ = true;
  }

  void start_member(std::string_view key) {
    if (comma_) raw(",");
    quoted(key);
    raw(":");
  }

  bool open(std::string_view key, char bracket) {
    start_member(key);
    raw({&bracket, 1});
    comma_ = false;
    return !overflow_;
  }

  // Members that had no room were taken back one by one: the bracket has the room kept for it.
  void close(char bracket) {
    if (used_ < out_.size()) out_[used_++] = bracket;
    comma_ = true;
  }

  template <class List, class F>
  void array(std::string_view key, const List& list, F write_item) {
    if (list.empty()) return;
    const State before = state();
    if (!open(key, '[')) return restore_after_overflow(before);
    for (const auto& item : list) {
      const State previous = state();
      if (comma_) raw(",");
      write_item(item);
      if (overflow_) {
        restore_after_overflow(previous);
        break;
      }
      comma_ = true;
    }
    close(']');
  }

  void quoted(std::string_view text) {
    raw("\"");
    if (overflow_) return;
    const std::size_t room = std::min(limit_ - used_, kMaxTextBytes);
    const EscapedText escaped = escape_json(text, out_.subspan(used_, room));
    used_ += escaped.written;
    if (escaped.consumed < text.size()) {
      if (room < kMaxTextBytes) overflow_ = true;
      truncated_ = true;
    }
    raw("\"");
  }

  template <class... Values>
  void format(fmt::format_string<Values...> pattern, Values&&... values) {
    char digits[64];
    const auto end = fmt::format_to_n(digits, sizeof(digits), pattern, std::forward<Values>(values)...);
    raw({digits, std::min(end.size, sizeof(digits))});
  }

  std::span<char> out_;
  std::size_t limit_;
  std::size_t used_ = 0;
  bool comma_ = false;
  bool overflow_ = false;   // the field being written has no room
  bool truncated_ = false;  // something was left out
};

void write_header(Writer& writer, const Event& event) {
  char time[kRfc3339NsLength];
  write_rfc3339_ns(event.wall_ns, time);
  writer.text("ts", {time, sizeof(time)});
  writer.number("boot_ns", event.boot_ns);
  writer.number("seq", event.seq);
  writer.text("trace_id", event.trace_id);
  writer.text("boot_id", event.boot_id);
  writer.text("event", event_kind_name(event));
  writer.object("host", [&](Writer& o) {
    o.text("name", event.host_name);
    o.text("id", event.host_id);
  });
}

}  // namespace

Result<std::size_t> encode_line(const Event& event, std::span<char> out) {
  if (out.size() < 1024) return fail(Errc::kOutput, "line buffer");
  Writer writer(out.subspan(0, std::min(out.size(), kMaxLineBytes)));
  writer.raw("{");
  write_header(writer, event);
  // The description takes its fields by reference for the reader's sake; the writer changes none.
  std::visit([&](auto& payload) { describe(writer, payload); }, const_cast<Event&>(event).payload);
  return writer.finish();
}

}  // namespace oomtrace::codec
