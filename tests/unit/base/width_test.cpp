// SPDX-License-Identifier: Apache-2.0
// Columns: what fits stays, what does not is cut so that the line holds.
#include <gtest/gtest.h>

#include <string>

#include "base/text.h"

namespace oomtrace {
namespace {

TEST(DisplayWidth, counts_columns_not_bytes) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("café"), 4U);
  EXPECT_EQ(display_width("cafe\u0301"), 4U);  // combining acute
  EXPECT_EQ(display_width("训练"), 4U);
  EXPECT_EQ(display_width("한글"), 4U);
  EXPECT_EQ(display_width("😀"), 2U);
  EXPECT_EQ(display_width("…—─│"), 4U);
  EXPECT_EQ(display_width("ｆｕｌｌ"), 8U);
  EXPECT_EQ(display_width("\xFF"), 1U);
}

TEST(TruncateToWidth, keeps_what_fits) {
  EXPECT_EQ(truncate_to_width("abc", 3), "abc");
  EXPECT_EQ(truncate_to_width("训练", 4), "训练");
  EXPECT_EQ(truncate_to_width("", 0), "");
}

TEST(TruncateToWidth, marks_the_cut) {
  EXPECT_EQ(truncate_to_width("abcdef", 4), "abc…");
  EXPECT_EQ(truncate_to_width("abcdef", 4, true), "a...");
  EXPECT_EQ(truncate_to_width("训练数据", 4), "训…");
  EXPECT_EQ(truncate_to_width("训练数据", 5), "训练…");
  EXPECT_EQ(truncate_to_width("abcdef", 2, true), "..");
  EXPECT_EQ(truncate_to_width("abcdef", 1), "…");
  EXPECT_EQ(truncate_to_width("abcdef", 0), "");
  EXPECT_EQ(truncate_to_width("e\u0301e\u0301e\u0301", 2), "e\u0301…");
}

TEST(TruncateToWidth, never_exceeds_the_width) {
  const std::string text = "a训b练😀e\u0301…z数";
  for (std::size_t width = 0; width < 16; ++width) {
    for (const bool ascii : {false, true}) {
      EXPECT_LE(display_width(truncate_to_width(text, width, ascii)), width);
      EXPECT_TRUE(is_valid_utf8(truncate_to_width(text, width, ascii)));
      EXPECT_EQ(display_width(pad_to_width(text, width, false, ascii)), width);
    }
  }
}

TEST(PadToWidth, pads_by_columns_on_the_asked_side) {
  EXPECT_EQ(pad_to_width("训", 4), "训  ");
  EXPECT_EQ(pad_to_width("训", 4, true), "  训");
  EXPECT_EQ(pad_to_width("12", 2, true), "12");
}

}  // namespace
}  // namespace oomtrace
