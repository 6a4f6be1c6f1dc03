// SPDX-License-Identifier: Apache-2.0
// What doctor looks at on this machine. A build that cannot record has its own, shorter list (not_live.cpp).
#pragma once

#include <vector>

#include "doctor/finding.h"

namespace oomtrace::cli {

// Loads throwaway BPF programs to see what the kernel lets this process do; changes nothing.
std::vector<doctor::Section> doctor_sections();

}  // namespace oomtrace::cli
