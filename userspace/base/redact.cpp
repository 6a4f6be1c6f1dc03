// SPDX-License-Identifier: Apache-2.0
// One pass over a command line: the reading end looks ahead, the writing end never overtakes it, since a mask is never
// longer than what it covers.
#include "base/redact.h"

#include <algorithm>
#include <iterator>

#include "base/secret_argument.h"
#include "base/secret_name.h"

namespace oomtrace {

namespace {

// Tokens that their issuers mark by a prefix: at least `least` characters follow it.
struct Shape {
  std::string_view prefix;
  std::size_t least;
  bool needs_digit = true;  // told from words by a digit; false where the prefix alone is telling
};
constexpr Shape kShapes[] = {
    {"hf_", 16},         {"api_org_", 16},    {"sk-", 16},   {"sk_live_", 16},  {"sk_test_", 16}, {"rk_live_", 16},
    {"ghp_", 16},        {"gho_", 16},        {"ghu_", 16},  {"ghs_", 16},      {"ghr_", 16},     {"github_pat_", 16},
    {"glpat-", 16},      {"xoxa-", 10},       {"xoxb-", 10}, {"xoxp-", 10},     {"xoxr-", 10},    {"xoxs-", 10},
    {"AKIA", 16, false}, {"ASIA", 16, false}, {"AIza", 30},  {"eyJ", 20},       {"npm_", 20},     {"pypi-", 20},
    {"nvapi-", 16},      {"gsk_", 16},        {"r8_", 16},   {"dckr_pat_", 16},
};

// Addresses that whoever knows the rest of them may write to.
constexpr std::string_view kSecretAddresses[] = {"hooks.slack.com/services/", "hooks.slack.com/workflows/",
                                                 "hooks.slack.com/triggers/", "discord.com/api/webhooks/"};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_gap(char c) { return is_blank(c) || c == '\0'; }
bool is_quote(char c) { return c == '"' || c == '\''; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_name(char c) { return is_alnum(c) || c == '_' || c == '-' || c == '.'; }

bool same_word(std::string_view word, std::string_view lower) {
  return std::equal(word.begin(), word.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

bool is_scheme_word(std::string_view word) {
  return same_word(word, "bearer") || same_word(word, "basic") || same_word(word, "token") || same_word(word, "digest");
}

bool tells_nothing(std::string_view value) {
  return same_word(value, "true") || same_word(value, "false") || same_word(value, "none") || same_word(value, "null");
}

// Of a signed URL: "sig", "X-Amz-Signature". Elsewhere a signature is a function's.
bool is_signature_name(std::string_view name) {
  constexpr std::string_view kSignature = "signature";
  return same_word(name, "sig") ||
         (name.size() >= kSignature.size() && same_word(name.substr(name.size() - kSignature.size()), kSignature));
}

class Redactor {
 public:
  explicit Redactor(std::span<char> text)
      : text_(text), with_nul_(std::find(text.begin(), text.end(), '\0') != text.end()) {}

  std::size_t run() {
    while (at_ < text_.size()) {
      if (at_word_start() && mask_placed()) continue;
      if (after_name_boundary() && (mask_shape() || mask_address() || mask_named())) continue;
      if (mask_url_password()) continue;
      keep(1);
    }
    return out_;
  }

 private:
  char look(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  std::string_view view(std::size_t from, std::size_t to) const { return {text_.data() + from, to - from}; }

  void keep(std::size_t count) {
    for (; count > 0; --count) {
      last_ = text_[at_];
      text_[out_++] = text_[at_++];
    }
  }
  void keep_to(std::size_t end) { keep(end - at_); }

  void mask_to(std::size_t end) {
    const std::size_t stars = std::min(end - at_, kSecretMask.size());
    std::copy_n(kSecretMask.begin(), stars, text_.begin() + static_cast<std::ptrdiff_t>(out_));
    out_ += stars;
    if (end > at_) last_ = text_[end - 1];
    at_ = end;
  }

  bool at_word_start() const {
    return !is_gap(text_[at_]) && !is_quote(text_[at_]) && (at_ == 0 || is_gap(last_) || is_quote(last_));
  }
  bool after_name_boundary() const { return at_ == 0 || !(is_alnum(last_) || last_ == '_'); }
  bool at_argument_start(std::size_t i) const {
    return i == 0 || (with_nul_ ? text_[i - 1] == '\0' : is_blank(text_[i - 1]));
  }

  std::size_t end_of_name(std::size_t i) const {
    while (i < text_.size() && is_name(text_[i])) ++i;
    return i;
  }
  std::size_t end_of_word(std::size_t i) const {
    while (i < text_.size() && !is_gap(text_[i])) ++i;
    return i;
  }
  std::size_t skip_blanks(std::size_t i) const {
    while (i < text_.size() && is_blank(text_[i])) ++i;
    return i;
  }

  // By the program's options. In quotes a secret may have blanks.
  bool mask_placed() {
    if (at_ < placed_seen_to_) return false;
    std::size_t end = at_;
    while (end < text_.size() && !is_gap(text_[end]) && !is_quote(text_[end])) ++end;
    placed_seen_to_ = end;
    const std::size_t secret = arguments_.find_in(view(at_, end));
    if (secret == SecretArguments::npos) return false;
    const std::size_t start = at_ + secret;
    const bool quoted = at_ > 0 && is_quote(last_);
    end = std::max(quoted ? end_of_value(at_ - 1, false) : end_of_value(at_, with_nul_ && at_argument_start(at_)), end);
    keep_to(start);
    mask_to(end);
    placed_seen_to_ = name_seen_to_ = end;
    return true;
  }

  bool mask_address() {
    for (const std::string_view address : kSecretAddresses) {
      if (!view(at_, text_.size()).starts_with(address)) continue;
      keep(address.size());
      std::size_t end = at_;
      while (end < text_.size() && !is_gap(text_[end]) && !is_quote(text_[end])) ++end;
      mask_to(end);
      return true;
    }
    return false;
  }

  bool mask_shape() {
    if (at_ < no_digit_before_) return false;
    for (const Shape& shape : kShapes) {
      if (!view(at_, text_.size()).starts_with(shape.prefix)) continue;
      const std::size_t start = at_ + shape.prefix.size();
      const std::size_t end = end_of_name(start);
      const bool has_digit = std::any_of(text_.begin() + static_cast<std::ptrdiff_t>(start),
                                         text_.begin() + static_cast<std::ptrdiff_t>(end), is_digit);
      if (shape.needs_digit && !has_digit) no_digit_before_ = end;  // keeps "sk-sk-sk-" linear
      if (end - start < shape.least || (shape.needs_digit && !has_digit)) continue;
      keep_to(start);
      mask_to(end);
      return true;
    }
    return false;
  }

  // name=value, name: value, "name": "value", --name value.
  bool mask_named() {
    if (at_ < name_seen_to_) return false;  // inside a name that was looked at from its start
    const std::size_t start = at_;
    const std::size_t name_end = end_of_name(start);
    name_seen_to_ = name_end;
    if (name_end == start) return false;
    const std::string_view name = view(start, name_end);
    const bool quoted_name = start > 0 && is_quote(last_) && look(name_end) == last_;
    const std::size_t mark = name_end + (quoted_name ? 1 : 0);
    if (mark >= text_.size()) return false;

    if (text_[mark] == '=') {
      const bool in_query = last_ == '?' || last_ == '&';
      return (is_secret_name(name) || (in_query && is_signature_name(name))) && mask_value(start, mark + 1, false);
    }
    if (text_[mark] == ':' && look(mark + 1) != '/') {
      return is_secret_name(name) && mask_value(start, skip_blanks(mark + 1), true);
    }
    if (name[0] == '-' && is_gap(text_[mark]) && look(mark + 1) != '-' && at_argument_start(start)) {
      return is_secret_name(name) && !is_switch_name(name) && mask_value(mark + 1, mark + 1, false);
    }
    return false;
  }

  // Keeps what is in front of `value`, masks the value. `owner` is where the argument that holds it would start.
  bool mask_value(std::size_t owner, std::size_t value, bool header) {
    const bool whole_argument = with_nul_ && at_argument_start(owner);
    std::size_t end = end_of_value(value, whole_argument);
    if (header && !whole_argument && end < text_.size() && is_scheme_word(view(value, end))) {
      value = skip_blanks(end);
      end = end_of_word(value);
    }
    const bool quoted = is_quote(look(value)) && end > value + 1;
    if (end <= value || tells_nothing(view(value, end))) return false;
    keep_to(value + (quoted ? 1 : 0));
    mask_to(end);
    name_seen_to_ = end;
    return true;
  }

  // A quoted value ends before its quote, a bare one at a gap or, in a URL's query, at "&".
  std::size_t end_of_value(std::size_t value, bool whole_argument) const {
    if (value >= text_.size()) return text_.size();
    if (is_quote(text_[value])) {
      const auto from = text_.begin() + static_cast<std::ptrdiff_t>(value) + 1;
      const auto stop = with_nul_ ? std::find(from, text_.end(), '\0') : text_.end();
      const auto close = std::find(from, stop, text_[value]);
      if (close != stop) return static_cast<std::size_t>(close - text_.begin());
    }
    if (whole_argument) {
      std::size_t end = value;
      while (end < text_.size() && text_[end] != '\0') ++end;
      return end;
    }
    const bool in_query = last_ == '?' || last_ == '&';
    std::size_t end = value;
    while (end < text_.size() && !is_gap(text_[end]) && !(in_query && text_[end] == '&')) ++end;
    return end;
  }

  // scheme://user:password@host, scheme://token@host.
  bool mask_url_password() {
    if (!view(at_, text_.size()).starts_with("://")) return false;
    const std::size_t start = at_ + 3;
    std::size_t end = start;
    std::size_t user_end = 0;
    while (end < text_.size() && !is_gap(text_[end]) && !is_quote(text_[end]) && text_[end] != '/' &&
           text_[end] != '?' && text_[end] != '#') {
      if (text_[end] == '@') user_end = end;
      ++end;
    }
    if (user_end == 0) return false;
    const std::string_view user = view(start, user_end);
    const std::size_t colon = user.find(':');
    constexpr std::size_t kLongestUserName = 12;  // without a colon, what is longer is a token
    if (colon == std::string_view::npos && user.size() <= kLongestUserName) return false;
    keep_to(colon == std::string_view::npos ? start : start + colon + 1);
    mask_to(user_end);
    return true;
  }

  std::span<char> text_;
  bool with_nul_;
  std::size_t at_ = 0;            // next byte to read
  std::size_t out_ = 0;           // next byte to write, <= at_
  std::size_t name_seen_to_ = 0;  // names before this were judged
  std::size_t no_digit_before_ = 0;
  std::size_t placed_seen_to_ = 0;
  SecretArguments arguments_;
  char last_ = '\0';  // byte in front of at_, as it was
};

}  // namespace

std::size_t redact_command_line(std::span<char> inout) { return Redactor(inout).run(); }

std::string redacted_command_line(std::string_view command_line) {
  std::string text(command_line);
  text.resize(redact_command_line(text));
  return text;
}

std::vector<std::string> redacted_arguments(const std::vector<std::string>& arguments) {
  std::string joined;
  for (const std::string& argument : arguments) joined.append(argument.c_str()).push_back('\0');
  joined.resize(redact_command_line(joined));
  std::vector<std::string> redacted;
  for (std::string_view rest = joined; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\0'), rest.size() - 1);  // a mask never takes a NUL
    redacted.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  return redacted;
}

}  // namespace oomtrace
