// SPDX-License-Identifier: Apache-2.0
// Opens, configures, loads and attaches the skeleton.
#include "capture/bpf_session.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/sys_error.h"
#include "oomtrace/abi.h"

namespace oomtrace::capture {

namespace {

// libbpf prints the verifier's words through one global function; the last of them belong into our error.
std::string& libbpf_words() {
  static std::string words;
  return words;
}

constexpr std::size_t kKeptWords = 32768;

int keep_libbpf_words(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG) return 0;
  // A verifier's log comes as one message of up to megabytes, and what matters stands at its end.
  va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, again);
  va_end(again);
  if (length <= 0) return 0;
  std::string message(static_cast<std::size_t>(length) + 1, '\0');
  static_cast<void>(std::vsnprintf(message.data(), message.size(), format, arguments));
  message.pop_back();
  std::string& words = libbpf_words();
  words += message;
  if (words.size() > kKeptWords) words.erase(0, words.size() - kKeptWords);
  return 0;
}

std::string last_lines(const std::string& text, int count) {
  std::size_t start = text.size();
  while (start > 0 && count > 0)
    if (text[--start] == '\n' && start + 1 < text.size()) --count;
  return text.substr(start == 0 ? 0 : start + 1);
}

tl::unexpected<Error> libbpf_failure(const std::string& what, int code) {
  const int sys_errno = code < 0 ? -code : code;
  Errc kind = sys_errno == EPERM || sys_errno == EACCES ? Errc::kPermission : Errc::kKernelUnsupported;
  return fail(kind, what + ": " + errno_text(sys_errno) + "\n" + last_lines(libbpf_words(), 16), sys_errno);
}

// Ring sizes must be a power of two and a multiple of the running page size.
std::uint32_t ring_size(std::uint32_t wanted, std::uint32_t page_size) {
  return std::bit_ceil(std::clamp(wanted, page_size, std::uint32_t{1} << 30));
}

int on_record(void* context, void* data, std::size_t size) {
  const auto* ring = static_cast<const BpfSession::RingContext*>(context);
  (*ring->handler)(ring->ring, {static_cast<const std::byte*>(data), size});
  return 0;
}

}  // namespace

Result<std::unique_ptr<BpfSession>> BpfSession::open(const features::AttachPlan& plan, const KernelSymbols& symbols,
                                                     const BpfOptions& options, RecordHandler handler) {
  libbpf_words().clear();
  libbpf_set_print(keep_libbpf_words);
  // Up to 5.10 BPF memory counts against this limit; later kernels account it to the cgroup.
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_MEMLOCK, &unlimited);

  std::unique_ptr<BpfSession> session(new BpfSession);
  session->handler_ = std::move(handler);
  session->skeleton_.reset(oomtrace_bpf__open());
  if (!session->skeleton_) return libbpf_failure("open BPF programs", errno);
  if (auto done = session->configure(plan, symbols, options); !done) return tl::make_unexpected(done.error());
  if (auto done = session->load_and_attach(plan); !done) return tl::make_unexpected(done.error());
  if (auto done = session->make_rings(); !done) return tl::make_unexpected(done.error());
  session->scan_reader_ = ScanReader(bpf_map__fd(session->skeleton_->maps.scanned));
  session->region_reader_ = RegionReader(bpf_map__fd(session->skeleton_->maps.regions));
  session->census_buffer_.resize(1U << 16);
  return session;
}

BpfSession::~BpfSession() {
  // Rings first, then links: no callback may run into a half-gone session.
  rings_.reset();
  census_link_.reset();
  candidates_link_.reset();
  links_.clear();
}

Result<void> BpfSession::configure(const features::AttachPlan& plan, const KernelSymbols& symbols,
                                   const BpfOptions& options) {
  const std::vector<std::string> wanted = plan.programs();
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton_->obj) {
    const bool load = std::find(wanted.begin(), wanted.end(), bpf_program__name(program)) != wanted.end();
    bpf_program__set_autoload(program, load);
  }
  auto& settings = *skeleton_->rodata;
  settings.page_shift = static_cast<std::uint32_t>(std::countr_zero(options.page_size));
  settings.own_tgid = static_cast<std::uint32_t>(getpid());
  settings.exit_tells_last = options.exit_tells_last ? 1 : 0;
  settings.memcg_v1 = options.memcg_v1 ? 1 : 0;
  settings.move_threshold_pages = options.move_threshold_bytes / options.page_size;
  settings.move_interval_ns = options.move_interval_ns;
  settings.region_family_pages = options.family_threshold_bytes / options.page_size;
  settings.per_cpu_offsets = symbols.per_cpu_offsets();
  settings.total_ram_address = symbols.total_ram_pages();
  settings.total_swap_address = symbols.total_swap_pages();
  for (std::size_t node = 0; node < options.node_present_pages.size() && node < OOMTRACE_NODES_MAX; ++node) {
    settings.node_present[node] = options.node_present_pages[node];
    if (options.node_present_pages[node] != 0) settings.memory_nodes[node / 64] |= std::uint64_t{1} << (node % 64);
  }
  const int cpus = libbpf_num_possible_cpus();
  settings.possible_cpus = cpus > 0 ? static_cast<std::uint32_t>(cpus) : 0;
  static constexpr const char* kFunctions[OOMTRACE_FN_COUNT] = {"mem_cgroup_out_of_memory", "__oom_kill_process",
                                                                "oom_kill_memcg_member", "moom_callback"};
  for (int i = 0; i < OOMTRACE_FN_COUNT; ++i) settings.functions[i] = symbols.range_of(kFunctions[i]);

  bpf_map__set_max_entries(skeleton_->maps.kill_ring, ring_size(options.kill_ring_bytes, options.page_size));
  bpf_map__set_max_entries(skeleton_->maps.lifecycle_ring, ring_size(options.lifecycle_ring_bytes, options.page_size));
  bpf_map__set_max_entries(skeleton_->maps.growth_ring, ring_size(options.growth_ring_bytes, options.page_size));
  bpf_map__set_max_entries(skeleton_->maps.processes, options.max_processes);
  bpf_map__set_max_entries(skeleton_->maps.regions, options.max_family_members);
  return {};
}

