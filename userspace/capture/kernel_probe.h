// SPDX-License-Identifier: Apache-2.0
// Finds out what the running kernel allows, before the main load.
#pragma once

#include <string>
#include <vector>

#include "features/kernel_facts.h"

namespace oomtrace::capture {

// Reads the kernel's BTF and loads throwaway programs. Never fails: what cannot be had is said in the facts.
features::KernelFacts probe_kernel();

// Names of the capabilities among those that recording uses which this process lacks ("CAP_BPF", ...).
std::vector<std::string> missing_capabilities();

}  // namespace oomtrace::capture
