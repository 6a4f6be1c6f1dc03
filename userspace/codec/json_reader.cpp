// SPDX-License-Identifier: Apache-2.0
// Follows the description of an event through a parsed document.
#include "codec/json_reader.h"

#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include "base/time_text.h"
#include "codec/describe.h"
#include "codec/json_writer.h"

namespace oomtrace::codec {

namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

// Pipelines add fields of their own.
constexpr std::size_t kMaxReadBytes = 16 * kMaxLineBytes;
constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxListItems = 4096;

template <class T>
bool from_double(double value, T& out) {
  if (!std::isfinite(value) || value != std::trunc(value)) return false;
  if (value < static_cast<double>(std::numeric_limits<T>::min()) ||
      value >= std::ldexp(1.0, std::numeric_limits<T>::digits))
    return false;
  out = static_cast<T>(value);
  return true;
}

template <class T>
bool read_integer(const element& value, T& out) {
  switch (value.type()) {
    case element_type::INT64: {
      const std::int64_t number = value.get_int64().value_unsafe();
      if (!std::in_range<T>(number)) return false;
      out = static_cast<T>(number);
      return true;
    }
    case element_type::UINT64: {
      const std::uint64_t number = value.get_uint64().value_unsafe();
      if (!std::in_range<T>(number)) return false;
      out = static_cast<T>(number);
      return true;
    }
    case element_type::DOUBLE:
      return from_double(value.get_double().value_unsafe(), out);
    case element_type::STRING: {
      const std::string_view text = value.get_string().value_unsafe();
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
      return error == std::errc{} && end == text.data() + text.size();
    }
    default:
      return false;
  }
}

bool read_integer(const element& value, double& out) {
  double number = 0;
  if (value.get(number) != simdjson::SUCCESS) return false;
  out = number;
  return true;
}

class Reader {
 public:
  explicit Reader(const simdjson::dom::object& object) : object_(object), present_(true) {}

  template <class T>
  void number(std::string_view key, T& out) {
    element value;
    if (find(key, value) && !read_integer(value, out)) complain(key);
  }
  void nonzero(std::string_view key, std::uint64_t& out) { number(key, out); }
  template <class T>
  void known(std::string_view key, T& out, std::uint8_t& missing, MemoryField bit) {
    element value;
    if (!find(key, value) || value.is_null())
      missing = static_cast<std::uint8_t>(missing | bit);
    else if (!read_integer(value, out))
      complain(key);
  }
  template <class T>
  void opt(std::string_view key, Opt<T>& out) {
    T value{};
    element found;
    if (!find(key, found) || found.is_null()) return;
    if (!read_integer(found, value)) return complain(key);
    out = value;
  }
  void text(std::string_view key, std::string_view& out) {
    element value;
    if (!find(key, value) || value.is_null()) return;
    if (value.get(out) != simdjson::SUCCESS) complain(key);
  }
  void constant(std::string_view, std::string_view) {}  // looked at by decode()
  void flag(std::string_view key, bool& out) {
    element value;
    if (find(key, value) && value.get(out) != simdjson::SUCCESS) complain(key);
  }
  template <class E, std::size_t N>
  void name(std::string_view key, E& out, const std::array<std::string_view, N>& names) {
    std::string_view word;
    text(key, word);
    for (std::size_t i = 0; i < N; ++i)
      if (names[i] == word) out = static_cast<E>(i);
  }
  template <class F>
  void object(std::string_view key, F members) {
    Reader inner = descend(key);
    members(inner);
    if (error_.empty()) error_ = std::move(inner.error_);
  }
  template <class T>
  void opt_object(std::string_view key, Opt<T>& out) {
    Reader inner = descend(key);
    if (inner.present_) describe(inner, out.emplace());
    if (error_.empty()) error_ = std::move(inner.error_);
  }
  template <class List>
  void texts(std::string_view key, List& out) {
    each(key, [&](const element& item) {
      std::string_view word;
      if (item.get(word) != simdjson::SUCCESS) return false;
      out.push_back(word);
      return true;
    });
  }
  template <class T>
  void rows(std::string_view key, std::vector<T>& out) {
    each(key, [&](const element& item) {
      simdjson::dom::object object;
      if (item.get(object) != simdjson::SUCCESS) return false;
      Reader inner(object);
      describe(inner, out.emplace_back());
      return inner.error_.empty();
    });
  }
  void map(std::string_view key, std::vector<std::pair<std::string_view, std::string_view>>& out) {
    Reader inner = descend(key);
    if (!inner.present_) return;
    for (const auto& [name, value] : inner.object_) {
      std::string_view word;
      if (out.size() == kMaxListItems || value.get(word) != simdjson::SUCCESS) return complain(key);
      out.emplace_back(name, word);
    }
  }

