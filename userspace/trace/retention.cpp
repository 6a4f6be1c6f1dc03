// SPDX-License-Identifier: Apache-2.0
// What goes, what is thinned, in which order.
#include "trace/retention.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "base/sys_error.h"
#include "trace/segments.h"
#include "trace/thin.h"

namespace oomtrace::trace {
namespace {

constexpr std::uint64_t kPostMortemShare = 4;
// Beyond the limit by this part of it, segments go without thinning: whoever is so late has no time to read them.
constexpr std::uint64_t kFarBeyond = 4;

struct DirCloser {
  void operator()(DIR* directory) const noexcept { static_cast<void>(::closedir(directory)); }
};

struct OldFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::int64_t changed_ns = 0;
};

Result<std::vector<OldFile>> list_post_mortems(const std::string& directory) {
  const std::unique_ptr<DIR, DirCloser> stream(::opendir(directory.c_str()));
  if (!stream) return fail_errno(Errc::kInput, directory, errno);
  std::vector<OldFile> files;
  while (const dirent* entry = ::readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe): a stream of our own
    if (!is_post_mortem(entry->d_name)) continue;
    OldFile file{directory + "/" + entry->d_name};
    struct stat status {};
    if (::lstat(file.path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    file.bytes = static_cast<std::uint64_t>(status.st_size);
    file.changed_ns = static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec;
    files.push_back(std::move(file));
  }
  std::sort(files.begin(), files.end(), [](const OldFile& a, const OldFile& b) { return a.changed_ns < b.changed_ns; });
  return files;
}

// What files here may take for the reserve to stay free.
std::uint64_t room_for(const std::string& directory, std::uint64_t present_bytes, const RetentionOptions& options) {
  struct statvfs system {};
  if (::statvfs(directory.c_str(), &system) != 0) return options.max_bytes;
  const std::uint64_t free_bytes = std::uint64_t{system.f_bavail} * system.f_frsize;
  if (free_bytes >= options.reserve_bytes) return options.max_bytes;
  return std::min(options.max_bytes, present_bytes - std::min(present_bytes, options.reserve_bytes - free_bytes));
}

class Keeper {
 public:
  Keeper(const std::string& directory, const RetentionOptions& options, std::vector<SegmentFile> segments,
         std::vector<OldFile> post_mortems)
      : options_(options),
        present_(SegmentName::parse(std::string_view(options.keep).substr(options.keep.rfind('/') + 1))),
        segments_(std::move(segments)),
        post_mortems_(std::move(post_mortems)) {
    for (const SegmentFile& file : segments_) result_.bytes += file.bytes;
    for (const OldFile& file : post_mortems_) result_.bytes += file.bytes;
    max_bytes_ = room_for(directory, result_.bytes, options_);
  }

  RetentionResult run() {
    const auto aged = [this](const auto& file) { return options_.now_ns - file.changed_ns > options_.retain_ns; };
    remove_while(segments_, aged);
    remove_while(post_mortems_, aged);
    std::uint64_t post_mortem_bytes = 0;
    for (const OldFile& file : post_mortems_) post_mortem_bytes += file.bytes;
    remove_while(post_mortems_, [this, &post_mortem_bytes](const OldFile& file) {
      if (post_mortem_bytes <= max_bytes_ / kPostMortemShare) return false;
      post_mortem_bytes -= file.bytes;
      return true;
    });
    remove_while(segments_,
                 [this](const SegmentFile&) { return result_.bytes > max_bytes_ + max_bytes_ / kFarBeyond; });
    const auto until = std::chrono::steady_clock::now() + options_.thin_for;
    for (SegmentFile& file : segments_) {
      if (std::chrono::steady_clock::now() >= until) break;
      const bool old = options_.now_ns - file.changed_ns > options_.thin_after_ns;
      if (old || too_much()) thin(file, until);
    }
    const auto still = [this](const auto&) { return too_much(); };
    remove_while(segments_, still);
    remove_while(post_mortems_, still);
    return std::move(result_);
  }

 private:
  bool too_much() const { return result_.bytes > max_bytes_; }

  bool is_present(const SegmentFile& file) const {
    return present_ && file.name.recording == present_->recording && file.name.number >= present_->number;
  }
  bool is_present(const OldFile&) const { return false; }

  // Oldest first, for as long as `goes` says so; what is being written is passed over.
  template <class File, class Goes>
  void remove_while(std::vector<File>& files, Goes goes) {
    std::vector<File> left;
    for (File& file : files) {
      if (is_present(file) || !goes(file) || ::unlink(file.path.c_str()) != 0) {
        left.push_back(std::move(file));
        continue;
      }
      result_.bytes -= file.bytes;
      result_.removed.push_back(file.path);
    }
    files = std::move(left);
  }

  void thin(SegmentFile& file, std::chrono::steady_clock::time_point until) {
    if (file.name.thinned || is_present(file)) return;
    SegmentName name = file.name;
    name.thinned = true;
    const std::string path = file.path.substr(0, file.path.rfind('/') + 1) + name.file_name();
    ::unlink(path.c_str());  // of a run that was cut off
    ThinOptions thinning;
    thinning.until = until;
    const auto thinned = thin_trace(file.path, path, thinning);
    if (!thinned || ::unlink(file.path.c_str()) != 0) return;
    result_.bytes = result_.bytes - file.bytes + thinned->bytes;
    result_.thinned.push_back(path);
    file = {std::move(name), path, thinned->bytes, file.changed_ns};
  }

  const RetentionOptions& options_;
  std::optional<SegmentName> present_;
  std::vector<SegmentFile> segments_;
  std::vector<OldFile> post_mortems_;
  RetentionResult result_;
  std::uint64_t max_bytes_ = 0;
};

}  // namespace

bool is_post_mortem(std::string_view file_name) {
  return file_name.starts_with("incident-") && (file_name.ends_with(".json") || file_name.ends_with(".txt"));
}

Result<RetentionResult> keep_within(const std::string& directory, const RetentionOptions& options) {
  auto segments = list_segments(directory);
  if (!segments) return tl::make_unexpected(std::move(segments).error());
  auto post_mortems = list_post_mortems(directory);
  if (!post_mortems) return tl::make_unexpected(std::move(post_mortems).error());
  return Keeper(directory, options, *std::move(segments), *std::move(post_mortems)).run();
}

}  // namespace oomtrace::trace
