// SPDX-License-Identifier: Apache-2.0
// mallopt(3), the heap in small pieces, and the program's own mappings.
#include "cli/resident_memory.h"

#include <link.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/touch_stack.h"
#include "capture/cgroup_memory.h"

namespace oomtrace::cli {
namespace {

constexpr std::size_t kSpare = std::size_t{256} << 10;
// At its limit a cgroup's own reports of the OOM killer are lines in the kernel's log, which is followed.
constexpr std::size_t kSpareWithLimit = std::size_t{4} << 20;

// Of the memory controller; cgroups(7).
std::string own_cgroup(int version) {
  const auto text = read_small_file("/proc/self/cgroup", 1U << 16);
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const std::size_t controllers = line.find(':') + 1;
    const std::size_t path = line.find(':', controllers) + 1;
    if (controllers == 0 || path == 0) continue;
    const std::string_view names = line.substr(controllers, path - 1 - controllers);
    if (version == 2 ? names.empty() : names == "memory") return std::string(line.substr(path));
  }
  return {};
}

// It or one above it.
bool is_limited(const capture::HostFacts& host) {
  if (host.memcg_mount.empty() || !host.cgroup_version) return false;
  for (std::string path = own_cgroup(*host.cgroup_version);; path.resize(path.rfind('/'))) {
    const auto memory = capture::read_cgroup_memory(host.memcg_mount + path, *host.cgroup_version);
    if (memory && memory->limit) return true;
    if (path.rfind('/') == std::string::npos) return false;
  }
}

// Small pieces go where later ones will: first into what others left.
void hold_spare_heap(std::size_t size) {
  constexpr std::size_t kPiece = 4000;
  std::vector<std::unique_ptr<char[]>> pieces(size / kPiece);
  for (std::unique_ptr<char[]>& piece : pieces) {
    piece = std::make_unique_for_overwrite<char[]>(kPiece);
    volatile char* const bytes = piece.get();
    bytes[0] = 0;
    bytes[kPiece - 1] = 0;
  }
}

// Code and constants of the first object that there is, which is the program; libraries are others' as well.
[[gnu::no_sanitize_address]] int read_program(dl_phdr_info* program, std::size_t, void*) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  for (std::size_t i = 0; i < program->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = program->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): so the loader says it
    const auto* const bytes = reinterpret_cast<const volatile char*>(program->dlpi_addr + segment.p_vaddr);
    for (std::size_t at = 0; at < segment.p_filesz; at += page) static_cast<void>(bytes[at]);
  }
  return 1;  // no other
}

}  // namespace

void keep_heap_dense() {
  // The default, which would rise with every larger block that is freed.
  constexpr int kLargestInHeap = 128 << 10;
  mallopt(M_MMAP_THRESHOLD, kLargestInHeap);
  mallopt(M_ARENA_MAX, 1);
}

void hold_spare_memory(const capture::HostFacts& host) {
  mallopt(M_TRIM_THRESHOLD, -1);  // never
  touch_stack();
  if (!is_limited(host)) return hold_spare_heap(kSpare);
  // Large blocks, too, come from what is there.
  constexpr int kMostThatIsTaken = 32 << 20;
  mallopt(M_MMAP_THRESHOLD, kMostThatIsTaken);
  hold_spare_heap(kSpareWithLimit);
  dl_iterate_phdr(read_program, nullptr);
}

}  // namespace oomtrace::cli
