// SPDX-License-Identifier: Apache-2.0
// Small scanning helpers for one line of text: a cursor is a string_view that shrinks from the front.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace oomtrace::kernel_log {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_blank(char c) { return c == ' ' || c == '\t'; }
inline bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
inline bool contains(std::string_view text, std::string_view what) { return text.find(what) != text.npos; }

inline std::string_view trim_front(std::string_view s) {
  while (!s.empty() && is_blank(s.front())) s.remove_prefix(1);
  return s;
}
inline std::string_view trim_back(std::string_view s) {
  while (!s.empty() && (is_blank(s.back()) || s.back() == '\r' || s.back() == '\n')) s.remove_suffix(1);
  return s;
}
inline std::string_view trim(std::string_view s) { return trim_front(trim_back(s)); }

// starts_with() that looks at the first character before it calls memcmp(): most tries end there.
inline bool begins(std::string_view s, std::string_view what) {
  return s.size() >= what.size() && (what.empty() || (s.front() == what.front() && s.starts_with(what)));
}

// Takes `what` off the front if it stands there.
inline bool take(std::string_view& s, std::string_view what) {
  if (!begins(s, what)) return false;
  s.remove_prefix(what.size());
  return true;
}
inline bool take(std::string_view& s, char c) {
  if (s.empty() || s.front() != c) return false;
  s.remove_prefix(1);
  return true;
}

// Takes a decimal number (with '-' where T is signed) off the front; nullopt, and nothing taken, if there is none or it
// does not fit.
template <class T>
std::optional<T> take_number(std::string_view& s) {
  T value{};
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (error != std::errc()) return std::nullopt;
  s.remove_prefix(static_cast<std::size_t>(end - s.data()));
  return value;
}
inline std::optional<std::uint64_t> take_hex(std::string_view& s) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value, 16);
  if (error != std::errc()) return std::nullopt;
  s.remove_prefix(static_cast<std::size_t>(end - s.data()));
  return value;
}

// Takes what stands before the next blank, without blanks around it.
inline std::string_view take_word(std::string_view& s) {
  s = trim_front(s);
  std::size_t n = 0;
  while (n < s.size() && !is_blank(s[n])) ++n;
  const std::string_view word = s.substr(0, n);
  s.remove_prefix(n);
  return word;
}

// What follows the first `key`; nullopt if it does not occur.
inline std::optional<std::string_view> after(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  if (at == text.npos) return std::nullopt;
  return text.substr(at + key.size());
}

// True if a terminal, a pager or a person cut the text here ("..." or the one-character ellipsis).
inline bool is_cut(std::string_view s) { return s.starts_with("...") || s.starts_with("\xe2\x80\xa6"); }
// True if the text ends so: its last word cannot be trusted then.
inline bool ends_cut(std::string_view s) {
  s = trim_back(s);
  return s.ends_with("...") || s.ends_with("\xe2\x80\xa6");
}

// The number behind `key`; nullopt if it is missing or was cut short.
template <class T>
std::optional<T> number_after(std::string_view text, std::string_view key) {
  auto rest = after(text, key);
  if (!rest) return std::nullopt;
  *rest = trim_front(*rest);
  const auto value = take_number<T>(*rest);
  if (value && is_cut(*rest)) return std::nullopt;
  return value;
}

// The size in kB behind `key`; nullopt if it is missing or has no unit behind it (then it was cut).
inline std::optional<std::uint64_t> kb_after(std::string_view text, std::string_view key) {
  auto rest = after(text, key);
  if (!rest) return std::nullopt;
  *rest = trim_front(*rest);
  const auto value = take_number<std::uint64_t>(*rest);
  if (!value) return std::nullopt;
  *rest = trim_front(*rest);
  // 4.6 printed "lkB" once for want of a 'u' in a format.
  take(*rest, 'l');
  if (!rest->starts_with("kB") && !rest->starts_with("KB")) return std::nullopt;
  return value;
}

}  // namespace oomtrace::kernel_log
