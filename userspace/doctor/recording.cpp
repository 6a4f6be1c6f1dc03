// SPDX-License-Identifier: Apache-2.0
// The attach plan in words.
#include "doctor/recording.h"

namespace oomtrace::doctor {

namespace {

Finding kernel_types(const features::KernelFacts& kernel) {
  if (kernel.btf) return {"kernel types", Severity::kOk, "BTF is there", "", ""};
  return {"kernel types", Severity::kProblem, "missing", "/sys/kernel/btf/vmlinux is not there or not readable",
          "a kernel built with CONFIG_DEBUG_INFO_BTF=y; `oomtrace report` reads kernel logs without it"};
}

Finding permission(const features::KernelFacts& kernel, const std::vector<std::string>& missing) {
  std::string list;
  for (const std::string& capability : missing) list += (list.empty() ? "" : ", ") + capability;
  if (!kernel.bpf_permitted)
    return {"permission", Severity::kProblem, "BPF programs are refused",
            kernel.bpf_refusal + (list.empty() ? "" : "; missing: " + list),
            list.empty() ? "lift kernel lockdown or the container's seccomp policy on bpf(2)" : "run it with sudo"};
  if (list.empty()) return {"permission", Severity::kOk, "BPF programs load", "", ""};
  std::string lacks = "without " + list;
  for (const std::string& capability : missing)
    if (capability == "CAP_SYS_RESOURCE") lacks += ": the recorder cannot shield itself from the OOM killer";
  return {"permission", Severity::kNote, "BPF programs load", lacks, "add the capability to the service or container"};
}

Finding symbols(const features::KernelFacts& kernel) {
  if (kernel.kernel_symbols) return {"kernel symbols", Severity::kOk, "readable", "", ""};
  return {"kernel symbols", Severity::kNote, "hidden",
          "memory cgroup kills cannot be told from global ones by the stack, nor stacks be named",
          "CAP_SYSLOG, or sysctl kernel.kptr_restrict=1"};
}

Finding describe(const features::Fact& fact) {
  const features::Way* way = fact.way();
  Finding finding{fact.name, Severity::kOk, way != nullptr ? way->name : "not seen", fact.why_not_better(), ""};
  if (way == nullptr)
    finding.severity = fact.required ? Severity::kProblem : Severity::kNote;
  else if (fact.taken > 0)
    finding.severity = Severity::kNote;
  for (const features::Way& better : fact.ways) {
    if (&better == way) break;
    if (better.enable.empty()) continue;
    finding.fix = better.enable;
    break;
  }
  return finding;
}

}  // namespace

Section recording_section(const features::KernelFacts& kernel, const Result<features::AttachPlan>& plan,
                          const std::vector<std::string>& missing_capabilities) {
  Section section{"recording on kernel " + kernel.release, {}};
  section.findings.push_back(kernel_types(kernel));
  section.findings.push_back(permission(kernel, missing_capabilities));
  section.findings.push_back(symbols(kernel));
  if (!kernel.bpf_permitted) {
    section.findings.push_back(
        {"plan", Severity::kNote, "not known", "what can be attached shows only where programs load at all", ""});
    return section;
  }
  if (!plan) {
    section.findings.push_back({"plan", Severity::kProblem, "none", plan.error().context, plan.error().hint});
    return section;
  }
  for (const features::Fact& fact : plan->facts) section.findings.push_back(describe(fact));
  return section;
}

}  // namespace oomtrace::doctor
