// SPDX-License-Identifier: Apache-2.0
// Follows the description of an event through a parsed document.
#include "codec/json_reader.h"

#include <simdjson.h>

#include <charconv>
#include <string>
#include <utility>

#include "base/time_text.h"
#include "codec/canonical_reader.h"
#include "codec/describe.h"
#include "codec/json_value.h"
#include "codec/json_writer.h"
#include "codec/payload_kind.h"

namespace oomtrace::codec {

namespace {

using simdjson::dom::element;

// Pipelines add fields of their own.
constexpr std::size_t kMaxReadBytes = 16 * kMaxLineBytes;
constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxListItems = 4096;

// Follows the description through one object. Members come in the description's order from our own writer, so the
// search for one starts behind the last one found.
class Reader {
 public:
  // The outermost object; the first complaint goes to `error`.
  Reader(const simdjson::dom::object& object, std::string& error) : error_(error) { enter(object); }

  template <class T>
  void number(std::string_view key, T& out) {
    element value;
    if (find(key, value) && !read_number(value, out)) complain(key);
  }
  void nonzero(std::string_view key, std::uint64_t& out) { number(key, out); }
  template <class T>
  void known(std::string_view key, T& out, std::uint8_t& missing, MemoryField bit) {
    element value;
    if (!find(key, value))
      missing = static_cast<std::uint8_t>(missing | bit);
    else if (!read_number(value, out))
      complain(key);
  }
  template <class T>
  void opt(std::string_view key, Opt<T>& out) {
    element value;
    if (find(key, value) && !read_number(value, out.emplace())) complain(key);
  }
  void text(std::string_view key, std::string_view& out) {
    element value;
    if (find(key, value) && value.get(out) != simdjson::SUCCESS) complain(key);
  }
  void flag(std::string_view key, bool& out) {
    element value;
    if (find(key, value) && !read_flag(value, out)) complain(key);
  }
  // A word that a later version added leaves the default.
  template <class E, std::size_t N>
  void name(std::string_view key, E& out, const std::array<std::string_view, N>& names) {
    std::string_view word;
    text(key, word);
    take_named(word, names, out);
  }
  template <class F>
  void object(std::string_view key, F members) {
    Reader inner(*this, key);
    if (inner.present_) members(inner);
  }
  template <class T>
  void opt_object(std::string_view key, Opt<T>& out) {
    object(key, [&](Reader& inner) { describe(inner, out.emplace()); });
  }
  template <class List>
  void texts(std::string_view key, List& out) {
    each(key, [&](const element& item) {
      std::string_view word;
      if (item.get(word) != simdjson::SUCCESS) return complain(key);
      out.push_back(word);
    });
  }
  template <class T>
  void rows(std::string_view key, std::vector<T>& out) {
    each(key, [&](const element& item) {
      simdjson::dom::object row;
      if (item.get(row) != simdjson::SUCCESS) return complain(key);
      Reader inner(*this, key, row);
      describe(inner, out.emplace_back());
    });
  }
  void map(std::string_view key, std::vector<std::pair<std::string_view, std::string_view>>& out) {
    Reader inner(*this, key);
    if (!inner.present_) return;
    for (const auto& [name, value] : inner.object_) {
      std::string_view word;
      if (out.size() == kMaxListItems || value.get(word) != simdjson::SUCCESS) return complain(key);
      out.emplace_back(name, word);
    }
  }

  template <class F>
  void repeated(const CgroupRef&, F members) {
    members(*this);
  }
  // What the writer adds for others' sake.
  void constant(std::string_view, std::string_view) {}
  template <class T>
  void derived(std::string_view, const T&) {}
  void container(std::string_view) {}

  // Some pipelines put a name of their own into "host", where an event has an object.
  void host(Event& event) {
    element value;
    if (find("host", value) && value.get(event.host_name) == simdjson::SUCCESS) return;
    object("host", [&](Reader& o) {
      o.text("name", event.host_name);
      o.text("id", event.host_id);
    });
  }

 private:
  Reader(Reader& outer, std::string_view key) : error_(outer.error_), outer_(&outer), key_(key) {
    element value;
    simdjson::dom::object object;
    if (!outer.find(key, value)) return;
    if (value.get(object) == simdjson::SUCCESS)
      enter(object);
    else
      outer.complain(key);
  }
  Reader(Reader& outer, std::string_view key, const simdjson::dom::object& row)
      : error_(outer.error_), outer_(&outer), key_(key) {
    enter(row);
  }

  void enter(const simdjson::dom::object& object) {
    object_ = object;
    next_ = object.begin();
    present_ = true;
  }

  // False where the member is missing or null.
  bool find(std::string_view key, element& value) {
    const auto end = object_.end();
    const auto start = next_;
    for (auto at = start; at != end; ++at)
      if (at.key_equals(key)) return take(at, value);
    for (auto at = object_.begin(); at != start; ++at)
      if (at.key_equals(key)) return take(at, value);
    return false;
  }
  bool take(simdjson::dom::object::iterator at, element& value) {
    value = at.value();
    next_ = ++at;
    return !value.is_null();
  }

  template <class F>
  void each(std::string_view key, F read_item) {
    element value;
    if (!find(key, value)) return;
    simdjson::dom::array array;
    if (value.get(array) != simdjson::SUCCESS) return complain(key);
    std::size_t count = 0;
    for (const element item : array) {
      if (++count > kMaxListItems) return complain(key);
      read_item(item);
    }
  }

  std::string path_of(std::string_view key) const {
    return outer_ == nullptr ? std::string(key) : outer_->path_of(key_) + "." + std::string(key);
  }
  void complain(std::string_view key) {
    if (error_.empty()) error_ = "member " + path_of(key) + " is of a wrong type or out of range";
  }

  std::string& error_;
  const Reader* outer_ = nullptr;
  std::string_view key_;
  simdjson::dom::object object_;
  simdjson::dom::object::iterator next_;
  bool present_ = false;
};

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
  if (Event event; read_canonical(line, event)) return std::optional<Event>(std::move(event));
  return parse(line);
}

// Whatever JSON it is.
Result<std::optional<Event>> LineDecoder::parse(std::string_view line) {
  if (state_->parser.max_depth() != kMaxDepth && state_->parser.allocate(kMaxReadBytes, kMaxDepth) != simdjson::SUCCESS)
    return fail(Errc::kInput, "out of memory");
  state_->padded.assign(line);
  state_->padded.reserve(line.size() + simdjson::SIMDJSON_PADDING);
  element root;
  const auto error = state_->parser.parse(state_->padded.data(), line.size(), false).get(root);
  if (error != simdjson::SUCCESS) return fail(Errc::kInput, std::string("no JSON: ") + simdjson::error_message(error));
  simdjson::dom::object object;
  if (root.get(object) != simdjson::SUCCESS) return fail(Errc::kInput, "no JSON object");

  std::string complaint;
  Reader reader(object, complaint);
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
  reader.host(event);
  event.wall_ns = parse_rfc3339(time).value_or(0);
  std::visit([&](auto& payload) { describe(reader, payload); }, event.payload);
  reader.flag("truncated", event.truncated);
  if (!complaint.empty()) return fail(Errc::kInput, complaint);
  return std::optional<Event>(std::move(event));
}

}  // namespace oomtrace::codec
