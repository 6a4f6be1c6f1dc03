// SPDX-License-Identifier: Apache-2.0
// What launchers tell their ranks by environment.
#include "model/rank_signs.h"

#include <array>
#include <charconv>
#include <string_view>

namespace oomtrace::model {
namespace {

struct Names {
  std::string_view rank, local_rank, world_size;
};

// The frameworks' own come first: a launcher in a Slurm step starts several ranks, all with the step's number.
constexpr std::array<Names, 6> kNames{{
    {"RANK", "LOCAL_RANK", "WORLD_SIZE"},
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_SIZE"},
    {"MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_LOCAL_RANK", "MV2_COMM_WORLD_SIZE"},
    {"PMI_RANK", "MPI_LOCALRANKID", "PMI_SIZE"},
    {"JAX_PROCESS_ID", "", "JAX_PROCESS_COUNT"},
    {"SLURM_PROCID", "SLURM_LOCALID", ""},
}};

std::optional<std::uint32_t> number_in(const Process& process, std::string_view name) {
  if (name.empty()) return std::nullopt;
  for (const auto& [key, value] : process.environment) {
    if (key != name) continue;
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error == std::errc() && end == value.data() + value.size()) return number;
  }
  return std::nullopt;
}

}  // namespace

Place told_place(const Process& process) {
  for (const Names& names : kNames) {
    Place place;
    place.rank = number_in(process, names.rank);
    place.local_rank = number_in(process, names.local_rank);
    if (!place.rank && !place.local_rank) continue;
    place.world_size = number_in(process, names.world_size);
    // Lightning's script launcher gives no RANK: on the first node it is the local one.
    if (!place.rank && number_in(process, "NODE_RANK") == 0U) place.rank = place.local_rank;
    return place;
  }
  return {};
}

bool starts_first_rank(const Process& parent, const Process& child) {
  for (const Names& names : kNames) {
    const auto rank = number_in(child, names.rank), local_rank = number_in(child, names.local_rank);
    if (!rank && !local_rank) continue;
    if (number_in(parent, names.rank) || number_in(parent, names.local_rank)) return false;
    return (local_rank ? *local_rank : *rank) == 0;
  }
  return false;
}

}  // namespace oomtrace::model
