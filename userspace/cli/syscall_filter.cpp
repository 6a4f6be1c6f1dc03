// SPDX-License-Identifier: Apache-2.0
// The list, by libseccomp.
#include "cli/syscall_filter.h"

#include <linux/bpf.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fcntl.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <initializer_list>
#include <memory>
#include <type_traits>

#include "base/sys_error.h"

namespace oomtrace::cli {

namespace {

constexpr std::array kNever = {
    // Other programs; other processes, their memory, descriptors and course.
    "execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise",
    "pidfd_getfd", "kcmp", "tkill", "pidfd_send_signal", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "migrate_pages",
    "move_pages",
    // The kernel.
    "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "perf_event_open", "userfaultfd",
    "syslog", "reboot", "swapon", "swapoff", "acct", "quotactl", "quotactl_fd", "iopl", "ioperm", "modify_ldt",
    "personality", "vhangup", "add_key", "request_key", "keyctl",
    // Its calls that go past a filter.
    "io_uring_setup", "io_uring_enter", "io_uring_register",
    // Mounts, namespaces, files by handle.
    "mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick",
    "mount_setattr", "setns", "unshare", "name_to_handle_at", "open_by_handle_at", "fanotify_init", "mknod", "mknodat",
    // Other users and rights.
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid", "setgroups", "capset",
    // The clock, the machine's name.
    "clock_settime", "settimeofday", "adjtimex", "clock_adjtime", "sethostname", "setdomainname",
    // What else changes files: no output of ours needs it.
    "chmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchownat", "link", "linkat", "symlink", "symlinkat", "mkdir",
    "mkdirat", "rmdir", "truncate", "setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr",
    "fremovexattr"};

constexpr std::array kMakingFiles = {"creat",  "rename",   "renameat", "renameat2",
                                     "unlink", "unlinkat", "fchmod",   "fchown"};

constexpr std::array<unsigned, 7> kReadingMaps = {BPF_MAP_LOOKUP_ELEM,   BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM,
                                                  BPF_MAP_GET_NEXT_KEY,  BPF_ITER_CREATE,     BPF_MAP_LOOKUP_BATCH,
                                                  BPF_OBJ_GET_INFO_BY_FD};
constexpr unsigned kMostBpfCommands = 64;  // include/uapi/linux/bpf.h has 38 in 6.18

struct Release {
  void operator()(void* context) const noexcept { seccomp_release(context); }
};

// Comparisons are of 64 bits, while the kernel looks at 32 of most arguments: what could be passed by setting the upper
// ones is compared under a mask, or so that any other value is refused.
scmp_arg_cmp is_not(unsigned argument, std::uint64_t value) { return {argument, SCMP_CMP_NE, value, 0}; }
scmp_arg_cmp at_least(unsigned argument, std::uint64_t value) { return {argument, SCMP_CMP_GE, value, 0}; }
scmp_arg_cmp masked(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}
constexpr std::uint64_t kAllOfInt = 0xFFFFFFFF;

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ALLOW)) {
    if (!context_) error_ = ENOMEM;
  }

  void refuse(const char* name, int with = EPERM) { add(name, with, {}); }
  void refuse(const char* name, const scmp_arg_cmp& where) { add(name, EPERM, where); }
  template <std::size_t N>
  void refuse(const std::array<const char*, N>& names) {
    for (const char* name : names) refuse(name);
  }

  // errno, 0 where it holds now.
  int load() {
    if (error_ != 0) return error_;
    seccomp_attr_set(context_.get(), SCMP_FLTATR_API_SYSRAWRC, 1);  // the kernel's own errno, where libseccomp can
    seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a tree, likewise
    if (const int code = seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_TSYNC, 1); code != 0) return -code;
    return -seccomp_load(context_.get());
  }

 private:
  // A call that libseccomp or this machine does not know needs no rule.
  void add(const char* name, int with, std::optional<scmp_arg_cmp> where) {
    const int number = seccomp_syscall_resolve_name(name);
    if (!context_ || number == __NR_SCMP_ERROR) return;
    const std::uint32_t action = SCMP_ACT_ERRNO(static_cast<std::uint32_t>(with));
    const int code = where ? seccomp_rule_add_array(context_.get(), action, number, 1, &*where)
                           : seccomp_rule_add_array(context_.get(), action, number, 0, nullptr);
    if (code != 0 && code != -EDOM && error_ == 0) error_ = -code;
  }

  std::unique_ptr<void, Release> context_;
  int error_ = 0;
};

void refuse_writing_opens(Filter& filter) {
  filter.refuse(kMakingFiles);
  filter.refuse("openat2", ENOSYS);  // its flags stand in memory
  for (const auto& [name, flags] : {std::pair{"open", 1U}, std::pair{"openat", 2U}}) {
    for (const int access : {O_WRONLY, O_RDWR, O_ACCMODE})
      filter.refuse(name, masked(flags, O_ACCMODE, static_cast<std::uint64_t>(access)));
    for (const int flag : {O_CREAT, O_TRUNC})
      filter.refuse(name, masked(flags, static_cast<std::uint64_t>(flag), static_cast<std::uint64_t>(flag)));
  }
}

void refuse_bpf(Filter& filter, bool read_maps) {
  if (!read_maps) return filter.refuse("bpf");
  for (unsigned command = 0; command < kMostBpfCommands; ++command)
    if (std::find(kReadingMaps.begin(), kReadingMaps.end(), command) == kReadingMaps.end())
      filter.refuse("bpf", masked(0, kAllOfInt, command));
  filter.refuse("bpf", at_least(0, kMostBpfCommands));
}

}  // namespace

std::optional<std::string> refuse_syscalls(const SyscallNeeds& needs) {
  Filter filter;
  filter.refuse(kNever);
  // Threads, but no processes.
  filter.refuse("clone", masked(0, CLONE_THREAD, 0));
  filter.refuse("clone3", ENOSYS);
  for (const char* name : {"mmap", "mmap2", "mprotect", "pkey_mprotect"})
    filter.refuse(name, masked(2, PROT_EXEC, PROT_EXEC));
  filter.refuse("shmat");
  filter.refuse("prlimit64", is_not(0, 0));
  filter.refuse("tgkill", is_not(0, static_cast<std::uint64_t>(getpid())));
  if (needs.signal_pid > 0)
    filter.refuse("kill", is_not(0, static_cast<std::uint64_t>(needs.signal_pid)));
  else
    filter.refuse("kill");
  // Words that a terminal takes for typed ones.
  for (const std::uint64_t request : {TIOCSTI, TIOCLINUX}) filter.refuse("ioctl", masked(1, kAllOfInt, request));
  if (needs.make_sockets)
    filter.refuse("socket", is_not(0, AF_UNIX));
  else
    filter.refuse("socket");
  refuse_bpf(filter, needs.read_maps);
  if (!needs.make_files) refuse_writing_opens(filter);
  const int error = filter.load();
  if (error == 0) return std::nullopt;
  return "no seccomp filter (" + errno_text(error) + "): what the recorder may ask of the kernel is not narrowed";
}

}  // namespace oomtrace::cli
