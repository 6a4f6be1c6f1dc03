// SPDX-License-Identifier: Apache-2.0
// Real logs from outside the project, with hand-made truth beside each: every field has to be right.
//
// The folder is named by OOMTRACE_CORPUS: NAME.log with NAME.json each. Without it the test does not run, and says so.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "event_collector.h"
#include "log_files.h"

namespace oomtrace::kernel_log {
namespace {

using Json = nlohmann::json;

template <class T>
Json opt(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}
Json text_or_null(std::string_view text) { return text.empty() ? Json() : Json(std::string(text)); }
Json kb(const std::optional<MemoryCounters>& memory, MemoryField field, std::int64_t bytes) {
  return memory && !(memory->missing & field) ? Json(bytes / 1024) : Json();
}

std::string hex(std::uint64_t value) {
  std::ostringstream out;
  out << "0x" << std::hex << value;
  return out.str();
}

// The incident in the words of the truth files. What the truth takes from the task table goes by its own keys.
Json as_truth(const CollectedIncident& incident) {
  const OomKill& kill = incident.kills.front();
  const OomDecision& d = kill.decision;
  Json j;
  j["trigger_comm"] = text_or_null(d.trigger.comm);
  j["trigger_pid"] = opt(d.trigger_tid);
  j["gfp_mask"] =
      d.gfp_mask ? Json(hex(*d.gfp_mask) + (d.gfp_names.empty() ? "" : "(" + std::string(d.gfp_names) + ")")) : Json();
  j["order"] = opt(d.order);
  j["trigger_oom_score_adj"] = opt(d.trigger_oom_score_adj);
  const std::map<DomainKind, Json> scopes{{DomainKind::kUnknown, {}}, {DomainKind::kMemcg, "memcg"}};
  const auto scope = scopes.find(d.domain);
  j["scope"] = scope == scopes.end() ? Json("global") : scope->second;
  j["constraint"] = Json();
  if (d.constraint == "CONSTRAINT_NONE") j["constraint"] = "none";
  if (d.constraint == "CONSTRAINT_CPUSET") j["constraint"] = "cpuset";
  if (d.constraint == "CONSTRAINT_MEMORY_POLICY") j["constraint"] = "mempolicy";
  if (d.constraint == "CONSTRAINT_MEMCG" || (d.constraint.empty() && d.domain == DomainKind::kMemcg))
    j["constraint"] = "memcg";
  j["constraint_raw"] = text_or_null(d.constraint);
  j["oom_memcg"] = text_or_null(d.cgroup.path);
  j["task_memcg"] = text_or_null(kill.cgroup.path);
  j["memcg_limit_kb"] = d.limit ? Json(*d.limit / 1024) : Json();
  j["memcg_usage_kb"] = d.usage ? Json(*d.usage / 1024) : Json();
  j["victim_pid"] = kill.victim.pid ? Json(kill.victim.pid) : Json();
  j["victim_comm"] = text_or_null(kill.victim.comm);
  j["victim_uid"] = opt(kill.uid);
  j["victim_uid_table"] = j["victim_uid"];
  const MemoryCounters none;
  const MemoryCounters& m = kill.memory ? *kill.memory : none;
  j["total_vm_kb"] = kb(kill.memory, kMemoryTotalVm, static_cast<std::int64_t>(m.total_vm));
  j["anon_rss_kb"] = kb(kill.memory, kMemoryAnon, m.anon);
  j["file_rss_kb"] = kb(kill.memory, kMemoryFile, m.file);
  j["shmem_rss_kb"] = kb(kill.memory, kMemoryShmem, m.shmem);
  j["pgtables_kb"] = kb(kill.memory, kMemoryPgtables, static_cast<std::int64_t>(m.pgtables));
  j["oom_score_adj"] = opt(kill.oom_score_adj);
  j["oom_score_adj_table"] = j["oom_score_adj"];
  j["score"] = opt(kill.score);
  j["selected_pid"] = opt(kill.sacrificed_for_pid);
  j["tasks_in_table"] = incident.end.emitted;
  bool split = false;
  for (const OomCandidate& candidate : incident.candidates)
    split |= candidate.memory && !(candidate.memory->missing & kMemoryAnon);
  j["table_has_rss_split"] = split;
  bool reaped = false;
  for (const OomReaped& dead : incident.reaped) reaped |= dead.process.pid == kill.victim.pid;
  j["reaped"] = reaped;
  j["complete"] = !incident.end.report_cut && kill.victim.pid != 0 && !j["total_vm_kb"].is_null();
  j["oom_group"] = text_or_null(d.oom_group);
  j["group_victims"] = Json::array();
  for (std::size_t i = 1; i < incident.kills.size(); ++i) j["group_victims"].push_back(incident.kills[i].victim.pid);
  return j;
}

// Values that the events hold though the truth names none: the task table's, filled in for the kill line's.
bool may_exceed(const std::string& key, const Json& truth) {
  if (key == "oom_score_adj")
    return truth.contains("oom_score_adj_table") || !truth.value("tasks_in_table", Json()).is_null();
  if (key == "victim_uid")
    return truth.contains("victim_uid_table") || !truth.value("tasks_in_table", Json()).is_null();
  if (key == "pgtables_kb" || key == "total_vm_kb") return !truth.value("tasks_in_table", Json()).is_null();
  // A limit that stands for none, as a number or as nothing.
  return key == "tasks_in_table";
}

bool agrees(const std::string& key, const Json& want, const Json& got, const Json& truth) {
  if (want == got) return true;
  if (want.is_null()) return may_exceed(key, truth) && (key != "tasks_in_table" || got == 0);
  if (key == "gfp_mask") return got.is_string() && want.get<std::string>() == got.get<std::string>() + "()";
  if (key == "group_victims") {
    std::set<std::int64_t> wanted(want.begin(), want.end()), found(got.begin(), got.end());
    wanted.erase(truth["victim_pid"].get<std::int64_t>());
    return wanted == found;
  }
  return false;
}

struct Tally {
  std::size_t right = 0, wrong = 0, missing = 0;
};

class Corpus : public testing::Test {
 protected:
  void compare(const std::filesystem::path& truth_path) {
    const Json truth = Json::parse(read_file(truth_path));
    std::filesystem::path log = truth_path;
    const EventCollector found = collect(read_file(log.replace_extension(".log")));
    EXPECT_TRUE(found.last_seq_ok);
    const bool mangled = truth.contains("mangled") && !truth["mangled"].is_null();
    std::string row;
    if (found.incidents.size() != truth["incidents"].size()) {
      ADD_FAILURE() << log.filename() << ": " << found.incidents.size() << " incidents, not "
                    << truth["incidents"].size();
      row += " incidents=" + std::to_string(found.incidents.size()) + "/" + std::to_string(truth["incidents"].size());
      ++files_wrong_;
    }
    Tally file;
    // The release, where the truth names one and nothing but it.
    const std::string kernel = truth.value("kernel", Json()).is_string() ? truth["kernel"].get<std::string>() : "";
    if (!kernel.empty() && kernel.find(' ') == kernel.npos && !found.incidents.empty()) {
      bool named = false;
      for (const CollectedIncident& incident : found.incidents) named |= incident.kernel_release == kernel;
      EXPECT_TRUE(named) << log.filename() << ": kernel is not " << kernel;
      ++(named ? fields_["kernel"].right : fields_["kernel"].missing);
    }
    for (std::size_t i = 0; i < std::min(found.incidents.size(), truth["incidents"].size()); ++i) {
      const Json& want = truth["incidents"][i];
      const Json got = as_truth(found.incidents[i]);
      for (const auto& [key, value] : want.items()) {
        if (!got.contains(key)) continue;  // notes, and what events have no word for (oom_adj)
        Tally& field = fields_[key];
        if (agrees(key, value, got[key], want)) {
          ++field.right;
          ++file.right;
          continue;
        }
        const bool left_out = got[key].is_null();
        ++(left_out ? field.missing : field.wrong);
        ++(left_out ? file.missing : file.wrong);
        row += " " + key + "[" + std::to_string(i) + "]=" + got[key].dump() + "!=" + value.dump();
        if (!mangled || !left_out || key == "victim_pid") {
          ADD_FAILURE() << log.filename() << " incident " << i << " " << key << ": " << got[key] << ", not " << value;
        } else {
          std::cout << log.filename() << " (mangled) incident " << i << " lacks " << key << "\n";
        }
      }
    }
    std::cout << (file.wrong + file.missing == 0 && row.empty() ? "right   " : "WRONG   ") << log.filename().string()
              << "  incidents " << found.incidents.size() << ", fields " << file.right << " right, " << file.wrong
              << " wrong, " << file.missing << " missing" << row << "\n";
    ++files_;
  }

