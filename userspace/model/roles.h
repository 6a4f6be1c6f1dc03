// SPDX-License-Identifier: Apache-2.0
// Roles: what each process is to the training, and by which evidence.
#pragma once

#include <map>
#include <string>

#include "model/process.h"

namespace oomtrace::model {

class World;

enum class Role { kTrainer, kDataloaderWorker, kWorker, kLauncher, kShmManager, kCompileWorker, kOther };
const char* to_string(Role role);

struct RoleInfo {
  Role role = Role::kOther;
  std::string reason;  // the sign it was given for, for people
};

// Assigned once, from all that a World knows at the end: a name may come long after the fork. The signs are weighed in
// the order that assign.cpp's steps stand in, the surest first. A World that changes needs new Roles.
class Roles {
 public:
  explicit Roles(const World& world);
  // kOther for what the World does not know.
  const RoleInfo& of(ProcessId id) const;

 private:
  std::map<ProcessId, RoleInfo> roles_;
};

}  // namespace oomtrace::model
