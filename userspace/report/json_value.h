// SPDX-License-Identifier: Apache-2.0
// Values on their way into JSON: text made valid, the unknown made null.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oomtrace/report.h"

namespace oomtrace {

using Json = nlohmann::ordered_json;

Json json_value(std::string_view text);
inline Json json_value(const std::string& text) { return json_value(std::string_view(text)); }
Json json_value(double number);
inline Json json_value(bool flag) { return flag; }
inline Json json_value(std::uint32_t number) { return number; }
inline Json json_value(std::int32_t number) { return number; }
inline Json json_value(std::uint64_t number) { return number; }
inline Json json_value(std::int64_t number) { return number; }

template <class T>
Json json_value(const std::optional<T>& known) {
  return known ? json_value(*known) : Json(nullptr);
}

template <class T, class Function>
Json json_array(const std::vector<T>& items, Function to_json) {
  Json out = Json::array();
  for (const T& item : items) out.push_back(to_json(item));
  return out;
}

Json json_texts(const std::vector<std::string>& texts);

// `json`: text that a JSON library wrote, thus valid UTF-8. DEL, C1 controls, line separators and characters that
// change the direction of text or show nothing stand only inside of its strings and become \uXXXX there.
std::string escape_steering_characters(std::string_view json);

// Puts role_reason, rank, local_rank, world_size and worker into `process`, an object.
void add_place(Json& process, const TrainingPlace& place);
Json incident_json(const Incident& incident);
Json candidate_json(const Candidate& candidate);
Json cause_json(const Cause& cause);
Json remedy_json(const Remedy& remedy);

}  // namespace oomtrace
