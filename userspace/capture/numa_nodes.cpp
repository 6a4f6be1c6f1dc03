// SPDX-License-Identifier: Apache-2.0
// One pass over the lines: "Node 0, zone   Normal" begins a zone, "        present  65536" is among its figures.
#include "capture/numa_nodes.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>

#include "base/file.h"

namespace oomtrace::capture {

namespace {

constexpr std::size_t kMostNodes = 1024;       // MAX_NUMNODES of any configuration
constexpr std::size_t kMostBytes = 64U << 20;  // a page set for each CPU in each zone

std::string_view trim_front(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(' '), text.size()));
}

bool take(std::string_view& text, std::string_view word, std::uint64_t& value) {
  if (!text.starts_with(word)) return false;
  text = trim_front(text.substr(word.size()));
  return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc{};
}

}  // namespace

std::vector<std::uint64_t> parse_present_pages(std::string_view zoneinfo) {
  std::vector<std::uint64_t> pages;
  std::uint64_t node = kMostNodes;
  while (!zoneinfo.empty()) {
    std::string_view line = zoneinfo.substr(0, zoneinfo.find('\n'));
    zoneinfo.remove_prefix(std::min(line.size() + 1, zoneinfo.size()));
    std::uint64_t value = 0;
    if (take(line, "Node ", value)) {
      node = value;
    } else if (line = trim_front(line); node < kMostNodes && take(line, "present ", value)) {
      if (pages.size() <= node) pages.resize(node + 1);
      pages[node] += value;
    }
  }
  return pages;
}

std::vector<std::uint64_t> read_node_present_pages() {
  const auto text = read_small_file("/proc/zoneinfo", kMostBytes);
  return text ? parse_present_pages(*text) : std::vector<std::uint64_t>{};
}

}  // namespace oomtrace::capture
