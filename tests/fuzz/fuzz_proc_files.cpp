// SPDX-License-Identifier: Apache-2.0
// Any bytes as a file of /proc or of a cgroup: the first byte chooses which. Names and command lines in them are
// strangers' words.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "capture/cgroup_memory.h"
#include "capture/kernel_log_follower.h"
#include "capture/meminfo.h"
#include "capture/numa_nodes.h"
#include "capture/process_info.h"

namespace {

using namespace oomtrace;

void check(bool holds) {
  if (!holds) std::abort();
}

bool within(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t file = data[0];
  const auto block = std::make_unique<char[]>(size - 1);
  std::copy(data + 1, data + size, block.get());
  const std::string_view text(block.get(), size - 1);
  SystemMemory memory;
  SystemPressure pressure;
  CgroupMemory cgroup;
  switch (file % 10) {
    case 0:
      capture::parse_stat(text);
      break;
    case 1:
      check(capture::parse_cgroup_path(text).size() <= text.size());
      break;
    case 2:
      for (const auto& [name, value] : capture::select_environment(text, false))
        check(name.size() + value.size() < text.size());
      capture::select_environment(text, true);  // a mask may be longer than what it hides
      break;
    case 3:
      for (const std::string& library : capture::select_libraries(text)) {
        check(!library.empty() && library.find('/') == std::string::npos);
      }
      break;
    case 4:
      capture::parse_meminfo(text, memory);
      break;
    case 5:
      capture::parse_vmstat(text, 4096, memory);
      break;
    case 6:
      capture::parse_pressure(text, pressure);
      break;
    case 7:
      capture::parse_memory_stat(text, 1, cgroup);
      capture::parse_memory_stat(text, 2, cgroup);
      break;
    case 8:
      // A line of any length may name any node: what is kept must not grow with the number in it.
      check(capture::parse_present_pages(text).size() <= 4096);
      break;
    default:
      if (const auto log = capture::parse_kmsg_record(text)) check(within(log->message, text));
  }
  return 0;
}
