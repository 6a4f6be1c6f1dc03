// SPDX-License-Identifier: Apache-2.0
// The whole Report as JSON.
#include "report/render_json.h"

#include "report/json_value.h"

namespace oomtrace {

namespace {

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
  return {
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
}

Json diagnosis_json(const Diagnosis& diagnosis) {
  Json out = cause_json(diagnosis.cause);
  out["remedies"] = json_array(diagnosis.remedies, remedy_json);
  return out;
}

}  // namespace

std::string render_json(const Report& report) {
  const Json document = {
      {"schema", kReportSchema},
      {"source", source_json(report.source)},
      {"incidents", json_array(report.incidents, incident_json)},
      {"deaths", json_array(report.deaths, death_json)},
      {"diagnosis", json_array(report.diagnosis, diagnosis_json)},
  };
  return escape_steering_characters(document.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n";
}

}  // namespace oomtrace
