// SPDX-License-Identifier: Apache-2.0
// A disk that a test can fill.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "base/fd.h"

namespace oomtrace::test {

// Runs `body` with a tmpfs of that size ("2m") at `path`; false: it cannot be mounted here (needs CAP_SYS_ADMIN). A
// thread may have mounts of its own, so the disk is gone with it.
template <class Body>
bool on_small_disk(const std::string& path, const std::string& size, Body body) {
  bool mounted = false;
  std::thread([&] {
    mounted = ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
              ::mount("none", path.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
    if (mounted) body();
  }).join();
  return mounted;
}

// Writes until nothing more goes in.
inline void fill_disk(const std::string& path) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const std::string page(4096, 'x');
  while (::write(file.get(), page.data(), page.size()) > 0) {
  }
}

}  // namespace oomtrace::test