Result<void> BpfSession::load_and_attach(const features::AttachPlan& plan) {
  if (const int code = oomtrace_bpf__load(skeleton_.get()); code != 0) return libbpf_failure("load BPF programs", code);
  // In the plan's order: the decision must be attached before the walk that completes it.
  for (const std::string& name : plan.programs()) {
    bpf_program* program = bpf_object__find_program_by_name(skeleton_->obj, name.c_str());
    if (program == nullptr) return fail(Errc::kKernelUnsupported, "the object has no program " + name);
    const bool iterator = bpf_program__type(program) == BPF_PROG_TYPE_TRACING &&
                          bpf_program__get_expected_attach_type(program) == BPF_TRACE_ITER;
    Link link(iterator ? bpf_program__attach_iter(program, nullptr) : bpf_program__attach(program));
    if (!link) return libbpf_failure("attach " + name, errno);
    if (program == skeleton_->progs.census_candidates)
      candidates_link_ = std::move(link);
    else if (iterator)
      census_link_ = std::move(link);
    else
      links_.push_back(std::move(link));
  }
  return {};
}

Result<void> BpfSession::make_rings() {
  // The kill ring comes last: by the time its records are seen, what led there has been handed over.
  const struct {
    bpf_map* map;
    oomtrace_ring ring;
  } order[] = {{skeleton_->maps.lifecycle_ring, OOMTRACE_RING_LIFECYCLE},
               {skeleton_->maps.growth_ring, OOMTRACE_RING_GROWTH},
               {skeleton_->maps.kill_ring, OOMTRACE_RING_KILL}};
  for (const auto& [map, ring] : order) {
    contexts_[ring] = RingContext{&handler_, ring};
    const int fd = bpf_map__fd(map);
    if (!rings_) {
      rings_.reset(ring_buffer__new(fd, on_record, &contexts_[ring], nullptr));
      if (!rings_) return libbpf_failure("open ring", errno);
    } else if (const int code = ring_buffer__add(rings_.get(), fd, on_record, &contexts_[ring]); code != 0) {
      return libbpf_failure("open ring", code);
    }
  }
  return {};
}

int BpfSession::epoll_fd() const { return ring_buffer__epoll_fd(rings_.get()); }

void BpfSession::drain() { ring_buffer__consume(rings_.get()); }

bool BpfSession::census(bool all) {
  skeleton_->bss->census_all = all ? 1 : 0;
  return run_iterator(census_link_);
}

bool BpfSession::census_candidates(std::uint64_t decision) {
  skeleton_->bss->census_decision = decision;
  return run_iterator(candidates_link_);
}

bool BpfSession::run_iterator(const Link& link) {
  if (!link) return false;
  const Fd pass(bpf_iter_create(bpf_link__fd(link.get())));
  if (!pass.valid()) return false;
  std::size_t filled = 0;
  while (true) {
    const ssize_t got = read(pass.get(), census_buffer_.data() + filled, census_buffer_.size() - filled);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) return got == 0;
    filled += static_cast<std::size_t>(got);
    std::size_t used = 0;
    while (filled - used >= sizeof(oomtrace_header)) {
      oomtrace_header header;
      std::memcpy(&header, census_buffer_.data() + used, sizeof(header));
      if (header.size < sizeof(header) || header.size > census_buffer_.size()) return false;
      if (filled - used < header.size) break;
      handler_(OOMTRACE_RING_LIFECYCLE, {census_buffer_.data() + used, header.size});
      used += header.size;
    }
    std::memmove(census_buffer_.data(), census_buffer_.data() + used, filled - used);
    filled -= used;
  }
}

void BpfSession::set_machine(const MachineNumbers& numbers) {
  skeleton_->bss->total_ram_pages = numbers.ram_pages;
  skeleton_->bss->total_swap_pages = numbers.swap_pages;
  skeleton_->data->vm_swappiness = numbers.swappiness;
  skeleton_->bss->allocating_task_mode = numbers.oom_kill_allocating_task ? 1 : 0;
}

std::uint64_t BpfSession::lost_records(oomtrace_ring ring) const { return skeleton_->bss->lost_records[ring]; }

std::uint64_t BpfSession::lost_processes() const { return skeleton_->bss->lost_processes; }

std::uint64_t BpfSession::lost_regions() const { return skeleton_->bss->lost_regions; }

std::vector<ProgramLoss> BpfSession::missed_runs() const {
  std::vector<ProgramLoss> losses;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton_->obj) {
    const int fd = bpf_program__fd(program);
    if (fd < 0) continue;
    bpf_prog_info info{};
    __u32 length = sizeof(info);
    if (bpf_obj_get_info_by_fd(fd, &info, &length) != 0) continue;
    losses.push_back({bpf_program__name(program), info.recursion_misses});
  }
  return losses;
}

std::vector<std::string> BpfSession::programs() const {
  std::vector<std::string> names;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton_->obj) {
    if (bpf_program__fd(program) >= 0) names.emplace_back(bpf_program__name(program));
  }
  return names;
}

}  // namespace oomtrace::capture
