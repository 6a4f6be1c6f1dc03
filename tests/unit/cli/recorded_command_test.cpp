// SPDX-License-Identifier: Apache-2.0
// What trace.command says of CMD's secrets.
#include "cli/recorded_command.h"

#include <gtest/gtest.h>

namespace oomtrace::test {
namespace {

using cli::recorded_command;

TEST(RecordedCommand, masks_secrets_also_where_the_flag_is_an_argument_of_its_own) {
  EXPECT_EQ(recorded_command({"train.py", "--token", "abcdef", "--lr", "1"}, true), "train.py --token '***' --lr 1");
  EXPECT_EQ(recorded_command({"env", "HF_TOKEN=a b", "python", "-c", "x = 1"}, true),
            "env 'HF_TOKEN=***' python -c 'x = 1'");
  EXPECT_EQ(recorded_command({"run", "--password", "it's secret", "", "y"}, true), "run --password '***' '' y");
  EXPECT_EQ(recorded_command({"hf_abcdefGHIJ0123456789"}, true), "'hf_***'");
}

TEST(RecordedCommand, is_whole_where_that_was_asked_for_and_where_there_is_no_secret) {
  EXPECT_EQ(recorded_command({"train.py", "--token", "a b"}, false), "train.py --token 'a b'");
  EXPECT_EQ(recorded_command({"sh", "-c", "python train.py --lr 1; echo \"$?\"", ""}, true),
            "sh -c 'python train.py --lr 1; echo \"$?\"' ''");
  EXPECT_EQ(recorded_command({}, true), "");
}

}  // namespace
}  // namespace oomtrace::test
