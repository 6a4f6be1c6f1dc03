// SPDX-License-Identifier: Apache-2.0
// Keeps each pid's few holders in the order of their starts.
#include "model/pid_table.h"

#include <algorithm>
#include <iterator>

namespace oomtrace::model {
namespace {

using Started = std::pair<std::uint64_t, Process*>;

constexpr std::size_t kMostStarts = 256;  // of one pid, for moving them up takes time

bool earlier(const Started& entry, std::uint64_t at) { return entry.first < at; }

}  // namespace

const PidTable::Entry* PidTable::find(std::size_t boot, std::uint32_t pid) const {
  const Key key{boot, pid};
  Found& last = place(key);
  if (last.key == key) return last.entry;
  const auto found = entries_.find(key);
  last = {key, found == entries_.end() ? nullptr : &found->second};
  return last.entry;
}

PidTable::Entry& PidTable::make(const Process& process) {
  const Key key{process.boot, process.pid};
  Found& last = place(key);
  if (last.key != key || last.entry == nullptr) last = {key, &entries_[key]};
  return const_cast<Entry&>(*last.entry);  // of entries_, which are not const here
}

Process* PidTable::holder(std::size_t boot, std::uint32_t pid) const {
  const Entry* entry = find(boot, pid);
  return entry ? entry->holder : nullptr;
}

Process* PidTable::started_at(std::size_t boot, std::uint32_t pid, std::uint64_t start_boot_ns) const {
  const Entry* entry = find(boot, pid);
  if (!entry) return nullptr;
  const auto at = std::lower_bound(entry->by_start.begin(), entry->by_start.end(), start_boot_ns, earlier);
  return at != entry->by_start.end() && at->first == start_boot_ns ? at->second : nullptr;
}

Process* PidTable::started_before(std::size_t boot, std::uint32_t pid, std::uint64_t boot_ns) const {
  const Entry* entry = find(boot, pid);
  if (!entry) return nullptr;
  const auto after = std::upper_bound(entry->by_start.begin(), entry->by_start.end(), boot_ns,
                                      [](std::uint64_t at, const Started& started) { return at < started.first; });
  return after == entry->by_start.begin() ? nullptr : std::prev(after)->second;
}

void PidTable::set_holder(Process& process) { make(process).holder = &process; }

void PidTable::add_start(Process& process) {
  if (process.start_boot_ns == 0) return;
  std::vector<Started>& list = make(process).by_start;
  const auto at = std::lower_bound(list.begin(), list.end(), process.start_boot_ns, earlier);
  if (at != list.end() && at->first == process.start_boot_ns)
    at->second = &process;
  else
    list.insert(at, {process.start_boot_ns, &process});
  if (list.size() > kMostStarts) list.erase(list.begin());
}

void PidTable::remove(const Process& process) {
  const auto found = entries_.find({process.boot, process.pid});
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (entry.holder == &process) entry.holder = nullptr;
  std::erase_if(entry.by_start, [&](const Started& started) { return started.second == &process; });
  if (entry.holder || !entry.by_start.empty()) return;
  Found& last = place(found->first);
  if (last.entry == &entry) last.entry = nullptr;
  entries_.erase(found);
}

}  // namespace oomtrace::model
