// SPDX-License-Identifier: Apache-2.0
// The short way from a line to an event, for lines as encode_line() writes them.
#pragma once

#include <string_view>

#include "oomtrace/event.h"

namespace oomtrace::codec {

// False where the line is not byte for byte of encode_line()'s form: another order of members, blanks, an escape or
// anything beyond ASCII in a text, a member too many, a number out of range, a kind unknown here. That says nothing of
// the line: a JSON parser has to see. `event` is then in no particular state. Nothing of what it held before stays.
//
// Where true, the event is what the parser would have made of the line; its texts are views into the line.
bool read_canonical(std::string_view line, Event& event);

}  // namespace oomtrace::codec
