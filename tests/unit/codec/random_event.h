// SPDX-License-Identifier: Apache-2.0
// Events with arbitrary members: a visitor of the description that fills instead of reading or writing.
#pragma once

#include <array>
#include <deque>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "codec/describe.h"

namespace oomtrace::codec {

enum class Fill {
  kAll,   // every member known and different from its default
  kSome,  // any of them
};

enum class Texts {
  kAny,    // with what is hostile among them
  kPlain,  // printable ASCII without quotes and backslashes
};

// Owns the texts of the events it made.
class RandomEvents {
 public:
  explicit RandomEvents(unsigned seed, Texts texts = Texts::kAny) : random_(seed), kind_(texts) {}

  // Of the kind with this index in Payload.
  Event make(std::size_t kind, Fill fill);

  // Valid UTF-8: mostly short with what is hostile in it, at times the cgroup path of a container.
  std::string_view any_text();

  std::mt19937_64& random() { return random_; }

 private:
  std::mt19937_64 random_;
  Texts kind_;
  std::deque<std::string> texts_;
};

class Filler {
 public:
  Filler(RandomEvents& events, Fill fill) : events_(events), fill_(fill) {}

  template <class T>
  void number(std::string_view, T& out) {
    if constexpr (std::is_floating_point_v<T>) {
      out = static_cast<T>(events_.random()() % 10'000 + 1) / 100;
    } else {
      // All magnitudes alike, the extremes among them.
      const std::uint64_t bits = events_.random()() >> (events_.random()() % 64);
      out = static_cast<T>(bits);
      if (out == T{} && fill_ == Fill::kAll) out = 1;
    }
  }
  void nonzero(std::string_view key, std::uint64_t& out) { number(key, out); }
  template <class T>
  void known(std::string_view key, T& out, std::uint8_t& missing, MemoryField bit) {
    if (given())
      number(key, out);
    else
      missing = static_cast<std::uint8_t>(missing | bit);
  }
  template <class T>
  void opt(std::string_view key, Opt<T>& out) {
    if (given()) number(key, out.emplace());
  }
  void text(std::string_view, std::string_view& out) { out = some_text(); }
  void flag(std::string_view, bool& out) { out = given(); }
  template <class E, std::size_t N>
  void name(std::string_view, E& out, const std::array<std::string_view, N>&) {
    const E before = out;
    do {
      out = static_cast<E>(events_.random()() % N);
    } while (fill_ == Fill::kAll && out == before);
  }
  template <class F>
  void object(std::string_view, F members) {
    members(*this);
  }
  template <class T>
  void opt_object(std::string_view, Opt<T>& out) {
    if (given()) describe(*this, out.emplace());
  }
  template <class List>
  void texts(std::string_view, List& out) {
    for (std::size_t n = some_count(); n > 0; --n) out.push_back(some_text());
  }
  template <class T>
  void rows(std::string_view, std::vector<T>& out) {
    for (std::size_t n = some_count(); n > 0; --n) describe(*this, out.emplace_back());
  }
  void map(std::string_view, std::vector<std::pair<std::string_view, std::string_view>>& out) {
    for (std::size_t n = some_count(); n > 0; --n) out.emplace_back(some_text(), some_text());
  }
  void constant(std::string_view, std::string_view) {}
  template <class T>
  void derived(std::string_view, const T&) {}
  void container(std::string_view) {}
  template <class F>
  void repeated(const CgroupRef&, F members) {
    members(*this);
  }

 private:
  bool given() { return fill_ == Fill::kAll || events_.random()() % 2 == 0; }
  std::size_t some_count() { return fill_ == Fill::kAll ? 3 : events_.random()() % 6; }
  std::string_view some_text() {
    if (!given()) return {};
    std::string_view text = events_.any_text();
    while (text.empty() && fill_ == Fill::kAll) text = events_.any_text();
    return text;
  }

  RandomEvents& events_;
  Fill fill_;
};

// A default-constructed payload of the kind.
Payload payload_of(std::size_t kind);

// "process_fork": a kind's name as that of a test.
std::string test_name_of(std::size_t kind);

// What encode_line() makes of the event; throws where it takes it not.
std::string encoded(const Event& event);

}  // namespace oomtrace::codec
