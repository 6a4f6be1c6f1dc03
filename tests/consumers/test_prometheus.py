# SPDX-License-Identifier: Apache-2.0
"""Debian's Prometheus scrapes a recorder during a real kill, and answers what docs, alerts and dashboard ask."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import harness

ROOT = os.path.dirname(os.path.dirname(harness.HERE))
RULES = os.path.join(ROOT, "packaging", "prometheus", "oomtrace.rules.yml")
DASHBOARD = os.path.join(ROOT, "packaging", "grafana", "oomtrace.json")
DOCS = os.path.join(ROOT, "docs", "metrics.md")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode("utf-8")


def wait_for(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            found = condition()
        except (OSError, urllib.error.URLError):
            found = None
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s: {what}")


class PrometheusTest(harness.LiveTest):
    def setUp(self):
        super().setUp()
        if not shutil.which("prometheus") or not shutil.which("promtool"):
            self.skipTest("prometheus is not installed")
        self.metrics_port, self.port = free_port(), free_port()

    def kill_one(self, group):
        hog = self.workload(group, "grow", name="hog", wait=1, cap=256)
        hog.go()
        self.assertEqual(hog.wait(), -signal.SIGKILL)
        return hog.pid

    def series(self):
        """name{labels} -> value, as scraped."""
        found = {}
        for line in get(f"http://127.0.0.1:{self.metrics_port}/metrics").splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                found[name] = float(value)
        return found


class Endpoint(PrometheusTest):
    def test_series_are_bounded_and_hold_nothing_of_a_process(self):
        self.recorder("--metrics", str(self.metrics_port))
        before = self.series()
        kills = [name for name in before if name.startswith("oomtrace_kills_total")]
        self.assertEqual(len(kills), 11)
        self.assertEqual({before[name] for name in kills}, {0.0}, "counters appear at zero")
        group = self.group(96)
        victim = self.kill_one(group)
        self.kernel_incidents()
        memcg = 'oomtrace_kills_total{scope="memcg",killer="kernel"}'
        wait_for(lambda: self.series()[memcg] >= 1, 5, memcg)
        after = self.series()
        self.assertLessEqual(abs(after["oomtrace_last_kill_timestamp_seconds"] - time.time()), 10)
        # But for the headroom of a cgroup, which comes with the first cgroup that has a limit.
        self.assertLessEqual({re.sub("{.*", "", name) for name in after.keys() - before.keys()},
                             {"oomtrace_headroom_bytes", "oomtrace_headroom_ratio"})
        text = get(f"http://127.0.0.1:{self.metrics_port}/metrics")
        for secret in (str(victim), group.path, "hog"):
            self.assertNotIn(f'"{secret}', text)
        linted = subprocess.run(["promtool", "check", "metrics"], input=self.own(text), stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual((linted.returncode, linted.stdout), (0, ""))

    def own(self, text):
        """Without what the library says of itself."""
        return "".join(line + "\n" for line in text.splitlines() if "exposer_" not in line)

    def test_headroom_of_a_cgroup_is_that_of_the_tightest(self):
        self.recorder("--metrics", str(self.metrics_port))
        for name, limit, filled in (("wide", 256, 32), ("tight", 96, 80)):
            group = self.group(limit, name=harness.OWN_PREFIX + name)
            self.workload(group, "grow", name=name, mib=filled)
        bytes_left = 'oomtrace_headroom_bytes{domain="memcg"}'
        wait_for(lambda: 0 < self.series().get(bytes_left, 0) < 17 << 20, 10, "the tight one's headroom")
        ratio = self.series()['oomtrace_headroom_ratio{domain="memcg"}']
        self.assertLess(ratio, 17 / 96)

    def test_growth_goes_to_the_role(self):
        self.recorder("--metrics", str(self.metrics_port))
        family = self.workload(self.group(256), "family", children=2, grower=1, wait=1, name="train", cap=64)
        before = self.series()
        family.go(family.child(1))
        grown = 'oomtrace_growth_bytes_total{role="worker"}'  # forked, nothing says for what
        wait_for(lambda: self.series()[grown] - before[grown] > 40 << 20, 15, "growth of the worker")

    def test_refusals(self):
        busy = socket.socket()
        busy.bind(("127.0.0.1", self.metrics_port))
        busy.listen()
        self.addCleanup(busy.close)
        for address, status in ((str(self.metrics_port), 6), ("nonsense", 2), ("127.0.0.1", 2), ("99999", 2),
                                ("127.0.0.1:80r", 2), ("127.0.0.1:80,81", 2)):
            with self.subTest(address=address):
                done = harness.run("record", "-o", self.trace, "--metrics", address, "--", "true")
                self.assertEqual(done.returncode, status, done.stderr)
                self.assertFalse(os.path.exists(self.trace), "a failed start leaves no file")
        done = harness.run("record", "-o", self.trace, "--metrics-textfile", "/nowhere/m.prom", "--", "true")
        self.assertEqual(done.returncode, 6, done.stderr)

    def test_textfile_is_whole_and_goes_with_the_recorder(self):
        path = os.path.join(self.dir, "oomtrace.prom")
        recorder = self.recorder("--metrics-textfile", path)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o644)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn('oomtrace_kills_total{scope="memcg",killer="kernel"} 0\n', text)
        linted = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, check=False)
        self.assertEqual((linted.returncode, linted.stdout), (0, ""))
        self.kill_one(self.group(96))
        self.kernel_incidents()

        def told():
            with open(path, encoding="utf-8") as file:
                return re.search(r'oomtrace_kills_total{scope="memcg",killer="kernel"} [1-9]', file.read())
        wait_for(told, 15, "the kill in the file")
        self.assertEqual(sorted(os.listdir(self.dir)), ["oomtrace.prom", "trace.oomtrace"])
        self.assertEqual(recorder.stop(), 0)
        self.assertFalse(os.path.exists(path))


class Scraped(PrometheusTest):
    def start_prometheus(self):
        config = os.path.join(self.dir, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
                       f"rule_files: ['{RULES}']\n"
                       "scrape_configs:\n"
                       "  - job_name: oomtrace\n"
                       f"    static_configs: [{{targets: ['127.0.0.1:{self.metrics_port}']}}]\n")
        log = open(os.path.join(self.dir, "prometheus.log"), "wb")
        self.addCleanup(log.close)
        server = subprocess.Popen(["prometheus", f"--config.file={config}",
                                   f"--storage.tsdb.path={os.path.join(self.dir, 'data')}",
                                   f"--web.listen-address=127.0.0.1:{self.port}"],
                                  stdout=log, stderr=log, preexec_fn=harness.end_with_parent)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        wait_for(lambda: get(f"http://127.0.0.1:{self.port}/-/ready"), 60, "Prometheus is ready")

    def query(self, expression):
        url = f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        answer = json.loads(get(url))
        self.assertEqual(answer["status"], "success", expression)
        return answer["data"]["result"]

    def value(self, expression):
        found = self.query(expression)
        return float(found[0]["value"][1]) if found else None

    def test_prometheus_answers_after_a_real_kill(self):
        self.recorder("--metrics", str(self.metrics_port))
        self.start_prometheus()
        group = self.group(512, name=harness.OWN_PREFIX + "filled")
        self.workload(group, "grow", name="filled", mib=300)
        scraped = 'count_over_time(oomtrace_kills_total{scope="memcg",killer="kernel"}[5m])'
        wait_for(lambda: (self.value(scraped) or 0) >= 3, 30, "three scrapes before the kill")
        self.kill_one(self.group(96))
        self.kernel_incidents()
        increase = 'increase(oomtrace_kills_total{scope="memcg",killer="kernel"}[5m])'
        wait_for(lambda: (self.value(increase) or 0) > 0.5, 30, increase)
        time.sleep(3)
        with open(DOCS, encoding="utf-8") as file:
            documented = re.findall(r"```promql\n(.*?)\n```", file.read(), re.S)
        self.assertGreaterEqual(len(documented), 6)
        for expression in documented:
            with self.subTest(documented=expression):
                self.assertNotEqual(self.query(expression), [], expression)
        with open(DASHBOARD, encoding="utf-8") as file:
            dashboard = json.load(file)
        asked = [(panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel["targets"]]
        asked += [(note["name"], note["expr"]) for note in dashboard["annotations"]["list"]]
        self.assertGreaterEqual(len(asked), 12)
        for title, expression in asked:
            with self.subTest(panel=title):
                for variable, text in (("$instance", ".*"), ("$__rate_interval", "1m"), ("$__range", "5m")):
                    expression = expression.replace(variable, text)
                self.assertNotIn("$", expression)
                self.assertNotEqual(self.query(expression), [], expression)
        instances = json.loads(get(f"http://127.0.0.1:{self.port}/api/v1/label/instance/values"))["data"]
        self.assertEqual(instances, [f"127.0.0.1:{self.metrics_port}"])
        firing = wait_for(lambda: self.query('ALERTS{alertname="OomKill",alertstate="firing"}'), 10, "the alert")
        self.assertEqual((firing[0]["metric"]["scope"], firing[0]["metric"]["killer"]), ("memcg", "kernel"))


class Rules(PrometheusTest):
    def test_promtool_accepts_the_alerts_and_their_tests(self):
        self.tool("check", "rules", RULES)
        with open(os.path.join(os.path.dirname(__file__), "oomtrace.rules.test.yml"), encoding="utf-8") as file:
            text = file.read().replace("RULES", RULES)
        path = os.path.join(self.dir, "test.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.tool("test", "rules", path)

    def tool(self, *arguments):
        done = subprocess.run(["promtool", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
