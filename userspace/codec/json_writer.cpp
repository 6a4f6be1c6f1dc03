// SPDX-License-Identifier: Apache-2.0
// Follows the description of an event into a bounded buffer; a member that has no room is taken back whole.
#include "codec/json_writer.h"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cgroup_path.h"
#include "base/time_text.h"
#include "codec/describe.h"
#include "codec/line_buffer.h"

namespace oomtrace::codec {

namespace {

// Kept free for what closes a line: brackets (the description nests five deep) and kTruncated.
constexpr std::size_t kReserve = 32;
constexpr std::string_view kTruncated = ",\"truncated\":true";

class Writer {
 public:
  Writer(std::span<char> out, std::size_t max_text) : line_(out, kReserve, max_text) { line_.put('{'); }

  template <class T>
  void number(std::string_view key, T value) {
    member(key, [&] { return line_.put_number(value); });
  }
  void nonzero(std::string_view key, std::uint64_t value) {
    if (value != 0) number(key, value);
  }
  template <class T>
  void known(std::string_view key, T value, std::uint8_t missing, MemoryField bit) {
    if ((missing & bit) == 0) number(key, value);
  }
  template <class T>
  void opt(std::string_view key, const Opt<T>& value) {
    if (value) number(key, *value);
  }
  void text(std::string_view key, std::string_view value) {
    if (!value.empty()) member(key, [&] { return line_.put_text(value); });
  }
  void constant(std::string_view key, std::string_view value) { text(key, value); }
  template <class T>
  void derived(std::string_view key, T value) {
    number(key, value);
  }
  void flag(std::string_view key, bool value) {
    if (value) member(key, [&] { return line_.put("true"); });
  }
  template <class E, std::size_t N>
  void name(std::string_view key, E value, const std::array<std::string_view, N>& names) {
    const auto index = static_cast<std::size_t>(value);
    if (index < N) text(key, names[index]);
  }

  // An object without members is left out, with its key, unless its being there tells something.
  template <class F>
  void object(std::string_view key, F members, bool keep_empty = false) {
    const State before = state();
    if (!open(key, '{')) return take_back(before);
    const std::size_t start = line_.size();
    members(*this);
    if (line_.size() == start && !keep_empty) return restore(before);
    close("}");
  }
  template <class T>
  void opt_object(std::string_view key, const Opt<T>& value) {
    if (!value) return;
    T copy = *value;
    object(
        key, [&](Writer& o) { describe(o, copy); }, true);
  }
  template <class List>
  void texts(std::string_view key, const List& list) {
    array(key, list, [&](std::string_view item) { return line_.put_text(item); });
  }
  template <class T>
  void rows(std::string_view key, const std::vector<T>& list) {
    array(key, list, [&](const T& item) {
      if (!line_.put('{')) return false;
      comma_ = false;
      T copy = item;
      const bool lost_before = std::exchange(lost_, false);
      describe(*this, copy);
      const bool whole = !lost_ && line_.put('}');
      lost_ = lost_before;
      return whole;
    });
  }
  void map(std::string_view key, const std::vector<std::pair<std::string_view, std::string_view>>& list) {
    object(key, [&](Writer& o) {
      for (const auto& entry : list) o.member(entry.first, [&] { return line_.put_text(entry.second); });
    });
  }

  template <class F>
  void repeated(const CgroupRef&, F members) {
    members(*this);
  }
  // OpenTelemetry's names, where it has one, for what runtimes and schedulers put into a cgroup's path.
  void container(std::string_view cgroup_path) {
    if (const std::string_view id = container_id_of(cgroup_path); !id.empty())
      object("container", [&](Writer& o) { o.text("id", id); });
    if (const auto uid = pod_uid_of(cgroup_path))
      object("k8s", [&](Writer& o) { o.object("pod", [&](Writer& pod) { pod.text("uid", uid->view()); }); });
    if (const SlurmIds slurm = slurm_ids_of(cgroup_path); !slurm.job.empty())
      object("slurm", [&](Writer& o) {
        o.object("job", [&](Writer& job) { job.text("id", slurm.job); });
        if (!slurm.step.empty()) o.object("step", [&](Writer& step) { step.text("id", slurm.step); });
      });
  }

  bool lost() const { return lost_; }

  // `truncated`: the event itself is of a line that was cut, which stays true however well it fits now.
  std::size_t finish(bool truncated) {
    if (truncated || lost_ || line_.shortened()) line_.close(kTruncated);
    line_.close("}");
    return line_.size();
  }

 private:
  struct State {
    std::size_t size;
    bool comma;
  };
  State state() const { return {line_.size(), comma_}; }
  void restore(State before) {
    line_.rewind(before.size);
    comma_ = before.comma;
  }
  void take_back(State before) {
    restore(before);
    lost_ = true;
  }

  bool start(std::string_view key) { return (!comma_ || line_.put(',')) && line_.put_text(key) && line_.put(':'); }

  template <class F>
  void member(std::string_view key, F put_value) {
    const State before = state();
    if (!start(key) || !put_value()) return take_back(before);
    comma_ = true;
  }

  bool open(std::string_view key, char bracket) {
    if (!start(key) || !line_.put(bracket)) return false;
    comma_ = false;
    return true;
  }
  void close(std::string_view bracket) {
    line_.close(bracket);
    comma_ = true;
  }

  template <class List, class F>
  void array(std::string_view key, const List& list, F put_item) {
    if (list.empty()) return;
    const State before = state();
    if (!open(key, '[')) return take_back(before);
    for (const auto& item : list) {
      const State previous = state();
      if ((comma_ && !line_.put(',')) || !put_item(item)) {
        take_back(previous);
        break;
      }
      comma_ = true;
    }
    close("]");
  }

  LineBuffer line_;
  bool comma_ = false;
  bool lost_ = false;  // a member had no room
};

void write_header(Writer& writer, const Event& event) {
  if (event.wall_ns != 0) {
    char time[kRfc3339NsLength];
    write_rfc3339_ns(event.wall_ns, time);
    writer.text("ts", {time, sizeof(time)});
  }
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
  if (out.size() < kMinLineBytes) return fail(Errc::kOutput, "line buffer");
  const std::span<char> bounded = out.first(std::min(out.size(), kMaxLineBytes));
  for (std::size_t max_text = kMaxTextBytes;; max_text /= 4) {
    Writer writer(bounded, max_text);
    write_header(writer, event);
    // The description takes its fields by reference for the reader's sake; the writer changes none.
    std::visit([&](auto& payload) { describe(writer, payload); }, const_cast<Event&>(event).payload);
    // With texts of 64 bytes every kind's members fit into kMinLineBytes, list items apart.
    constexpr std::size_t kShortestText = 64;
    if (!writer.lost() || max_text <= kShortestText) return writer.finish(event.truncated);
  }
}

}  // namespace oomtrace::codec
