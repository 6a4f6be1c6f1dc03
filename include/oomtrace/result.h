// SPDX-License-Identifier: Apache-2.0
// Result<T> and Error: how every fallible function of oomtrace answers.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace oomtrace {

// What kind of failure it was. The command line maps each to one documented exit code (docs/man/oomtrace.1, "EXIT
// STATUS").
enum class Errc {
  kUsage,              // exit 2: the caller's words are wrong
  kPermission,         // exit 3: a privilege is missing; context names it
  kInput,              // exit 4: input is unreadable, damaged beyond use, or of no known kind
  kSchemaTooNew,       // exit 4: input was written by a newer major schema
  kKernelUnsupported,  // exit 5: the kernel lacks what is needed
  kOutput,             // exit 6: output cannot be written
};

// An error says what failed, on what and why; `hint` is the command or step that helps, or empty.
struct Error {
  Errc code = Errc::kInput;
  int sys_errno = 0;    // errno where a system call failed, else 0
  std::string context;  // innermost phrase first, outer layers put theirs in front
  std::string hint;

  // Adds what the caller was doing: "open trace x" in front of "No such file or directory".
  Error&& within(std::string_view what) && {
    context.insert(0, std::string(what) + ": ");
    return std::move(*this);
  }
};

// tl::expected has std::expected's names, so that it can be swapped when the supported compilers ship <expected>.
template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Errc code, std::string context, int sys_errno = 0, std::string hint = {}) {
  return tl::make_unexpected(Error{code, sys_errno, std::move(context), std::move(hint)});
}

}  // namespace oomtrace
