// SPDX-License-Identifier: Apache-2.0
// The fields of each event, described once: the writer and the reader both follow this description, so that they cannot
// disagree. A visitor V offers number, nonzero, known, opt, text, flag, name, object, opt_object, texts, map, rows and
// repeated; constant, derived and container are for the writer only: what they tell is elsewhere in the event.
//
// Names are OpenTelemetry's where it has one, nested; sizes end in _bytes, times in _ns, page counts in _pages.
#pragma once

#include <string_view>

#include "codec/names.h"
#include "oomtrace/event.h"

namespace oomtrace::codec {

template <class V>
void describe_process(V& v, ProcessRef& process) {
  v.number("pid", process.pid);
  v.number("start_boot_ns", process.start_boot_ns);
  v.text("comm", process.comm);
}

template <class V>
void describe_user(V& v, Opt<std::uint32_t>& uid) {
  v.object("user", [&](V& o) { o.opt("id", uid); });
}

template <class V>
void describe(V& v, MemoryCounters& m) {
  v.known("anon_bytes", m.anon, m.missing, kMemoryAnon);
  v.known("file_bytes", m.file, m.missing, kMemoryFile);
  v.known("shmem_bytes", m.shmem, m.missing, kMemoryShmem);
  v.known("swap_bytes", m.swap, m.missing, kMemorySwap);
  v.known("pgtables_bytes", m.pgtables, m.missing, kMemoryPgtables);
  v.known("total_vm_bytes", m.total_vm, m.missing, kMemoryTotalVm);
  v.opt("hiwater_rss_bytes", m.hiwater_rss);
}

template <class V>
void describe(V& v, FaultCounts& f) {
  v.number("fresh", f.fresh);
  v.number("write_protect", f.write_protect);
  v.number("kernel_fresh", f.kernel_fresh);
  v.number("kernel_write_protect", f.kernel_write_protect);
}

template <class V>
void describe(V& v, CgroupRef& cgroup) {
  v.nonzero("id", cgroup.id);
  v.text("path", cgroup.path);
}

template <class V>
void describe(V& v, PlanRow& row) {
  v.text("fact", row.fact);
  v.text("way", row.way);
  v.text("why_not_better", row.why_not_better);
}

template <class V>
void describe_cgroup(V& v, CgroupRef& cgroup) {
  v.repeated(cgroup, [&](V& o) {
    o.object("cgroup", [&](V& members) { describe(members, cgroup); });
    o.container(cgroup.path);
  });
}

template <class V>
void describe(V& v, TraceStart& e) {
  v.constant("schema", kEventSchema);
  v.object("trace", [&](V& o) {
    o.text("source", e.source);
    o.text("tool_version", e.tool_version);
    o.text("command", e.command);
    o.flag("narrowed", e.narrowed);
    // Here, since of two copies the first by text counts (trace/event_source.cpp, lowest()): the trace's, not that of a
    // stream with chosen kinds of it.
    o.texts("selected_kinds", e.selected_kinds);
    o.number("realtime_offset_ns", e.realtime_offset_ns);
    o.rows("plan", e.plan);
    o.texts("warnings", e.warnings);
  });
  v.object("os", [&](V& o) {
    o.constant("type", "linux");
    o.text("kernel_release", e.kernel_release);
    o.text("kernel_version", e.kernel_version);
  });
  v.object("system", [&](V& o) {
    o.text("arch", e.arch);
    o.number("page_size_bytes", e.page_size);
    o.number("cpus", e.cpus);
    o.opt("memory_total_bytes", e.mem_total);
    o.opt("swap_total_bytes", e.swap_total);
    o.opt("cgroup_version", e.cgroup_version);
    o.object("vm", [&](V& s) {
      s.opt("overcommit_memory", e.overcommit_memory);
      s.opt("overcommit_ratio", e.overcommit_ratio);
      s.opt("overcommit_kbytes", e.overcommit_kbytes);
      s.opt("panic_on_oom", e.panic_on_oom);
      s.opt("oom_kill_allocating_task", e.oom_kill_allocating_task);
      s.opt("oom_dump_tasks", e.oom_dump_tasks);
      s.opt("swappiness", e.swappiness);
    });
  });
}

template <class V>
void describe(V& v, TraceStop& e) {
  v.object("trace", [&](V& o) {
    o.text("stop_reason", e.reason);
    o.opt("command_wait_status", e.command_status);
  });
}

template <class V>
void describe(V& v, TraceLost& e) {
  v.object("trace", [&](V& o) {
    o.object("lost", [&](V& l) {
      l.text("source", e.source);
      l.number("count", e.count);
      l.text("detail", e.detail);
    });
  });
}

template <class V>
void describe(V& v, TraceClock& e) {
  v.object("trace", [&](V& o) {
    o.number("realtime_offset_ns", e.realtime_offset_ns);
    o.number("clock_set_by_ns", e.set_by_ns);
  });
}

template <class V>
void describe(V& v, ProcessFork& e) {
  v.object("process", [&](V& o) {
    describe_process(o, e.child);
    o.number("parent_pid", e.parent.pid);
    o.object("parent", [&](V& parent) {
      parent.number("start_boot_ns", e.parent.start_boot_ns);
      parent.text("comm", e.parent.comm);
    });
    describe_user(o, e.uid);
    o.number("clone_flags", e.clone_flags);
  });
  describe_cgroup(v, e.cgroup);
  v.opt_object("memory", e.memory);
}

template <class V>
void describe(V& v, ProcessExec& e) {
  v.object("process", [&](V& o) {
    describe_process(o, e.process);
    o.opt("parent_pid", e.parent_pid);
    describe_user(o, e.uid);
    o.object("executable", [&](V& x) { x.text("path", e.executable); });
    o.text("command_line", e.command_line);
    o.flag("command_line_truncated", e.command_line_truncated);
  });
  describe_cgroup(v, e.cgroup);
}

template <class V>
void describe(V& v, ProcessExit& e) {
  v.object("process", [&](V& o) {
    describe_process(o, e.process);
    o.opt("parent_pid", e.parent_pid);
    o.object("exit", [&](V& x) {
      x.opt("wait_status", e.wait_status);
      // wait(2): an exit has no signal, a death by signal no code.
      if (e.wait_status && (*e.wait_status & 0x7F) == 0) x.derived("code", *e.wait_status >> 8 & 0xFF);
      if (e.wait_status && (*e.wait_status & 0x7F) != 0) x.derived("signal", *e.wait_status & 0x7F);
    });
    o.flag("oom_victim", e.oom_victim);
    o.opt("address_space_limit_bytes", e.address_space_limit);
  });
  v.opt_object("memory", e.memory);
  v.object("faults", [&](V& o) { describe(o, e.faults); });
}

template <class V>
void describe(V& v, ProcessMemory& e) {
  v.object("process", [&](V& o) {
    describe_process(o, e.process);
    o.opt("parent_pid", e.parent_pid);
    describe_user(o, e.uid);
    o.opt("oom_score_adj", e.oom_score_adj);
  });
  describe_cgroup(v, e.cgroup);
  v.opt_object("memory", e.memory);
  v.object("faults", [&](V& o) { describe(o, e.faults); });
  v.name("reason", e.reason, kMemoryReasonNames);
}

template <class V>
void describe(V& v, ProcessInfo& e) {
  v.object("process", [&](V& o) {
    describe_process(o, e.process);
    o.opt("parent_pid", e.parent_pid);
    describe_user(o, e.uid);
    o.object("executable", [&](V& x) { x.text("path", e.executable); });
    o.text("command_line", e.command_line);
    o.flag("command_line_truncated", e.command_line_truncated);
    o.map("environment", e.environment);
    o.texts("libraries", e.libraries);
    o.texts("threads", e.threads);
  });
  describe_cgroup(v, e.cgroup);
}

template <class V>
void describe_decision(V& v, OomDecision& d) {
  v.number("incident_id", d.incident_id);
  v.name("domain", d.domain, kDomainNames);
  v.name("decided_by", d.decided_by, kDecidedByNames);
  v.text("constraint", d.constraint);
  v.object("limit_cgroup", [&](V& o) { describe(o, d.cgroup); });
  v.opt("limit_bytes", d.limit);
  v.opt("usage_bytes", d.usage);
  v.opt("swap_limit_bytes", d.swap_limit);
  v.opt("total_pages", d.total_pages);
  v.opt("chosen_points", d.chosen_points);
  v.text("nodes", d.nodes);
  v.object("trigger", [&](V& o) {
    describe_process(o, d.trigger);
    o.opt("thread_id", d.trigger_tid);
    o.object("cgroup", [&](V& c) { describe(c, d.trigger_cgroup); });
    o.opt("oom_score_adj", d.trigger_oom_score_adj);
    o.opt("gfp_mask", d.gfp_mask);
    o.text("gfp_names", d.gfp_names);
    o.opt("order", d.order);
    o.texts("stack", d.stack);
  });
  v.text("way", d.way);
  v.text("group_cgroup", d.oom_group);
}

template <class V>
void describe(V& v, OomKill& e) {
  v.object("process", [&](V& o) {
    describe_process(o, e.victim);
    o.opt("parent_pid", e.parent_pid);
    describe_user(o, e.uid);
    o.opt("oom_score_adj", e.oom_score_adj);
  });
  describe_cgroup(v, e.cgroup);
  v.opt_object("memory", e.memory);
  v.object("oom", [&](V& o) {
    describe_decision(o, e.decision);
    o.opt("points", e.points);
    o.opt("score", e.score);
    o.flag("group_member", e.group_member);
    o.flag("already_dying", e.already_dying);
    o.opt("sacrificed_for_pid", e.sacrificed_for_pid);
    o.text("no_victim", e.no_victim);
  });
}

template <class V>
void describe(V& v, OomCandidate& e) {
  v.object("process", [&](V& o) {
    describe_process(o, e.process);
    o.opt("thread_id", e.tid);
    o.opt("parent_pid", e.parent_pid);
    describe_user(o, e.uid);
    o.opt("oom_score_adj", e.oom_score_adj);
  });
  describe_cgroup(v, e.cgroup);
  v.opt_object("memory", e.memory);
  v.object("oom", [&](V& o) {
    o.number("incident_id", e.incident_id);
    o.opt("rss_bytes", e.rss);
    o.opt("points", e.points);
    o.name("excluded", e.excluded, kExcludedNames);
    o.flag("shares_victim_memory", e.shares_victim_memory);
    o.name("provenance", e.provenance, kProvenanceNames);
  });
}

template <class V>
void describe(V& v, OomEnd& e) {
  v.object("oom", [&](V& o) {
    o.number("incident_id", e.incident_id);
    o.number("scanned", e.scanned);
    o.number("emitted", e.emitted);
    o.number("dropped", e.dropped);
    o.name("provenance", e.provenance, kProvenanceNames);
    o.flag("report_cut", e.report_cut);
  });
}

template <class V>
void describe(V& v, OomReaped& e) {
  v.object("process", [&](V& o) { describe_process(o, e.process); });
  v.opt_object("memory", e.memory);
}

template <class V>
void describe(V& v, OomScoreAdj& e) {
  v.object("process", [&](V& o) {
    describe_process(o, e.process);
    o.number("oom_score_adj", e.oom_score_adj);
  });
  v.object("changed_by", [&](V& o) { describe_process(o, e.by); });
}

template <class V>
void describe(V& v, SignalKill& e) {
  v.object("process", [&](V& o) { describe_process(o, e.target); });
  v.object("signal", [&](V& o) {
    o.number("number", e.signal);
    o.opt("code", e.si_code);
    o.flag("from_kernel", e.from_kernel);
    o.flag("in_oom_kill", e.in_oom_kill);
    o.object("sender", [&](V& s) { describe_process(s, e.sender); });
  });
  v.object("oom", [&](V& o) { o.opt("incident_id", e.incident_id); });
}

template <class V>
void describe(V& v, SystemMemory& e) {
  v.object("system", [&](V& s) {
    s.object("memory", [&](V& o) {
      o.opt("total_bytes", e.total);
      o.opt("free_bytes", e.free);
      o.opt("available_bytes", e.available);
      o.opt("buffers_bytes", e.buffers);
      o.opt("cached_bytes", e.cached);
      o.opt("swap_cached_bytes", e.swap_cached);
      o.opt("active_bytes", e.active);
      o.opt("inactive_bytes", e.inactive);
      o.opt("unevictable_bytes", e.unevictable);
      o.opt("mlocked_bytes", e.mlocked);
      o.opt("anon_bytes", e.anon);
      o.opt("mapped_bytes", e.mapped);
      o.opt("shmem_bytes", e.shmem);
      o.opt("slab_reclaimable_bytes", e.slab_reclaimable);
      o.opt("slab_unreclaimable_bytes", e.slab_unreclaimable);
      o.opt("kernel_stack_bytes", e.kernel_stack);
      o.opt("page_tables_bytes", e.page_tables);
      o.opt("percpu_bytes", e.percpu);
      o.opt("swap_total_bytes", e.swap_total);
      o.opt("swap_free_bytes", e.swap_free);
      o.opt("dirty_bytes", e.dirty);
      o.opt("writeback_bytes", e.writeback);
      o.opt("committed_bytes", e.committed);
      o.opt("commit_limit_bytes", e.commit_limit);
      o.opt("hugetlb_bytes", e.hugetlb);
      o.opt("vmalloc_used_bytes", e.vmalloc_used);
      o.opt("balloon_bytes", e.balloon);
      o.opt("oom_kills", e.oom_kills);
    });
  });
  v.object("oom", [&](V& o) { o.opt("incident_id", e.incident_id); });
}

template <class V>
void describe(V& v, Pressure& p) {
  v.number("avg10", p.avg10);
  v.number("avg60", p.avg60);
  v.number("avg300", p.avg300);
  v.number("total_us", p.total_us);
}

template <class V>
void describe(V& v, SystemPressure& e) {
  v.object("system", [&](V& s) {
    s.object("pressure", [&](V& o) {
      o.text("resource", e.resource);
      o.opt_object("some", e.some);
      o.opt_object("full", e.full);
    });
  });
}

template <class V>
void describe(V& v, SystemMount& m) {
  v.text("mount_point", m.mount_point);
  v.text("type", m.fstype);
  v.opt("size_bytes", m.size);
  v.opt("used_bytes", m.used);
}

template <class V>
void describe(V& v, SystemMounts& e) {
  v.object("process", [&](V& o) { o.opt("pid", e.pid); });
  v.object("system", [&](V& s) { s.rows("mounts", e.mounts); });
}

template <class V>
void describe(V& v, CgroupMemory& e) {
  v.object("cgroup", [&](V& c) {
    describe(c, e.cgroup);
    c.number("version", e.version);
    c.object("memory", [&](V& o) {
      o.opt("usage_bytes", e.usage);
      o.opt("limit_bytes", e.limit);
      o.opt("high_bytes", e.high);
      o.opt("swap_usage_bytes", e.swap_usage);
      o.opt("swap_limit_bytes", e.swap_limit);
      o.opt("peak_bytes", e.peak);
      o.opt("anon_bytes", e.anon);
      o.opt("file_bytes", e.file);
      o.opt("shmem_bytes", e.shmem);
      o.opt("kernel_bytes", e.kernel);
      o.opt("slab_bytes", e.slab);
      o.opt("page_tables_bytes", e.page_tables);
      o.opt("file_mapped_bytes", e.file_mapped);
      o.opt("oom_kills", e.oom_kills);
    });
  });
  v.container(e.cgroup.path);
  v.object("oom", [&](V& o) { o.opt("incident_id", e.incident_id); });
}

template <class V>
void describe(V& v, WrittenRegion& r) {
  v.number("address", r.address);
  v.number("write_protect", r.write_protect);
}

template <class V>
void describe(V& v, ProcessRegions& e) {
  v.object("process", [&](V& o) { describe_process(o, e.process); });
  v.object("regions", [&](V& o) {
    o.number("region_bytes", e.region_bytes);
    o.rows("written", e.regions);
    o.number("elsewhere", e.elsewhere);
  });
  v.object("oom", [&](V& o) { o.opt("incident_id", e.incident_id); });
}

template <class V>
void describe(V& v, KernelLog& e) {
  v.object("kernel_log", [&](V& o) {
    o.text("message", e.message);
    o.opt("sequence", e.kmsg_seq);
    o.opt("priority", e.priority);
    o.opt("timestamp_us", e.timestamp_us);
  });
}

}  // namespace oomtrace::codec
