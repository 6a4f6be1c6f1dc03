// SPDX-License-Identifier: Apache-2.0
// The form of a line: the published names, bounded, never broken.
#include "codec/json_writer.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "codec/json_reader.h"
#include "unit/codec/random_event.h"

namespace oomtrace::codec {
namespace {

using nlohmann::json;

std::string encode(const Event& event, std::size_t room = kMaxLineBytes) {
  std::vector<char> out(room);
  const auto size = encode_line(event, out);
  EXPECT_TRUE(size.has_value());
  return {out.data(), size.value_or(0)};
}

TEST(EncodeLine, process_memory_has_this_form) {
  Event event;
  event.boot_ns = 5'000'000'001;
  event.seq = 7;
  event.wall_ns = 1'774'362'731'123'456'789;
  event.trace_id = "0123456789abcdef0123456789abcdef";
  event.boot_id = "b0";
  event.host_name = "node1";
  event.host_id = "h1";
  ProcessMemory& e = event.payload.emplace<ProcessMemory>();
  e.process = {4242, 1'000'000'000, "python3"};
  e.parent_pid = 1;
  e.uid = 1000;
  e.oom_score_adj = 0;
  e.cgroup = {77, "/user.slice"};
  e.memory = MemoryCounters{4096, 8192, 0, -4096, 12288, 65536, std::nullopt, 0};
  e.faults = {1, 2, 3, 4};
  EXPECT_EQ(
      encode(event),
      R"({"ts":"2026-03-24T14:32:11.123456789Z","boot_ns":5000000001,"seq":7,)"
      R"("trace_id":"0123456789abcdef0123456789abcdef","boot_id":"b0","event":"process.memory",)"
      R"("host":{"name":"node1","id":"h1"},)"
      R"("process":{"pid":4242,"start_boot_ns":1000000000,"comm":"python3","parent_pid":1,"user":{"id":1000},)"
      R"("oom_score_adj":0},"cgroup":{"id":77,"path":"/user.slice"},)"
      R"("memory":{"anon_bytes":4096,"file_bytes":8192,"shmem_bytes":0,"swap_bytes":-4096,"pgtables_bytes":12288,)"
      R"("total_vm_bytes":65536},"faults":{"fresh":1,"write_protect":2,"kernel_fresh":3,"kernel_write_protect":4},)"
      R"("reason":"moved"})");
}

TEST(EncodeLine, trace_start_names_its_schema) {
  Event event;
  event.payload.emplace<TraceStart>();
  EXPECT_EQ(json::parse(encode(event)).at("schema"), "oomtrace.event/1");
}

TEST(EncodeLine, an_event_without_wall_time_has_no_ts) {
  Event event;
  event.payload.emplace<KernelLog>().message = "x";
  EXPECT_FALSE(json::parse(encode(event)).contains("ts"));
}

TEST(EncodeLine, large_numbers_stay_integers) {
  Event event;
  event.boot_ns = std::numeric_limits<std::uint64_t>::max();
  event.payload.emplace<ProcessExit>().faults.fresh = (1ULL << 53) + 1;
  const std::string line = encode(event);
  EXPECT_NE(line.find("\"boot_ns\":18446744073709551615,"), std::string::npos);
  EXPECT_NE(line.find("\"fresh\":9007199254740993,"), std::string::npos);
}

TEST(EncodeLine, an_exit_tells_code_or_signal) {
  Event event;
  ProcessExit& e = event.payload.emplace<ProcessExit>();
  e.wait_status = 3 << 8;
  EXPECT_EQ(json::parse(encode(event)).at("process").at("exit"), json({{"wait_status", 768}, {"code", 3}}));
  e.wait_status = 0x80 | 11;
  EXPECT_EQ(json::parse(encode(event)).at("process").at("exit"), json({{"wait_status", 139}, {"signal", 11}}));
}

TEST(EncodeLine, container_and_pod_of_a_cgroup_are_told) {
  Event event;
  const std::string id(64, 'a');
  const std::string path =
      "/kubepods.slice/kubepods-pod0123abcd_0000_1111_2222_333344445555.slice/cri-containerd-" + id + ".scope";
  event.payload.emplace<ProcessExec>().cgroup.path = path;
  const json line = json::parse(encode(event));
  EXPECT_EQ(line.at("container").at("id"), id);
  EXPECT_EQ(line.at("k8s").at("pod").at("uid"), "0123abcd-0000-1111-2222-333344445555");
}

TEST(EncodeLine, slurm_job_and_step_of_a_cgroup_are_told) {
  Event event;
  ProcessExec& e = event.payload.emplace<ProcessExec>();
  e.cgroup.path = "/slurm/uid_1000/job_4711/step_batch/task_0";
  EXPECT_EQ(json::parse(encode(event)).at("slurm"), json({{"job", {{"id", "4711"}}}, {"step", {{"id", "batch"}}}}));
  e.cgroup.path = "/slurm/uid_1000/job_4711";
  EXPECT_EQ(json::parse(encode(event)).at("slurm"), json({{"job", {{"id", "4711"}}}}));
}

TEST(EncodeLine, numbers_that_json_lacks_are_left_out) {
  Event event;
  SystemPressure& e = event.payload.emplace<SystemPressure>();
  e.resource = "memory";
  e.some = Pressure{std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN(), 1.5, 7};
  const json some = json::parse(encode(event)).at("system").at("pressure").at("some");
  EXPECT_EQ(some, json({{"avg300", 1.5}, {"total_us", 7}}));
}

// A kill with every text long and made of what takes six bytes each.
Event swollen_kill(const std::string& text) {
  Event event;
  event.trace_id = event.boot_id = event.host_name = event.host_id = text;
  OomKill& e = event.payload.emplace<OomKill>();
  e.victim = {1, 2, text};
  e.cgroup = {3, text};
  e.memory = MemoryCounters{};
  e.points = 12345;
  e.no_victim = text;
  OomDecision& d = e.decision;
  d.cgroup = {4, text};
  d.trigger = {5, 6, text};
  d.trigger_cgroup = {7, text};
  d.constraint = d.nodes = d.gfp_names = d.way = d.oom_group = text;
  while (d.stack.push_back(text)) {
  }
  return event;
}

TEST(EncodeLine, long_texts_are_shortened_and_every_member_stays) {
  const std::string text(5000, '\x01');
  const std::string line = encode(swollen_kill(text));
  EXPECT_LE(line.size(), kMaxLineBytes);
  const json parsed = json::parse(line);
  EXPECT_EQ(parsed.at("truncated"), true);
  EXPECT_EQ(parsed.at("oom").at("points"), 12345);
  EXPECT_EQ(parsed.at("oom").at("no_victim").get<std::string>().substr(0, 5), "\x01\x01\x01\x01\x01");
  EXPECT_TRUE(parsed.at("memory").contains("anon_bytes"));
  EXPECT_EQ(parsed.at("oom").at("trigger").at("stack").size(), kMaxStackFrames);
}

TEST(EncodeLine, one_long_text_keeps_its_stated_length) {
  Event event;
  const std::string text(6000, 'x');
  event.payload.emplace<KernelLog>().message = text;
  const json parsed = json::parse(encode(event));
  EXPECT_EQ(parsed.at("kernel_log").at("message"), text.substr(0, kMaxTextBytes));
  EXPECT_EQ(parsed.at("truncated"), true);
}

TEST(EncodeLine, what_fits_is_not_called_truncated) {
  Event event;
  const std::string text(kMaxTextBytes, 'x');
  event.payload.emplace<KernelLog>().message = text;
  const json parsed = json::parse(encode(event));
  EXPECT_EQ(parsed.at("kernel_log").at("message"), text);
  EXPECT_FALSE(parsed.contains("truncated"));
}

// A recorded line that was cut is as short as it will ever be: written again it fits, and had more all the same.
TEST(EncodeLine, what_was_cut_once_says_so_when_it_is_written_again) {
  Event event;
  const std::string text(6000, 'x');
  event.payload.emplace<KernelLog>().message = text;
  const std::string line = encode(event);
  LineDecoder decoder;
  const auto written_again = [](const Result<std::optional<Event>>& read) {
    return read.has_value() && read->has_value() ? encode(**read) : "not read";
  };
  EXPECT_EQ(written_again(decoder.decode(line)), line);
  EXPECT_EQ(written_again(decoder.parse(line)), line);
  const std::string whole = R"({"boot_ns":1,"seq":2,"event":"kernel.log","kernel_log":{"message":"short"}})";
  const auto read = decoder.decode(whole);
  ASSERT_TRUE(read.has_value() && read->has_value());
  EXPECT_FALSE((*read)->truncated);
}

TEST(EncodeLine, lists_without_end_lose_their_tail) {
  Event event;
  TraceStart& e = event.payload.emplace<TraceStart>();
  e.page_size = 4096;
  for (int i = 0; i < 5000; ++i) e.warnings.emplace_back("something was missing");
  const json parsed = json::parse(encode(event));
  EXPECT_EQ(parsed.at("truncated"), true);
  EXPECT_GT(parsed.at("trace").at("warnings").size(), 100U);
  EXPECT_EQ(parsed.at("schema"), "oomtrace.event/1");
}

TEST(EncodeLine, rows_are_whole_or_left_out) {
  Event event;
  SystemMounts& e = event.payload.emplace<SystemMounts>();
  for (int i = 0; i < 2000; ++i) e.mounts.push_back({"/dev/shm", "tmpfs", 1U << 30, 4096});
  const json rows = json::parse(encode(event)).at("system").at("mounts");
  ASSERT_GT(rows.size(), 100U);
  for (const json& row : rows) EXPECT_EQ(row.size(), 4U);
}

TEST(EncodeLine, any_room_gives_a_whole_line_or_an_error) {
  const std::string text(700, '"');
  const Event event = swollen_kill(text);
  for (std::size_t room = kMinLineBytes; room < kMaxLineBytes; room += 97) {
    const std::string line = encode(event, room);
    ASSERT_LE(line.size(), room);
    ASSERT_TRUE(json::accept(line)) << line;
  }
  std::array<char, kMinLineBytes - 1> small{};
  const auto refused = encode_line(event, small);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::kOutput);
}

TEST(EncodeLine, the_smallest_line_has_room_for_all_members_of_every_kind) {
  for (std::size_t kind = 0; kind < std::variant_size_v<Payload>; ++kind) {
    RandomEvents events(static_cast<unsigned>(kind));
    const Event event = events.make(kind, Fill::kAll);
    const json whole = json::parse(encode(event));
    json small = json::parse(encode(event, kMinLineBytes));
    small.erase("truncated");
    const json members = whole.flatten();
    for (const auto& [pointer, value] : members.items()) {
      EXPECT_TRUE(small.contains(json::json_pointer(pointer))) << kEventKinds[kind] << pointer;
    }
  }
}

TEST(EncodeLine, no_line_contains_a_raw_newline_or_control_character) {
  RandomEvents events(77);
  for (int round = 0; round < 500; ++round) {
    const Event event = events.make(events.random()() % std::variant_size_v<Payload>, Fill::kAll);
    for (const char c : encode(event)) ASSERT_GE(static_cast<unsigned char>(c), 0x20);
  }
}

}  // namespace
}  // namespace oomtrace::codec
