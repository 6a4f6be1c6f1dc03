// SPDX-License-Identifier: Apache-2.0
// What tests of roles share: processes by short words, and the role that each is given.
#pragma once

#include <gtest/gtest.h>

#include "model/jobs.h"
#include "model/roles.h"
#include "model/world.h"
#include "support/event_builder.h"

namespace oomtrace::model {

using test::mib;
using test::ref;

struct RolesTest : ::testing::Test {
  World world;
  test::EventStream events{[this](const Event& event) { world.apply(event); }};

  void start(std::uint32_t pid, std::uint32_t parent, std::string_view comm, std::string_view command_line,
             std::vector<std::pair<std::string_view, std::string_view>> environment = {},
             std::vector<std::string_view> libraries = {}, std::vector<std::string_view> threads = {}) {
    const ProcessRef process = ref(pid, comm, pid);
    const std::string executable =
        "/usr/bin/" + std::string(command_line.substr(0, std::min(command_line.find(' '), command_line.size())));
    events.at(pid);
    if (const Process* maker = world.by_pid(0, parent)) events.fork(ref(parent, maker->comm, parent), process);
    events.exec(process, executable, command_line, parent);
    if (environment.empty() && libraries.empty() && threads.empty()) return;
    ProcessInfo info;
    info.process = process;
    info.environment = std::move(environment);
    info.libraries = std::move(libraries);
    info.threads = std::move(threads);
    events.emit(info);
  }
  void fork(std::uint32_t pid, std::uint32_t parent, std::string_view comm) {
    events.at(pid).fork(ref(parent, world.by_pid(0, parent)->comm, parent), ref(pid, comm, pid));
  }
  std::string role(std::uint32_t pid) {
    const Roles roles(world);
    const Process* process = world.by_pid(0, pid);
    EXPECT_FALSE(roles.of(process->id).reason.empty());
    return to_string(roles.of(process->id).role);
  }
};

}  // namespace oomtrace::model
