// SPDX-License-Identifier: Apache-2.0
// Remedies: kills by hand, nodes, balloons, file pages, kernel memory, swap.
#include <fmt/format.h>

#include "analysis/domain_ledger.h"
#include "analysis/remedies/remedy.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

void nodes(const Patient& patient, std::vector<Advice>& advice) {
  const bool cpuset = patient.incident.seen.decision.domain == DomainKind::kCpuset;
  const double free = patient.figure("free on the whole machine") + patient.figure("free in the machine");
  Remedy remedy;
  remedy.title = cpuset ? "Let the cpuset use more nodes" : "Do not bind the process to a node; prefer or interleave";
  remedy.command = cpuset ? "echo 0-1 > /sys/fs/cgroup/PATH/cpuset.mems   # the nodes of numactl --hardware"
                          : "numactl --preferred=0 COMMAND   # or --interleave=all, not --membind";
  remedy.why = fmt::format("The nodes {} were full while {} were free on the machine.",
                           patient.incident.report.domain.nodes.value_or("that were allowed"), bytes_text(free));
  remedy.risk = "Memory on another node is slower: pin the few buffers that matter, not the whole process.";
  advice.push_back({0.8, std::move(remedy)});
}

void balloon(const Patient& patient, std::vector<Advice>& advice) {
  Remedy remedy;
  remedy.title = "Have the hypervisor guarantee the guest's memory";
  remedy.command =
      "virsh setmem DOMAIN SIZE --live   # KVM; on VMware a full reservation, on Hyper-V no Dynamic Memory";
  remedy.why =
      fmt::format("{} of this guest's memory were taken back while the run needed them.",
                  bytes_text(std::max(patient.figure("MemTotal fell by"), patient.figure("the balloon grew by"))));
  remedy.risk = "The host must have that memory. It is a setting of the host's, and who runs it may have to be asked.";
  advice.push_back({0.8, std::move(remedy)});
}

void file_pages(const Patient& patient, std::vector<Advice>& advice) {
  Remedy locked;
  locked.title = "Lock less, and write dirty pages out earlier";
  locked.command =
      "sysctl -w vm.dirty_background_bytes=268435456 vm.dirty_bytes=1073741824; grep -l VmLck /proc/[0-9]*/status";
  locked.why = fmt::format("{} of file pages could not be reclaimed when the kill came.",
                           bytes_text(patient.figure("of it not reclaimable")));
  locked.risk = "Writers wait earlier; what was locked for its speed is read from disk again.";
  advice.push_back({0.5, std::move(locked)});
}

void kernel_memory(std::vector<Advice>& advice) {
  Remedy remedy;
  remedy.title = "Find out which part of the kernel holds it";
  remedy.command = "slabtop -o -s c | head -20; grep -E 'Slab|SUnreclaim|PageTables|Percpu|VmallocUsed' /proc/meminfo";
  remedy.why =
      "No process holds this memory, so killing processes frees little of it: caches of many small files, page "
      "tables of many large mappings, or a driver's pages are the usual holders.";
  remedy.risk =
      "None: it only reads. echo 2 > /proc/sys/vm/drop_caches shows whether it is caches, and slows file access "
      "down for a while.";
  advice.push_back({0.4, std::move(remedy)});
}

void asked_for(std::vector<Advice>& advice) {
  Remedy remedy;
  remedy.title = "Find out who asked for the kill";
  remedy.command = "dmesg | grep -i sysrq; sysctl kernel.sysrq";
  remedy.why =
      "Memory was not short. SysRq f is a key at the console, a break and f on a serial line, or root's write to "
      "/proc/sysrq-trigger; the keys ask for bit 64 of kernel.sysrq, root's write for nothing.";
  remedy.risk = "None: it only reads.";
  advice.push_back({0.1, std::move(remedy)});
}

void swap(const Patient& patient, std::vector<Advice>& advice) {
  for (const Cause& factor : patient.diagnosed.contributing) {
    if (factor.kind != "no_swap" && factor.kind != "swap_full") continue;
    Remedy remedy;
    remedy.title = factor.kind == "no_swap" ? "Add some swap for what nobody uses" : "More swap, or less in it";
    if (!patient.memcg)
      remedy.command = "fallocate -l 8G /swapfile; chmod 600 /swapfile; mkswap /swapfile; swapon /swapfile";
    remedy.why = factor.summary + " Interpreters and libraries that idle workers hold could leave memory.";
    remedy.risk = "What is in use and swapped makes every step slow; pinned memory never leaves.";
    advice.push_back({0.01, std::move(remedy)});
    return;
  }
}

}  // namespace

void advise_machine(const Patient& patient, std::vector<Advice>& advice) {
  if (asked_for_with_room(patient.incident.context.world, patient.incident.seen)) asked_for(advice);
  if (patient.is("numa_node_exhausted")) nodes(patient, advice);
  if (patient.is("memory_ballooning")) balloon(patient, advice);
  if (patient.is("page_cache_pinned")) file_pages(patient, advice);
  if (patient.is("kernel_memory_growth")) kernel_memory(advice);
  swap(patient, advice);
}

}  // namespace oomtrace::analysis
