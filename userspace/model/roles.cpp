// SPDX-License-Identifier: Apache-2.0
// Roles: what each process is to the training, and by which evidence.
#include "model/roles.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "model/lineage.h"
#include "model/rank_signs.h"
#include "model/role_signs.h"
#include "model/world.h"

namespace oomtrace::model {
namespace {

std::string named(const Process& process) { return process.comm + " (" + std::to_string(process.pid) + ")"; }

// The fork server stands between a trainer and its workers and is not anybody's rank.
bool is_fork_server(const World& world, const Process& process) {
  if (!runs_fork_server(process.command_line)) return false;
  const Process* parent = world.parent_of(process);
  return !(parent && runs_fork_server(parent->command_line) && forked_without_exec(world, process));
}

// Looked for once for each process: its children are many, and all of them ask.
class NamedWorkers {
 public:
  explicit NamedWorkers(const World& world) : world_(world) {}

  // A child, or a fork server's, that PyTorch named a DataLoader worker; nullptr where there is none.
  const Process* child_of(const Process& process) {
    const auto [known, fresh] = known_.try_emplace(process.id, nullptr);
    if (fresh) known->second = look(process);
    return known->second;
  }

 private:
  const Process* look(const Process& process) const {
    for (const ProcessId id : process.children) {
      const Process* child = world_.find(id);
      if (!child) continue;
      if (named_data_worker(child->comm)) return child;
      if (!is_fork_server(world_, *child)) continue;
      for (const ProcessId grandchild_id : child->children) {
        const Process* grandchild = world_.find(grandchild_id);
        if (grandchild && named_data_worker(grandchild->comm)) return grandchild;
      }
    }
    return nullptr;
  }

