// SPDX-License-Identifier: Apache-2.0
// Text and JSON.
#include "doctor/render.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/text.h"

namespace oomtrace::doctor {

namespace {

const char* mark(Severity severity) {
  switch (severity) {
    case Severity::kOk:
      return "ok";
    case Severity::kNote:
      return "note";
    case Severity::kProblem:
      return "PROBLEM";
  }
  return "";
}

void append_wrapped(std::string& out, std::string_view text, std::size_t indent, std::size_t width) {
  const std::size_t room = width > indent + 20 ? width - indent : 20;
  while (!text.empty()) {
    std::size_t length = text.size();
    if (length > room) {
      length = text.rfind(' ', room);
      if (length == std::string_view::npos || length == 0) length = std::min(text.find(' '), text.size());
    }
    out.append(indent, ' ').append(text.substr(0, length)).push_back('\n');
    text.remove_prefix(std::min(text.size(), length + 1));
  }
}

}  // namespace

std::string render_text(const std::vector<Section>& sections, std::size_t width) {
  std::string out;
  for (const Section& section : sections) {
    if (!out.empty()) out.push_back('\n');
    out += escape_terminal(section.title) + "\n";
    std::size_t column = 0;
    for (const Finding& finding : section.findings) column = std::max(column, finding.subject.size());
    for (const Finding& finding : section.findings) {
      std::string line = "  ";
      line += mark(finding.severity);
      line.resize(11, ' ');
      line += finding.subject;
      line.resize(11 + column + 2, ' ');
      out += line + escape_terminal(finding.state) + "\n";
      append_wrapped(out, escape_terminal(finding.why), 13, width);
      if (!finding.fix.empty()) append_wrapped(out, "would help: " + escape_terminal(finding.fix), 13, width);
    }
  }
  return out;
}

std::string render_json(const std::vector<Section>& sections) {
  nlohmann::ordered_json root;
  root["schema"] = "oomtrace.doctor/1";
  root["sections"] = nlohmann::ordered_json::array();
  for (const Section& section : sections) {
    nlohmann::ordered_json findings = nlohmann::ordered_json::array();
    for (const Finding& finding : section.findings) {
      static constexpr const char* kNames[] = {"ok", "note", "problem"};
      findings.push_back({{"subject", finding.subject},
                          {"severity", kNames[static_cast<std::size_t>(finding.severity)]},
                          {"state", finding.state},
                          {"why", finding.why},
                          {"fix", finding.fix}});
    }
    root["sections"].push_back({{"title", section.title}, {"findings", std::move(findings)}});
  }
  return root.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

bool any_problem(const std::vector<Section>& sections) {
  return std::any_of(sections.begin(), sections.end(), [](const Section& section) {
    return std::any_of(section.findings.begin(), section.findings.end(),
                       [](const Finding& finding) { return finding.severity == Severity::kProblem; });
  });
}

}  // namespace oomtrace::doctor
