// SPDX-License-Identifier: Apache-2.0
// What a reader must find in the text, whatever its layout.
#include "report/render_text.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/report/sample_reports.h"

namespace oomtrace::test {
namespace {

std::string text_of(const Report& report, std::size_t width = 200) {
  TextOptions options;
  options.width = width;
  return render_text(report, options);
}

testing::AssertionResult has(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "no '" << part << "' in\n" << text;
}

// The text of a group kill with `change` made to what is told of its copies.
std::string text_with_copies(void (*change)(Duplicated&)) {
  Report report = group_kill_report();
  change(*report.incidents[0].growth->duplicated);
  return text_of(report);
}

TEST(RenderText, opens_with_what_died_who_drove_it_and_why_that_one) {
  EXPECT_EQ(
      text_of(worker_report())
          .rfind("Incident 1  2026-11-24 08:49:12 UTC  host trainbox\n"
                 "Killed     python3 (pid 14441, worker), 318.4 MiB anonymous: memory cgroup /ot_test reached its "
                 "limit of "
                 "320.0 MiB\n"
                 "Driven by  python3 (pid 14441, worker): +298.0 MiB, 94% of the growth in 3.4 s\n"
                 "Why it     highest of 4 candidates: 81,912 points, 76,533 more than the runner-up grow (pid 14439)\n",
                 0),
      0U)
      << text_of(worker_report());
}

TEST(RenderText, the_candidate_table_adds_up) {
  const std::string text = text_of(worker_report());
  EXPECT_TRUE(has(text, "Total pages 81,920, so one unit of oom_score_adj is 81,920 / 1000 = 81 pages."));
  EXPECT_TRUE(has(text, "> 14441 python3 worker          0 81,743      0        169      0   81,912"));
  EXPECT_TRUE(has(text, "  14438 python3 trainer       -20  2,610      0         21 -1,620    1,011"));
  EXPECT_TRUE(has(text, "oom_score_adj is -1000: never killed"));
}

TEST(RenderText, a_driver_that_survived_is_said_to) {
  Report report = worker_report();
  report.incidents[0].growth->driver->pid = 14439;
  EXPECT_TRUE(has(text_of(report),
                  "Driven by  grow (pid 14439, worker): +14.0 MiB, 94% of the growth in 3.4 s; it is not"
                  " what was killed\n"));
}

TEST(RenderText, a_role_may_drive_as_a_whole) {
  EXPECT_TRUE(has(text_of(group_kill_report()),
                  "Driven by  3 dataloader_workers of job Slurm job 17 step 0: +312.0 MiB, 98% of the growth in 3.4 s; "
                  "200.0 MiB copied on write, of which 192.0 MiB is the same region of 64.0 MiB copied 3 times"));
}

TEST(RenderText, copies_that_were_not_told_by_region_are_no_same_region) {
  const std::string text = text_with_copies([](Duplicated& told) { told.duplicated_bytes = std::nullopt; });
  EXPECT_TRUE(has(text, "200.0 MiB copied on write, of which up to 64.0 MiB by each of 3 processes"));
}

TEST(RenderText, several_families_are_told_together) {
  const std::string text = text_with_copies([](Duplicated& told) { told.families = 2; });
  EXPECT_TRUE(has(text,
                  "200.0 MiB copied on write, of which 192.0 MiB is the same data copied several times in each of 2 "
                  "families, most of it a region of 64.0 MiB copied 3 times"));
}

TEST(RenderText, what_others_copied_is_not_said_of_who_drove) {
  const std::string others = text_with_copies([](Duplicated& told) { told.role = "trainer"; });
  EXPECT_TRUE(has(others, "98% of the growth in 3.4 s\n"));
  const std::string own = text_with_copies([](Duplicated& told) { told.role = "dataloader_worker"; });
  EXPECT_TRUE(has(own, "98% of the growth in 3.4 s; 200.0 MiB copied on write"));
}

TEST(RenderText, a_timeline_has_ascii_marks_where_nothing_else_is_wanted) {
  TextOptions options;
  options.unicode = false;
  const std::string text = render_text(worker_report(), options);
  EXPECT_TRUE(has(text, "Held by role over these 3.4 s"));
  EXPECT_TRUE(has(text, "@@  312.0 MiB"));
  EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
}

TEST(RenderText, a_group_kill_counts_its_victims) {
  const std::string text = text_of(group_kill_report());
  EXPECT_TRUE(has(text, "and 11 more processes with it (memory.oom.group): memory cgroup"));
  EXPECT_TRUE(has(text, "What was killed: 12 processes"));
}

TEST(RenderText, without_a_recorder_it_says_what_one_would_have_told) {
  const std::string text = text_of(crowd_report());
  EXPECT_TRUE(has(text, "Driven by  not known: no recorder was running before the kill"));
  EXPECT_TRUE(has(text, "A recording would tell which process grew"));
  EXPECT_TRUE(has(text, "sudo oomtrace record"));
}

TEST(RenderText, what_a_narrowed_recording_leaves_out_was_not_asked_for) {
  Report report = crowd_report();
  report.incidents[0].narrowed = true;
  const std::string text = text_of(report);
  EXPECT_TRUE(has(
      text, "Driven by  not recorded: the recording was narrowed to chosen processes, cgroups or kinds of event\n"));
  EXPECT_TRUE(has(text, "Not recorded: the recording was narrowed to chosen processes, cgroups or kinds of event.\n"));
  EXPECT_EQ(text.find("A recording would tell which process grew"), std::string::npos);
  EXPECT_EQ(text.find("no recorder was running before the kill"), std::string::npos);
}

TEST(RenderText, of_a_narrowed_recording_shares_are_of_what_was_chosen) {
  Report report = worker_report();
  report.incidents[0].narrowed = true;
  const std::string text = text_of(report);
  EXPECT_TRUE(has(text, "+298.0 MiB, 94% of the recorded growth in 3.4 s\n"));
  EXPECT_TRUE(has(text, "Of what was chosen alone, as are the shares"));
}

TEST(RenderText, a_long_table_shows_its_head_and_the_victim) {
  const std::string text = text_of(crowd_report());
  EXPECT_TRUE(has(text, "20014 python3"));
  EXPECT_EQ(text.find("20015 python3"), std::string::npos);
  EXPECT_TRUE(has(text, "> 20200 python3"));
  EXPECT_TRUE(has(text, "284 more candidates are not shown here"));
}

TEST(RenderText, the_allocating_task_was_not_the_highest) {
  EXPECT_TRUE(has(text_of(crowd_report()), "vm.oom_kill_allocating_task is set, points did not count"));
}

TEST(RenderText, a_negative_margin_is_never_called_the_highest) {
  Report report = worker_report();
  report.incidents[0].selection.margin_points = -5;
  const std::string text = text_of(report);
  EXPECT_EQ(text.find("highest of"), std::string::npos) << text;
}

TEST(RenderText, of_a_list_without_its_end_no_margin_is_claimed) {
  Report report = worker_report();
  report.incidents[0].selection.candidates_complete = false;
  const std::string text = text_of(report);
  EXPECT_TRUE(has(text, "Why it     highest of the 4 candidates that were told: 81,912 points\n")) << text;
  EXPECT_EQ(text.find("more than the runner-up"), std::string::npos) << text;
}

TEST(RenderText, one_candidate_of_a_list_without_its_end_is_the_only_one_that_was_told) {
  Report report = worker_report();
  Selection& selection = report.incidents[0].selection;
  selection.candidates.resize(1);
  selection.runner_up_pid.reset();
  selection.margin_points.reset();
  EXPECT_TRUE(has(text_of(report), "Why it     the only candidate: 81,912 points\n"));
  selection.candidates_complete = false;
  EXPECT_TRUE(has(text_of(report), "Why it     the only candidate that was told: 81,912 points\n"));
}

TEST(RenderText, where_nobody_told_candidates_the_victim_is_not_called_the_only_one) {
  Report report = worker_report();
  Selection& selection = report.incidents[0].selection;
  selection.candidates.resize(1);
  selection.candidates_complete = false;
  selection.provenance.reset();
  const char* const expected = "Why it     not known: no source told the other candidates; it had 81,912 points\n";
  EXPECT_TRUE(has(text_of(report), expected)) << text_of(report);
}

TEST(RenderText, points_that_the_formula_misses_are_flagged) {
  EXPECT_TRUE(has(text_of(crowd_report()), "Beware: the formula does not give the points"));
}

TEST(RenderText, nothing_known_is_said_and_not_zero) {
  const std::string text = text_of(bare_report());
  EXPECT_TRUE(has(text, "Killed     (no name) (pid 4242): which memory ran out is not known"));
  EXPECT_TRUE(has(text, "Why it     not known: the candidates and their points were not seen"));
  EXPECT_TRUE(has(text, "anonymous not known, file not known, shmem not known"));
  EXPECT_TRUE(has(text, "order not known, gfp not known, oom_score_adj not known"));
  EXPECT_EQ(text.find("0 B"), std::string::npos) << text;
}

TEST(RenderText, without_incidents_it_says_so_and_what_happened) {
  const std::string text = text_of(no_incident_report());
  EXPECT_EQ(text.rfind("No OOM kill: ", 0), 0U);
  EXPECT_TRUE(has(text, "shm_exhaustion (confidence 70%)"));
  EXPECT_TRUE(has(text, "pid 17 systemd-oomd"));
  EXPECT_TRUE(has(text, "40 that ended with exit_ok are not shown here."));
}

TEST(RenderText, without_incidents_the_finding_and_its_remedy_come_first) {
  const Report report = no_incident_report();
  const std::string text = text_of(report);
  const std::size_t found = text.find("\nFound      ");
  ASSERT_NE(found, std::string::npos) << text;
  EXPECT_LT(found, text.find("shm_exhaustion (confidence"));
}

TEST(RenderText, what_was_not_chosen_is_not_called_absent) {
  const std::string text = text_of(outside_report());
  EXPECT_EQ(text.find("nothing that the kernel killed"), std::string::npos);
  EXPECT_EQ(text.find("No OOM kill between 2026-11-24 13:49:00 UTC and 2026-11-24 13:50:00 UTC.\n"
                      "7 incidents lie outside of that time, from 2026-11-24 08:49:09 UTC to 2026-11-24 08:49:12 UTC: "
                      "choose again with --since and --until.\n"),
            0U)
      << text;
  Report none = outside_report();
  none.source.incidents_outside = 0;
  none.source.outside_from = none.source.outside_to = std::nullopt;
  none.source.until.reset();
  EXPECT_EQ(text_of(none).find("No OOM kill since 2026-11-24 13:49:00 UTC.\nNor is there any other death or finding "
                               "to report of that time.\n"),
            0U);
}

TEST(RenderText, what_was_left_out_beside_what_is_shown_is_counted) {
  Report report = worker_report();
  report.source.until = "2026-11-24T08:50:00.999999999Z";
  EXPECT_EQ(text_of(report).find("is shown;"), std::string::npos);
  EXPECT_NE(text_of(report).find("  Chosen       only what happened until 2026-11-24 08:50:00 UTC\n"),
            std::string::npos);
  report.source.incidents_outside = 1;
  report.source.outside_from = report.source.outside_to = "2026-11-24T09:00:00.500000000Z";
  EXPECT_EQ(text_of(report).find("Only what happened until 2026-11-24 08:50:00 UTC is shown; 1 incident lies outside "
                                 "of that time, at 2026-11-24 09:00:00 UTC.\n"),
            0U)
      << text_of(report);
}

TEST(RenderText, many_incidents_have_a_table_and_the_first_ones_in_full) {
  Report report = worker_report();
  const Incident one = report.incidents.front();
  report.incidents.clear();
  for (std::uint64_t id = 1; id <= 76; ++id) {
    report.incidents.push_back(one);
    report.incidents.back().id = id;
  }
  const std::string text = render_text(report, {100, false, false, 5});
  EXPECT_TRUE(has(text, "76 incidents"));
  EXPECT_TRUE(has(text, "\n  76 "));
  EXPECT_TRUE(has(text, "\nIncident 5 "));
  EXPECT_FALSE(has(text, "\nIncident 6 "));
  EXPECT_TRUE(has(text, "--incident NO shows another one, --all all of them."));
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 700);
  EXPECT_TRUE(has(render_text(report, {100, false, false, 0}), "\nIncident 76 "));
}

TEST(RenderText, a_few_incidents_need_no_table) {
  const std::string few = render_text(worker_report(), {100, false, false, 5});
  EXPECT_EQ(few, render_text(worker_report(), {100, false, false, 0}));
}

TEST(RenderText, losses_are_mentioned) {
  EXPECT_TRUE(has(text_of(group_kill_report()), "12,345 events; what they told is missing above"));
}

TEST(RenderText, summands_without_room_are_named) {
  const std::string text = text_of(worker_report(), 40);
  EXPECT_TRUE(has(text, "Too narrow to show:"));
  EXPECT_TRUE(has(text, "swap (0 in every\n  row), pgtables (part of the points)."));
}

TEST(RenderText, a_long_command_stays_what_it_is_to_a_shell) {
  Report report = worker_report();
  std::optional<std::string>& command = report.incidents[0].remedies[0].command;
  command = "systemd-run --scope -p MemoryMax=640M python3 train.py";
  EXPECT_TRUE(has(text_of(report, 40), "     $ systemd-run --scope -p \\\n       MemoryMax=640M python3 train.py\n"));
  // Inside of quotes a backslash would be part of the word.
  command = "sh -c 'echo 640M > /sys/fs/cgroup/ot_test/memory.max'";
  EXPECT_EQ(text_of(report, 40).find("\\\n"), std::string::npos);
  command = "cat /sys/fs/cgroup/a/very/long/path/that/no/line/holds";
  EXPECT_EQ(text_of(report, 40).find("\\\n"), std::string::npos);
}

TEST(RenderText, colour_marks_the_headline_and_the_victim) {
  TextOptions options;
  options.color = true;
  const std::string text = render_text(worker_report(), options);
  EXPECT_EQ(text.rfind("\x1b[1mIncident 1", 0), 0U);
  EXPECT_TRUE(has(text, "\x1b[31m  > 14441"));
}

}  // namespace
}  // namespace oomtrace::test
