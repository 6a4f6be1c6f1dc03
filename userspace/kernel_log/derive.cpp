// SPDX-License-Identifier: Apache-2.0
// What follows from a report though no line says it.
#include "kernel_log/derive.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>
#include <vector>

#include "base/page_size.h"
#include "kernel_log/memcg_lines.h"
#include "kernel_log/scan.h"

namespace oomtrace::kernel_log {
namespace {

constexpr std::array<std::uint32_t, 5> kPageKb{4, 8, 16, 64, 256};

// The page size for which `pages` are about `kb`: both are of one counter, read at moments apart.
std::optional<std::uint32_t> by_ratio(std::uint64_t pages, std::uint64_t kb) {
  if (pages < 16) return std::nullopt;
  for (const std::uint32_t page_kb : kPageKb) {
    const double ratio = static_cast<double>(kb) / (static_cast<double>(pages) * page_kb);
    if (ratio > 0.8 && ratio < 1.25) return page_kb * 1024;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> by_victim(const OomReport& report) {
  for (const KillLine& kill : report.kills) {
    const TaskRow* row = row_of(report, kill.pid);
    if (!row || !kill.total_vm_kb || !row->total_vm) continue;
    if (const auto size = by_ratio(*row->total_vm, *kill.total_vm_kb)) return size;
  }
  return std::nullopt;
}

bool is_x86(const OomReport& report) {
  if (report.x86_registers) return true;
  for (const std::string_view arch : {"x86_64", "amd64", "i386", "i486", "i586", "i686"}) {
    if (contains(report.kernel_release, arch)) return true;
  }
  return std::any_of(report.stack.begin(), report.stack.end(), [](std::string_view frame) {
    return frame.starts_with("asm_exc_") || frame.starts_with("exc_page_fault") || frame == "do_syscall_64" ||
           frame.starts_with("entry_SYSCALL_64") || frame == "do_user_addr_fault" ||
           frame.starts_with("ret_from_fork_asm") || frame.starts_with("entry_INT80") || frame == "sysenter_do_call" ||
           frame == "system_call_fastpath";
  });
}

// Page tables are whole pages: their greatest common divisor over a few rows is the page size or a small multiple.
std::optional<std::uint32_t> by_page_tables(const OomReport& report) {
  std::uint64_t divisor = 0;
  std::size_t rows = 0;
  for (const TaskRow& row : report.rows) {
    if (!row.pgtables_in_bytes || !row.pgtables || *row.pgtables == 0) continue;
    divisor = std::gcd(divisor, *row.pgtables);
    ++rows;
  }
  if (rows == 0 || divisor % 4096 != 0) return std::nullopt;
  if (divisor % 16384 != 0) return 4096;
  if (rows < 5) return std::nullopt;
  return divisor % 65536 == 0 ? 65536 : 16384;
}

Opt<std::uint64_t> swap_kb_of(const OomReport& report) {
  return report.mem_info.total_swap_kb ? report.mem_info.total_swap_kb : report.boot_swap_kb;
}

bool node_in(std::string_view list, std::uint32_t node) {
  while (!list.empty()) {
    const auto first = take_number<std::uint32_t>(list);
    if (!first) return false;
    std::uint32_t last = *first;
    if (take(list, '-')) last = take_number<std::uint32_t>(list).value_or(*first);
    if (node >= *first && node <= last) return true;
    if (!take(list, ',')) return false;
  }
  return false;
}

std::optional<std::uint64_t> memcg_total(const OomReport& report, std::uint64_t page_kb) {
  if (!report.memory.limit_kb || report.memory.unlimited) return std::nullopt;
  const std::uint64_t limit = *report.memory.limit_kb / page_kb;
  const auto swap_total_kb = swap_kb_of(report);
  const bool v2 = report.swap.limit_kb.has_value();
  std::uint64_t room_kb = ~0ULL;
  if (v2 && !report.swap.unlimited) room_kb = *report.swap.limit_kb;
  if (!v2 && report.memsw.limit_kb && !report.memsw.unlimited && *report.memsw.limit_kb >= *report.memory.limit_kb) {
    room_kb = *report.memsw.limit_kb - *report.memory.limit_kb;
  }
  if (room_kb == 0 || swap_total_kb == 0U) return limit;
  if (swap_total_kb) return limit + std::min(room_kb, *swap_total_kb) / page_kb;
  // The group is as far in swap as it may be: there is at least as much.
  Opt<std::uint64_t> swapped_kb = v2 ? report.swap.usage_kb : std::nullopt;
  if (!v2 && report.memsw.usage_kb && report.memory.usage_kb && *report.memsw.usage_kb >= *report.memory.usage_kb)
    swapped_kb = *report.memsw.usage_kb - *report.memory.usage_kb;
  if (swapped_kb && *swapped_kb >= room_kb) return limit + room_kb / page_kb;
  // How much swap there is, the report of a memcg does not say. A group that reached its limit without a page in swap
  // had none to go to: reclaim swaps before the killer is called (and a swappiness of 0 leaves swap out of the total as
  // well).
  const bool counted = report.swap.usage_kb || report.memsw.usage_kb;
  const bool unused = v2 ? report.swap.usage_kb == 0U : report.memsw.usage_kb == report.memory.usage_kb;
  const bool rows_unused = !report.rows.empty() && std::all_of(report.rows.begin(), report.rows.end(),
                                                               [](const TaskRow& row) { return row.swapents == 0U; });
  return counted && unused && rows_unused ? std::optional(limit) : std::nullopt;
}

}  // namespace

const TaskRow* row_of(const OomReport& report, std::uint32_t pid) {
  const TaskRow* by_tgid = nullptr;
  for (const TaskRow& row : report.rows) {
    if (row.pid == pid) return &row;
    if (row.tgid == pid) by_tgid = &row;
  }
  return by_tgid;
}

std::optional<KernelVersion> kernel_version_of(std::string_view release) {
  const auto major = take_number<std::uint32_t>(release);
  if (!major || !take(release, '.')) return std::nullopt;
  const auto minor = take_number<std::uint32_t>(release);
  if (!minor) return std::nullopt;
  return KernelVersion{*major, *minor};
}

std::optional<std::uint32_t> page_size_of(const OomReport& report) {
  constexpr std::uint64_t kMostKb = 1024;
  const std::uint32_t told =
      sane_page_size(std::min<std::uint64_t>(report.buddy_page_kb.value_or(0), kMostKb + 1) * 1024);
  if (told != 0) return told;
  if (const auto size = by_victim(report)) return size;
  for (const MemcgUsage* usage : {&report.memory, &report.memsw, &report.swap, &report.kmem}) {
    if (!usage->limit_kb) continue;
    if (const auto mark = unlimited_mark(*usage->limit_kb); mark.page_size != 0) return mark.page_size;
  }
  if (is_x86(report)) return 4096;
  const MemInfo& info = report.mem_info;
  if (info.active_anon && info.node_active_anon_kb) {
    if (const auto size = by_ratio(*info.active_anon, *info.node_active_anon_kb)) return size;
  }
  return by_page_tables(report);
}

DomainKind domain_of(const OomReport& report) {
  const std::string_view constraint = report.constraint.constraint;
  if (constraint == "CONSTRAINT_MEMCG") return DomainKind::kMemcg;
  if (constraint == "CONSTRAINT_CPUSET") return DomainKind::kCpuset;
  if (constraint == "CONSTRAINT_MEMORY_POLICY") return DomainKind::kMempolicy;
  const bool sysrq = report.sysrq || report.trigger.order == -1;
  KillMessage message = KillMessage::kNone;
  if (!report.kills.empty()) message = report.kills.front().message;
  if (message == KillMessage::kNone && report.selection) message = report.selection->message;
  const bool memcg = message == KillMessage::kMemcg || !report.constraint.oom_memcg.empty() || report.memory.usage_kb ||
                     report.stack_says_memcg;
  if (memcg) return DomainKind::kMemcg;
  if (message == KillMessage::kMempolicy) return DomainKind::kMempolicy;
  if (message == KillMessage::kCpuset) return DomainKind::kCpuset;
  if (sysrq) return DomainKind::kSysrq;
  const bool global = constraint == "CONSTRAINT_NONE" || report.constraint.global_oom ||
                      message == KillMessage::kGlobal || report.mem_info.heading || report.global_panic;
  return global ? DomainKind::kGlobal : DomainKind::kUnknown;
}

std::optional<std::uint64_t> total_pages_of(const OomReport& report, DomainKind domain,
                                            std::optional<std::uint32_t> page_size) {
  if (sane_page_size(page_size.value_or(0)) == 0) return std::nullopt;
  const std::uint64_t page_kb = *page_size / 1024;
  if (domain == DomainKind::kMemcg) return memcg_total(report, page_kb);
  const MemInfo& info = report.mem_info;
  const auto swap_kb = swap_kb_of(report);
  if (!swap_kb) return std::nullopt;
  if (domain == DomainKind::kGlobal || domain == DomainKind::kSysrq) {
    if (!info.ram || !info.reserved || *info.reserved > *info.ram) return std::nullopt;
    // Before 3.16 "pages reserved" counted struct page flags, not what the zones do not manage.
    if (const auto version = kernel_version_of(report.kernel_release); version && *version < KernelVersion{3, 16})
      return std::nullopt;
    return *info.ram - *info.reserved + *swap_kb / page_kb;
  }
  const std::string_view nodes =
      domain == DomainKind::kMempolicy ? report.constraint.nodemask : report.constraint.mems_allowed;
  if (nodes.empty() || info.node_present_kb.empty()) return std::nullopt;
  std::uint64_t present_kb = 0;
  for (const auto& [node, kb] : info.node_present_kb) {
    if (node_in(nodes, node)) present_kb += kb;
  }
  if (present_kb == 0) return std::nullopt;
  return present_kb / page_kb + *swap_kb / page_kb;
}

}  // namespace oomtrace::kernel_log
