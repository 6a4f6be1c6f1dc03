// SPDX-License-Identifier: Apache-2.0
// Standard output of a program as bytes.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "trace/byte_source.h"

namespace oomtrace::cli {

// Runs the program for as long as this lives: a reader that has enough ends it.
class CommandSource final : public trace::ByteSource {
 public:
  // argv[0] is looked for in PATH; no shell is involved. The program gets the environment with LC_ALL=C, and no
  // standard input. Errors: Errc::kInput, with errno where it cannot be run (ENOENT: not installed).
  static Result<std::unique_ptr<CommandSource>> start(const std::vector<std::string>& argv);

  CommandSource(std::string name, pid_t pid, Fd output, Fd errors);
  ~CommandSource() override;
  CommandSource(const CommandSource&) = delete;
  CommandSource& operator=(const CommandSource&) = delete;

  // At the end of the output a status other than 0 is an error (Errc::kInput, or kPermission where the program's
  // words say so) with what it wrote to standard error.
  Result<std::size_t> read(std::span<char> into) override;
  bool rewind() override { return false; }

  // What it wrote to standard error so far, at most 4 KiB.
  std::string error_text() const;

 private:
  std::string name_;
  pid_t pid_;
  Fd output_;
  Fd errors_;  // a memory file: however much is written, the program never waits for a reader
};

}  // namespace oomtrace::cli
