// SPDX-License-Identifier: Apache-2.0
// One log in every form in which people have it: the incidents have to be the same.
#include <gtest/gtest.h>

#include <functional>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "event_collector.h"
#include "incident_text.h"
#include "kernel_log/record.h"
#include "log_files.h"

namespace oomtrace::kernel_log {
namespace {

struct Line {
  std::uint64_t us = 0;
  std::string text;
};

// "[   13.755756] text" as dmesg prints it.
std::vector<Line> parse(const std::string& log) {
  std::vector<Line> lines;
  for (const std::string& raw : split(log, '\n')) {
    const auto close = raw.find(']');
    const auto dot = raw.find('.');
    if (raw.empty() || raw[0] != '[' || close == raw.npos || dot > close) continue;
    lines.push_back(
        {std::stoull(raw.substr(1, dot - 1)) * 1'000'000 + std::stoull(raw.substr(dot + 1, 6)), raw.substr(close + 2)});
  }
  EXPECT_GT(lines.size(), 20U);
  return lines;
}

std::string pad(std::uint64_t value, int width, char fill = ' ') {
  std::ostringstream out;
  out << std::setw(width) << std::setfill(fill) << value;
  return out.str();
}
std::string stamp(const Line& line) { return pad(line.us / 1'000'000, 5) + "." + pad(line.us % 1'000'000, 6, '0'); }
std::string clock(const Line& line) {
  const std::uint64_t s = line.us / 1'000'000;
  return "14:" + pad(s / 60 % 60, 2, '0') + ":" + pad(s % 60, 2, '0');
}

using PerLine = std::function<std::string(const Line&)>;
std::string each(const std::vector<Line>& lines, const PerLine& form, const std::string& end = "\n") {
  std::string text;
  for (const Line& line : lines) text += form(line) + end;
  return text;
}

std::string dmesg_json(const std::vector<Line>& lines) {
  std::string text = "{\n   \"dmesg\": [\n      {\n";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += "         \"pri\": 4,\n         \"time\": " + stamp(lines[i]) +
            ",\n         \"msg\": " + nlohmann::json(lines[i].text).dump() + "\n";
    text += i + 1 < lines.size() ? "      },{\n" : "      }\n";
  }
  return text + "   ]\n}\n";
}

nlohmann::json journal_entry(const Line& line, bool bytes) {
  nlohmann::json entry{{"__REALTIME_TIMESTAMP", std::to_string(1'790'000'000'000'000 + line.us)},
                       {"_SOURCE_MONOTONIC_TIMESTAMP", std::to_string(line.us)},
                       {"_HOSTNAME", "node7"},
                       {"PRIORITY", "4"},
                       {"SYSLOG_IDENTIFIER", "kernel"},
                       {"_TRANSPORT", "kernel"},
                       {"MESSAGE", line.text}};
  if (bytes) entry["MESSAGE"] = std::vector<unsigned char>(line.text.begin(), line.text.end());
  return entry;
}

std::string journal_export(const std::vector<Line>& lines, bool binary) {
  std::string text;
  for (const Line& line : lines) {
    text += "__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1790000000000000\n_SOURCE_MONOTONIC_TIMESTAMP=" +
            std::to_string(line.us) + "\nSYSLOG_IDENTIFIER=kernel\n";
    if (binary) {
      text += "MESSAGE\n";
      for (int i = 0; i < 8; ++i) text += static_cast<char>(line.text.size() >> (8 * i) & 0xff);
      text += line.text + "\n";
    } else {
      text += "MESSAGE=" + line.text + "\n";
    }
    text += "_TRANSPORT=kernel\n\n";
  }
  return text;
}

std::string array_of_strings(const std::vector<Line>& lines) {
  std::vector<std::string> all;
  for (const Line& line : lines) all.push_back("[" + stamp(line) + "] " + line.text);
  return nlohmann::json(all).dump();
}

std::string loki_answer(const std::vector<Line>& lines) {
  nlohmann::json values = nlohmann::json::array();
  for (const Line& line : lines) values.push_back({std::to_string(1'790'000'000'000'000 + line.us), line.text});
  return nlohmann::json{{"data", {{"result", {{{"stream", {{"job", "k"}}}, {"values", values}}}}}}}.dump();
}

// Quoted-printable, as mail archives keep it.
std::string mail(const std::string& text) {
  std::string out;
  for (const std::string& line : split(text, '\n')) {
    std::string encoded;
    std::size_t column = 0;
    for (const char c : line) {
      const std::string sign = c == '=' ? "=3D" : std::string(1, c);
      if (column + sign.size() > 75) {
        encoded += "=\n";
        column = 0;
      }
      encoded += sign;
      column += sign.size();
    }
    out += encoded + "\n";
  }
  return out;
}

std::string utf16(const std::string& text) {
  std::string out = "\xff\xfe";
  for (const char c : text) {
    out += c;
    out += '\0';
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> forms(const std::vector<Line>& lines) {
  std::vector<std::pair<std::string, PerLine>> per_line{
      {"dmesg", [](const Line& l) { return "[" + stamp(l) + "] " + l.text; }},
      {"dmesg with caller", [](const Line& l) { return "[" + stamp(l) + "][  T123] " + l.text; }},
      {"dmesg with caller, apart", [](const Line& l) { return "[" + stamp(l) + "] [ T123] " + l.text; }},
      {"dmesg -r", [](const Line& l) { return "<4>[" + stamp(l) + "] " + l.text; }},
      {"dmesg -x", [](const Line& l) { return "kern  :warn  : [" + stamp(l) + "] " + l.text; }},
      {"dmesg -d", [](const Line& l) { return "[" + stamp(l) + " <    0.000018>] " + l.text; }},
      {"dmesg -T", [](const Line& l) { return "[Tue Mar 24 " + clock(l) + " 2026] " + l.text; }},
      {"dmesg -T, French", [](const Line& l) { return "[mar. 24 mars " + clock(l) + " 2026] " + l.text; }},
      {"dmesg -T, Chinese",
       [](const Line& l) { return "[\xe4\xba\x8c 3\xe6\x9c\x88 24 " + clock(l) + " 2026] " + l.text; }},
      {"dmesg -e", [](const Line& l) { return "[Mar24 14:32] " + l.text; }},
      {"dmesg iso", [](const Line& l) { return "2026-03-24T" + clock(l) + ",123456+01:00 " + l.text; }},
      {"no prefix", [](const Line& l) { return l.text; }},
      {"kmsg",
       [](const Line& l) {
         return "4,77," + std::to_string(l.us) + ",-;" + l.text + "\n SUBSYSTEM=memory\n DEVICE=+memory:m0";
       }},
      {"kmsg with caller", [](const Line& l) { return "4,77," + std::to_string(l.us) + ",-,caller=T9;" + l.text; }},
      {"rfc3164", [](const Line& l) { return "Mar 24 " + clock(l) + " node7 kernel: [" + stamp(l) + "] " + l.text; }},
      {"rfc3164 with priority", [](const Line& l) { return "<4>Mar 24 " + clock(l) + " node7 kernel: " + l.text; }},
      {"rfc5424",
       [](const Line& l) {
         return "<4>1 2026-03-24T" + clock(l) + ".123456Z node7 kernel - - [meta sequenceId=\"7\" x=\"a]b\"] " + l.text;
       }},
      {"rsyslog iso",
       [](const Line& l) { return "2026-03-24T" + clock(l) + ".880492+00:00 node7.example.org kernel: " + l.text; }},
      {"journal short", [](const Line& l) { return "Mar 24 " + clock(l) + " node7 kernel: " + l.text; }},
      {"journal short, German", [](const Line& l) { return "M\xc3\xa4r 24 " + clock(l) + " node7 kernel: " + l.text; }},
      {"journal short, no host", [](const Line& l) { return "Mar 24 " + clock(l) + " kernel: " + l.text; }},
      {"journal short-iso", [](const Line& l) { return "2026-03-24T" + clock(l) + "+0100 node7 kernel: " + l.text; }},
      {"journal short-precise", [](const Line& l) { return "Mar 24 " + clock(l) + ".123456 node7 kernel: " + l.text; }},
      {"journal without dates", [](const Line& l) { return clock(l) + " node7 kernel: " + l.text; }},
      {"journal short-full",
       [](const Line& l) { return "Tue 2026-03-24 " + clock(l) + " UTC node7 kernel: " + l.text; }},
      {"journal short-unix", [](const Line& l) { return "1790506800.000000 node7 kernel: " + l.text; }},
      {"journal short-monotonic", [](const Line& l) { return "[" + stamp(l) + "] node7 kernel: " + l.text; }},
      {"kubectl logs",
       [](const Line& l) { return "2026-03-24T" + clock(l) + ".123456789Z [" + stamp(l) + "] " + l.text; }},
      {"containerd",
       [](const Line& l) { return "2026-03-24T" + clock(l) + ".123456789Z stdout F [" + stamp(l) + "] " + l.text; }},
      {"kubectl --prefix", [](const Line& l) { return "[pod/debug-node7/debugger] [" + stamp(l) + "] " + l.text; }},
      {"compose", [](const Line& l) { return "debug-1  | [" + stamp(l) + "] " + l.text; }},
      {"quoted twice", [](const Line& l) { return "> > [" + stamp(l) + "] " + l.text; }},
      {"indented", [](const Line& l) { return "    [" + stamp(l) + "] " + l.text; }},
      {"carriage returns", [](const Line& l) { return "[" + stamp(l) + "] " + l.text + "\r"; }},
      {"colour", [](const Line& l) { return "\x1b[32m[" + stamp(l) + "] \x1b[0m\x1b[33m" + l.text + "\x1b[0m"; }},
      {"docker json-file",
       [](const Line& l) {
         return nlohmann::json{
             {"log", "[" + stamp(l) + "] " + l.text + "\n"}, {"stream", "stdout"}, {"time", "2026-03-24T14:00:00.1Z"}}
             .dump();
       }},
      {"talos", [](const Line& l) { return "kern: warning: [2026-03-24T" + clock(l) + ".123456789Z]: " + l.text; }},
      {"talosctl",
       [](const Line& l) { return "10.5.0.2: kern:    info: [2026-03-24T" + clock(l) + ".1Z]: " + l.text; }},
      {"empty tag",
       [](const Line& l) { return "Mar 24 " + clock(l) + " 2026 kernel: : [" + stamp(l) + "] " + l.text; }},
      {"grep -r", [](const Line& l) { return "/var/log/kern.log.1:Mar 24 " + clock(l) + " node7 kernel: " + l.text; }},
      {"grep -n", [](const Line& l) { return "1234:[" + stamp(l) + "] " + l.text; }},
      {"cat -n", [](const Line& l) { return "  1234\t[" + stamp(l) + "] " + l.text; }},
      {"diff", [](const Line& l) { return "+[" + stamp(l) + "] " + l.text; }},
      {"list", [](const Line& l) { return "* [" + stamp(l) + "] " + l.text; }},
      {"labelled", [](const Line& l) { return "[Kernel dmesg] [" + stamp(l) + "] " + l.text; }},
      {"csv", [](const Line& l) { return "\"2026-03-24 " + clock(l) + "\",\"node7\",\"" + l.text + "\""; }},
      {"tsv", [](const Line& l) { return "2026-03-24 " + clock(l) + "\tnode7\tkernel\t" + l.text; }},
      {"tsv, text in the middle",
       [](const Line& l) { return "EVENTS\t1790000000001\t[" + stamp(l) + "] " + l.text + "\t1790000000002"; }},
      {"yaml list", [](const Line& l) { return "    - \"[" + stamp(l) + "] " + l.text + "\""; }},
      {"yaml member", [](const Line& l) { return "  MESSAGE: '" + l.text + "'\n  _HOSTNAME: node7\n---"; }},
      {"source code", [](const Line& l) { return "    '[" + stamp(l) + "] " + l.text + "\\n' +"; }},
      {"logfmt",
       [](const Line& l) {
         return "time=\"2026-03-24T" + clock(l) + "Z\" level=warning msg=" + nlohmann::json(l.text).dump();
       }},
      {"web page", [](const Line& l) { return "<span class=\"line\">[" + stamp(l) + "] " + l.text + "</span><br/>"; }},
      {"backquotes", [](const Line& l) { return "`[" + stamp(l) + "] " + l.text + "`"; }},
      {"table of Markdown", [](const Line& l) { return "| [" + stamp(l) + "] " + l.text + " |"; }},
      {"netconsole, extended", [](const Line& l) { return "6.12.1,4,77," + std::to_string(l.us) + ",-;" + l.text; }},
      {"logcat", [](const Line& l) { return "03-24 " + clock(l) + ".123     0     0 W kernel  : " + l.text; }},
      {"vendor's marks", [](const Line& l) { return "<4>[" + stamp(l) + "]  (3)[1234:app]" + l.text; }},
      {"bracketed iso", [](const Line& l) { return "[2026-03-24 " + clock(l) + ".123] " + l.text; }},
      {"verbose journal",
       [](const Line& l) { return "    PRIORITY=4\n    MESSAGE=" + l.text + "\n    _TRANSPORT=kernel"; }},
      {"carriage returns inside", [](const Line& l) { return "\r[" + stamp(l) + "] " + l.text + "\r\r"; }},
      {"loki",
       [](const Line& l) {
         return nlohmann::json{{"labels", {{"job", "k"}}}, {"line", l.text}}.dump();
       }},
      {"cloud logging",
       [](const Line& l) {
         return nlohmann::json{
             {"insertId", "a"},
             {"jsonPayload",
              {{"MESSAGE", l.text}, {"_HOSTNAME", "node7"}, {"_SOURCE_MONOTONIC_TIMESTAMP", std::to_string(l.us)}}},
             {"timestamp", "2026-03-24T14:00:00.1Z"}}
             .dump();
       }},
      {"cloud watch",
       [](const Line& l) {
         return nlohmann::json{{"timestamp", 1790000000001}, {"message", "[" + stamp(l) + "] " + l.text}}.dump();
       }},
      {"member of any name",
       [](const Line& l) {
         return nlohmann::json{{"theText", l.text}, {"n", 1}}.dump();
       }},
      {"nested",
       [](const Line& l) {
         return nlohmann::json{{"event", {{"original", l.text}}}}.dump();
       }},
      {"journal json", [](const Line& l) { return journal_entry(l, false).dump(); }},
      {"journal json, bytes", [](const Line& l) { return journal_entry(l, true).dump(); }},
      {"journal json-pretty", [](const Line& l) { return journal_entry(l, false).dump(8); }},
      {"no-break spaces",
       [](const Line& l) {
         std::string text;
         for (std::size_t i = 0; i < l.text.size(); ++i) {
           const bool run = l.text[i] == ' ' && i > 0 && l.text[i - 1] == ' ';
           text += run ? std::string("\xc2\xa0") : std::string(1, l.text[i]);
         }
         return "[" + stamp(l) + "] " + text;
       }},
  };
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& [name, form] : per_line) all.emplace_back(name, each(lines, form));
  all.emplace_back("dmesg --json", dmesg_json(lines));
  all.emplace_back("dmesg --json, on one line", nlohmann::json::parse(dmesg_json(lines)).dump());
  all.emplace_back("journal export", journal_export(lines, false));
  all.emplace_back("journal export, binary", journal_export(lines, true));
  all.emplace_back("array of strings", array_of_strings(lines));
  all.emplace_back("loki's answer", loki_answer(lines));
  all.emplace_back("mail", mail(each(lines, per_line[0].second)));
  all.emplace_back("UTF-16", utf16(each(lines, per_line[0].second, "\r\n")));
  return all;
}

TEST(Forms, of_one_log_give_the_same_incidents) {
  for (const std::string name :
       {"5.10.262-memcg-v2.txt", "6.12.117-global.txt", "6.18.44-host-memcg-v1.txt", "7.3.4-sysrq-f.txt"}) {
    const std::vector<Line> lines = parse(read_file(log_folder() / name));
    const std::string want =
        to_text(collect(each(lines, [](const Line& l) { return "[" + stamp(l) + "] " + l.text; })));
    ASSERT_FALSE(want.empty());
    for (const auto& [form, text] : forms(lines)) {
      EXPECT_EQ(to_text(collect(text)), want) << name << " as " << form;
      EXPECT_EQ(to_text(collect(text, 61)), want) << name << " as " << form << " in small pieces";
      EXPECT_TRUE(is_kernel_log(text.substr(0, 65536))) << form;
    }
  }
}

// A report deep in a long log is found by word search, and read back from there.
TEST(Forms, are_found_in_the_middle_of_other_lines) {
  std::string noise;
  for (int i = 0; i < 1500; ++i)
    noise += "Mar 24 14:00:00 node7 sshd[" + std::to_string(i) + "]: Connection closed by 10.0.0.1\n";
  const std::vector<Line> lines = parse(read_file(log_folder() / "6.12.117-global.txt"));
  const std::string want = to_text(collect(each(lines, [](const Line& l) { return "[" + stamp(l) + "] " + l.text; })));
  for (const auto& [form, text] : forms(lines)) {
    if (form == "UTF-16") continue;
    const bool blank_lines = form.starts_with("journal export");
    const std::string found = to_text(collect(noise + (blank_lines ? "\n" : "") + text + noise));
    EXPECT_EQ(found, want) << form;
  }
}

// A terminal breaks lines at its width, through names and numbers.
TEST(Forms, broken_at_a_width_are_put_together) {
  for (const std::string name : {"5.10.262-memcg-v2.txt", "7.3.4-global.txt"}) {
    const std::vector<Line> lines = parse(read_file(log_folder() / name));
    const PerLine form = [](const Line& l) { return "[" + stamp(l) + "] " + l.text; };
    const std::string want = to_text(collect(each(lines, form)));
    for (const std::size_t width : {80U, 100U, 132U}) {
      const auto broken = [&](const Line& l) {
        std::string text = form(l), out;
        for (; text.size() > width; text.erase(0, width)) out += text.substr(0, width) + "\n";
        return out + text;
      };
      // The width is known from the second long line on.
      const Line boot{1, "Command line: " + std::string(300, 'x')};
      const std::string got = to_text(collect(broken(boot) + "\n" + broken(boot) + "\n" + each(lines, broken)));
      EXPECT_EQ(got, want) << name << " at " << width;
    }
  }
}

TEST(Forms, tell_time_and_host) {
  LogOptions options;
  options.year = 2026;
  const std::string kill =
      "Out of memory: Killed process 7 (a) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB\n";
  const auto only = [&](const std::string& prefix) { return collect(prefix + kill, 1 << 20, options); };
  constexpr std::int64_t kMarch24 = 1'774'362'731'000'000'000;  // 2026-03-24T14:32:11Z
  EXPECT_EQ(only("[  12.000034] ").incidents.at(0).boot_ns, 12'000'034'000U);
  EXPECT_EQ(only("[  12.000034] ").incidents.at(0).wall_ns, 0);
  EXPECT_EQ(only("[Tue Mar 24 14:32:11 2026] ").incidents.at(0).wall_ns, kMarch24);
  EXPECT_EQ(only("[Di M\xc3\xa4r 24 14:32:11 2026] ").incidents.at(0).wall_ns, kMarch24);
  EXPECT_EQ(only("[\xe4\xba\x8c 3\xe6\x9c\x88 24 14:32:11 2026] ").incidents.at(0).wall_ns, kMarch24);
  EXPECT_EQ(only("2026-03-24T15:32:11.000000+01:00 h kernel: ").incidents.at(0).wall_ns, kMarch24);
  EXPECT_EQ(only("Mar 24 14:32:11 h kernel: ").incidents.at(0).wall_ns, kMarch24);
  EXPECT_EQ(only("Mar 24 14:32:11 h.example.org kernel: [12.5] ").incidents.at(0).host, "h.example.org");
  EXPECT_EQ(only("Mar 24 14:32:11 h kernel: [   12.500000] ").incidents.at(0).boot_ns, 12'500'000'000U);
  EXPECT_EQ(only("<2>1 2026-03-24T14:32:11Z h kernel - - - ").incidents.at(0).host, "h");
  EXPECT_EQ(only("1774362731.000000 h kernel: ").incidents.at(0).wall_ns, kMarch24);
  EXPECT_EQ(collect("Mar 24 14:32:11 h kernel: " + kill).incidents.at(0).wall_ns, 0);
}

// Worth the most under the sanitizers.
TEST(Forms, of_times_that_no_clock_has_are_read_without_them) {
  const std::string kill =
      "Out of memory: Killed process 7 (a) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB\n";
  for (const std::string prefix : {"2026-03-24T14:32:11Z h kernel: [9223372037.000000] ", "4,1,9223372036854775810,-;",
                                   "[18446744073709551615.1] ", "[9000000000.000001] "}) {
    const EventCollector log = collect(prefix + kill + "4,2,1,-;" + kill);
    for (const CollectedIncident& incident : log.incidents) EXPECT_LE(incident.boot_ns, kMostPrintkUs * 1000);
  }
  EXPECT_EQ(collect("[8999999999.999999] " + kill).incidents.at(0).boot_ns, 8'999'999'999'999'999'000U);
}

TEST(Forms, lines_of_one_record_are_told_apart_whatever_escapes_them) {
  for (const std::string mark : {"\\x0a", "#012"}) {
    const std::string head = "Mar 24 14:32:11 h kernel: ";
    const EventCollector log =
        collect(head + "a invoked oom-killer: gfp_mask=0x1, order=0, oom_score_adj=0\n" + head + "Mem-Info:" + mark +
                mark + "CPU: 1 PID: 4 Comm: a Not tainted 6.1.0 #1" + mark + "#" + mark + "\n" + head +
                "Out of memory: Killed process 7 (a) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB\n");
    ASSERT_EQ(log.incidents.size(), 1U) << mark;
    EXPECT_EQ(log.incidents[0].kernel_release, "6.1.0") << mark;
    EXPECT_EQ(log.incidents[0].kills[0].victim.pid, 7U) << mark;
  }
}

TEST(Forms, that_are_no_kernel_log_are_told) {
  EXPECT_FALSE(is_kernel_log(""));
  EXPECT_FALSE(is_kernel_log("\n"));
  EXPECT_FALSE(is_kernel_log("RuntimeError: DataLoader worker (pid 229) exited unexpectedly\n"));
  EXPECT_FALSE(is_kernel_log("a,b,c\n1,2,3\n4,5,6\n"));
  EXPECT_FALSE(is_kernel_log("{\"a\": 1}\n"));
  EXPECT_FALSE(is_kernel_log(std::string(4096, '\0')));
  EXPECT_TRUE(is_kernel_log("Out of memory: Killed process 1061 (tail)\n"));
  EXPECT_TRUE(is_kernel_log("[    0.000000] Command line: quiet\n[    0.000000] BIOS-provided physical RAM map:\n"));
}

}  // namespace
}  // namespace oomtrace::kernel_log
