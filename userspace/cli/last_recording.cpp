// SPDX-License-Identifier: Apache-2.0
// Walks back through the segments until one has a kill.
#include "cli/last_recording.h"

#include <algorithm>

#include "trace/segments.h"
#include "trace/summary.h"

namespace oomtrace::cli {

std::vector<std::string> segments_of_last_kill(const std::string& newest) {
  const std::size_t slash = newest.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : newest.substr(0, slash);
  const auto name = trace::SegmentName::parse(slash == std::string::npos ? newest : newest.substr(slash + 1));
  const auto listed = name ? trace::list_segments(folder) : tl::make_unexpected(Error{});
  if (!listed) return {newest};
  const auto path_of = [&](const trace::SegmentFile& file) {
    return folder == "." ? file.name.file_name() : file.path;
  };
  for (std::size_t i = listed->size(); i-- > 0;) {
    const trace::SegmentName& with_kill = (*listed)[i].name;
    const auto summary = trace::summarize(path_of((*listed)[i]));
    if (!summary || summary->kills.empty()) continue;
    std::vector<std::string> paths;
    for (const trace::SegmentFile& file : *listed) {
      if (file.name.recording == with_kill.recording && file.name.number + 1 >= with_kill.number)
        paths.push_back(path_of(file));
    }
    return paths;
  }
  return {newest};
}

}  // namespace oomtrace::cli
