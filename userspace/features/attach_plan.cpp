// SPDX-License-Identifier: Apache-2.0
// The table of facts and ways, and the choice.
#include "features/attach_plan.h"

#include <algorithm>

namespace oomtrace::features {

namespace {

Way tracepoint_way(const KernelFacts& kernel, std::string name, std::vector<std::string> programs,
                   const std::vector<std::string>& tracepoints) {
  Way way{std::move(name), std::move(programs), true, {}, {}};
  for (const std::string& tracepoint : tracepoints) {
    if (kernel.tracepoints.count(tracepoint) != 0) continue;
    way.possible = false;
    way.why_not = "this kernel has no tracepoint " + tracepoint;
    break;
  }
  return way;
}

// A way that needs a program at the entry of each of `functions`.
Way function_way(const KernelFacts& kernel, std::string name, std::vector<std::string> programs, bool fentry,
                 const std::vector<std::string>& functions) {
  Way way{std::move(name), std::move(programs), true, {}, {}};
  for (const std::string& function : functions) {
    const auto found = kernel.functions.find(function);
    if (found == kernel.functions.end()) {
      way.possible = false;
      way.why_not = "this kernel has no function " + function;
      return way;
    }
    const bool attachable = fentry ? found->second.fentry : found->second.kprobe;
    if (attachable) continue;
    way.possible = false;
    way.why_not = (fentry ? "fentry on " : "kprobe on ") + function +
                  " refused: " + (fentry ? found->second.fentry_refusal : found->second.kprobe_refusal);
    way.enable = fentry
                     ? "a kernel with BPF trampolines and ftrace direct calls (CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS)"
                     : "a kernel built with CONFIG_KPROBES and CONFIG_KPROBE_EVENTS";
    return way;
  }
  return way;
}

// kernel-log and reconstruction are ways of the reader, not of a program: always last, never attached.
Fact candidates(const KernelFacts& kernel) {
  const std::vector<std::string> scan = {"out_of_memory", "oom_evaluate_task", "oom_kill_process"};
  Way walk = tracepoint_way(kernel, "task_walk", {"on_mark_victim_walk"}, {"mark_victim"});
  if (walk.possible && !kernel.task_iterator_kfuncs) {
    walk.possible = false;
    walk.why_not = "this kernel has no task iterator kfuncs";
    walk.enable = "Linux 6.7 or later";
  }
  Way iterator{"iter_task", {"census_candidates"}, kernel.task_iterator_program, {}, {}};
  if (!iterator.possible) iterator.why_not = "this kernel has no task iterator programs";
  Way log{"kernel_log", {}, kernel.kernel_log, {}, {}};
  if (!log.possible) {
    log.why_not = "/dev/kmsg cannot be read";
    log.enable = "CAP_SYSLOG";
  }
  return Fact{"candidates",
              false,
              {function_way(kernel, "evaluate_task_fentry", {"on_out_of_memory", "on_oom_evaluate_task"}, true, scan),
               function_way(kernel, "evaluate_task_kprobe", {"on_out_of_memory_kprobe", "on_oom_evaluate_task_kprobe"},
                            false, scan),
               std::move(walk), std::move(iterator), std::move(log)},
              -1};
}

Fact decision(const KernelFacts& kernel) {
  Way mark = tracepoint_way(kernel, "mark_victim", {}, {"mark_victim"});
  return Fact{
      "decision",
      true,
      {function_way(kernel, "oom_kill_process_fentry", {"on_oom_kill_process"}, true, {"oom_kill_process"}),
       function_way(kernel, "oom_kill_process_kprobe", {"on_oom_kill_process_kprobe"}, false, {"oom_kill_process"}),
       std::move(mark)},
      -1};
}

// Every decision is told at oom:mark_victim, whichever way its facts were read.
Fact victims(const KernelFacts& kernel) {
  Way task = tracepoint_way(kernel, "mark_victim_task", {"on_mark_victim"}, {"mark_victim", "signal_generate"});
  if (task.possible && !kernel.mark_victim_takes_task) {
    task.possible = false;
    task.why_not = "mark_victim passes a bare pid on this kernel";
    task.enable = "a kernel or stable release with mark_victim(struct task_struct *, uid_t)";
  }
  return Fact{"victims",
              true,
              {std::move(task),
               tracepoint_way(kernel, "mark_victim_pid", {"on_mark_victim_pid"}, {"mark_victim", "signal_generate"})},
              -1};
}

Fact reaping(const KernelFacts& kernel) {
  return Fact{"reaping",
              false,
              {tracepoint_way(kernel, "finish_task_reaping", {"on_finish_task_reaping"}, {"finish_task_reaping"})},
              -1};
}

Fact lineage(const KernelFacts& kernel) {
  return Fact{"lineage",
              true,
              {tracepoint_way(kernel, "tracepoints", {"on_task_newtask", "on_process_exec", "on_process_exit"},
                              {"task_newtask", "sched_process_exec", "sched_process_exit"})},
              -1};
}

Fact growth(const KernelFacts& kernel) {
  return Fact{"growth",
              false,
              {tracepoint_way(kernel, "page_fault_tracepoints", {"on_page_fault_user", "on_page_fault_kernel"},
                              {"page_fault_user", "page_fault_kernel"})},
              -1};
}

// It also tells candidates where the way to them attached and then stayed silent.
Fact census(const KernelFacts& kernel) {
  Way iterator{"iter_task", {"census", "census_candidates"}, kernel.task_iterator_program, {}, {}};
  if (!iterator.possible) iterator.why_not = "this kernel has no task iterator programs";
  return Fact{"census", false, {std::move(iterator)}, -1};
}

Fact signals(const KernelFacts& kernel) {
  return Fact{
      "signals", true, {tracepoint_way(kernel, "signal_generate", {"on_signal_generate"}, {"signal_generate"})}, -1};
}

Fact protection(const KernelFacts& kernel) {
  return Fact{"protection",
              false,
              {tracepoint_way(kernel, "oom_score_adj_update", {"on_oom_score_adj_update"}, {"oom_score_adj_update"})},
              -1};
}

bool switch_off_all_but(Fact& fact, const std::vector<std::string>& only) {
  const auto named = [&](const Way& way) { return std::find(only.begin(), only.end(), way.name) != only.end(); };
  if (std::none_of(fact.ways.begin(), fact.ways.end(), named)) return false;
  for (Way& way : fact.ways) {
    if (named(way) || !way.possible) continue;
    way.possible = false;
    way.why_not = "switched off by --rungs";
  }
  return true;
}

}  // namespace

std::string Fact::why_not_better() const {
  std::string text;
  const std::size_t end = taken < 0 ? ways.size() : static_cast<std::size_t>(taken);
  for (std::size_t i = 0; i < end; ++i) {
    if (!text.empty()) text += "; ";
    text += ways[i].name + ": " + ways[i].why_not;
  }
  return text;
}

const Fact* AttachPlan::find(std::string_view fact) const {
  const auto found = std::find_if(facts.begin(), facts.end(), [&](const Fact& f) { return f.name == fact; });
  return found == facts.end() ? nullptr : &*found;
}

std::vector<std::string> AttachPlan::programs() const {
  std::vector<std::string> names;
  for (const Fact& fact : facts) {
    if (const Way* way = fact.way()) {
      for (const std::string& program : way->programs)
        if (std::find(names.begin(), names.end(), program) == names.end()) names.push_back(program);
    }
  }
  return names;
}

Result<AttachPlan> make_plan(const KernelFacts& kernel, const std::vector<std::string>& only) {
  AttachPlan plan;
  plan.facts = {decision(kernel), victims(kernel), candidates(kernel), lineage(kernel),   growth(kernel),
                census(kernel),   signals(kernel), reaping(kernel),    protection(kernel)};
  for (const std::string& name : only) {
    const bool known = std::any_of(plan.facts.begin(), plan.facts.end(), [&](const Fact& fact) {
      return std::any_of(fact.ways.begin(), fact.ways.end(), [&](const Way& way) { return way.name == name; });
    });
    if (!known) return fail(Errc::kUsage, "--rungs: no way is called '" + name + "'");
  }
  for (Fact& fact : plan.facts) {
    if (!only.empty()) switch_off_all_but(fact, only);
    for (std::size_t i = 0; i < fact.ways.size() && fact.taken < 0; ++i)
      if (fact.ways[i].possible) fact.taken = static_cast<int>(i);
    if (fact.required && fact.taken < 0)
      return fail(Errc::kKernelUnsupported,
                  "no way to see the " + fact.name + " on kernel " + kernel.release + ": " + fact.why_not_better());
  }
  return plan;
}

const std::vector<std::string>& tracepoints_of_interest() {
  static const std::vector<std::string> names = {"mark_victim",        "oom_score_adj_update", "task_newtask",
                                                 "sched_process_exec", "sched_process_exit",   "page_fault_user",
                                                 "page_fault_kernel",  "signal_generate",      "finish_task_reaping"};
  return names;
}

const std::vector<std::string>& functions_of_interest() {
  static const std::vector<std::string> names = {"out_of_memory", "oom_evaluate_task", "oom_kill_process"};
  return names;
}

}  // namespace oomtrace::features
