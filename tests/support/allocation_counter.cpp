// SPDX-License-Identifier: Apache-2.0
// Stands in for malloc where no sanitizer does, else asks the sanitizer.
#include "support/allocation_counter.h"

#include <atomic>
#include <cerrno>
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OOMTRACE_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OOMTRACE_TEST_SANITIZED 1
#endif
#endif

namespace {

std::atomic<std::uint64_t> g_allocations{0};
std::atomic<std::uint64_t> g_asked{0};  // while refused

std::atomic<bool> g_refused{false};
std::atomic<bool (*)()> g_concerns{nullptr};

// Whether it is to be refused.
bool count() {
  g_allocations.fetch_add(1, std::memory_order_relaxed);
  if (!g_refused.load(std::memory_order_acquire)) return false;
  bool (*const concerns)() = g_concerns.load(std::memory_order_relaxed);
  if (concerns != nullptr && !concerns()) return false;
  g_asked.fetch_add(1, std::memory_order_relaxed);
  return true;
}

}  // namespace

std::uint64_t oomtrace::test::allocations() { return g_allocations.load(std::memory_order_relaxed); }

oomtrace::test::NoHeap::NoHeap(bool (*concerns)()) {
  g_concerns = concerns;
  g_asked = 0;
  g_refused = true;
}

std::uint64_t oomtrace::test::NoHeap::end() {
  g_refused = false;
  return g_asked;
}

#ifdef OOMTRACE_TEST_SANITIZED

extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, std::size_t),
                                                         void (*on_free)(const volatile void*));
namespace {
const int g_installed = __sanitizer_install_malloc_and_free_hooks([](const volatile void*, std::size_t) { count(); },
                                                                  [](const volatile void*) {});
}  // namespace

#else

namespace {

bool refused() {
  const bool refuse = count();
  if (refuse) errno = ENOMEM;
  return refuse;
}

}  // namespace

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) { return refused() ? nullptr : __libc_malloc(size); }
void* calloc(std::size_t number, std::size_t size) { return refused() ? nullptr : __libc_calloc(number, size); }
void* realloc(void* old, std::size_t size) { return refused() ? nullptr : __libc_realloc(old, size); }
void* memalign(std::size_t alignment, std::size_t size) {
  return refused() ? nullptr : __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  *out = memalign(alignment, size);
  return *out == nullptr ? ENOMEM : 0;
}
}

#endif
