// SPDX-License-Identifier: Apache-2.0
// One walk over the text beside the description of an event: no tree, no search, no copy.
#include "codec/canonical_reader.h"

#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#include "codec/describe.h"
#include "codec/payload_kind.h"

namespace oomtrace::codec {

namespace {

// Bounds a walk through text that may be hostile; our own objects nest five deep.
constexpr int kMaxDepth = 8;
constexpr std::size_t kMaxListItems = 4096;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// How many of eight bytes, from the first, are printable ASCII but no quote and no backslash: 0 to 8.
unsigned plain8(const char* bytes) {
  static_assert(std::endian::native == std::endian::little, "the first byte of a text is the lowest of its word");
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  // The high bit of each byte that is below n (1 to 128); wrong only behind one that is.
  const auto below = [](std::uint64_t word, std::uint64_t n) { return (word - kOnes * n) & ~word & kHighs; };
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  const std::uint64_t odd =
      (word & kHighs) | below(word, ' ') | below(word ^ (kOnes * '"'), 1) | below(word ^ (kOnes * '\\'), 1);
  return static_cast<unsigned>(std::countr_zero(odd)) / 8;
}

// A visitor of codec/describe.h. Members that are not at the cursor are missing; what is left over at the end of an
// object, or is of another form, refuses the line.
class Canonical {
 public:
  // What an object ends with is no digit: where a number starts before the end, its digits end there, too.
  Canonical(std::string_view line, Repeated& before)
      : at_(line.data()), end_(line.data() + line.size()), before_(before) {
    take('{');
    if (!line.ends_with('}')) refuse();
  }

  template <class T>
  [[gnu::always_inline]] void number(std::string_view key, T& out) {
    if (member(key)) take_number(out);
  }
  [[gnu::always_inline]] void nonzero(std::string_view key, std::uint64_t& out) { number(key, out); }
  template <class T>
  [[gnu::always_inline]] void known(std::string_view key, T& out, std::uint8_t& missing, MemoryField bit) {
    if (member(key))
      take_number(out);
    else
      missing = static_cast<std::uint8_t>(missing | bit);
  }
  template <class T>
  [[gnu::always_inline]] void opt(std::string_view key, Opt<T>& out) {
    if (member(key)) take_number(out.emplace());
  }
  [[gnu::always_inline]] void text(std::string_view key, std::string_view& out) {
    if (member(key)) take_text(out);
  }
  void flag(std::string_view key, bool& out) {
    if (!member(key)) return;
    out = take_word("true");
    if (!out && !take_word("false")) refuse();
  }
  template <class E, std::size_t N>
  void name(std::string_view key, E& out, const std::array<std::string_view, N>& names) {
    std::string_view word;
    text(key, word);
    take_named(word, names, out);
  }
  template <class F>
  [[gnu::always_inline]] void object(std::string_view key, F members) {
    if (member(key)) braces(members);
  }
  template <class T>
  [[gnu::always_inline]] void opt_object(std::string_view key, Opt<T>& out) {
    object(key, [&](Canonical& inner) { describe(inner, out.emplace()); });
  }
  template <class List>
  void texts(std::string_view key, List& out) {
    if (!member(key)) return;
    brackets([&] {
      std::string_view item;
      take_text(item);
      out.push_back(item);
    });
  }
  template <class T>
  void rows(std::string_view key, std::vector<T>& out) {
    if (!member(key)) return;
    brackets([&] { braces([&](Canonical& row) { describe(row, out.emplace_back()); }); });
  }
  void map(std::string_view key, std::vector<std::pair<std::string_view, std::string_view>>& out) {
    object(key, [&](Canonical& inner) {
      while (!inner.refused_ && !inner.sees('}') && out.size() < kMaxListItems) {
        auto& [name, value] = out.emplace_back();
        inner.any_member(name);
        inner.take_text(value);
      }
    });
  }

  // Members that may be the same as in the line before, byte for byte.
  template <class T, class F>
  void repeated(Repeated::Text<T>& before, T& out, F members) {
    const std::string_view text = before.text;
    const bool with_comma = comma_;
    if (with_comma && !refused_ && !text.empty() && take_word(text)) {
      out = before.value;
      return;
    }
    const char* const start = at_;
    members(*this);
    if (with_comma && !refused_) before = {{start, static_cast<std::size_t>(at_ - start)}, out};
  }
  template <class F>
  void repeated(CgroupRef& cgroup, F members) {
    repeated(before_.cgroup, cgroup, members);
  }

  // What the writer adds for others' sake.
  void constant(std::string_view key, std::string_view value) {
    std::string_view told;
    text(key, told);
    if (told != value) refuse();
  }
  template <class T>
  void derived(std::string_view key, const T&) {
    std::int64_t told = 0;
    number(key, told);
  }
  void container(std::string_view) {
    for (const std::string_view key : {"container", "k8s", "slurm"})
      if (member(key)) pass_texts(0);
  }

  bool finished() {
    take('}');
    return !refused_ && at_ == end_;
  }

 private:
  void refuse() { refused_ = true; }
  bool sees(char c) const { return at_ != end_ && *at_ == c; }
  void take(char c) {
    if (!refused_ && sees(c))
      ++at_;
    else
      refuse();
  }
  bool take_word(std::string_view word) {
    if (static_cast<std::size_t>(end_ - at_) < word.size() || std::memcmp(at_, word.data(), word.size()) != 0)
      return false;
    at_ += word.size();
    return true;
  }

