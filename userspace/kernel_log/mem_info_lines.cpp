// SPDX-License-Identifier: Apache-2.0
// Mem-Info, read line by line.
#include "kernel_log/mem_info_lines.h"

#include "kernel_log/scan.h"

namespace oomtrace::kernel_log {
namespace {

constexpr std::size_t kMaxNodes = 1024;

void add_kb(Opt<std::uint64_t>& sum, std::uint64_t kb) { sum = sum.value_or(0) + kb; }

// "5 pages RAM": the number before the words.
bool counted(std::string_view s, std::string_view words, Opt<std::uint64_t>& out) {
  s = trim_front(s);
  const auto value = take_number<std::uint64_t>(s);
  if (!value || trim(s) != words) return false;
  out = value;
  return true;
}

// "Free swap  = 12kB", "Free swap: 12kB" (2.6).
bool swap_line(std::string_view s, std::string_view head, Opt<std::uint64_t>& out) {
  if (!take(s, head)) return false;
  s = trim_front(s);
  if (!take(s, '=') && !take(s, ':')) return false;
  s = trim_front(s);
  const auto value = take_number<std::uint64_t>(s);
  if (!value || !s.starts_with("kB")) return false;
  out = value;
  return true;
}

// "Node 0 DMA: 1*4kB (M) 0*8kB ... = 1668kB": the smallest block is one page.
Opt<std::uint64_t> buddy_page_kb(std::string_view s) {
  const auto star = s.find('*');
  if (star == s.npos || star == 0 || !is_digit(s[star - 1])) return std::nullopt;
  std::string_view head = s.substr(0, star);
  while (!head.empty() && is_digit(head.back())) head.remove_suffix(1);
  if (!head.ends_with(": ")) return std::nullopt;
  std::string_view size = s.substr(star + 1);
  const auto kb = take_number<std::uint64_t>(size);
  if (!kb || !size.starts_with("kB")) return std::nullopt;
  const bool page = *kb == 4 || *kb == 8 || *kb == 16 || *kb == 64 || *kb == 256;
  return page ? kb : std::nullopt;
}

}  // namespace

bool MemInfoReader::line(std::string_view message, MemInfo& info, Opt<std::uint64_t>& page_kb) {
  std::string_view s = trim(message);
  if (counted(s, "total pagecache pages", info.pagecache) || counted(s, "pagecache pages", info.pagecache) ||
      counted(s, "pages in swap cache", info.swapcache) || counted(s, "pages RAM", info.ram) ||
      counted(s, "pages of RAM", info.ram) || counted(s, "pages reserved", info.reserved) ||
      counted(s, "reserved pages", info.reserved) || swap_line(s, "Free swap", info.free_swap_kb) ||
      swap_line(s, "Total swap", info.total_swap_kb)) {
    return true;
  }
  if (const auto kb = buddy_page_kb(s)) {
    if (!page_kb) page_kb = kb;
    return true;
  }
  if (s.starts_with("lowmem_reserve[]")) return true;
  if (const auto total = number_after<std::uint64_t>(s, "hugepages_total=")) {
    const auto size = kb_after(s, "hugepages_size=");
    if (size && *total < (1ULL << 32) && *size < (1ULL << 32)) add_kb(info.hugetlb_kb, *total * *size);
    return true;
  }
  std::string_view rest = s;
  if (take(rest, "Node ")) {
    const auto node = take_number<std::uint32_t>(rest);
    if (!node) return false;
    node_ = *node;
    rest = trim_front(rest);
    of_ = Of::kNode;
  }
  if (const auto free = rest.find(" free:"); free != rest.npos && free <= 12 && !contains(rest.substr(0, free), ":")) {
    of_ = Of::kZone;
    rest = rest.substr(free);
  } else if (rest.starts_with("active_anon:") || rest.starts_with("Active_anon:") || rest.starts_with("Active:")) {
    if (rest.size() == s.size()) of_ = Of::kMachine;
  }
  return pairs(rest, info);
}

bool MemInfoReader::pairs(std::string_view s, MemInfo& info) {
  bool any = false;
  while (!(s = trim_front(s)).empty()) {
    std::string_view word = take_word(s);
    const auto colon = word.find(':');
    if (colon == word.npos || colon == 0) continue;
    const std::string_view name = word.substr(0, colon);
    std::string_view digits = word.substr(colon + 1);
    if (digits.empty()) {  // "shmem_thp: 0kB"
      std::string_view t = s;
      digits = take_word(t);
      if (!digits.empty() && is_digit(digits.front())) s = t;
    }
    const auto value = take_number<std::uint64_t>(digits);
    const bool in_kb = digits.starts_with("kB") || digits.starts_with("KB");
    if (value && (in_kb || digits.empty())) any |= pair(name, *value, in_kb, info);
  }
  return any;
}

bool MemInfoReader::pair(std::string_view name, std::uint64_t value, bool in_kb, MemInfo& info) {
  if (!in_kb) return machine_pair(name, value, info);
  if (name == "kernel_stack") {
    // Of zones until 5.8, of nodes since.
    add_kb(info.kernel_stack_kb, value);
  } else if (name == "mlocked") {
    add_kb(info.mlocked_kb, value);
  } else if (name == "Balloon") {
    add_kb(info.balloon_kb, value);
  } else if (name == "present" && of_ == Of::kZone) {
    for (auto& [node, kb] : info.node_present_kb) {
      if (node == node_) {
        kb += value;
        return true;
      }
    }
    if (info.node_present_kb.size() < kMaxNodes) info.node_present_kb.emplace_back(node_, value);
  } else if (name == "active_anon" && of_ == Of::kNode) {
    add_kb(info.node_active_anon_kb, value);
  } else {
    return of_ != Of::kMachine;
  }
  return true;
}

bool MemInfoReader::machine_pair(std::string_view name, std::uint64_t value, MemInfo& info) {
  if (of_ != Of::kMachine) return false;
  struct Entry {
    std::string_view name;
    Opt<std::uint64_t> MemInfo::*member;
  };
  static constexpr Entry kEntries[] = {{"active_anon", &MemInfo::active_anon},
                                       {"Active_anon", &MemInfo::active_anon},
                                       {"inactive_anon", &MemInfo::inactive_anon},
                                       {"isolated_anon", &MemInfo::isolated_anon},
                                       {"active_file", &MemInfo::active_file},
                                       {"inactive_file", &MemInfo::inactive_file},
                                       {"unevictable", &MemInfo::unevictable},
                                       {"dirty", &MemInfo::dirty},
                                       {"writeback", &MemInfo::writeback},
                                       {"slab_reclaimable", &MemInfo::slab_reclaimable},
                                       {"slab_unreclaimable", &MemInfo::slab_unreclaimable},
                                       {"mapped", &MemInfo::mapped},
                                       {"shmem", &MemInfo::shmem},
                                       {"pagetables", &MemInfo::pagetables},
                                       {"free", &MemInfo::free}};
  for (const Entry& entry : kEntries) {
    if (name != entry.name) continue;
    if (!(info.*entry.member)) info.*entry.member = value;
    info.seen = true;
    return true;
  }
  return name == "bounce" || name == "free_pcp" || name == "free_cma" || name == "isolated_file" ||
         name == "unstable" || name == "slab" || name == "sec_pagetables" || name == "kernel_misc_reclaimable" ||
         name == "Active" || name == "inactive" || name == "gpu_active" || name == "gpu_reclaim";
}

}  // namespace oomtrace::kernel_log
