// SPDX-License-Identifier: Apache-2.0
// Existence by BTF, permission by trying.
#include "capture/kernel_probe.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sys/capability.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/fd.h"
#include "base/file.h"
#include "base/sys_error.h"
#include "capture/bpf_handles.h"
#include "capture/kernel_symbols.h"
#include "features/attach_plan.h"

namespace oomtrace::capture {

namespace {

// Parameters of a raw tracepoint's prototype, without the leading void *; -1 where BTF does not have it.
int tracepoint_parameters(const btf* types, const std::string& tracepoint, const btf_param** parameters) {
  const int id = btf__find_by_name_kind(types, ("btf_trace_" + tracepoint).c_str(), BTF_KIND_TYPEDEF);
  if (id < 0) return -1;
  const btf_type* type = btf__type_by_id(types, static_cast<__u32>(id));  // typedef
  type = type != nullptr ? btf__type_by_id(types, type->type) : nullptr;  // pointer
  type = type != nullptr ? btf__type_by_id(types, type->type) : nullptr;  // function prototype
  if (type == nullptr || !btf_is_func_proto(type) || btf_vlen(type) == 0) return -1;
  *parameters = btf_params(type) + 1;
  return btf_vlen(type) - 1;
}

int function_id(const btf* types, const char* name) { return btf__find_by_name_kind(types, name, BTF_KIND_FUNC); }

bool has_function(const btf* types, const char* name) { return function_id(types, name) > 0; }

constexpr bpf_insn kReturnZero[] = {{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
                                    {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};

// A throwaway fentry program, loaded and attached: a kernel without trampolines refuses the one or the other.
std::string try_fentry(int id) {
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FENTRY,
              .attach_btf_id = static_cast<__u32>(id));
  const Fd program(bpf_prog_load(BPF_PROG_TYPE_TRACING, "oomtrace_probe", "GPL", kReturnZero, 2, &options));
  if (!program.valid()) return errno_text(errno);
  const Fd link(bpf_raw_tracepoint_open(nullptr, program.get()));
  return link.valid() ? std::string() : errno_text(errno);
}

// A kprobe event without a program; perf_event_open(2), "dynamic PMU".
std::string try_kprobe(const char* function) {
  const auto type_text = read_small_file("/sys/bus/event_source/devices/kprobe/type", 32);
  if (!type_text) return "this kernel has no kprobe events";
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = static_cast<__u32>(std::strtoul(type_text->c_str(), nullptr, 10));
  attributes.kprobe_func = reinterpret_cast<std::uintptr_t>(function);
  const Fd event(static_cast<int>(syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC)));
  return event.valid() ? std::string() : errno_text(errno);
}

features::Attachable try_function(int id, const std::string& name) {
  features::Attachable result;
  result.fentry_refusal = try_fentry(id);
  result.fentry = result.fentry_refusal.empty();
  result.kprobe_refusal = try_kprobe(name.c_str());
  result.kprobe = result.kprobe_refusal.empty();
  return result;
}

void read_btf(const btf* types, features::KernelFacts& facts) {
  const btf_param* parameters = nullptr;
  for (const std::string& tracepoint : features::tracepoints_of_interest())
    if (tracepoint_parameters(types, tracepoint, &parameters) >= 0) facts.tracepoints.insert(tracepoint);
  for (const std::string& function : features::functions_of_interest())
    if (const int id = function_id(types, function.c_str()); id > 0)
      facts.functions.emplace(function, try_function(id, function));

  if (tracepoint_parameters(types, "mark_victim", &parameters) >= 1) {
    const btf_type* first = btf__type_by_id(types, parameters[0].type);
    facts.mark_victim_takes_task = first != nullptr && btf_is_ptr(first);
  }
  facts.exit_tells_last = tracepoint_parameters(types, "sched_process_exit", &parameters) >= 2;
  facts.task_iterator_kfuncs = has_function(types, "bpf_iter_task_new") && has_function(types, "bpf_iter_task_next") &&
                               has_function(types, "bpf_iter_task_destroy") && has_function(types, "bpf_rcu_read_lock");
  facts.task_iterator_program = btf__find_by_name_kind(types, "bpf_iter__task", BTF_KIND_STRUCT) > 0;
}

// The smallest program: return 0.
void try_to_load(features::KernelFacts& facts) {
  const Fd program(bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "oomtrace_probe", "GPL", kReturnZero, 2, nullptr));
  facts.bpf_permitted = program.valid();
  if (!facts.bpf_permitted) facts.bpf_refusal = errno_text(errno);
}

}  // namespace

features::KernelFacts probe_kernel() {
  features::KernelFacts facts;
  utsname name{};
  if (uname(&name) == 0) facts.release = name.release;
  try_to_load(facts);
  if (const Btf types{btf__load_vmlinux_btf()}; types) {
    facts.btf = true;
    read_btf(types.get(), facts);
  }
  const KernelSymbols symbols = KernelSymbols::load();
  facts.kernel_symbols = !symbols.empty();
  facts.per_cpu_offsets = symbols.per_cpu_offsets() != 0;
  facts.kernel_log = open_fd("/dev/kmsg", O_RDONLY | O_NONBLOCK).has_value();
  return facts;
}

std::vector<std::string> missing_capabilities() {
  struct Wanted {
    cap_value_t value;
    const char* name;
  };
  static constexpr Wanted kWanted[] = {{CAP_BPF, "CAP_BPF"},
                                       {CAP_PERFMON, "CAP_PERFMON"},
                                       {CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE"},
                                       {CAP_SYS_PTRACE, "CAP_SYS_PTRACE"},
                                       {CAP_SYSLOG, "CAP_SYSLOG"},
                                       {CAP_IPC_LOCK, "CAP_IPC_LOCK"},
                                       {CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH"}};
  std::vector<std::string> missing;
  const cap_t own = cap_get_proc();
  if (own == nullptr) return missing;
  for (const Wanted& wanted : kWanted) {
    cap_flag_value_t set = CAP_CLEAR;
    if (cap_get_flag(own, wanted.value, CAP_EFFECTIVE, &set) == 0 && set == CAP_CLEAR)
      missing.emplace_back(wanted.name);
  }
  cap_free(own);
  return missing;
}

}  // namespace oomtrace::capture
