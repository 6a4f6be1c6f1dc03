// SPDX-License-Identifier: Apache-2.0
// A gzip file as the bytes that it holds.
#include "cli/input_gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

#include "trace/limits.h"

namespace oomtrace::cli {
namespace {

constexpr std::size_t kPacked = std::size_t{64} << 10;
constexpr int kGzipWindow = 15 + 16;  // zlib.h: 16 more is gzip only

}  // namespace

struct GunzipSource::Inflater {
  z_stream stream{};
  Inflater() {
    if (inflateInit2(&stream, kGzipWindow) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

bool is_gzip(std::string_view head) { return head.starts_with("\x1f\x8b\x08"); }

GunzipSource::GunzipSource(std::unique_ptr<trace::ByteSource> packed)
    : packed_(std::move(packed)), inflater_(std::make_unique<Inflater>()), buffer_(kPacked) {}
GunzipSource::~GunzipSource() = default;

Result<std::size_t> GunzipSource::read(std::span<char> into) {
  z_stream& stream = inflater_->stream;
  while (!ended_) {
    if (at_ == size_) {
      auto got = packed_->read(buffer_);
      if (!got) return got;
      size_ = *got;
      packed_bytes_ += size_;
      at_ = 0;
      if (size_ == 0) break;
    }
    stream.next_in = reinterpret_cast<Bytef*>(buffer_.data() + at_);
    stream.avail_in = static_cast<uInt>(size_ - at_);
    stream.next_out = reinterpret_cast<Bytef*>(into.data());
    stream.avail_out = static_cast<uInt>(std::min<std::size_t>(into.size(), std::numeric_limits<uInt>::max()));
    const uInt room = stream.avail_out;
    const int status = inflate(&stream, Z_NO_FLUSH);
    at_ = size_ - stream.avail_in;
    const std::size_t made = room - stream.avail_out;
    if (status == Z_STREAM_END) {
      any_ = true;
      inflateReset(&stream);
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      if (any_ && made == 0) {  // behind the last member: padding
        ended_ = true;
        break;
      }
      return fail(Errc::kInput, std::string("gzip data is damaged: ") + (stream.msg ? stream.msg : "unknown"));
    }
    inflated_bytes_ += made;
    if (trace::is_bomb(packed_bytes_, inflated_bytes_)) return fail(Errc::kInput, trace::kBombText);
    if (made > 0) return made;
  }
  return 0;
}

bool GunzipSource::rewind() {
  if (!packed_->rewind()) return false;
  inflateReset(&inflater_->stream);
  size_ = at_ = 0;
  packed_bytes_ = inflated_bytes_ = 0;
  any_ = ended_ = false;
  return true;
}

}  // namespace oomtrace::cli
