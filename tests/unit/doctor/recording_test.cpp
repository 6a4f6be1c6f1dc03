// SPDX-License-Identifier: Apache-2.0
// Doctor's section on recording: what is a problem, what a note, and that both renderings say so.
#include "doctor/recording.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "doctor/render.h"

namespace oomtrace::doctor {
namespace {

features::KernelFacts able() {
  features::KernelFacts kernel;
  kernel.release = "6.12.0";
  kernel.btf = kernel.bpf_permitted = kernel.mark_victim_takes_task = true;
  kernel.task_iterator_kfuncs = kernel.task_iterator_program = true;
  kernel.kernel_symbols = kernel.per_cpu_offsets = kernel.kernel_log = true;
  for (const std::string& tracepoint : features::tracepoints_of_interest()) kernel.tracepoints.insert(tracepoint);
  for (const std::string& function : features::functions_of_interest()) {
    features::Attachable& attachable = kernel.functions[function];
    attachable.fentry = attachable.kprobe = true;
  }
  return kernel;
}

Section section_of(const features::KernelFacts& kernel, const std::vector<std::string>& missing = {}) {
  return recording_section(kernel, features::make_plan(kernel), missing);
}

const Finding* find(const Section& section, std::string_view subject) {
  const auto found = std::find_if(section.findings.begin(), section.findings.end(),
                                  [&](const Finding& finding) { return finding.subject == subject; });
  return found == section.findings.end() ? nullptr : &*found;
}

TEST(Recording, an_able_kernel_has_nothing_to_remark) {
  const Section section = section_of(able());
  for (const Finding& finding : section.findings) EXPECT_EQ(finding.severity, Severity::kOk) << finding.subject;
  ASSERT_NE(find(section, "candidates"), nullptr);
  EXPECT_FALSE(any_problem({section}));
}

TEST(Recording, a_refused_hook_is_a_note_with_the_reason) {
  features::KernelFacts kernel = able();
  for (auto& [name, attachable] : kernel.functions) {
    attachable = {};
    attachable.fentry_refusal = "fentry says no";
    attachable.kprobe_refusal = "kprobe says no";
  }
  const Section section = section_of(kernel);
  const Finding* candidates = find(section, "candidates");
  ASSERT_NE(candidates, nullptr);
  EXPECT_EQ(candidates->severity, Severity::kNote);
  EXPECT_EQ(candidates->state, "task_walk");
  EXPECT_NE(candidates->why.find("fentry says no"), std::string::npos);
  EXPECT_NE(candidates->why.find("kprobe says no"), std::string::npos);
  EXPECT_FALSE(any_problem({section}));
}

TEST(Recording, without_permission_the_plan_is_not_guessed) {
  features::KernelFacts kernel = able();
  kernel.bpf_permitted = false;
  kernel.bpf_refusal = "Operation not permitted";
  const Section section = section_of(kernel, {"CAP_BPF"});
  EXPECT_TRUE(any_problem({section}));
  EXPECT_EQ(find(section, "candidates"), nullptr);
  ASSERT_NE(find(section, "permission"), nullptr);
  EXPECT_NE(find(section, "permission")->why.find("CAP_BPF"), std::string::npos);
}

TEST(Recording, refused_with_all_capabilities_points_elsewhere_than_to_sudo) {
  features::KernelFacts kernel = able();
  kernel.bpf_permitted = false;
  EXPECT_EQ(find(section_of(kernel), "permission")->fix.find("sudo"), std::string::npos);
}

TEST(Recording, no_types_is_a_problem) {
  features::KernelFacts kernel;
  kernel.release = "4.18.0";
  kernel.bpf_permitted = true;
  EXPECT_TRUE(any_problem({section_of(kernel)}));
}

TEST(Render, text_keeps_to_the_width_and_json_to_the_figures) {
  features::KernelFacts kernel = able();
  for (auto& [name, attachable] : kernel.functions) attachable = {};
  const std::vector<Section> sections = {section_of(kernel, {"CAP_SYS_RESOURCE"})};
  const std::string text = render_text(sections, 60);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    const std::string line = text.substr(begin, end - begin);
    EXPECT_TRUE(line.size() <= 60 || line.find_first_of(' ', 13) == std::string::npos) << line;
    begin = end + 1;
  }
  const auto json = nlohmann::json::parse(render_json(sections));
  EXPECT_EQ(json["schema"], "oomtrace.doctor/1");
  EXPECT_EQ(json["sections"][0]["findings"].size(), sections[0].findings.size());
}

}  // namespace
}  // namespace oomtrace::doctor
