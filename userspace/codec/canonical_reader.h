// SPDX-License-Identifier: Apache-2.0
// The short way from a line to an event, for lines as encode_line() writes them.
#pragma once

#include <string_view>

#include "base/time_text.h"
#include "oomtrace/event.h"

namespace oomtrace::codec {

// False where the line is not byte for byte of encode_line()'s form: another order of members, blanks, an escape or
// anything beyond ASCII in a text, a member too many, a number out of range, a kind unknown here. That says nothing of
// the line: a JSON parser has to see. `event` is then in no particular state. Nothing of what it held before stays.
//
// Where true, the event is what the parser would have made of the line; its texts are views into the line.
bool read_canonical(std::string_view line, Event& event);

// What the lines of a trace say again and again, as the last one said it: to compare is quicker than to read. Texts are
// views into that line, which has to stay where it is as long as this and the events read with it.
struct Repeated {
  template <class T>
  struct Text {
    std::string_view text;  // from the comma before it; empty: none yet
    T value{};
  };
  struct Ids {
    std::string_view trace_id, boot_id;
  };
  struct Host {
    std::string_view name, id;
  };

  Rfc3339Reader times;
  Text<Ids> ids;
  Text<Host> host;
  Text<CgroupRef> cgroup;
};
bool read_canonical(std::string_view line, Event& event, Repeated& before);

}  // namespace oomtrace::codec
