// SPDX-License-Identifier: Apache-2.0
#include "capture/kernel_probe.h"
#include "cli/doctor_sections.h"
#include "doctor/recording.h"
#include "features/attach_plan.h"

namespace oomtrace::cli {

std::vector<doctor::Section> doctor_sections() {
  const features::KernelFacts kernel = capture::probe_kernel();
  return {doctor::recording_section(kernel, features::make_plan(kernel), capture::missing_capabilities())};
}

}  // namespace oomtrace::cli