  const World& world_;
  std::unordered_map<ProcessId, const Process*> known_;
};

// RANK is inherited by everything below a rank: the trainer is the topmost that has it, shells and launchers apart.
// A pod or a batch job sets RANK to the node's number, and torchrun inherits it.
bool topmost_of_rank(const World& world, const Process& process) {
  const Process* above = world.parent_of(process);
  for (int level = 0; above && (is_shell(*above) || is_launcher(*above)) && level < kMaxAncestors; ++level)
    above = world.parent_of(*above);
  return !above || !same_rank(*above, process);
}

// Who starts the ranks, and has none of its own. Lightning's rank 0 starts the others, never a first rank.
const Process* first_rank_child(const World& world, const Process& process) {
  // A title may have overwritten a trainer's environment, and what it starts have the scheduler's numbers as it had.
  const bool trains = training_library(process).has_value();
  for (const ProcessId id : process.children) {
    const Process* child = world.find(id);
    if (!child || child->execs == 0 || !starts_first_rank(process, *child)) continue;
    if (!trains || rank_of(*child)) return child;
  }
  return nullptr;
}

// A worker is named within milliseconds after its fork, where memory is short within moments.
constexpr std::uint64_t kTimeToName = 2'000'000'000;

bool could_have_been_named(const Process& process) {
  std::uint64_t seen_ns = process.wait_status ? process.exit_ns.value_or(0) : 0;
  if (const auto* last = process.memory.last()) seen_ns = std::max(seen_ns, last->until_ns);
  return process.start_boot_ns != 0 && seen_ns > process.start_boot_ns + kTimeToName;
}

RoleInfo worker_of(const Process& process, const Process* parent, const RoleInfo& parent_role, const char* how) {
  const std::string by = parent ? named(*parent) : "its parent";
  if (parent && parent_role.role == Role::kTrainer && !named_data_worker(process.comm)) {
    return {Role::kDataloaderWorker, std::string(how) + " trainer " + by};
  }
  return {Role::kWorker, std::string(how) + " " + by + ", purpose unknown"};
}

// A trainer by signs of its own; false where there are none.
bool trainer_signs(NamedWorkers& workers, const Process& process, RoleInfo& found) {
  if (const Process* child = workers.child_of(process)) {
    found = {Role::kTrainer, "has DataLoader worker " + named(*child)};
  } else if (const auto thread = trainer_thread(process)) {
    found = {Role::kTrainer, "has thread " + *thread};
  } else {
    return false;
  }
  return true;
}

RoleInfo decide(const World& world, NamedWorkers& workers, const Process& process, const RoleInfo& parent_role,
                const Process* parent) {
  if (named_data_worker(process.comm)) return {Role::kDataloaderWorker, "named " + process.comm + " by PyTorch"};
  if (named_elastic_agent(process.comm)) return {Role::kLauncher, "named pt_elastic by PyTorch"};
  if (is_shm_manager(process)) return {Role::kShmManager, "is torch_shm_manager"};
  if (is_resource_tracker(process.command_line)) return {Role::kOther, "Python's resource tracker"};
  if (is_fork_server(world, process)) return {Role::kOther, "Python's fork server"};
  if (is_node_daemon(process)) return {Role::kLauncher, "is " + process.comm + ", which starts ranks"};
  if (is_compile_worker(process.command_line)) return {Role::kCompileWorker, "runs torch._inductor's compile worker"};

  RoleInfo found;
  const bool forked = forked_without_exec(world, process);
  const bool from_fork_server = parent && runs_fork_server(parent->command_line) && forked;
  if (from_fork_server || is_spawn_child(process.command_line)) {
    // A trainer that torch.multiprocessing.spawn started looks like a worker but for what it does.
    if (trainer_signs(workers, process, found)) return found;
    if (const auto device = accelerator_mapping(process)) return {Role::kTrainer, "spawned, and maps " + *device};
    return worker_of(process, parent, parent_role, from_fork_server ? "made by the fork server of" : "spawned by");
  }
  if (forked) {
    if (parent_role.role == Role::kCompileWorker)
      return {Role::kCompileWorker, "forked by compile worker " + named(*parent)};
    if (trainer_signs(workers, process, found)) return found;
    // Of a shell with built-in programs (busybox), which take their own names, too.
    if (is_shell(process) || (parent && is_shell(*parent))) return {Role::kOther, "a subshell"};
    // Where PyTorch names its workers, another pool's are those without a name: datasets.map(num_proc=...).
    if (parent && parent_role.role == Role::kTrainer && could_have_been_named(process) && workers.child_of(*parent)) {
      return {Role::kWorker,
              "forked without exec by trainer " + named(*parent) + ", whose DataLoader workers have names"};
    }
    return worker_of(process, parent, parent_role, "forked without exec by");
  }

  if (is_ray_daemon(process)) return {Role::kLauncher, "Ray's " + process.comm + ", which starts its workers"};
  if (is_ray_worker(process)) {
    if (trainer_signs(workers, process, found)) return found;
    if (is_ray_train_worker(process)) return {Role::kTrainer, "a worker of Ray Train: " + process.comm};
    if (const auto device = accelerator_mapping(process)) return {Role::kTrainer, "a Ray worker that maps " + *device};
    return {Role::kWorker, "a Ray worker: " + process.comm};
  }
  if (is_launcher(process)) return {Role::kLauncher, "runs " + program_of(process.command_line).name};
  if (is_shell(process)) return {Role::kOther, "a shell"};
  if (trainer_signs(workers, process, found)) return found;
  const auto rank = rank_of(process);
  if (!rank) {
    if (const Process* child = first_rank_child(world, process))
      return {Role::kLauncher, "starts " + named(*child) + ", the first rank"};
  }
  if (rank) {
    if (topmost_of_rank(world, process)) return {Role::kTrainer, "topmost process with " + *rank};
    return {Role::kOther, "below the process of its rank (" + *rank + ")"};
  }
  if (const auto library = training_library(process)) return {Role::kTrainer, "maps " + *library};
  if (named_main_thread(process.comm)) return {Role::kTrainer, "named pt_main_thread by PyTorch"};
  return {Role::kOther, "no sign of training"};
}

}  // namespace

const char* to_string(Role role) {
  switch (role) {
    case Role::kTrainer:
      return "trainer";
    case Role::kDataloaderWorker:
      return "dataloader_worker";
    case Role::kWorker:
      return "worker";
    case Role::kLauncher:
      return "launcher";
    case Role::kShmManager:
      return "shm_manager";
    case Role::kCompileWorker:
      return "compile_worker";
    case Role::kOther:
      break;
  }
  return "other";
}

Roles::Roles(const World& world) {
  NamedWorkers workers(world);
  const auto parent_past_fork_server = [&](const Process& process) {
    const Process* parent = world.parent_of(process);
    if (parent && is_fork_server(world, *parent)) {
      if (const Process* above = world.parent_of(*parent)) return above;
    }
    return parent;
  };
  for (const auto& [id, process] : world.processes()) {
    // Parents first, without recursion; a circle or an endless line is cut and its top decided without its parent.
    std::vector<const Process*> line;
    for (const Process* next = &process; next && !roles_.contains(next->id) && line.size() < kMaxAncestors;
         next = parent_past_fork_server(*next)) {
      line.push_back(next);
    }
    for (auto next = line.rbegin(); next != line.rend(); ++next) {
      const Process* above = parent_past_fork_server(**next);
      const RoleInfo above_role = above ? of(above->id) : RoleInfo{};
      // Signs of the fork server itself are its direct parent's; the role that counts is the one above it.
      const Process* direct = world.parent_of(**next);
      RoleInfo role =
          decide(world, workers, **next, above_role, direct && is_fork_server(world, *direct) ? direct : above);
      roles_.emplace((*next)->id, std::move(role));
    }
  }
}

const RoleInfo& Roles::of(ProcessId id) const {
  static const RoleInfo kUnknown{Role::kOther, "not known"};
  const auto found = roles_.find(id);
  return found == roles_.end() ? kUnknown : found->second;
}

}  // namespace oomtrace::model
