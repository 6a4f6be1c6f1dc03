// SPDX-License-Identifier: Apache-2.0
#include "capture/kernel_symbols.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace {

using oomtrace::capture::KernelSymbols;

// KernelSymbols of a /proc/kallsyms with this text.
KernelSymbols symbols_of(const std::string& text) {
  const std::string path = ::testing::TempDir() + "kallsyms." + std::to_string(::getpid());
  std::FILE* file = std::fopen(path.c_str(), "w");
  std::fputs(text.c_str(), file);
  std::fclose(file);
  KernelSymbols symbols = KernelSymbols::load(path.c_str());
  std::remove(path.c_str());
  return symbols;
}

constexpr const char* kSome =
    "ffffffff81000000 T _text\n"
    "ffffffff810000f0 t __pfx_out_of_memory\n"
    "ffffffff81000100 T out_of_memory\n"
    "ffffffff810001f0 t __pfx_oom_kill_process\n"
    "ffffffff81000200 t oom_kill_process\n"
    "ffffffff81000300 T last\n"
    "ffffffff82000000 D total_swap_pages\n"
    "ffffffffc0000000 t in_a_module\t[nbd]\n";

TEST(KernelSymbols, an_address_has_the_name_of_the_function_it_is_in) {
  const KernelSymbols symbols = symbols_of(kSome);
  EXPECT_EQ(symbols.size(), 4U);
  EXPECT_EQ(symbols.name_of(0xffffffff81000100), "out_of_memory");
  EXPECT_EQ(symbols.name_of(0xffffffff810001ef), "out_of_memory");
  EXPECT_EQ(symbols.name_of(0xffffffff81000250), "oom_kill_process");
  EXPECT_EQ(symbols.name_of(0xffffffff80ffffff), "");
  EXPECT_EQ(symbols.total_swap_pages(), 0xffffffff82000000);
}

TEST(KernelSymbols, padding_takes_nothing_from_a_functions_range) {
  const KernelSymbols symbols = symbols_of(kSome);
  const auto range = symbols.range_of("out_of_memory");
  EXPECT_EQ(range.start, 0xffffffff81000100);
  EXPECT_EQ(range.end, 0xffffffff81000200);
  const auto none = symbols.range_of("__pfx_out_of_memory");
  EXPECT_EQ(none.start, none.end);
}

TEST(KernelSymbols, hidden_addresses_are_no_symbols) {
  EXPECT_TRUE(symbols_of("0000000000000000 T _text\n0000000000000000 T out_of_memory\n").empty());
  EXPECT_TRUE(symbols_of("").empty());
  EXPECT_TRUE(KernelSymbols::load("/nowhere").empty());
}

}  // namespace
