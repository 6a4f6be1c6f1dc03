// SPDX-License-Identifier: Apache-2.0
// A stream whose reader is slow, gone, or fine.
#include "sink/stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "codec/json_writer.h"
#include "support/allocation_counter.h"
#include "support/event_builder.h"
#include "support/temp_dir.h"
#include "unit/sink/sink_support.h"

namespace oomtrace::test {
namespace {

using namespace sink;
using nlohmann::json;

// A listening socket, its one connection, and events that go to it.
struct Rig {
  explicit Rig(FilterOptions filter = {}) {
    const std::string path = directory / "s";
    listener = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    EXPECT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(listener.get(), 4), 0);
    StreamOptions options;
    options.target = "unix:" + path;
    options.filter = std::move(filter);
    options.queue = {.capacity = 1 << 16, .reserve = 1 << 14, .decision_reserve = 1 << 13, .wake_bytes = 0};
    stream = std::move(*Stream::open(options));
    EXPECT_TRUE(stream->start());
    connection = Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }

  void give(const Event& event) {
    const auto size = codec::encode_line(event, line);
    ASSERT_TRUE(size);
    stream->on_event(event, {line.data(), *size});
  }
  OomKill kill(std::uint64_t incident) const {
    OomKill kill;
    kill.decision.incident_id = incident;
    kill.victim = ref(77, "victim");
    return kill;
  }
  // All that arrives until the stream's end.
  std::vector<json> read_all() const {
    std::string text;
    char piece[8192];
    for (ssize_t got = 0; (got = ::recv(connection.get(), piece, sizeof(piece), 0)) > 0;)
      text.append(piece, static_cast<std::size_t>(got));
    std::vector<json> lines;
    std::istringstream stream_of(text);
    for (std::string one; std::getline(stream_of, one);) lines.push_back(json::parse(one));
    return lines;
  }

  TempDir directory;
  Fd listener, connection;
  std::unique_ptr<Stream> stream;
  std::array<char, codec::kMaxLineBytes> line{};
  EventStream events{[this](const Event& event) { give(event); }};
};

TEST(Stream, reader_gets_what_passes_the_filter_in_order) {
  Rig rig({.kinds = {"oom"}});
  rig.events.start();
  rig.events.memory(ref(5, "a"), mib(1));
  rig.events.emit(rig.kill(1));
  rig.stream->on_kill_complete();
  std::vector<json> got;
  std::thread reader([&] { got = rig.read_all(); });
  rig.stream->stop();
  const StreamStatus status = rig.stream->status();
  rig.stream.reset();
  reader.join();
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0]["event"], "trace.start");
  EXPECT_EQ(got[0]["trace"]["selected_kinds"], json({"oom"})) << "says what was left out";
  EXPECT_EQ(got[1]["event"], "oom.kill");
  EXPECT_EQ(status.lines, 2U);
  EXPECT_EQ(status.not_delivered, 0U);
}

TEST(Stream, stopped_reader_loses_no_kill_and_is_told_what_it_lost) {
  Rig rig;
  rig.events.at(1).start();
  // What its thread allocates at its start is no part of this.
  ASSERT_TRUE(eventually([&] { return rig.stream->status().lines >= 1; }));
  // More than socket, buffer and queue hold; a kill now and then.
  const std::set<std::uint64_t> kills{1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000};
  std::uint64_t normal = 0;
  const std::uint64_t before = allocations();
  for (std::uint64_t i = 1; i <= 8000; ++i) {
    rig.events.memory(ref(5, "a"), mib(1));
    ++normal;
    if (i % 1000 == 0) {
      rig.events.emit(rig.kill(i));
      rig.stream->on_kill_complete();
    }
  }
  EXPECT_EQ(allocations(), before) << "on the way of a kill";
  const std::uint64_t dropped = rig.stream->status().not_delivered;
  EXPECT_GT(dropped, 100U);
  EXPECT_EQ(rig.stream->status().kills_not_delivered, 0U);

  std::vector<json> got;
  std::thread reader([&] { got = rig.read_all(); });
  EXPECT_TRUE(eventually([&] { return rig.stream->status().lines + dropped >= normal + kills.size() + 1; }));
  rig.events.at(3).memory(ref(5, "a"), mib(2));
  rig.events.emit(TraceStop{"signal", {}});
  rig.stream->stop();
  rig.stream.reset();
  reader.join();

  std::set<std::uint64_t> killed, seqs;
  std::uint64_t lost = 0, memories = 0;
  for (const json& one : got) {
    EXPECT_TRUE(seqs.insert(one["seq"].get<std::uint64_t>()).second) << "each seq once";
    if (one["event"] == "oom.kill") killed.insert(one["oom"]["incident_id"].get<std::uint64_t>());
    if (one["event"] == "process.memory") ++memories;
    if (one["event"] == "trace.lost") {
      EXPECT_EQ(one["trace"]["lost"]["source"], "stream");
      lost += one["trace"]["lost"]["count"].get<std::uint64_t>();
    }
  }
  EXPECT_EQ(killed, kills);
  EXPECT_EQ(lost, dropped);
  EXPECT_EQ(memories + lost, normal + 1);
  EXPECT_EQ(got.back()["event"], "trace.stop");
}

TEST(Stream, gone_reader_is_no_error_of_the_producer_and_a_new_one_is_told) {
  Rig rig;
  rig.events.start();
  EXPECT_TRUE(eventually([&] { return rig.stream->status().lines == 1; }));
  rig.connection.reset();
  EXPECT_TRUE(eventually([&] {
    rig.events.memory(ref(5, "a"), mib(1));
    return rig.stream->status().not_delivered > 0;
  }));
  rig.connection = Fd(::accept4(rig.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  EXPECT_TRUE(eventually([&] { return !rig.stream->status().failing; }));
  rig.events.emit(TraceStop{"signal", {}});
  std::vector<json> got;
  std::thread reader([&] { got = rig.read_all(); });
  rig.stream->stop();
  rig.stream.reset();
  reader.join();
  const auto is_loss = [](const json& one) { return one["event"] == "trace.lost"; };
  EXPECT_EQ(std::count_if(got.begin(), got.end(), is_loss), 1);
  EXPECT_EQ(got.back()["event"], "trace.stop");
}

TEST(Stream, targets_as_users_write_them) {
  EXPECT_EQ(parse_target("-").kind, TargetKind::kStdout);
  EXPECT_EQ(parse_target("journal").kind, TargetKind::kJournal);
  EXPECT_EQ(parse_target("./journal").kind, TargetKind::kFile);
  EXPECT_EQ(parse_target("unix:/run/s").kind, TargetKind::kSocket);
  EXPECT_EQ(parse_target("unix:/run/s").path, "/run/s");
  EXPECT_EQ(parse_target("a.ndjson").path, "a.ndjson");
  StreamOptions options;
  options.filter.kinds = {"nonsense"};
  EXPECT_EQ(Stream::open(options).error().code, Errc::kUsage);
}

}  // namespace
}  // namespace oomtrace::test