  const std::string& error() const { return error_; }

 private:
  Reader() = default;

  bool find(std::string_view key, element& value) const {
    return present_ && object_.at_key(key).get(value) == simdjson::SUCCESS;
  }
  Reader descend(std::string_view key) {
    Reader inner;
    element value;
    if (!find(key, value) || value.is_null()) return inner;
    if (value.get(inner.object_) == simdjson::SUCCESS)
      inner.present_ = true;
    else
      complain(key);
    return inner;
  }
  template <class F>
  void each(std::string_view key, F take) {
    element value;
    if (!find(key, value)) return;
    simdjson::dom::array array;
    if (value.get(array) != simdjson::SUCCESS) return complain(key);
    std::size_t count = 0;
    for (const element item : array)
      if (++count > kMaxListItems || !take(item)) return complain(key);
  }
  void complain(std::string_view key) {
    if (error_.empty()) error_ = "member \"" + std::string(key) + "\" is of a wrong type or out of range";
  }

  simdjson::dom::object object_;
  bool present_ = false;
  std::string error_;
};

template <std::size_t I = 0>
bool make_payload(std::string_view kind, Payload& payload) {
  if constexpr (I == std::variant_size_v<Payload>) {
    return false;
  } else {
    if (kEventKinds[I] != kind) return make_payload<I + 1>(kind, payload);
    payload.emplace<I>();
    return true;
  }
}

// "oomtrace.event/2" and beyond.
bool later_major_version(std::string_view schema) {
  constexpr std::string_view kFamily = "oomtrace.event/";
  if (!schema.starts_with(kFamily)) return false;
  schema.remove_prefix(kFamily.size());
  unsigned major = 0;
  const auto [end, error] = std::from_chars(schema.data(), schema.data() + schema.size(), major);
  return error == std::errc::result_out_of_range || (error == std::errc{} && major > 1);
}

}  // namespace

struct LineDecoder::State {
  simdjson::dom::parser parser{kMaxReadBytes};
  std::string padded;
};

LineDecoder::LineDecoder() : state_(std::make_unique<State>()) {}
LineDecoder::~LineDecoder() = default;
LineDecoder::LineDecoder(LineDecoder&&) noexcept = default;
LineDecoder& LineDecoder::operator=(LineDecoder&&) noexcept = default;

Result<std::optional<Event>> LineDecoder::decode(std::string_view line) {
  if (line.size() > kMaxReadBytes) return fail(Errc::kInput, "line too long");
  if (state_->parser.max_depth() != kMaxDepth && state_->parser.allocate(kMaxReadBytes, kMaxDepth) != simdjson::SUCCESS)
    return fail(Errc::kInput, "out of memory");
  state_->padded.assign(line);
  state_->padded.reserve(line.size() + simdjson::SIMDJSON_PADDING);
  element root;
  const auto error = state_->parser.parse(state_->padded.data(), line.size(), false).get(root);
  if (error != simdjson::SUCCESS) return fail(Errc::kInput, std::string("no JSON: ") + simdjson::error_message(error));
  simdjson::dom::object object;
  if (root.get(object) != simdjson::SUCCESS) return fail(Errc::kInput, "no JSON object");

  Reader reader(object);
  std::string_view kind;
  std::string_view schema;
  std::string_view time;
  reader.text("event", kind);
  reader.text("schema", schema);
  if (later_major_version(schema))
    return fail(Errc::kSchemaTooNew,
                "written with schema " + std::string(schema) + ", this version reads " + std::string(kEventSchema), 0,
                "update oomtrace");
  if (kind.empty()) return fail(Errc::kInput, "no member \"event\"");
  Event event;
  if (!make_payload(kind, event.payload)) return std::optional<Event>();
  reader.text("ts", time);
  reader.number("boot_ns", event.boot_ns);
  reader.number("seq", event.seq);
  reader.text("trace_id", event.trace_id);
  reader.text("boot_id", event.boot_id);
  reader.object("host", [&](Reader& o) {
    o.text("name", event.host_name);
    o.text("id", event.host_id);
  });
  event.wall_ns = parse_rfc3339(time).value_or(0);
  std::visit([&](auto& payload) { describe(reader, payload); }, event.payload);
  if (!reader.error().empty()) return fail(Errc::kInput, reader.error());
  return std::optional<Event>(std::move(event));
}

}  // namespace oomtrace::codec
