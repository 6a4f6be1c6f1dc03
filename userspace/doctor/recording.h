// SPDX-License-Identifier: Apache-2.0
// Can oomtrace record here, and by which ways does it see each fact?
#pragma once

#include <string>
#include <vector>

#include "doctor/finding.h"
#include "features/attach_plan.h"

namespace oomtrace::doctor {

// `missing_capabilities`: of this process, among those that recording uses.
Section recording_section(const features::KernelFacts& kernel, const Result<features::AttachPlan>& plan,
                          const std::vector<std::string>& missing_capabilities);

}  // namespace oomtrace::doctor
