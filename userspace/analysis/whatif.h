// SPDX-License-Identifier: Apache-2.0
// Who would have been killed under other settings: the same figures and the same arithmetic, something changed.
#pragma once

#include "analysis/context.h"
#include "oomtrace/whatif.h"

namespace oomtrace::analysis {

WhatIfResult what_if(const Context& context, const model::Incident& incident, const WhatIf& change);

}  // namespace oomtrace::analysis
