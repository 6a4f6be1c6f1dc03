// SPDX-License-Identifier: Apache-2.0
// Owners of libbpf's objects. Nowhere else is one of them destroyed by hand.
#pragma once

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <memory>

#include "oomtrace/bpf_globals.h"  // before the skeleton, which uses its types

#include "oomtrace.skel.h"

namespace oomtrace::capture {

struct BpfDeleter {
  void operator()(oomtrace_bpf* skeleton) const noexcept { oomtrace_bpf__destroy(skeleton); }
  void operator()(bpf_link* link) const noexcept { bpf_link__destroy(link); }
  void operator()(bpf_object* object) const noexcept { bpf_object__close(object); }
  void operator()(ring_buffer* rings) const noexcept { ring_buffer__free(rings); }
  void operator()(btf* types) const noexcept { btf__free(types); }
};

using Skeleton = std::unique_ptr<oomtrace_bpf, BpfDeleter>;
using Link = std::unique_ptr<bpf_link, BpfDeleter>;
using Object = std::unique_ptr<bpf_object, BpfDeleter>;
using Rings = std::unique_ptr<ring_buffer, BpfDeleter>;
using Btf = std::unique_ptr<btf, BpfDeleter>;

}  // namespace oomtrace::capture
