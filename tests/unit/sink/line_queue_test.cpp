// SPDX-License-Identifier: Apache-2.0
// The queue: order, bounds, the reserve, and two threads at once.
#include "sink/line_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace oomtrace::test {
namespace {

using namespace sink;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

std::unique_ptr<LineQueue> make_queue(const LineQueueOptions& options) {
  auto queue = LineQueue::create(options);
  EXPECT_TRUE(queue);
  return std::move(*queue);
}

std::string take(LineQueue& queue) {
  const auto item = queue.front();
  if (!item) return "<none>";
  std::string text(item->text);
  queue.pop();
  return text;
}

TEST(LineQueue, items_come_out_in_order_with_their_flags) {
  const auto queue = make_queue({});
  EXPECT_FALSE(queue->front());
  EXPECT_TRUE(queue->push("one"));
  EXPECT_TRUE(queue->push("two", kLine | kFlush | kSync, LineClass::kKill));
  EXPECT_TRUE(queue->push("", kSync));
  EXPECT_EQ(take(*queue), "one");
  const auto item = queue->front();
  ASSERT_TRUE(item);
  EXPECT_EQ(item->text, "two");
  EXPECT_EQ(item->flags, kLine | kFlush | kSync);
  EXPECT_EQ(item->line_class, LineClass::kKill);
  queue->pop();
  EXPECT_EQ(queue->front()->text, "");
  queue->pop();
  EXPECT_FALSE(queue->front());
  EXPECT_EQ(queue->used_bytes(), 0U);
  queue->pop();  // of nothing is nothing
  EXPECT_EQ(queue->used_bytes(), 0U);
}

TEST(LineQueue, every_size_of_item_passes_every_place_of_the_ring) {
  const auto queue = make_queue({.capacity = 4096, .reserve = 0});
  std::size_t passed = 0;
  for (int round = 0; round < 40; ++round) {
    for (std::size_t size = 0; size < 1500; size += 13) {
      const std::string text(size, static_cast<char>('a' + size % 26));
      ASSERT_TRUE(queue->push(text));
      ASSERT_TRUE(queue->push("marker"));
      ASSERT_EQ(take(*queue), text);
      ASSERT_EQ(take(*queue), "marker");
      ++passed;
    }
  }
  EXPECT_GT(passed, 4000U);
  EXPECT_EQ(queue->dropped(LineClass::kNormal), 0U);
}

TEST(LineQueue, full_ring_drops_and_counts_and_keeps_what_it_has) {
  const auto queue = make_queue({.capacity = 4096, .reserve = 1024, .decision_reserve = 512});
  const std::string text(92, 'x');  // 104 bytes with header and padding
  std::size_t normal = 0;
  while (queue->push(text)) ++normal;
  EXPECT_EQ(normal, (4096U - 1024U) / 104U);
  EXPECT_EQ(queue->dropped(LineClass::kNormal), 1U);
  EXPECT_FALSE(queue->push(text));
  EXPECT_EQ(queue->dropped(LineClass::kNormal), 2U);

  // The reserve is there for kills, and the last of it for the decisions among them.
  std::size_t kills = 0;
  while (queue->push(text, kLine, LineClass::kKill)) ++kills;
  EXPECT_EQ(normal + kills, (4096U - 512U) / 104U);
  EXPECT_EQ(queue->dropped(LineClass::kKill), 1U);
  EXPECT_FALSE(queue->fits(text.size(), LineClass::kKill));
  EXPECT_TRUE(queue->fits(text.size(), LineClass::kDecision));
  while (queue->push(text, kLine, LineClass::kDecision)) ++kills;
  EXPECT_EQ(normal + kills, 4096U / 104U);
  EXPECT_EQ(queue->dropped(LineClass::kDecision), 1U);
  EXPECT_EQ(queue->dropped(LineClass::kNormal), 2U);
  EXPECT_EQ(queue->dropped(), 4U);
  EXPECT_LE(queue->most_used_bytes(), queue->capacity());

  for (std::size_t i = 0; i < normal + kills; ++i) ASSERT_EQ(take(*queue), text);
  EXPECT_EQ(take(*queue), "<none>");
  EXPECT_TRUE(queue->fits(text.size(), LineClass::kNormal));
  EXPECT_TRUE(queue->push(text));
}

TEST(LineQueue, oversized_item_is_dropped) {
  const auto queue = make_queue({.capacity = 4096, .reserve = 1024});
  EXPECT_FALSE(queue->push(std::string(5000, 'x'), kLine, LineClass::kKill));
  EXPECT_FALSE(queue->push(std::string(3500, 'x')));
  EXPECT_TRUE(queue->push(std::string(3000, 'x')));
}

TEST(LineQueue, dropped_item_leaves_its_wish_to_flush) {
  const auto queue = make_queue({.capacity = 4096, .reserve = 0});
  while (queue->push(std::string(100, 'x'))) {
  }
  EXPECT_EQ(queue->take_dropped_flags(), 0U);
  EXPECT_FALSE(queue->push(std::string(100, 'x'), kLine | kSync, LineClass::kKill));
  EXPECT_EQ(queue->take_dropped_flags(), kSync);
  EXPECT_EQ(queue->take_dropped_flags(), 0U);
  const std::uint64_t lines = queue->dropped();
  EXPECT_FALSE(queue->push(std::string(3000, 'x'), kSync));  // no line: no loss
  EXPECT_EQ(queue->dropped(), lines);
}

TEST(LineQueue, sleeper_is_woken_by_flags_and_by_volume_but_not_by_a_line) {
  const auto queue = make_queue({.wake_bytes = 4096});
  const auto slept = [&](milliseconds timeout) {
    const auto start = Clock::now();
    queue->wait(timeout);
    return Clock::now() - start;
  };
  // Each pusher waits until the consumer surely sleeps.
  const auto push_soon = [&](std::uint32_t flags, int times) {
    return std::thread([&queue, flags, times] {
      std::this_thread::sleep_for(milliseconds(100));
      for (int i = 0; i < times; ++i) queue->push(std::string(100, 'x'), flags);
    });
  };
  std::thread single = push_soon(kLine, 1);
  EXPECT_GE(slept(milliseconds(400)), milliseconds(390));
  single.join();
  EXPECT_LT(slept(milliseconds(5000)), milliseconds(4000));  // something is there: no sleep
  take(*queue);
  for (const std::uint32_t flags : {kLine | kFlush, std::uint32_t{kSync}, std::uint32_t{kNotice}}) {
    std::thread flagged = push_soon(flags, 1);
    EXPECT_LT(slept(milliseconds(5000)), milliseconds(4000));
    flagged.join();
    take(*queue);
  }
  std::thread many = push_soon(kLine, 60);
  EXPECT_LT(slept(milliseconds(5000)), milliseconds(4000));
  many.join();
}

TEST(LineQueue, two_threads_lose_nothing_that_was_not_counted) {
  constexpr std::uint64_t kItems = 300'000;
  const auto queue = make_queue({.capacity = 1 << 14, .reserve = 1 << 12, .wake_bytes = 0});
  std::uint64_t accepted = 0;
  std::atomic<bool> done{false};
  std::thread producer([&] {
    std::string text;
    for (std::uint64_t i = 0; i < kItems; ++i) {
      text = std::to_string(i);
      text.append(i % 97, 'p');
      accepted += queue->push(text, kLine, i % 5 == 0 ? LineClass::kKill : LineClass::kNormal) ? 1 : 0;
    }
    done.store(true);
    queue->wake();
  });
  std::uint64_t received = 0;
  std::uint64_t last = 0;
  bool sound = true;
  for (;;) {
    const bool over = done.load();
    while (const auto item = queue->front()) {
      const std::uint64_t number = std::stoull(std::string(item->text));
      const std::string padding(number % 97, 'p');
      sound = sound && (received == 0 || number > last) && item->text == std::to_string(number) + padding;
      last = number;
      ++received;
      queue->pop();
    }
    if (over) break;
    queue->wait(milliseconds(50));
  }
  producer.join();
  EXPECT_TRUE(sound);
  EXPECT_EQ(received, accepted);
  EXPECT_EQ(accepted + queue->dropped(LineClass::kNormal) + queue->dropped(LineClass::kKill), kItems);
}

}  // namespace
}  // namespace oomtrace::test
