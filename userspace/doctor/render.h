// SPDX-License-Identifier: Apache-2.0
// Doctor's sections for people and for programs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "doctor/finding.h"

namespace oomtrace::doctor {

// `width`: columns of the terminal; longer lines are broken at blanks.
std::string render_text(const std::vector<Section>& sections, std::size_t width);

// {"schema": "oomtrace.doctor/1", "sections": [{"title", "findings": [{"subject","severity","state","why","fix"}]}]}
std::string render_json(const std::vector<Section>& sections);

bool any_problem(const std::vector<Section>& sections);

}  // namespace oomtrace::doctor
