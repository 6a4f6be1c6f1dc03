// SPDX-License-Identifier: Apache-2.0
// A Report as JSON of schema oomtrace.report/1 (docs/schema/oomtrace.report-1.schema.json).
#pragma once

#include <string>

#include "oomtrace/report.h"

namespace oomtrace {

// One object, indented by two blanks, with a newline behind it. Every key of the schema is there, in its order; null is
// what is not known, and so is a number that is not finite. Invalid bytes of names become U+FFFD; characters that steer
// a terminal are written as \uXXXX, so that the text may be shown as it is.
std::string render_json(const Report& report);

}  // namespace oomtrace
