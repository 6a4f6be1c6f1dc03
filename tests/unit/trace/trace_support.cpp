// SPDX-License-Identifier: Apache-2.0
#include "unit/trace/trace_support.h"

#include <zstd.h>

#include <array>
#include <stdexcept>

#include "codec/json_writer.h"
#include "support/temp_dir.h"
#include "trace/byte_source.h"
#include "trace/ndjson_source.h"
#include "trace/reader.h"
#include "trace/writer.h"

namespace oomtrace::test {

std::string memory_line(std::uint64_t seq, std::string_view trace_id) {
  // Multiplied by odd constants, the number gives noise that is the same on every run.
  Event event;
  event.boot_ns = 5'000'000'000 + seq * 20'000'000 + (seq * 2654435761U) % 9'000'000;
  event.wall_ns = 1'714'557'600'123'456'789 + static_cast<std::int64_t>(event.boot_ns);
  event.seq = seq;
  event.trace_id = trace_id;
  event.boot_id = "5c3a2a3e-5b0e-4c8c-9c0f-2f1f8d9d1a77";
  event.host_name = "gpu-node-17";
  event.host_id = "9f2c1f4be8b64a6f8f6a0f6b3c1d2e4f";
  ProcessMemory memory;
  const std::uint32_t pid = 4000 + static_cast<std::uint32_t>(seq % 24);
  const auto anon = static_cast<std::int64_t>((100'000 + seq * 37 + (seq * 40503U) % 5000) * 4096);
  memory.process = {pid, 4'000'000'000 + pid * 1'000'003ULL, "python3"};
  memory.parent_pid = 3999;
  memory.uid = 1000;
  memory.oom_score_adj = 0;
  memory.cgroup = {8123, "/user.slice/user-1000.slice/session-3.scope"};
  memory.memory = MemoryCounters{anon,
                                 48'000'000 + pid * 4096,
                                 static_cast<std::int64_t>(seq % 64) * 2'097'152,
                                 0,
                                 static_cast<std::uint64_t>(anon) / 512 & ~std::uint64_t{4095},
                                 static_cast<std::uint64_t>(anon) + 9'000'000'000,
                                 static_cast<std::uint64_t>(anon) + 4096 * (seq % 100)};
  memory.faults = {static_cast<std::uint64_t>(anon) / 4096 + 17, (seq * 31) % 70'000, seq % 977, 0};
  event.payload = memory;
  std::array<char, codec::kMaxLineBytes> line;
  const auto size = codec::encode_line(event, line);
  if (!size) throw std::runtime_error(size.error().context);
  return {line.data(), *size};
}

std::vector<std::string> memory_lines(std::uint64_t first_seq, std::size_t count) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < count; ++i) lines.push_back(memory_line(first_seq + i));
  return lines;
}

std::string make_trace(const std::vector<std::vector<std::string>>& frames) {
  const TempDir directory;
  const std::string path = directory / "made.oomtrace";
  auto writer = trace::Writer::create(path);
  if (!writer) throw std::runtime_error(writer.error().context);
  for (const auto& frame : frames) {
    for (const std::string& line : frame) {
      if (auto appended = (*writer)->append(line); !appended) throw std::runtime_error(appended.error().context);
    }
    if (auto closed = (*writer)->close_frame(); !closed) throw std::runtime_error(closed.error().context);
  }
  return read_bytes(path);
}

std::string make_frame(std::string_view raw) {
  std::string out(ZSTD_compressBound(raw.size()), '\0');
  const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  const std::size_t size = ZSTD_compress2(context.get(), out.data(), out.size(), raw.data(), raw.size());
  if (ZSTD_isError(size)) throw std::runtime_error(ZSTD_getErrorName(size));
  out.resize(size);
  return out;
}

ReadBack read_all(trace::LineSource& source) {
  ReadBack back;
  for (;;) {
    auto line = source.next_line();
    if (!line) {
      back.error = line.error().context;
      break;
    }
    if (!*line) break;
    back.lines.emplace_back(**line);
  }
  back.notes = source.notes();
  return back;
}

ReadBack read_trace(std::string_view bytes) {
  trace::Reader reader(std::make_unique<trace::MemorySource>(bytes));
  return read_all(reader);
}

ReadBack read_ndjson(std::string_view bytes) {
  trace::NdjsonSource source(std::make_unique<trace::MemorySource>(bytes));
  return read_all(source);
}

}  // namespace oomtrace::test
