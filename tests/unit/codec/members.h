// SPDX-License-Identifier: Apache-2.0
// All members of each event as a tuple of references: to compare events, and to notice a member that nothing encodes.
// The structured bindings stop compiling when a member is added to event.h: then describe.h, docs/events.md and the
// schema need it too.
#pragma once

#include <tuple>

#include "oomtrace/event.h"

namespace oomtrace::codec {

inline auto members(const TraceStart& e) {
  const auto& [a, b, c, d, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x] = e;
  return std::tie(a, b, c, d, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x);
}
inline auto members(const TraceStop& e) {
  const auto& [a, b] = e;
  return std::tie(a, b);
}
inline auto members(const TraceLost& e) {
  const auto& [a, b, c] = e;
  return std::tie(a, b, c);
}
inline auto members(const TraceClock& e) {
  const auto& [a, b] = e;
  return std::tie(a, b);
}
inline auto members(const ProcessFork& e) {
  const auto& [a, b, c, d, f, g] = e;
  return std::tie(a, b, c, d, f, g);
}
inline auto members(const ProcessExec& e) {
  const auto& [a, b, c, d, f, g, h] = e;
  return std::tie(a, b, c, d, f, g, h);
}
inline auto members(const ProcessExit& e) {
  const auto& [a, b, c, d, f, g, h] = e;
  return std::tie(a, b, c, d, f, g, h);
}
inline auto members(const ProcessMemory& e) {
  const auto& [a, b, c, d, f, g, h, i] = e;
  return std::tie(a, b, c, d, f, g, h, i);
}
inline auto members(const ProcessInfo& e) {
  const auto& [a, b, c, d, f, g, h, i, j, k] = e;
  return std::tie(a, b, c, d, f, g, h, i, j, k);
}
inline auto members(const OomDecision& e) {
  const auto& [a, b, c, d, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v] = e;
  return std::tie(a, b, c, d, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v);
}
inline auto members(const OomKill& e) {
  const auto& [a, b, c, d, f, g, h, i, j, k, l, m, n] = e;
  return std::tie(a, b, c, d, f, g, h, i, j, k, l, m, n);
}
inline auto members(const OomCandidate& e) {
  const auto& [a, b, c, d, f, g, h, i, j, k, l, m, n] = e;
  return std::tie(a, b, c, d, f, g, h, i, j, k, l, m, n);
}
inline auto members(const OomEnd& e) {
  const auto& [a, b, c, d, f, g] = e;
  return std::tie(a, b, c, d, f, g);
}
inline auto members(const OomReaped& e) {
  const auto& [a, b] = e;
  return std::tie(a, b);
}
inline auto members(const OomScoreAdj& e) {
  const auto& [a, b, c] = e;
  return std::tie(a, b, c);
}
inline auto members(const SignalKill& e) {
  const auto& [a, b, c, d, f, g, h] = e;
  return std::tie(a, b, c, d, f, g, h);
}
inline auto members(const SystemMemory& e) {
  const auto& [a, b, c, d, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, bb, cc, dd] = e;
  return std::tie(a, b, c, d, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, bb, cc, dd);
}
inline auto members(const Pressure& e) {
  const auto& [a, b, c, d] = e;
  return std::tie(a, b, c, d);
}
inline auto members(const SystemPressure& e) {
  const auto& [a, b, c] = e;
  return std::tie(a, b, c);
}
inline auto members(const CgroupMemory& e) {
  const auto& [a, b, c, d, f, g, h, i, j, k, l, m, n, o, p, q, r] = e;
  return std::tie(a, b, c, d, f, g, h, i, j, k, l, m, n, o, p, q, r);
}
inline auto members(const SystemMount& e) {
  const auto& [a, b, c, d] = e;
  return std::tie(a, b, c, d);
}
inline auto members(const SystemMounts& e) {
  const auto& [a, b] = e;
  return std::tie(a, b);
}
inline auto members(const KernelLog& e) {
  const auto& [a, b, c, d] = e;
  return std::tie(a, b, c, d);
}
inline auto members(const WrittenRegion& e) {
  const auto& [a, b] = e;
  return std::tie(a, b);
}
inline auto members(const ProcessRegions& e) {
  const auto& [a, b, c, d, f] = e;
  return std::tie(a, b, c, d, f);
}
inline auto members(const Event& e) {
  const auto& [a, b, c, d, f, g, h, i, j] = e;
  return std::tie(a, b, c, d, f, g, h, i, j);
}

}  // namespace oomtrace::codec

namespace oomtrace {

// For those that event.h gives no comparison; found by argument-dependent lookup.
template <class T>
requires requires(const T& e) { codec::members(e); }
bool operator==(const T& a, const T& b) { return codec::members(a) == codec::members(b); }

}  // namespace oomtrace
