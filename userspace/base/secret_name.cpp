// SPDX-License-Identifier: Apache-2.0
// Names of secrets, part by part, and the names that only look like them.
#include "base/secret_name.h"

#include <algorithm>
#include <array>
#include <span>

namespace oomtrace {

namespace {

using Words = std::span<const std::string_view>;

// A secret wherever these stand inside a part.
constexpr std::string_view kStrong[] = {"password",   "passwd", "passphrase", "secret",
                                        "credential", "apikey", "accesskey",  "privatekey"};
constexpr std::string_view kStrongWhole[] = {"pwd",    "pass",   "auth", "authorization",
                                             "bearer", "cookie", "jwt",  "creds"};
// Parts in front of "tokens" and "keys" that make the plural a secret.
constexpr std::string_view kBeforePlural[] = {"access", "api", "auth", "bearer", "private", "refresh", "secret"};
// Parts in front of "token" in language models, of "key" in data sets.
constexpr std::string_view kBeforeHarmlessToken[] = {
    "additional", "audio",  "begin", "bos",     "class", "cls",  "decoder", "end",  "eos", "first",
    "image",      "last",   "mask",  "max",     "min",   "n",    "new",     "next", "num", "pad",
    "per",        "prompt", "sep",   "special", "start", "stop", "unk",     "video"};
constexpr std::string_view kBeforeHarmlessKey[] = {"cache",  "caption",  "column", "content", "data",      "dataset",
                                                   "dict",   "feature",  "field",  "foreign", "group",     "image",
                                                   "input",  "json",     "label",  "output",  "partition", "primary",
                                                   "prompt", "response", "sort",   "target",  "text"};
// Last parts that say the value is about the secret, not the secret.
constexpr std::string_view kAbout[] = {"budget", "count", "dim",   "dims", "dir",   "file", "head", "heads", "len",
                                       "length", "level", "limit", "path", "ratio", "size", "ttl",  "type"};
constexpr std::string_view kSwitch[] = {"disable", "enable", "has", "is",   "no",
                                        "require", "skip",   "use", "with", "without"};

bool one_of(Words words, std::string_view part) { return std::find(words.begin(), words.end(), part) != words.end(); }

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_separator(char c) { return c == '_' || c == '-' || c == '.'; }

// One part at a time, in lower case.
class Parts {
 public:
  explicit Parts(std::string_view name) : name_(name) {}

  bool next() {
    while (!name_.empty() && is_separator(name_.front())) name_.remove_prefix(1);
    if (name_.empty()) return false;
    std::size_t size = 1;
    while (size < name_.size() && !is_separator(name_[size]) &&
           !(is_upper(name_[size]) && is_lower_or_digit(name_[size - 1]))) {
      ++size;
    }
    // What tells a secret stands at a part's end: of an overlong part only that is looked at.
    const std::string_view part = name_.substr(0, size);
    const std::string_view tail = part.substr(part.size() - std::min(part.size(), lower_.size()));
    std::transform(tail.begin(), tail.end(), lower_.begin(),
                   [](char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; });
    size_ = tail.size();
    name_.remove_prefix(size);
    return true;
  }
  std::string_view part() const { return {lower_.data(), size_}; }

 private:
  std::string_view name_;
  std::array<char, 32> lower_{};
  std::size_t size_ = 0;
};

bool is_strong(std::string_view part) {
  return one_of(kStrongWhole, part) || std::any_of(std::begin(kStrong), std::end(kStrong), [&](std::string_view word) {
           return part.find(word) != std::string_view::npos;
         });
}

// What the part in front of "token", "key" and their plurals decides.
struct Before {
  bool plural_secret = false;
  bool harmless_token = false;
  bool harmless_key = false;
};

}  // namespace

bool is_secret_name(std::string_view name) {
  bool secret = false;
  bool about = false;
  Before before;
  for (Parts parts(name); parts.next();) {
    const std::string_view part = parts.part();
    if (is_strong(part)) secret = true;
    if (part.ends_with("token") && !before.harmless_token) secret = true;
    if (part.ends_with("key") && !before.harmless_key) secret = true;
    if ((part == "tokens" || part == "keys") && before.plural_secret) secret = true;
    about = one_of(kAbout, part);
    before = {one_of(kBeforePlural, part), one_of(kBeforeHarmlessToken, part), one_of(kBeforeHarmlessKey, part)};
  }
  return secret && !about;
}

bool is_switch_name(std::string_view name) {
  Parts parts(name);
  return parts.next() && one_of(kSwitch, parts.part());
}

}  // namespace oomtrace
