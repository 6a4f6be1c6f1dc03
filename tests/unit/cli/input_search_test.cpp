// SPDX-License-Identifier: Apache-2.0
// What is read where no input is named: which of the places, in which order, and what is said where none can be read.
#include "cli/input_search.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <filesystem>
#include <fstream>
#include <variant>

#include "support/temp_dir.h"

namespace oomtrace::cli {
namespace {

constexpr const char* kKill =
    "Out of memory: Killed process 7 (a) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB\n";

class Search : public testing::Test {
 protected:
  Search() {
    places_.work_dir = path("work");
    places_.state_dir = path("state");
    places_.kmsg = path("kmsg");
    places_.journalctl = path("no-journalctl");
    places_.log_dir = path("log");
    places_.boot_id = path("boot_id");
    for (const std::string& folder : {places_.work_dir, places_.state_dir, places_.log_dir})
      std::filesystem::create_directory(folder);
    write("boot_id", "0f9fd93a-4b7e-4f9e-8c6d-0123456789ab\n");
  }
  std::string path(const std::string& name) const { return folder_ / name; }
  std::string write(const std::string& name, const std::string& text, std::time_t changed = 0) const {
    std::ofstream(path(name), std::ios::binary) << text;
    if (changed != 0) {
      const timeval times[2] = {{changed, 0}, {changed, 0}};
      EXPECT_EQ(utimes(path(name).c_str(), times), 0);
    }
    return path(name);
  }
  // A journalctl that leaves its arguments behind.
  void install_journalctl(const std::string& behaviour) {
    places_.journalctl =
        write("journalctl", "#!/bin/sh\nprintf '%s\\n' \"$@\" > " + path("arguments") + "\n" + behaviour);
    ASSERT_EQ(chmod(places_.journalctl.c_str(), 0755), 0);
  }
  std::string arguments() const {
    std::ifstream file(path("arguments"));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  KernelLogSearch search(const std::string& boot = "", const TimeBounds& bounds = {}) const {
    std::optional<BootChoice> choice;
    if (!boot.empty()) choice = *BootChoice::parse(boot);
    return {places_, choice, bounds};
  }
  // Time and host of each kill that the place tells of.
  static std::vector<std::pair<std::int64_t, std::string>> kills(LogPlace place) {
    std::vector<std::pair<std::int64_t, std::string>> found;
    const auto read = read_inputs(std::move(place.inputs), [&](const Event& event) {
      if (std::holds_alternative<OomKill>(event.payload))
        found.emplace_back(event.wall_ns / 1'000'000'000, std::string(event.host_name));
    });
    EXPECT_TRUE(read.has_value()) << read.error().context;
    return found;
  }

  test::TempDir folder_;
  Places places_;
};

TEST_F(Search, takes_the_newest_trace_of_both_folders) {
  EXPECT_FALSE(newest_trace(places_).has_value());
  write("work/a.oomtrace", "x", 1'000'000);
  EXPECT_EQ(newest_trace(places_), path("work/a.oomtrace"));
  write("state/b.oomtrace", "x", 2'000'000);
  write("work/c.log", "x", 3'000'000);
  std::filesystem::create_directory(path("work/d.oomtrace"));
  EXPECT_EQ(newest_trace(places_), path("state/b.oomtrace"));
}

TEST_F(Search, goes_from_the_buffer_to_the_journal_to_the_files) {
  write("kmsg", std::string("4,1,5000000,-;") + kKill);
  install_journalctl("printf '__CURSOR=1\\n__REALTIME_TIMESTAMP=1790000000000000\\n_HOSTNAME=n1\\nMESSAGE=%s\\n\\n' '" +
                     std::string(kKill, std::string_view(kKill).size() - 1) + "'\n");
  write("log/kern.log", std::string("2026-03-24T14:32:11Z n2 kernel: ") + kKill);
  KernelLogSearch found = search();
  auto place = found.next();
  ASSERT_TRUE(place.has_value());
  EXPECT_EQ(place->name, path("kmsg"));
  const auto in_buffer = kills(*std::move(place));
  ASSERT_EQ(in_buffer.size(), 1U);
  EXPECT_GT(in_buffer[0].first, 1'700'000'000) << "the buffer's clock is put beside this machine's";
  EXPECT_NE(in_buffer[0].second, "");

  place = found.next();
  ASSERT_TRUE(place.has_value());
  EXPECT_EQ(place->name, "the journal");
  EXPECT_EQ(kills(*std::move(place)), (std::vector<std::pair<std::int64_t, std::string>>{{1'790'000'000, "n1"}}));
  EXPECT_EQ(arguments().find("--boot"), std::string::npos) << "earlier boots as well";
  EXPECT_NE(arguments().find("_TRANSPORT=kernel\n+\n"), std::string::npos);

  place = found.next();
  ASSERT_TRUE(place.has_value());
  EXPECT_EQ(place->name, path("log/kern.log"));
  EXPECT_EQ(kills(*std::move(place)), (std::vector<std::pair<std::int64_t, std::string>>{{1'774'362'731, "n2"}}));
  EXPECT_FALSE(found.next().has_value());
}

TEST_F(Search, asks_the_journal_for_the_boot_and_the_bounds) {
  write("kmsg", "4,1,5,-;x\n");
  install_journalctl("echo MESSAGE=x");
  TimeBounds bounds;
  bounds.since_ns = 1'774'362'731'500'000'000;
  bounds.until_ns = 1'774'362'740'500'000'000;
  const auto place = search("-1", bounds).next();
  ASSERT_TRUE(place.has_value());
  EXPECT_EQ(place->name, "the journal") << "the buffer has nothing of another boot";
  EXPECT_NE(arguments().find("--boot=-1\n--since=@1774362731\n--until=@1774362741\n"), std::string::npos)
      << arguments();
}

TEST_F(Search, finds_this_boot_in_the_buffer) {
  write("kmsg", "4,1,5,-;x\n");
  for (const char* boot : {"0", "0f9fd93a4b7e4f9e8c6d0123456789ab"}) {
    const auto place = search(boot).next();
    ASSERT_TRUE(place.has_value()) << boot;
    EXPECT_EQ(place->name, path("kmsg"));
  }
  EXPECT_FALSE(search("ffffffffffffffffffffffffffffffff").next().has_value());
}

TEST_F(Search, looks_into_the_buffer_last_for_what_was_before_this_boot) {
  write("kmsg", "4,1,5,-;x\n");
  write("log/messages", "x\n");
  TimeBounds bounds;
  bounds.since_ns = 1;
  KernelLogSearch found = search("", bounds);
  EXPECT_EQ(found.next()->name, path("log/messages"));
  EXPECT_EQ(found.next()->name, path("kmsg"));
}

TEST_F(Search, reads_rotated_files_oldest_first) {
  write("log/messages", "x", 5'000'000);
  write("log/messages-20260320.gz", "x", 3'000'000);
  write("log/messages.1", "x", 4'000'000);
  write("log/messages.save", "x", 4'500'000);
  write("log/syslog", "x", 9'000'000);
  EXPECT_EQ(syslog_files(places_.log_dir),
            (std::vector<std::string>{path("log/messages-20260320.gz"), path("log/messages.1"), path("log/messages")}));
  EXPECT_TRUE(syslog_files(path("none")).empty());
}

// Stamps without year and zone: of the file's own time, in this machine's zone.
TEST_F(Search, dates_stamps_without_a_year_by_the_file) {
  setenv("TZ", "XST-2", 1);
  tzset();
  // Changed on 2026-01-02: December is of the year before.
  write("log/kern.log", std::string("Dec 31 23:00:00 n kernel: ") + kKill + "Jan  1 01:00:00 n kernel: " + kKill,
        1'767'312'000);
  KernelLogSearch found = search();
  auto place = found.next();
  ASSERT_TRUE(place.has_value());
  const auto told = kills(*std::move(place));
  unsetenv("TZ");
  tzset();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].first, 1'767'214'800);  // 2025-12-31T21:00:00Z
  EXPECT_EQ(told[1].first, 1'767'222'000);  // 2025-12-31T23:00:00Z
}

TEST_F(Search, says_of_every_place_why_it_cannot_be_read) {
  install_journalctl(
      "echo 'Hint: You are currently not seeing messages from other users and the system.' >&2\n"
      "echo '-- No entries --'\n");
  KernelLogSearch found = search();
  EXPECT_FALSE(found.next().has_value());
  const Error error = found.error();
  EXPECT_EQ(error.code, Errc::kPermission);
  for (const std::string& part : {path("kmsg"), std::string("the journal: its kernel messages are not for this user"),
                                  path("log") + ": no kern.log, messages or syslog"})
    EXPECT_NE(error.context.find(part), std::string::npos) << part << " in " << error.context;
  EXPECT_NE(error.hint.find("systemd-journal"), std::string::npos);
}

TEST_F(Search, tells_missing_from_not_permitted) {
  KernelLogSearch found = search();
  EXPECT_FALSE(found.next().has_value());
  EXPECT_EQ(found.error().code, Errc::kInput);
  EXPECT_NE(found.error().context.find("there is no journalctl"), std::string::npos) << found.error().context;
}

}  // namespace
}  // namespace oomtrace::cli
