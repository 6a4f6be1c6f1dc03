// SPDX-License-Identifier: Apache-2.0
// Creating output files in directories that others may write to.
#include "trace/new_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/file.h"
#include "support/temp_dir.h"

namespace oomtrace::test {
namespace {

namespace fs = std::filesystem;
using trace::create_new_file;
using trace::Owner;

constexpr uid_t kNobody = 65534;

struct stat status_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status;
}

std::size_t entries(const std::string& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

TEST(NewFile, mode_is_0600_whatever_the_umask) {
  const TempDir directory;
  for (const mode_t mask : {0U, 022U, 0777U}) {
    const mode_t old = ::umask(mask);
    auto file = create_new_file(directory / std::to_string(mask), {});
    ::umask(old);
    ASSERT_TRUE(file) << file.error().context;
    EXPECT_EQ(status_of(directory / std::to_string(mask)).st_mode & 07777U, 0600U);
  }
}

TEST(NewFile, descriptor_is_closed_on_exec_and_writes) {
  const TempDir directory;
  auto file = create_new_file(directory / "f", {});
  ASSERT_TRUE(file);
  EXPECT_NE(::fcntl(file->get(), F_GETFD) & FD_CLOEXEC, 0);
  ASSERT_TRUE(write_all(*file, "x"));
  EXPECT_EQ(read_bytes(directory / "f"), "x");
}

TEST(NewFile, belongs_to_the_given_owner) {
  const TempDir directory;
  // Root gives it away; anybody else can only keep it.
  const Owner owner = ::geteuid() == 0 ? Owner{kNobody, 4242} : Owner{::geteuid(), ::getegid()};
  auto file = create_new_file(directory / "f", {.owner = owner});
  ASSERT_TRUE(file) << file.error().context;
  const struct stat status = status_of(directory / "f");
  EXPECT_EQ(status.st_uid, owner.uid);
  EXPECT_EQ(status.st_gid, owner.gid);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST(NewFile, is_not_made_where_a_users_link_leads_root) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root works for others";
  const TempDir directory;
  ASSERT_EQ(::chmod(directory.path().c_str(), 0755), 0);
  const Owner user{kNobody, 4242};
  for (const char* name : {"root", "home"}) fs::create_directory(directory / name);
  fs::create_directory_symlink("../root", directory / "home/run");
  for (const char* name : {"home", "home/run"}) ASSERT_EQ(::lchown((directory / name).c_str(), user.uid, user.gid), 0);
  for (const bool force : {false, true}) {
    auto file = create_new_file(directory / "home/run/f", {.force = force, .owner = user});
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().sys_errno, ELOOP);
    EXPECT_FALSE(file.error().hint.empty());
  }
  EXPECT_EQ(entries(directory / "root"), 0U);
  for (const char* name : {"home/f", "root/f"}) {
    ASSERT_TRUE(create_new_file(directory / name, {.owner = user})) << name;
    EXPECT_EQ(status_of(directory / name).st_uid, user.uid);
  }
}

TEST(NewFile, existing_names_are_refused_without_force) {
  const TempDir directory;
  write_bytes(directory / "file", "old");
  fs::create_symlink(directory / "file", directory / "link");
  fs::create_symlink(directory / "nowhere", directory / "dangling");
  for (const char* name : {"file", "link", "dangling"}) {
    auto file = create_new_file(directory / name, {});
    ASSERT_FALSE(file) << name;
    EXPECT_EQ(file.error().sys_errno, EEXIST);
    EXPECT_EQ(file.error().code, Errc::kOutput);
    EXPECT_NE(file.error().hint.find("--force"), std::string::npos);
  }
  EXPECT_EQ(read_bytes(directory / "file"), "old");
  EXPECT_FALSE(fs::exists(directory / "nowhere"));
}

TEST(NewFile, force_replaces_the_name_and_leaves_a_links_target_alone) {
  const TempDir directory;
  write_bytes(directory / "target", "precious");
  ::chmod((directory / "target").c_str(), 0644);
  fs::create_symlink(directory / "target", directory / "link");
  fs::create_hard_link(directory / "target", directory / "twin");
  for (const char* name : {"link", "twin", "fresh"}) {
    auto file = create_new_file(directory / name, {.force = true});
    ASSERT_TRUE(file) << file.error().context;
    ASSERT_TRUE(write_all(*file, "new"));
    EXPECT_TRUE(S_ISREG(status_of(directory / name).st_mode));
    EXPECT_EQ(status_of(directory / name).st_mode & 07777U, 0600U);
    EXPECT_EQ(read_bytes(directory / name), "new");
  }
  EXPECT_EQ(read_bytes(directory / "target"), "precious");
  EXPECT_EQ(status_of(directory / "target").st_mode & 07777U, 0644U);
  EXPECT_EQ(entries(directory.path()), 4U);  // no temporary file is left
}

TEST(NewFile, force_keeps_off_directories_and_devices) {
  const TempDir directory;
  fs::create_directory(directory / "folder");
  ASSERT_EQ(::mkfifo((directory / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(create_new_file(directory / "folder", {.force = true}).error().sys_errno, EISDIR);
  EXPECT_EQ(create_new_file(directory / "fifo", {.force = true}).error().sys_errno, EINVAL);
  EXPECT_TRUE(S_ISFIFO(status_of(directory / "fifo").st_mode));
  EXPECT_EQ(create_new_file("/dev/null", {.force = true}).error().sys_errno, EINVAL);
  EXPECT_EQ(entries(directory.path()), 2U);
}

TEST(NewFile, impossible_paths_say_why) {
  const TempDir directory;
  EXPECT_EQ(create_new_file("", {}).error().sys_errno, ENOENT);
  EXPECT_EQ(create_new_file(directory.path() + "/", {}).error().sys_errno, EISDIR);
  EXPECT_EQ(create_new_file(directory / "no/such/file", {}).error().sys_errno, ENOENT);
  write_bytes(directory / "file", "x");
  EXPECT_EQ(create_new_file(directory / "file/below", {}).error().sys_errno, ENOTDIR);
  EXPECT_EQ(create_new_file(directory / std::string(300, 'n'), {}).error().sys_errno, ENAMETOOLONG);
}

TEST(NewFile, failed_change_of_owner_or_directory_without_permission_leaves_nothing) {
  const TempDir directory;
  ::chmod(directory.path().c_str(), 0711);
  fs::create_directory(directory / "open");
  ::chmod((directory / "open").c_str(), 0777);
  write_bytes(directory / "open/old", "old");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (::geteuid() == 0 &&
        (::setresgid(kNobody, kNobody, kNobody) != 0 || ::setresuid(kNobody, kNobody, kNobody) != 0)) {
      ::_exit(10);
    }
    if (::geteuid() != status_of(directory.path()).st_uid) {
      auto closed = create_new_file(directory / "f", {});
      if (closed || closed.error().code != Errc::kPermission) ::_exit(11);
    }
    auto foreign = create_new_file(directory / "open/f", {.owner = Owner{0, 0}});
    if (foreign || foreign.error().sys_errno != EPERM) ::_exit(12);
    auto forced = create_new_file(directory / "open/old", {.force = true, .owner = Owner{0, 0}});
    if (forced || forced.error().sys_errno != EPERM) ::_exit(13);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(entries(directory / "open"), 1U);
  EXPECT_EQ(read_bytes(directory / "open/old"), "old");
}

}  // namespace
}  // namespace oomtrace::test
