// SPDX-License-Identifier: Apache-2.0
// Names of segments, and what of them is in a directory.
#include "trace/segments.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <tuple>

#include "base/sys_error.h"

namespace oomtrace::trace {
namespace {

constexpr std::string_view kPrefix = "oomtrace-";
constexpr std::string_view kThinned = ".thin";
constexpr std::string_view kEnding = ".oomtrace";
constexpr std::size_t kDigits = 6;  // names sort by number up to a million segments

struct DirCloser {
  void operator()(DIR* directory) const noexcept { static_cast<void>(::closedir(directory)); }
};

// The time stamp at the end of a recording's name, which orders recordings of one host.
std::string_view stamp_of(const SegmentName& name) {
  const std::string_view recording = name.recording;
  return recording.substr(recording.rfind('-') + 1);
}

}  // namespace

std::string SegmentName::file_name() const {
  std::string digits = std::to_string(number);
  if (digits.size() < kDigits) digits.insert(0, kDigits - digits.size(), '0');
  return recording + "-" + digits + (thinned ? std::string(kThinned) : "") + std::string(kEnding);
}

std::optional<SegmentName> SegmentName::parse(std::string_view file_name) {
  SegmentName name;
  if (!file_name.starts_with(kPrefix) || !file_name.ends_with(kEnding)) return std::nullopt;
  file_name.remove_suffix(kEnding.size());
  if (file_name.ends_with(kThinned)) {
    name.thinned = true;
    file_name.remove_suffix(kThinned.size());
  }
  const std::size_t dash = file_name.rfind('-');
  const std::string_view digits = file_name.substr(dash + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), name.number);
  if (dash <= kPrefix.size() || digits.size() < kDigits || error != std::errc() || end != digits.data() + digits.size())
    return std::nullopt;
  name.recording = std::string(file_name.substr(0, dash));
  return name;
}

Result<std::vector<SegmentFile>> list_segments(const std::string& directory) {
  const std::unique_ptr<DIR, DirCloser> stream(::opendir(directory.c_str()));
  if (!stream) return fail_errno(Errc::kInput, directory, errno);
  std::vector<SegmentFile> files;
  while (const dirent* entry = ::readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe): a stream of our own
    auto name = SegmentName::parse(entry->d_name);
    if (!name) continue;
    SegmentFile file{std::move(*name), directory + "/" + entry->d_name, 0, 0};
    struct stat status {};
    if (::lstat(file.path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    file.bytes = static_cast<std::uint64_t>(status.st_size);
    file.changed_ns = static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec;
    files.push_back(std::move(file));
  }
  std::sort(files.begin(), files.end(), [](const SegmentFile& a, const SegmentFile& b) {
    return std::make_tuple(stamp_of(a.name), std::string_view(a.name.recording), a.name.number) <
           std::make_tuple(stamp_of(b.name), std::string_view(b.name.recording), b.name.number);
  });
  return files;
}

}  // namespace oomtrace::trace
