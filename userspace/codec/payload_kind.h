// SPDX-License-Identifier: Apache-2.0
// From a kind's name to its payload.
#pragma once

#include <string_view>
#include <variant>

#include "oomtrace/event.h"

namespace oomtrace::codec {

// An empty payload of that kind; false where this version knows no such kind.
template <std::size_t I = 0>
bool make_payload(std::string_view kind, Payload& payload) {
  if constexpr (I == std::variant_size_v<Payload>) {
    return false;
  } else {
    if (kEventKinds[I] != kind) return make_payload<I + 1>(kind, payload);
    payload.emplace<I>();
    return true;
  }
}

}  // namespace oomtrace::codec
