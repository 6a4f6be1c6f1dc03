// SPDX-License-Identifier: Apache-2.0
// The whole Report as JSON.
#include "report/render_json.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "report/json_value.h"

namespace oomtrace {

namespace {

constexpr int kIndent = 2;

Json source_json(const Source& source) {
  return {
      {"kind", json_value(source.kind)},
      {"name", json_value(source.name)},
      {"host", json_value(source.host)},
      {"kernel", json_value(source.kernel)},
      {"boot_id", json_value(source.boot_id)},
      {"trace_id", json_value(source.trace_id)},
      {"from", json_value(source.from)},
      {"to", json_value(source.to)},
      {"since", json_value(source.since)},
      {"until", json_value(source.until)},
      {"incidents_outside", source.incidents_outside},
      {"outside_from", json_value(source.outside_from)},
      {"outside_to", json_value(source.outside_to)},
      {"lost_events", source.lost_events},
      {"notes", json_texts(source.notes)},
      {"plan", json_array(source.plan,
                          [](const PlanFact& fact) {
                            return Json{
                                {"fact", json_value(fact.fact)},
                                {"way", json_value(fact.way)},
                                {"why_not_better", json_value(fact.why_not_better)},
                            };
                          })},
  };
}

Json sender_json(const Death::Sender& sender) { return {{"pid", sender.pid}, {"comm", json_value(sender.comm)}}; }

Json death_json(const Death& death) {
  Json out = {
      {"pid", death.pid},
      {"comm", json_value(death.comm)},
      {"role", json_value(death.role)},
      {"time", json_value(death.time)},
      {"verdict", json_value(death.verdict)},
      {"signal", json_value(death.signal)},
      {"exit_code", json_value(death.exit_code)},
      {"sender", death.sender ? sender_json(*death.sender) : Json(nullptr)},
      {"because_of_pid", json_value(death.because_of_pid)},
      {"detail", json_value(death.detail)},
  };
  add_place(out, death.place);
  return out;
}

Json diagnosis_json(const Diagnosis& diagnosis) {
  Json out = cause_json(diagnosis.cause);
  out["remedies"] = json_array(diagnosis.remedies, remedy_json);
  return out;
}

// As dump() has it `depth` levels further in: no string of JSON has a newline of its own.
void append_value(std::string& text, const Json& value, std::size_t depth) {
  const std::string own = escape_steering_characters(value.dump(kIndent, ' ', false, Json::error_handler_t::replace));
  for (std::size_t at = 0; at < own.size();) {
    const std::size_t end = std::min(own.find('\n', at), own.size() - 1) + 1;
    text.append(own, at, end - at);
    if (own[end - 1] == '\n') text.append(depth * kIndent, ' ');
    at = end;
  }
}

// A tree of all incidents of a long log takes ten times of its text: each is written by itself.
template <class Item>
void append_array(std::string& text, const char* name, const std::vector<Item>& items, Json (*to_json)(const Item&)) {
  text.append(",\n  \"").append(name).append("\": [");
  const char* before = "\n    ";
  for (const Item& item : items) {
    text.append(before);
    append_value(text, to_json(item), 2);
    before = ",\n    ";
  }
  text.append(items.empty() ? "]" : "\n  ]");
}

}  // namespace

std::string render_json(const Report& report) {
  std::string text = "{\n  \"schema\": ";
  append_value(text, kReportSchema, 1);
  text.append(",\n  \"source\": ");
  append_value(text, source_json(report.source), 1);
  append_array(text, "incidents", report.incidents, incident_json);
  append_array(text, "deaths", report.deaths, death_json);
  append_array(text, "diagnosis", report.diagnosis, diagnosis_json);
  return text.append("\n}\n");
}

}  // namespace oomtrace
