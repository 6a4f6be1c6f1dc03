// SPDX-License-Identifier: Apache-2.0
// Reports that nobody would write: any field missing, any bytes, any numbers.
#include <limits>
#include <random>

#include "unit/report/sample_reports.h"

namespace oomtrace::test {

namespace {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  bool coin() { return below(2) == 0; }

  std::string text() {
    static const std::vector<std::string> kPieces = {"python3",  " ",      "a",       "/kubepods/burstable",
                                                     "\x1b[31m", "\n",     "\xff",    "\xc2\x9b",
                                                     "訓練",     "🔥",      "e\u0301", "\u202e",
                                                     "  ",       "-",      "\t",      "0",
                                                     "\\",       "\"",     "'",       std::string(70, 'w'),
                                                     "ﬁ",        "\u200b", "ワーカー"};
    std::string out;
    const std::uint64_t pieces = coin() ? below(4) : below(60);
    for (std::uint64_t i = 0; i < pieces; ++i) out += kPieces[below(kPieces.size())];
    return out;
  }
  template <class T>
  T number() {
    switch (below(5)) {
      case 0:
        return std::numeric_limits<T>::max();
      case 1:
        return std::numeric_limits<T>::min();
      case 2:
        return static_cast<T>(engine_());
      default:
        return static_cast<T>(below(3'000'000'000U));
    }
  }
  double real() {
    static const double kOdd[] = {0,
                                  1,
                                  0.5,
                                  -1,
                                  1e300,
                                  std::numeric_limits<double>::quiet_NaN(),
                                  std::numeric_limits<double>::infinity(),
                                  9.1e15,
                                  -1e18,
                                  1e-300};
    return kOdd[below(std::size(kOdd))];
  }
  std::string word(std::initializer_list<const char*> words) {
    const std::uint64_t pick = below(words.size() + 1);
    return pick == words.size() ? text() : words.begin()[pick];
  }
  std::string time() {
    return word({"2026-11-24T08:49:12.345678901Z", "2026-11-24T08:49:08Z", "1700-01-01T00:00:00Z", "", "yesterday"});
  }

  void fill(std::string& value) { value = text(); }
  void fill(double& value) { value = real(); }
  void fill(bool& value) { value = coin(); }
  void fill(std::uint32_t& value) { value = number<std::uint32_t>(); }
  void fill(std::int32_t& value) { value = number<std::int32_t>(); }
  void fill(std::uint64_t& value) { value = number<std::uint64_t>(); }
  void fill(std::int64_t& value) { value = number<std::int64_t>(); }
  template <class T>
  void fill(std::optional<T>& value) {
    if (!coin()) return;
    T known{};
    fill(known);
    value = std::move(known);
  }
  template <class T>
  void fill(std::vector<T>& items) {
    items.resize(below(8) == 0 ? below(24) : below(4));
    for (T& item : items) fill(item);
  }
  template <class... T>
  void fill_all(T&... values) {
    (fill(values), ...);
  }

  void fill(LedgerLine& line) { fill_all(line.what, line.bytes); }
  void fill(CgroupCharge& charge) { fill_all(charge.cgroup, charge.bytes, charge.limit_bytes); }
  void fill(ChargedRise& rise) { fill_all(rise.lead_ns, rise.bytes, rise.ledger, rise.residue_bytes); }
  void fill(Evidence& e) {
    fill_all(e.what, e.value, e.source);
    e.unit = word({"bytes", "bytes/s", "ratio", "share", "ns", "processes", ""});
  }
  void fill(Cause& cause) { fill_all(cause.kind, cause.confidence, cause.summary, cause.evidence); }
  void fill(Remedy& remedy) { fill_all(remedy.title, remedy.command, remedy.why, remedy.risk); }
  void fill(Domain& d) {
    d.kind = word({"memcg", "global", "cpuset", "mempolicy", "sysrq", "unknown"});
    fill_all(d.constraint, d.cgroup, d.limit_bytes, d.usage_bytes, d.swap_limit_bytes, d.nodes, d.ledger,
             d.residue_bytes, d.ledger_bytes, d.ledger_age_ns, d.cgroups, d.cgroups_age_ns);
  }
  void fill(Trigger& t) { fill_all(t.pid, t.comm, t.role, t.gfp_mask, t.order, t.oom_score_adj, t.stack); }
  void fill(TrainingPlace& p) { fill_all(p.role_reason, p.rank, p.local_rank, p.world_size, p.worker); }
  void fill(Victim& v) {
    fill_all(v.place, v.pid, v.comm, v.command_line, v.role, v.job, v.cgroup, v.uid, v.anon_rss_bytes, v.file_rss_bytes,
             v.shmem_rss_bytes, v.swap_bytes, v.pgtables_bytes, v.total_vm_bytes, v.oom_score_adj, v.points, v.score,
             v.reaped, v.group_member);
  }
  void fill(Candidate& c) {
    fill_all(c.pid, c.comm, c.role, c.rss_pages, c.swap_pages, c.pgtables_pages, c.oom_score_adj, c.adj_points,
             c.points, c.excluded, c.victim);
  }
  void fill(Selection& s) {
    fill_all(s.summary, s.provenance, s.total_pages, s.points_reproduced, s.runner_up_pid, s.margin_points,
             s.candidates_complete, s.candidates);
  }
  void fill(ProcessGrowth& p) {
    fill_all(p.place, p.pid, p.comm, p.role, p.grown_bytes, p.share, p.fresh_anon_bytes, p.cow_copied_bytes,
             p.file_bytes, p.shmem_bytes, p.swap_bytes, p.pgtables_bytes, p.hiwater_rss_bytes, p.shared_bytes);
  }
  void fill(RoleGrowth& r) { fill_all(r.role, r.count, r.grown_bytes, r.share); }
  void fill(Driver& d) { fill_all(d.place, d.pid, d.role, d.comm, d.share, d.job); }
  void fill(Duplicated& d) { fill_all(d.region_bytes, d.copies, d.copied_bytes, d.duplicated_bytes); }
  void fill(RoleTimeline& r) { fill_all(r.role, r.held_bytes); }
  void fill(GrowthTimeline& t) { fill_all(t.length_ns, t.roles); }
  void fill(Growth& g) {
    if (coin()) g.from = time();
    if (coin()) g.to = time();
    fill_all(g.grown_bytes, g.charged, g.driver, g.roles, g.processes, g.duplicated, g.timeline, g.left_out.count,
             g.left_out.grown_bytes, g.left_out.share);
  }
  void fill(SystemState& s) {
    fill_all(s.overcommit.mode, s.overcommit.ratio, s.overcommit.limit_bytes, s.overcommit.committed_bytes, s.memory,
             s.psi_memory_some_avg10, s.psi_memory_full_avg10, s.balloon_bytes);
  }
  void fill(Incident& i) {
    if (coin()) i.time = time();
    i.decided_by = word({"kernel", "allocating_task", "sysrq", "bpf"});
    fill_all(i.id, i.boot_ns, i.host, i.complete, i.narrowed, i.missing, i.domain, i.trigger, i.victims, i.selection,
             i.growth, i.cause, i.contributing, i.remedies, i.system);
  }
  void fill(Death::Sender& sender) { fill_all(sender.pid, sender.comm); }
  void fill(Death& d) {
    if (coin()) d.time = time();
    d.verdict = word({"kernel_oom", "memcg_oom", "exit_ok", "sigkill"});
    fill_all(d.pid, d.comm, d.role, d.place, d.signal, d.exit_code, d.sender, d.because_of_pid, d.detail);
  }
  void fill(PlanFact& fact) { fill_all(fact.fact, fact.way, fact.why_not_better); }
  void fill(Diagnosis& d) { fill_all(d.cause, d.remedies); }
  void fill(Source& s) {
    s.kind = word({"trace", "ndjson", "kernel_log"});
    if (coin()) s.from = time();
    if (coin()) s.to = time();
    if (coin()) s.since = time();
    if (coin()) s.until = time();
    if (coin()) s.outside_from = time();
    if (coin()) s.outside_to = time();
    fill_all(s.name, s.host, s.kernel, s.boot_id, s.trace_id, s.incidents_outside, s.lost_events, s.notes, s.plan);
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace

Report random_report(std::uint64_t seed) {
  Dice dice(seed);
  Report report;
  dice.fill(report.source);
  report.incidents.resize(dice.below(3));
  for (Incident& incident : report.incidents) dice.fill(incident);
  dice.fill(report.deaths);
  dice.fill(report.diagnosis);
  return report;
}

}  // namespace oomtrace::test
