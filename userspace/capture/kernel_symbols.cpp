// SPDX-License-Identifier: Apache-2.0
// Reads /proc/kallsyms line by line: "ffffffff81000000 T _text".
#include "capture/kernel_symbols.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <numeric>

namespace oomtrace::capture {

namespace {

struct Symbol {
  std::uint64_t address = 0;
  std::uint32_t name = 0;
};

struct FileCloser {
  void operator()(std::FILE* file) const noexcept { static_cast<void>(std::fclose(file)); }
};

}  // namespace

KernelSymbols KernelSymbols::load(const char* path) {
  KernelSymbols symbols;
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path, "re"));
  if (!file) return symbols;

  std::vector<Symbol> found;
  char line[512];
  while (std::fgets(line, sizeof(line), file.get()) != nullptr) {
    std::string_view text(line);
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    std::uint64_t address = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), address, 16);
    const auto used = static_cast<std::size_t>(end - text.data());
    if (error != std::errc{} || address == 0 || text.size() < used + 4) continue;
    const char type = text[used + 1];
    if (text.substr(used + 3) == "__per_cpu_offset") symbols.per_cpu_offsets_ = address;
    if (text.substr(used + 3) == "_totalram_pages") symbols.total_ram_pages_ = address;
    if (text.substr(used + 3) == "total_swap_pages") symbols.total_swap_pages_ = address;
    if (type != 't' && type != 'T' && type != 'W' && type != 'w') continue;
    const std::string_view name = text.substr(used + 3);
    if (name.find('\t') != std::string_view::npos) continue;  // "name<TAB>[module]"
    // Padding in front of each function (CONFIG_CALL_PADDING): half of all names, and nobody returns to it.
    if (name.starts_with("__pfx_")) continue;
    found.push_back({address, static_cast<std::uint32_t>(symbols.text_.size())});
    symbols.text_.append(name).push_back('\0');
  }
  if (found.empty()) return symbols;

  std::stable_sort(found.begin(), found.end(), [](const Symbol& a, const Symbol& b) { return a.address < b.address; });
  symbols.base_ = found.front().address;
  for (const Symbol& symbol : found) {
    const std::uint64_t offset = symbol.address - symbols.base_;
    if (offset > UINT32_MAX) break;
    symbols.starts_.push_back(static_cast<std::uint32_t>(offset));
    symbols.names_.push_back(symbol.name);
  }
  symbols.starts_.shrink_to_fit();
  symbols.names_.shrink_to_fit();
  symbols.text_.shrink_to_fit();
  return symbols;
}

std::string_view KernelSymbols::name_of(std::uint64_t address) const {
  if (starts_.empty() || address < base_ || address - base_ > UINT32_MAX) return {};
  const auto offset = static_cast<std::uint32_t>(address - base_);
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), offset);
  // The last symbol ends the kernel's text: what lies beyond is a module or a trampoline.
  if (after == starts_.begin() || after == starts_.end()) return {};
  return text_.c_str() + names_[static_cast<std::size_t>(after - starts_.begin()) - 1];
}

oomtrace_function_range KernelSymbols::range_of(std::string_view name) const {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (name != text_.c_str() + names_[i]) continue;
    const auto next = std::upper_bound(starts_.begin(), starts_.end(), starts_[i]);
    if (next == starts_.end()) return {};
    return {base_ + starts_[i], base_ + *next};
  }
  return {};
}

}  // namespace oomtrace::capture
