// SPDX-License-Identifier: Apache-2.0
// The plan takes the best possible way and says why no better one.
#include "features/attach_plan.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace oomtrace::features {
namespace {

KernelFacts everything() {
  KernelFacts facts;
  facts.release = "6.18-test";
  facts.btf = facts.bpf_permitted = true;
  for (const std::string& name : tracepoints_of_interest()) facts.tracepoints.insert(name);
  for (const std::string& name : functions_of_interest()) facts.functions[name] = {true, "", true, ""};
  facts.mark_victim_takes_task = facts.task_iterator_kfuncs = facts.task_iterator_program = true;
  facts.kernel_symbols = facts.kernel_log = true;
  return facts;
}

KernelFacts without_trampolines(KernelFacts facts) {
  for (auto& [name, function] : facts.functions) {
    function.fentry = false;
    function.fentry_refusal = "Operation not permitted";
  }
  return facts;
}

KernelFacts without_kprobes(KernelFacts facts) {
  for (auto& [name, function] : facts.functions) {
    function.kprobe = false;
    function.kprobe_refusal = "this kernel has no kprobe events";
  }
  return facts;
}

std::string taken(const AttachPlan& plan, const char* fact) {
  const Fact* found = plan.find(fact);
  return found != nullptr && found->way() != nullptr ? found->way()->name : "none";
}

bool loads(const AttachPlan& plan, const char* program) {
  const auto programs = plan.programs();
  return std::count(programs.begin(), programs.end(), program) == 1;
}

TEST(AttachPlan, TakesFentryWhereItIsAllowed) {
  const auto plan = make_plan(everything());
  ASSERT_TRUE(plan);
  EXPECT_EQ(taken(*plan, "decision"), "oom_kill_process_fentry");
  EXPECT_EQ(taken(*plan, "candidates"), "evaluate_task_fentry");
  EXPECT_TRUE(plan->find("candidates")->why_not_better().empty());
  EXPECT_FALSE(loads(*plan, "on_mark_victim_walk"));
}

TEST(AttachPlan, TakesKprobesWhereFentryIsRefused) {
  const auto plan = make_plan(without_trampolines(everything()));
  ASSERT_TRUE(plan);
  EXPECT_EQ(taken(*plan, "decision"), "oom_kill_process_kprobe");
  EXPECT_EQ(taken(*plan, "candidates"), "evaluate_task_kprobe");
  EXPECT_NE(plan->find("candidates")->why_not_better().find("Operation not permitted"), std::string::npos);
}

TEST(AttachPlan, WalksTasksWhereBothAreRefused) {
  const auto plan = make_plan(without_kprobes(without_trampolines(everything())));
  ASSERT_TRUE(plan);
  EXPECT_EQ(taken(*plan, "decision"), "mark_victim");
  EXPECT_EQ(taken(*plan, "candidates"), "task_walk");
  EXPECT_TRUE(loads(*plan, "on_mark_victim_walk"));
  const auto programs = plan->programs();
  EXPECT_LT(std::find(programs.begin(), programs.end(), "on_mark_victim"),
            std::find(programs.begin(), programs.end(), "on_mark_victim_walk"))
      << "the walk completes a decision that must have been told before";
}

TEST(AttachPlan, FallsBackToTheCensusWithoutTaskIteratorKfuncs) {
  KernelFacts facts = without_kprobes(without_trampolines(everything()));
  facts.task_iterator_kfuncs = false;
  const auto plan = make_plan(facts);
  ASSERT_TRUE(plan);
  EXPECT_EQ(taken(*plan, "candidates"), "iter_task");
  EXPECT_TRUE(loads(*plan, "census_candidates"));
  EXPECT_NE(plan->find("candidates")->why_not_better().find("task_walk"), std::string::npos);
}

TEST(AttachPlan, SeesVictimsThroughTheBarePidForm) {
  KernelFacts facts = everything();
  facts.mark_victim_takes_task = false;
  const auto plan = make_plan(facts);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(loads(*plan, "on_mark_victim_pid"));
  EXPECT_FALSE(loads(*plan, "on_mark_victim"));
}

TEST(AttachPlan, RungsSwitchOffTheOtherWaysOfTheirFactOnly) {
  const auto plan = make_plan(everything(), {"task_walk", "mark_victim"});
  ASSERT_TRUE(plan);
  EXPECT_EQ(taken(*plan, "candidates"), "task_walk");
  EXPECT_EQ(taken(*plan, "decision"), "mark_victim");
  EXPECT_EQ(taken(*plan, "lineage"), "tracepoints");
  EXPECT_NE(plan->find("candidates")->why_not_better().find("--rungs"), std::string::npos);
}

TEST(AttachPlan, RefusesUnknownRungs) {
  const auto plan = make_plan(everything(), {"no_such_way"});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Errc::kUsage);
}

TEST(AttachPlan, FailsWhereARequiredFactHasNoWay) {
  KernelFacts facts = everything();
  facts.tracepoints.erase("mark_victim");
  const auto plan = make_plan(facts);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Errc::kKernelUnsupported);
}

}  // namespace
}  // namespace oomtrace::features
