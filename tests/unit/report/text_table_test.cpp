// SPDX-License-Identifier: Apache-2.0
// Which columns give way, and how.
#include "report/text_table.h"

#include <gtest/gtest.h>

namespace oomtrace {
namespace {

std::string written(const Table& table, std::string_view note = {}) {
  TextOptions options;
  options.width = 40;
  Canvas canvas(options);
  table.write(canvas, 2, note);
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
  EXPECT_EQ(written(table),
            "  name                      role   bytes\n"
            "  nnnnnnnnnnnnnnnnnnnnnnnn… worker    12\n");
}

TEST(Table, the_number_at_the_end_of_a_name_stays) {
  Table table({{"role", false, 1, 6, "", true}, {"bytes", true, 3}});
  table.add({std::string(40, 'w') + " 12", "123,456"});
  table.add({std::string(50, 'w'), "1"});
  table.add({"worker 3", "2"});
  EXPECT_EQ(written(table), "  role                             bytes\n  " + std::string(26, 'w') + "… 12 123,456\n  " +
                                std::string(29, 'w') + "…       1\n  worker 3                             2\n");
}

TEST(Table, the_least_important_column_goes_first_and_is_named) {
  Table table({{"first column here", true, 3}, {"second column", true, 1, 0, "second"}, {"third column", true, 2}});
  table.add({"1", "2", "3"});
  EXPECT_EQ(written(table, "A note."),
            "  first column here third column\n                  1            3\n"
            "  A note. Too narrow to show: second.\n");
}

TEST(Table, one_column_stays_however_narrow) {
  Table table({{"a", false, 1}, {"b", false, 2}});
  table.add({std::string(60, 'a'), std::string(60, 'b')});
  EXPECT_EQ(written(table), "  b\n  " + std::string(37, 'b') + "…\n  Too narrow to show: a.\n");
}

TEST(Table, a_column_without_text_is_not_shown) {
  Table table({{"a", false, 1}, {"b", false, 1}});
  table.add({"x"});
  EXPECT_EQ(written(table), "  a\n  x\n");
}

TEST(Table, question_marks_are_explained) {
  Table table({{"a", false, 1}, {"b", false, 1}, {"c", false, 1}});
  table.add({"x", "1", kUnknownCell});
  table.add({"y", kUnknownCell, kUnknownCell});
  EXPECT_EQ(written(table), "  a b\n  x 1\n  y ?\n  ? = not known. Not known for any row:\n  c.\n");
}

}  // namespace
}  // namespace oomtrace
