// SPDX-License-Identifier: Apache-2.0
// Secrets that only their place on a certain program's command line tells: curl -u, sshpass -p, wandb login.
#pragma once

#include <cstddef>
#include <string_view>

namespace oomtrace {

// Goes over a command line word by word.
class SecretArguments {
 public:
  // Where the secret begins in the word that follows those seen so far; npos: it holds none. Views into words are not
  // kept, and it takes time linear in the word.
  std::size_t find_in(std::string_view word);

  static constexpr std::size_t npos = std::string_view::npos;

 private:
  enum class Program { kOther, kCurl, kSshpass, kWandb, kWandbLogin };
  enum class Next { kAny, kUserAndPassword, kPassword, kHarmless };  // what the word before announced

  std::size_t find_in_argument(std::string_view word);
  std::size_t find_in_curl(std::string_view word);
  std::size_t find_in_sshpass(std::string_view word);

  Program program_ = Program::kOther;
  Next next_ = Next::kAny;
};

}  // namespace oomtrace
