// SPDX-License-Identifier: Apache-2.0
// ByteReader: a bounds-checked cursor over bytes; the only code that turns bytes into structs.
#pragma once

#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace oomtrace {

// Never reads outside the span it was given; a request that does not fit changes nothing and says so.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::size_t remaining() const { return bytes_.size() - offset_; }
  std::size_t offset() const { return offset_; }

  // Copies the next sizeof(T) bytes; the source need not be aligned.
  template <class T>
  [[nodiscard]] bool read(T& out) {
    if (!copy_at(offset_, out)) return false;
    offset_ += sizeof(T);
    return true;
  }

  // As read(), from an absolute offset and without moving.
  template <class T>
  [[nodiscard]] bool copy_at(std::size_t offset, T& out) const {
    static_assert(std::is_trivially_copyable_v<T>);
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return false;
    std::memcpy(&out, bytes_.data() + offset, sizeof(T));
    return true;
  }

  [[nodiscard]] bool skip(std::size_t count) {
    if (count > remaining()) return false;
    offset_ += count;
    return true;
  }

  std::optional<std::span<const std::byte>> take(std::size_t count) {
    if (count > remaining()) return std::nullopt;
    const auto part = bytes_.subspan(offset_, count);
    offset_ += count;
    return part;
  }

  // Text in a fixed field: up to its first NUL, the whole field where there is none, cut at the end of the bytes.
  // The view points into the source.
  std::string_view text_at(std::size_t offset, std::size_t field_size) const {
    if (offset >= bytes_.size()) return {};
    const std::size_t size = field_size < bytes_.size() - offset ? field_size : bytes_.size() - offset;
    const char* start = reinterpret_cast<const char*>(bytes_.data() + offset);
    return {start, ::strnlen(start, size)};
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t offset_ = 0;
};

}  // namespace oomtrace
