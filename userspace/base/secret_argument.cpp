// SPDX-License-Identifier: Apache-2.0
// A few programs' options, as far as they take secrets: curl(1), sshpass(1), wandb's command line.
#include "base/secret_argument.h"

#include <algorithm>

namespace oomtrace {

namespace {

constexpr std::size_t npos = std::string_view::npos;

bool is_key_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

// Keys of 40 hexadecimal digits, and longer ones; entities and hosts are neither.
bool is_wandb_key(std::string_view word) {
  constexpr std::size_t kShortest = 32;
  return word.size() >= kShortest && word.front() != '-' && std::all_of(word.begin(), word.end(), is_key_character);
}

// Behind the user's name; a name alone is no secret.
std::size_t password_of(std::string_view user_and_password, std::size_t offset) {
  const std::size_t colon = user_and_password.find(':');
  return colon == npos || colon + 1 == user_and_password.size() ? npos : offset + colon + 1;
}

// Parts of a shell's line: what follows is another program's.
bool ends_command(std::string_view word) { return word == "&&" || word == "||" || word == "|" || word == "&"; }

}  // namespace

// -u USER:PASSWORD also attached, and behind other letters: -su.
std::size_t SecretArguments::find_in_curl(std::string_view word) {
  for (const std::string_view option : {"--user", "--proxy-user"}) {
    if (word == option) {
      next_ = Next::kUserAndPassword;
      return npos;
    }
    if (word.starts_with(option) && word[option.size()] == '=')
      return password_of(word.substr(option.size() + 1), option.size() + 1);
  }
  if (word.size() < 2 || word[0] != '-' || word[1] == '-') return npos;
  // Letters that take no value may stand in front.
  constexpr std::string_view kSwitches = "sSLkfvigGIjlnNOpqRaBJM0123446#:Z";
  const std::size_t letter = word.find_first_not_of(kSwitches, 1);
  if (letter == npos || (word[letter] != 'u' && word[letter] != 'U')) return npos;
  if (letter + 1 < word.size()) return password_of(word.substr(letter + 1), letter + 1);
  next_ = Next::kUserAndPassword;
  return npos;
}

// Its own options come first; the program that it runs has others.
std::size_t SecretArguments::find_in_sshpass(std::string_view word) {
  if (word.size() < 2 || word[0] != '-') {
    program_ = Program::kOther;
    return npos;
  }
  if (word.starts_with("-p") && word.size() > 2) return 2;
  if (word == "-p") next_ = Next::kPassword;
  if (word == "-f" || word == "-d" || word == "-P") next_ = Next::kHarmless;
  return npos;
}

std::size_t SecretArguments::find_in(std::string_view word) {
  if (!word.ends_with(';')) return find_in_argument(word);
  const std::size_t at = find_in_argument(word.substr(0, word.size() - 1));
  *this = {};
  return at;
}

std::size_t SecretArguments::find_in_argument(std::string_view word) {
  const Next announced = next_;
  next_ = Next::kAny;
  if (word.empty()) return npos;
  if (announced == Next::kPassword) return 0;
  if (announced == Next::kUserAndPassword) return password_of(word, 0);
  if (announced == Next::kHarmless) return npos;
  if (ends_command(word)) {
    program_ = Program::kOther;
    return npos;
  }
  switch (program_) {
    case Program::kCurl:
      return find_in_curl(word);
    case Program::kSshpass:
      if (const std::size_t at = find_in_sshpass(word); program_ == Program::kSshpass) return at;
      break;
    case Program::kWandb:
      program_ = word == "login" ? Program::kWandbLogin : Program::kOther;
      return npos;
    case Program::kWandbLogin:
      return is_wandb_key(word) ? 0 : npos;
    case Program::kOther:
      break;
  }
  const std::string_view name = word.substr(word.rfind('/') + 1);  // npos + 1 is 0
  if (name == "curl") program_ = Program::kCurl;
  if (name == "sshpass") program_ = Program::kSshpass;
  if (name == "wandb") program_ = Program::kWandb;
  return npos;
}

}  // namespace oomtrace
