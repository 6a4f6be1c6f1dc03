// SPDX-License-Identifier: Apache-2.0
// Which output keeps which capability.
#include "cli/least_privilege.h"

#include <gtest/gtest.h>
#include <linux/capability.h>

#include <algorithm>

namespace oomtrace::test {
namespace {

using cli::kept_capabilities;
using cli::Outputs;
using sink::TargetKind;

// Beyond what reading needs.
std::vector<int> kept_beside_reading(const Outputs& outputs) {
  std::vector<int> kept = kept_capabilities(outputs);
  for (const int reading : {CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_IPC_LOCK}) {
    const auto found = std::find(kept.begin(), kept.end(), reading);
    EXPECT_NE(found, kept.end()) << reading;
    if (found != kept.end()) kept.erase(found);
  }
  return kept;
}

TEST(LeastPrivilege, a_recording_to_an_open_file_keeps_what_reading_needs) {
  EXPECT_EQ(kept_beside_reading({}), std::vector<int>());
}

TEST(LeastPrivilege, of_streams_only_a_file_is_opened_again_and_a_socket_connected_to) {
  Outputs outputs;
  for (const TargetKind kind : {TargetKind::kStdout, TargetKind::kJournal}) {
    outputs.stream = kind;
    EXPECT_EQ(kept_beside_reading(outputs), std::vector<int>());
  }
  outputs.stream = TargetKind::kSocket;
  EXPECT_EQ(kept_beside_reading(outputs), std::vector<int>{CAP_DAC_OVERRIDE});
  outputs.stream = TargetKind::kFile;
  EXPECT_EQ(kept_beside_reading(outputs), (std::vector<int>{CAP_CHOWN, CAP_DAC_OVERRIDE}));
}

TEST(LeastPrivilege, each_other_output_keeps_its_own) {
  EXPECT_EQ(kept_beside_reading({.command = true}), std::vector<int>{CAP_KILL});
  EXPECT_EQ(kept_beside_reading({.state_directory = true}), (std::vector<int>{CAP_CHOWN, CAP_DAC_OVERRIDE}));
  EXPECT_EQ(kept_beside_reading({.metrics_textfile = true}), std::vector<int>{CAP_DAC_OVERRIDE});
}

}  // namespace
}  // namespace oomtrace::test
