// SPDX-License-Identifier: Apache-2.0
// Standard output of a program as bytes.
#include "cli/input_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/sys_error.h"

namespace oomtrace::cli {
namespace {

struct SpawnActions {
  posix_spawn_file_actions_t actions{};
  SpawnActions() { posix_spawn_file_actions_init(&actions); }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
};

// Ours, with the C locale: its messages are read here.
std::vector<std::string> c_environment() {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!text.starts_with("LC_") && !text.starts_with("LANG")) all.emplace_back(text);
  }
  all.emplace_back("LC_ALL=C");
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> list;
  list.reserve(strings.size() + 1);
  for (std::string& text : strings) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

int wait_for(pid_t pid) {
  int status = -1;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return status;
}

bool speaks_of_permission(std::string_view text) {
  for (const std::string_view words : {"ermission", "not permitted", "not seeing messages from"}) {
    if (text.find(words) != text.npos) return true;
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<CommandSource>> CommandSource::start(const std::vector<std::string>& argv) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(Errc::kInput, "pipe", errno);
  Fd output(ends[0]), write_end(ends[1]);
  Fd errors(memfd_create("stderr", MFD_CLOEXEC));
  if (!errors) return fail_errno(Errc::kInput, "memfd_create", errno);
  SpawnActions spawn;
  posix_spawn_file_actions_addopen(&spawn.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&spawn.actions, write_end.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&spawn.actions, errors.get(), STDERR_FILENO);
  std::vector<std::string> arguments = argv, environment = c_environment();
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, arguments[0].c_str(), &spawn.actions, nullptr, pointers(arguments).data(),
                                 pointers(environment).data());
  if (error != 0) return fail(Errc::kInput, argv[0] + ": " + errno_text(error), error);
  return std::make_unique<CommandSource>(argv[0], pid, std::move(output), std::move(errors));
}

CommandSource::CommandSource(std::string name, pid_t pid, Fd output, Fd errors)
    : name_(std::move(name)), pid_(pid), output_(std::move(output)), errors_(std::move(errors)) {}

CommandSource::~CommandSource() {
  if (pid_ < 0) return;
  output_.reset();
  kill(pid_, SIGTERM);
  wait_for(pid_);
}

Result<std::size_t> CommandSource::read(std::span<char> into) {
  if (pid_ < 0) return 0;
  for (;;) {
    const ssize_t got = ::read(output_.get(), into.data(), into.size());
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0) break;
    if (errno != EINTR) return fail_errno(Errc::kInput, name_, errno);
  }
  const int status = wait_for(std::exchange(pid_, -1));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
  std::string why = error_text();
  const Errc code = speaks_of_permission(why) ? Errc::kPermission : Errc::kInput;
  if (why.empty())
    why = WIFSIGNALED(status) ? fmt::format("ended by signal {}", WTERMSIG(status))
                              : fmt::format("exit status {}", WEXITSTATUS(status));
  return fail(code, name_ + ": " + why);
}

std::string CommandSource::error_text() const {
  std::string text(4096, '\0');
  const ssize_t got = pread(errors_.get(), text.data(), text.size(), 0);
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace oomtrace::cli