  void print_fields() const {
    std::cout << "\nfield                    right wrong missing\n";
    for (const auto& [key, tally] : fields_) {
      std::string name = key;
      name.resize(24, ' ');
      std::cout << name << " " << tally.right << " " << tally.wrong << " " << tally.missing << "\n";
    }
    std::cout << files_ << " files\n";
  }

  std::map<std::string, Tally> fields_;
  std::size_t files_ = 0, files_wrong_ = 0;
};

TEST_F(Corpus, every_field_of_every_log_is_right) {
  const char* folder = std::getenv("OOMTRACE_CORPUS");
  if (!folder) GTEST_SKIP() << "not run: OOMTRACE_CORPUS is not set to a folder of logs with their truth";
  std::set<std::filesystem::path> truths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") truths.insert(entry.path());
  }
  ASSERT_FALSE(truths.empty()) << "no truth files in " << folder;
  for (const auto& path : truths) compare(path);
  print_fields();
}

TEST_F(Corpus, pieces_of_any_size_give_the_same_incidents) {
  const char* folder = std::getenv("OOMTRACE_CORPUS");
  if (!folder) GTEST_SKIP() << "not run: OOMTRACE_CORPUS is not set to a folder of logs with their truth";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".log") continue;
    const std::string text = read_file(entry.path());
    const EventCollector whole = collect(text);
    const EventCollector pieces = collect(text, 7);
    ASSERT_EQ(whole.incidents.size(), pieces.incidents.size()) << entry.path();
    for (std::size_t i = 0; i < whole.incidents.size(); ++i) {
      EXPECT_EQ(as_truth(whole.incidents[i]), as_truth(pieces.incidents[i])) << entry.path();
    }
  }
}

// Deep in other lines a report is found by word search, with what stands before its first word.
TEST_F(Corpus, other_lines_around_change_nothing) {
  const char* folder = std::getenv("OOMTRACE_CORPUS");
  if (!folder) GTEST_SKIP() << "not run: OOMTRACE_CORPUS is not set to a folder of logs with their truth";
  std::string noise;
  for (int i = 0; i < 1200; ++i) noise += "some other program wrote line " + std::to_string(i) + ".\n";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".log") continue;
    const std::string text = read_file(entry.path());
    const EventCollector alone = collect(text);
    const EventCollector among = collect(noise + text + noise);
    ASSERT_EQ(alone.incidents.size(), among.incidents.size()) << entry.path();
    for (std::size_t i = 0; i < alone.incidents.size(); ++i) {
      EXPECT_EQ(as_truth(alone.incidents[i]), as_truth(among.incidents[i])) << entry.path();
    }
  }
}

}  // namespace
}  // namespace oomtrace::kernel_log
