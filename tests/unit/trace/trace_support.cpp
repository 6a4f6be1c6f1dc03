// SPDX-License-Identifier: Apache-2.0
#include "unit/trace/trace_support.h"

#include <fmt/format.h>
#include <zstd.h>

#include <stdexcept>

#include "support/temp_dir.h"
#include "trace/byte_source.h"
#include "trace/ndjson_source.h"
#include "trace/reader.h"
#include "trace/writer.h"

namespace oomtrace::test {

std::string memory_line(std::uint64_t seq, std::string_view trace_id) {
  const std::uint64_t boot_ns = 5'000'000'000 + seq * 20'000'000 + (seq * 2654435761U) % 9'000'000;
  const std::uint64_t pid = 4000 + seq % 24;
  const std::uint64_t anon = (100'000 + seq * 37 + (seq * 40503U) % 5000) * 4096;
  return fmt::format(
      R"({{"ts":"2024-05-01T10:{:02}:{:02}.{:09}Z","boot_ns":{},"seq":{},"trace_id":"{}",)"
      R"("boot_id":"5c3a2a3e-5b0e-4c8c-9c0f-2f1f8d9d1a77","event":"process.memory",)"
      R"("host":{{"name":"gpu-node-17","id":"9f2c1f4be8b64a6f8f6a0f6b3c1d2e4f"}},)"
      R"("process":{{"pid":{},"start_boot_ns":{},"comm":"python3","parent_pid":3999,"uid":1000,"oom_score_adj":0}},)"
      R"("cgroup":{{"id":8123,"path":"/user.slice/user-1000.slice/session-3.scope"}},)"
      R"("memory":{{"anon":{},"file":{},"shmem":{},"swap":0,"pgtables":{},"total_vm":{}}},)"
      R"("faults":{{"fresh":{},"write_protect":{},"kernel_fresh":{},"kernel_write_protect":0}},"reason":"moved"}})",
      boot_ns / 60'000'000'000 % 60, boot_ns / 1'000'000'000 % 60, boot_ns % 1'000'000'000, boot_ns, seq, trace_id, pid,
      4'000'000'000 + pid * 1'000'003, anon, 48'000'000 + pid * 4096, (seq % 64) * 2'097'152, anon / 480,
      anon + 9'000'000'000, anon / 4096 + 17, (seq * 31) % 70'000, seq % 977);
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
