// SPDX-License-Identifier: Apache-2.0
// What doctor looked at and what it found, as data. One file per subject fills a Section.
#pragma once

#include <string>
#include <vector>

namespace oomtrace::doctor {

enum class Severity {
  kOk,       // as good as it gets
  kNote,     // works, but not in the best way
  kProblem,  // something that was asked for will not work; makes `doctor` exit with 1
};

struct Finding {
  std::string subject;  // "candidates", "kernel types"
  Severity severity = Severity::kOk;
  std::string state;  // "evaluate_task_fentry", "not readable"
  std::string why;    // of a note or problem; may be empty
  std::string fix;    // what would help; empty = nothing on this kernel
};

struct Section {
  std::string title;
  std::vector<Finding> findings;
};

}  // namespace oomtrace::doctor
