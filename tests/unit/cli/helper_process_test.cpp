// SPDX-License-Identifier: Apache-2.0
// A recorder's helper: what it may do, what becomes of jobs that are killed, and when it ends.
#include "cli/helper_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "support/temp_dir.h"

namespace oomtrace::test {
namespace {

using namespace std::chrono_literals;
using cli::HelperProcess;

void put(const std::string& path, const std::string& text) {
  if (auto file = open_fd(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600)) (void)write_all(*file, text);
}

bool has_any_capability() {
  const cap_t now = cap_get_proc(), none = cap_init();
  const bool any = cap_compare(now, none) != 0;
  cap_free(now);
  cap_free(none);
  return any;
}

bool told_once(const char* name) { return read_small_file(name, 64).value_or("") == "x"; }

// In the helper: what the test asks for, told in files of its directory.
int work(const std::vector<std::string>& job) {
  if (job[0] == "tell") {
    put("capable", has_any_capability() ? "yes" : "no");
    put("new-privileges", std::to_string(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)));
    put("score", read_small_file("/proc/self/oom_score_adj", 64).value_or("?"));
    put("descriptors", std::to_string(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {})));
    const pid_t child = fork();
    if (child == 0) _exit(0);
    put("filter", child < 0 ? strerrorname_np(errno) : "none");
    put("user", std::to_string(getuid()) + " " + std::to_string(getgid()));
  } else if (job[0] == "die") {
    put("died", "x");
    raise(SIGKILL);
  } else if (job[0] == "again") {
    put("again", "x");
    return told_once("again") ? cli::kTryAgain : 0;
  } else if (job[0] == "wait") {
    put("waits", std::to_string(getpid()));
    pause();
  } else if (job[0] == "throw") {
    throw std::runtime_error("for a test");
  } else {
    put("order", job[0]);
  }
  return 0;
}

class HelperTest : public ::testing::Test {
 protected:
  void start(std::chrono::nanoseconds retry_after = 1ms) {
    const Fd fd = *open_fd(directory.path().c_str(), O_RDONLY | O_DIRECTORY);
    auto started = HelperProcess::start(fd, {getuid(), getgid(), work, retry_after});
    ASSERT_TRUE(started) << started.error().context;
    helper = *std::move(started);
  }
  std::string told(const std::string& name) { return read_small_file((directory / name).c_str(), 64).value_or(""); }
  std::string wait_for(const std::string& name) {
    for (int i = 0; i < 1000 && told(name).empty(); ++i) {
      helper->service(now_ns());
      std::this_thread::sleep_for(10ms);
    }
    return told(name);
  }
  static std::uint64_t now_ns() {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
  }

  const TempDir directory;
  std::unique_ptr<HelperProcess> helper;
};

TEST_F(HelperTest, a_job_holds_no_privilege_and_is_the_first_to_be_killed) {
  start();
  helper->run({"tell"});
  helper->finish(10s);
  EXPECT_EQ(told("capable"), "no");
  EXPECT_EQ(told("new-privileges"), "1");
  EXPECT_EQ(told("score"), "1000\n");
  EXPECT_EQ(told("descriptors"), "4") << "0, 1, 2, and the directory that is being read";
  EXPECT_EQ(told("filter"), "EPERM");
  EXPECT_EQ(told("user"), std::to_string(getuid()) + " " + std::to_string(getgid()));
  EXPECT_EQ(helper->left_out(), 0U);
}

TEST_F(HelperTest, jobs_run_in_their_order_and_one_that_fails_once) {
  start();
  for (const char* job : {"a", "throw", "b", "c"}) helper->run({job});
  helper->finish(10s);
  EXPECT_EQ(told("order"), "abc");
  EXPECT_EQ(helper->left_out(), 0U);
}

TEST_F(HelperTest, a_job_that_is_killed_is_tried_again_and_given_up_in_the_end) {
  start();
  helper->run({"die"});
  helper->run({"a"});
  helper->finish(10s);
  EXPECT_EQ(told("died"), "xxxx");
  EXPECT_EQ(told("order"), "a");
  EXPECT_EQ(helper->left_out(), 1U);
}

TEST_F(HelperTest, a_job_may_ask_to_be_tried_again) {
  start();
  helper->run({"again"});
  helper->finish(10s);
  EXPECT_EQ(told("again"), "xx");
  EXPECT_EQ(helper->left_out(), 0U);
}

TEST_F(HelperTest, its_running_job_is_known_and_ends_with_it) {
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);  // whoever is init here need not be quick
  start();
  helper->run({"wait"});
  helper->run({"a"});
  const std::string pid = wait_for("waits");
  ASSERT_FALSE(pid.empty());
  EXPECT_TRUE(helper->is_helper(std::stoi(pid)));
  EXPECT_FALSE(helper->is_helper(getpid()));
  helper->finish(50ms);
  EXPECT_EQ(helper->left_out(), 2U);
  helper.reset();
  int status = 0;
  ASSERT_EQ(waitpid(std::stoi(pid), &status, 0), std::stoi(pid));
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  EXPECT_EQ(told("order"), "");
}

TEST_F(HelperTest, too_many_and_too_large_jobs_are_counted) {
  start();
  helper->run({std::string(cli::kMaxJobBytes, 'x')});
  helper->run({});
  EXPECT_EQ(helper->left_out(), 2U);
  helper->run({"wait"});
  for (int i = 0; i < 600; ++i) helper->run({"a"});
  EXPECT_EQ(helper->left_out(), 2U + 601U);
}

}  // namespace
}  // namespace oomtrace::test
