// SPDX-License-Identifier: Apache-2.0
// Strips what stands in front of a kernel message in a text log: quoting, time stamps, syslog header, caller.
#pragma once

#include <optional>
#include <string_view>

#include "kernel_log/record.h"

namespace oomtrace::kernel_log {

// Reads one cleaned line (clean_line()). Forms, alone or one behind another: dmesg in its time formats, dmesg -x and
// -r, /dev/kmsg records, syslog RFC 3164 and 5424, rsyslog's ISO form, journalctl short*, CRI and compose prefixes,
// quoting. `year` is for stamps that have none. What is not recognised stays in the message. `hint.host` and the like
// may be preset by an outer form (JSON).
LogRecord strip_prefix(std::string_view line, std::optional<int> year, LogRecord hint = {});

// "6,1234,5678,-[,caller=T1];": the header of a /dev/kmsg record (Documentation/ABI/testing/dev-kmsg).
bool take_kmsg_header(std::string_view& s, LogRecord& record);

}  // namespace oomtrace::kernel_log