  // Whether the member at the cursor is this one; the cursor is then at its value.
  // Inlined with the key, so that comparing it takes an instruction or two.
  [[gnu::always_inline]] bool member(std::string_view key) {
    const char* next = at_;
    if (comma_) {
      if (next == end_ || *next != ',') return false;
      ++next;
    }
    if (refused_ || static_cast<std::size_t>(end_ - next) < key.size() + 3) return false;
    if (*next != '"' || std::memcmp(next + 1, key.data(), key.size()) != 0) return false;
    next += 1 + key.size();
    if (next[0] != '"' || next[1] != ':') return false;
    at_ = next + 2;
    comma_ = true;
    return true;
  }
  void any_member(std::string_view& key) {
    if (comma_) take(',');
    take_text(key);
    take(':');
    comma_ = true;
  }

  template <class F>
  void braces(F members) {
    take('{');
    comma_ = false;
    members(*this);
    take('}');
    comma_ = true;
  }
  template <class F>
  void brackets(F item) {
    take('[');
    for (std::size_t count = 0; !refused_ && !sees(']'); ++count) {
      if (count == kMaxListItems) return refuse();
      if (count > 0) take(',');
      item();
    }
    take(']');
    comma_ = true;
  }

  // Nested objects of texts only.
  void pass_texts(int depth) {
    if (depth == kMaxDepth) return refuse();
    braces([&](Canonical&) {
      while (!refused_ && !sees('}')) {
        std::string_view text;
        any_member(text);
        if (sees('{'))
          pass_texts(depth + 1);
        else
          take_text(text);
      }
    });
  }

  void take_text(std::string_view& out) {
    take('"');
    if (refused_) return;
    const char* const start = at_;
    const char* at = start;
    for (unsigned plain = 8; plain == 8 && end_ - at >= 8; at += plain) plain = plain8(at);
    while (at != end_ && *at != '"' && *at != '\\' && static_cast<signed char>(*at) >= ' ') ++at;
    if (at == end_ || *at != '"') return refuse();
    out = {start, static_cast<std::size_t>(at - start)};
    at_ = at + 1;
  }

  template <class T>
  void take_number(T& out) {
    const char* const start = at_;
    const char* digits = start;
    if (digits != end_ && *digits == '-') ++digits;
    if (digits == end_ || !is_digit(*digits)) return refuse();
    // JSON has no 007, and -0 is no whole number.
    if (*digits == '0' && (digits != start || (digits + 1 != end_ && is_digit(digits[1])))) return refuse();
    if constexpr (std::is_floating_point_v<T>) {
      constexpr std::ptrdiff_t kExact = 15;  // digits that every double has
      const char* after = digits;
      while (after != end_ && is_digit(*after)) ++after;
      if (after != end_ && *after == '.') {
        const char* const fraction = ++after;
        while (after != end_ && is_digit(*after)) ++after;
        if (after == fraction) return refuse();
      }
      const auto [stop, error] = std::from_chars(start, after, out);
      if (error != std::errc{} || stop != after || after - digits > kExact) return refuse();
      at_ = after;
    } else {
      constexpr std::ptrdiff_t kFit = 19;  // digits that 64 bits always hold
      std::uint64_t value = 0;
      const char* after = digits;
      for (; is_digit(*after); ++after) value = value * 10 + static_cast<std::uint64_t>(*after - '0');
      if (after - digits > kFit) return take_long_number(start, out);
      at_ = after;  // a fraction or exponent is not what comes next
      if (digits == start) {
        out = static_cast<T>(value);
        if (!std::in_range<T>(value)) refuse();
      } else {
        const auto negative = static_cast<std::int64_t>(0 - value);
        out = static_cast<T>(negative);
        if (negative >= 0 || !std::in_range<T>(negative)) refuse();
      }
    }
  }

  template <class T>
  void take_long_number(const char* start, T& out) {
    const auto [stop, error] = std::from_chars(start, end_, out);
    if (error != std::errc{}) return refuse();
    at_ = stop;
  }

  const char* at_;
  const char* end_;
  Repeated& before_;
  bool comma_ = false;  // a member of this object came before
  bool refused_ = false;
};

}  // namespace

bool read_canonical(std::string_view line, Event& event) {
  Repeated nothing;
  return read_canonical(line, event, nothing);
}

bool read_canonical(std::string_view line, Event& event, Repeated& before) {
  Canonical reader(line, before);
  event.boot_ns = event.seq = 0;
  Repeated::Ids ids;
  Repeated::Host host;
  std::string_view time;
  std::string_view kind;
  reader.text("ts", time);
  reader.number("boot_ns", event.boot_ns);
  reader.number("seq", event.seq);
  reader.repeated(before.ids, ids, [&](Canonical& members) {
    members.text("trace_id", ids.trace_id);
    members.text("boot_id", ids.boot_id);
  });
  if (ids.boot_id.empty()) before.ids.text = {};  // it might be only the beginning of the next line's
  reader.text("event", kind);
  if (kind.empty() || !make_payload(kind, event.payload)) return false;
  reader.repeated(before.host, host, [&](Canonical& members) {
    members.object("host", [&](Canonical& inner) {
      inner.text("name", host.name);
      inner.text("id", host.id);
    });
  });
  event.trace_id = ids.trace_id;
  event.boot_id = ids.boot_id;
  event.host_name = host.name;
  event.host_id = host.id;
  event.wall_ns = before.times.read(time).value_or(0);
  std::visit([&](auto& payload) { describe(reader, payload); }, event.payload);
  event.truncated = false;
  reader.flag("truncated", event.truncated);
  return reader.finished();
}

}  // namespace oomtrace::codec
