// SPDX-License-Identifier: Apache-2.0
// Reports whose names were chosen by somebody who means harm, or writes another script.
#include <limits>

#include "unit/report/sample_reports.h"

namespace oomtrace::test {

Report hostile_report() {
  Report report = worker_report();
  static constexpr char kEvil[] = "\x1b[2J\x1b]0;owned\x07\r\n\x9b\xff \xe2\x80\xae txt.exe\x00nul";
  const std::string evil(kEvil, sizeof kEvil - 1);  // with its NUL inside
  report.source.name = "/tmp/" + evil;
  report.source.notes = {evil + evil + evil + evil};
  report.source.host = evil;
  report.source.plan = {{evil, evil, evil}};
  Incident& incident = report.incidents.front();
  incident.host = evil + evil;
  incident.time = evil;
  std::string path;
  for (int i = 0; i < 20; ++i) path += "/kubepods" + std::to_string(i);
  path += "/\x1b[31mleaf";
  incident.domain.cgroup = path;
  incident.domain.nodes = evil;
  incident.domain.constraint = evil;
  incident.domain.ledger.push_back({evil, std::numeric_limits<std::int64_t>::min()});
  incident.domain.cgroups.push_back({evil, std::numeric_limits<std::uint64_t>::max(), 1});
  incident.missing = {std::string(500, 'x'), evil};
  incident.trigger.comm = evil;
  incident.trigger.gfp_mask = evil;
  incident.trigger.order = -1;
  Victim& victim = incident.victims.front();
  victim.comm = "\n\n\nKilled by\n";
  victim.command_line = evil + std::string(3000, 'A') + evil;
  victim.cgroup = path;
  victim.job = evil;
  incident.selection.summary = evil;
  incident.selection.candidates[1].comm = evil;
  incident.selection.candidates[1].points = std::numeric_limits<std::int64_t>::min();
  incident.selection.candidates[2].excluded = evil;
  incident.growth->processes.front().comm = "\x1b[0m\x1b[1mroot#";
  incident.growth->grown_bytes = std::numeric_limits<std::int64_t>::max();
  incident.growth->roles.push_back(
      {evil, 4000000000U, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<double>::quiet_NaN()});
  incident.cause.kind = evil;
  incident.cause.summary = evil;
  incident.cause.evidence.push_back({evil, std::numeric_limits<double>::infinity(), "bytes", evil});
  incident.cause.evidence.push_back({evil, 1e300, evil, evil});
  incident.remedies.push_back({evil, evil + "; rm -rf '/'", evil, evil});
  report.deaths.front().comm = evil;
  report.deaths.front().verdict = evil;
  report.deaths.front().detail = evil;
  report.deaths.front().sender = Death::Sender{1, evil};
  return report;
}

Report wide_name_report() {
  Report report = worker_report();
  Incident& incident = report.incidents.front();
  incident.host = "訓練機";
  incident.domain.cgroup = "/訓練/データローダー/ワーカー/第十四番目のジョブ/학습작업/모델훈련/데이터로더";
  incident.victims.front().comm = "訓練プロセス";
  incident.victims.front().command_line = "訓練プロセス --データ /データ/画像 🔥🔥🔥 e\u0301e\u0301e\u0301";
  incident.selection.candidates.front().comm = "訓練プロセス";
  incident.selection.candidates[1].comm = "🔥🔥";
  incident.selection.candidates[2].comm = "e\u0301e\u0301e\u0301";
  incident.growth->processes.front().comm = "訓練プロセス";
  incident.growth->processes[1].comm = "🔥🔥";
  report.deaths.front().comm = "訓練プロセス";
  return report;
}

}  // namespace oomtrace::test
