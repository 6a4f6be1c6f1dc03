// SPDX-License-Identifier: Apache-2.0
// Undoes the transfer encoding of mail (RFC 2045, section 6.7) where a log was saved with it.
#pragma once

#include <string>
#include <string_view>

namespace oomtrace::kernel_log {

// Tells encoded lines by what the encoding makes of a report's own equals signs ("order=3D0").
class QuotedPrintable {
 public:
  // The decoded line; empty, and waits() true, where it goes on in the next one. The view lives until the next call.
  std::string_view decode(std::string_view line);
  bool waits() const { return waits_; }

 private:
  bool on_ = false;
  bool waits_ = false;
  std::string line_, held_;
};

}  // namespace oomtrace::kernel_log
