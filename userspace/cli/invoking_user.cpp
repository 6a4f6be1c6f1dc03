// SPDX-License-Identifier: Apache-2.0
// SUDO_* variables, the user database, and the sudo process among our ancestors.
#include "cli/invoking_user.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/file.h"

namespace oomtrace::cli {

namespace {

constexpr std::size_t kMaxEnvironment = 2U << 20;
constexpr int kMaxAncestors = 8;

std::optional<unsigned> numeric_variable(const char* name) {
  const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread starts
  if (text == nullptr) return std::nullopt;
  unsigned value = 0;
  const char* end = text + std::strlen(text);
  const auto result = std::from_chars(text, end, value);
  if (result.ec != std::errc{} || result.ptr != end) return std::nullopt;
  return value;
}

void look_up(InvokingUser& user) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(16384);
  if (getpwuid_r(user.uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    user.name = found->pw_name;
    user.home = found->pw_dir;
    user.shell = found->pw_shell;
    if (!user.through_sudo) user.gid = getgid();
    int count = 256;
    user.groups.resize(static_cast<std::size_t>(count));
    if (getgrouplist(user.name.c_str(), user.gid, user.groups.data(), &count) >= 0) {
      user.groups.resize(static_cast<std::size_t>(count));
      return;
    }
  }
  user.groups = {user.gid};
}

std::optional<pid_t> parent_of(pid_t pid) {
  const auto stat = read_small_file(("/proc/" + std::to_string(pid) + "/stat").c_str(), 4096);
  if (!stat) return std::nullopt;
  const std::size_t close = stat->rfind(')');
  if (close == std::string::npos || stat->size() < close + 5) return std::nullopt;
  pid_t parent = 0;
  const char* begin = stat->data() + close + 4;  // ") S 123"
  if (std::from_chars(begin, stat->data() + stat->size(), parent).ec != std::errc{}) return std::nullopt;
  return parent;
}

std::vector<std::string> split_environment(std::string_view bytes) {
  std::vector<std::string> variables;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\0');
    const std::string_view variable = bytes.substr(0, end);
    if (variable.find('=') != std::string_view::npos) variables.emplace_back(variable);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  }
  return variables;
}

std::optional<std::vector<std::string>> environment_of_sudo() {
  pid_t pid = getpid();
  for (int i = 0; i < kMaxAncestors; ++i) {
    const auto parent = parent_of(pid);
    if (!parent || *parent <= 1) return std::nullopt;
    pid = *parent;
    const std::string directory = "/proc/" + std::to_string(pid);
    const auto comm = read_small_file((directory + "/comm").c_str(), 64);
    if (!comm || *comm != "sudo\n") continue;
    const auto bytes = read_small_file((directory + "/environ").c_str(), kMaxEnvironment);
    if (!bytes || bytes->empty()) return std::nullopt;
    return split_environment(*bytes);
  }
  return std::nullopt;
}

void set_variable(std::vector<std::string>& environment, std::string_view name, const std::string& value) {
  if (value.empty()) return;
  for (std::string& variable : environment) {
    if (variable.size() > name.size() && variable.starts_with(name) && variable[name.size()] == '=') {
      variable = std::string(name) + "=" + value;
      return;
    }
  }
  environment.push_back(std::string(name) + "=" + value);
}

}  // namespace

InvokingUser find_invoking_user() {
  InvokingUser user;
  user.uid = getuid();
  user.gid = getgid();
  if (geteuid() == 0) {
    const auto uid = numeric_variable("SUDO_UID");
    const auto gid = numeric_variable("SUDO_GID");
    // -1 is "as it is" to setresuid(2) and chown(2).
    constexpr unsigned kNobody = ~0U;
    if (uid && gid && *uid != 0 && *uid != kNobody && *gid != kNobody) {
      user.uid = *uid;
      user.gid = *gid;
      user.through_sudo = true;
    }
  }
  look_up(user);
  return user;
}

std::vector<std::string> invoking_environment(const InvokingUser& user) {
  if (user.through_sudo) {
    if (auto environment = environment_of_sudo()) return *std::move(environment);
  }
  std::vector<std::string> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    if (!text.starts_with("SUDO_")) environment.emplace_back(text);
  }
  if (user.through_sudo) {
    set_variable(environment, "HOME", user.home);
    set_variable(environment, "USER", user.name);
    set_variable(environment, "LOGNAME", user.name);
    set_variable(environment, "SHELL", user.shell);
    set_variable(environment, "PATH", "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games");
  }
  return environment;
}

}  // namespace oomtrace::cli
