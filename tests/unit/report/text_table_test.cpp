// SPDX-License-Identifier: Apache-2.0
// Which columns give way, and how.
#include "report/text_table.h"

#include <gtest/gtest.h>

namespace oomtrace {
namespace {

std::string written(const Table& table, std::vector<std::string>* left_out = nullptr) {
  TextOptions options;
  options.width = 40;
  Canvas canvas(options);
  const auto titles = table.write(canvas, 2);
  if (left_out != nullptr) *left_out = titles;
  return canvas.take();
}

TEST(Table, numbers_stand_right_and_names_left) {
  Table table({{"name", false, 2, 4}, {"bytes", true, 1}});
  table.add({"a", "1"});
  table.add({"long", "12,345"});
  EXPECT_EQ(written(table), "  name  bytes\n  a         1\n  long 12,345\n");
}

TEST(Table, a_name_gives_way_before_a_column_does) {
  Table table({{"name", false, 2, 4}, {"role", false, 1, 4}, {"bytes", true, 3}});
  table.add({std::string(30, 'n'), "worker", "12"});
  std::vector<std::string> left_out;
  EXPECT_EQ(written(table, &left_out),
            "  name                      role   bytes\n"
            "  nnnnnnnnnnnnnnnnnnnnnnnn… worker    12\n");
  EXPECT_TRUE(left_out.empty());
}

TEST(Table, the_least_important_column_goes_first) {
  Table table({{"first column here", true, 3}, {"second column", true, 1}, {"third column", true, 2}});
  table.add({"1", "2", "3"});
  std::vector<std::string> left_out;
  EXPECT_EQ(written(table, &left_out), "  first column here third column\n                  1            3\n");
  EXPECT_EQ(left_out, std::vector<std::string>{"second column"});
}

TEST(Table, missing_cells_are_empty) {
  Table table({{"a", false, 1}, {"b", false, 1}});
  table.add({"x"});
  EXPECT_EQ(written(table), "  a b\n  x\n");
}

}  // namespace
}  // namespace oomtrace
