// SPDX-License-Identifier: Apache-2.0
// oomtrace doctor: whether recording works here, by which ways, and what would make it better.
#include "cli/doctor_sections.h"
#include "cli/exit_status.h"
#include "cli/text_output.h"
#include "cli/verbs.h"
#include "doctor/render.h"

namespace oomtrace::cli {

int run_doctor(const DoctorOptions& options) {
  const std::vector<doctor::Section> sections = doctor_sections();
  const std::string text = options.format == "json" ? doctor::render_json(sections)
                                                    : doctor::render_text(sections, text_options("never", true).width);
  if (auto written = write_output({}, text); !written) return report_error("doctor", written.error());
  return doctor::any_problem(sections) ? kFound : kDone;
}

}  // namespace oomtrace::cli
