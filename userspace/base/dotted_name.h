// SPDX-License-Identifier: Apache-2.0
// Names with dots, as those of kinds of event.
#pragma once

#include <string_view>

namespace oomtrace {

// Whether a name is `family` or below it: "oom.kill" is of "oom.kill", "oom" and "oom.*", but not of "oo".
inline bool is_of_family(std::string_view name, std::string_view family) {
  if (family.ends_with(".*")) family.remove_suffix(2);
  return name == family || (name.size() > family.size() && name.starts_with(family) && name[family.size()] == '.');
}

}  // namespace oomtrace
