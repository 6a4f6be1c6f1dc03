// SPDX-License-Identifier: Apache-2.0
// Events as journal fields.
#include "sink/journal_fields.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "support/event_builder.h"
#include "support/temp_dir.h"

namespace oomtrace::test {
namespace {

std::map<std::string, std::string> fields_of(const Payload& payload) {
  std::vector<std::string> fields{"left over from the last one"};
  EventStream events([&](const Event& event) { sink::make_journal_fields(event, "{\"the\":\"line\"}", fields); });
  events.set_trace("0123456789abcdef0123456789abcdef");
  events.emit(payload);
  std::map<std::string, std::string> table;
  for (const std::string& field : fields) {
    const std::size_t end = field.find('=');
    EXPECT_NE(end, std::string::npos) << field;
    EXPECT_TRUE(table.emplace(field.substr(0, end), field.substr(end + 1)).second) << field;
  }
  return table;
}

TEST(JournalFields, kill_can_be_found_by_id_and_points_at_its_victim) {
  OomKill kill;
  kill.victim = ref(4711, "python3");
  kill.memory = mib(300);
  kill.cgroup = {5, "/job/step"};
  kill.decision.incident_id = 3;
  kill.decision.domain = DomainKind::kMemcg;
  kill.decision.cgroup = {4, "/job"};
  kill.decision.trigger = ref(4709, "loader");
  const auto fields = fields_of(kill);
  EXPECT_EQ(fields.at("MESSAGE_ID"), sink::kKillMessageId);
  EXPECT_EQ(fields.at("PRIORITY"), "3");
  EXPECT_EQ(fields.at("OBJECT_PID"), "4711");
  EXPECT_EQ(fields.at("SYSLOG_IDENTIFIER"), "oomtrace");
  EXPECT_EQ(fields.at("OOMTRACE_EVENT"), "oom.kill");
  EXPECT_EQ(fields.at("OOMTRACE_INCIDENT_ID"), "3");
  EXPECT_EQ(fields.at("OOMTRACE_DOMAIN"), "memcg");
  EXPECT_EQ(fields.at("OOMTRACE_CGROUP"), "/job/step");
  EXPECT_EQ(fields.at("OOMTRACE_COMM"), "python3");
  EXPECT_EQ(fields.at("OOMTRACE_TRIGGER_PID"), "4709");
  EXPECT_EQ(fields.at("OOMTRACE_TRACE_ID"), "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(fields.at("OOMTRACE_SEQ"), "1");
  EXPECT_EQ(fields.at("OOMTRACE_JSON"), "{\"the\":\"line\"}");
  EXPECT_TRUE(fields.at("MESSAGE").starts_with("killed python3 (pid 4711")) << fields.at("MESSAGE");
}

TEST(JournalFields, other_kinds) {
  EXPECT_EQ(fields_of(TraceLost{"stream", 7, "slow"}).at("MESSAGE"), "7 events lost from stream: slow");
  EXPECT_EQ(fields_of(TraceLost{"stream", 7, "slow"}).at("PRIORITY"), "4");
  EXPECT_EQ(fields_of(TraceStart{}).at("MESSAGE_ID"), sink::kStartMessageId);
  EXPECT_EQ(fields_of(TraceStop{"signal", {}}).at("MESSAGE_ID"), sink::kStopMessageId);
  EXPECT_EQ(fields_of(SystemMemory{}).count("MESSAGE_ID"), 0U);
  ProcessExec exec;
  exec.process = ref(12, "sh");
  EXPECT_EQ(fields_of(exec).at("OBJECT_PID"), "12");
}

// What `journalctl -x` shows is keyed by the same ids.
TEST(JournalFields, catalog_explains_every_message_id) {
  const std::string catalog = read_bytes(std::string(OOMTRACE_TESTS_DIR) + "/../packaging/journald/oomtrace.catalog");
  for (const std::string_view id :
       {sink::kKillMessageId, sink::kLostMessageId, sink::kStartMessageId, sink::kStopMessageId})
    EXPECT_NE(catalog.find("-- " + std::string(id) + "\n"), std::string::npos) << id;
}

}  // namespace
}  // namespace oomtrace::test
