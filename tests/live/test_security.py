# SPDX-License-Identifier: Apache-2.0
"""What a stranger's name may do to a report, and what a command gets of the recorder that runs it."""
import os
import pwd
import re
import shutil
import signal
import subprocess
import time
import unittest

import harness

NOBODY = pwd.getpwnam("nobody")
HOSTILE = "\x1b[2J<b>\r\n\x07|'\""  # fifteen bytes at most: TASK_COMM_LEN
ASKED = ("echo uid $(id -u); grep -E '^(CapEff|CapPrm|VmLck|NoNewPrivs|Seccomp)' /proc/self/status; "
         "echo fds $(ls /proc/self/fd | tr '\\n' ' '); echo adj $(cat /proc/self/oom_score_adj); echo home $HOME")


class Security(harness.LiveTest):
    def test_hostile_name_is_inert_in_every_report(self):
        recorder = self.recorder()
        hog = self.workload(self.group(64), "grow", name=HOSTILE, wait=1, cap=256)
        hog.go()
        self.assertEqual(hog.wait(), -signal.SIGKILL)
        self.assertIsNotNone(recorder.err.wait_for("killed", 30))
        self.assertEqual(recorder.stop(), 0)
        recorder.err.all()
        # The name as the kernel has it comes back in JSON, and nowhere as bytes that a terminal acts on.
        self.assertEqual(self.report()["incidents"][0]["victims"][0]["comm"], HOSTILE[:15])
        texts = {"stderr": "\n".join(recorder.err.seen)}
        for name, arguments in (("text", ()), ("json", ("--format", "json"))):
            texts[name] = harness.run("report", self.trace, *arguments).stdout
        texts["whatif"] = harness.run("whatif", self.trace, "--oom-score-adj", f"{hog.pid}=-1000").stdout
        for name, text in texts.items():
            self.assertRegex(text, str(hog.pid), name)
            self.assertEqual(re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text), [], name)
        colored = harness.run("report", self.trace, "--color", "always").stdout
        self.assertEqual(re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", re.sub(r"\x1b\[[0-9;]*m", "", colored)), [])

    def test_secrets_of_the_command_are_masked_in_the_trace(self):
        secret = "Zq9Zq9Zq9Zq9Zq9Zq9Zq9"
        done = harness.run("record", "-o", self.trace, "--", "true", "--token", secret, f"hf_{secret}")
        self.assertEqual(done.returncode, 0, done.stderr)
        events = harness.run("stream", self.trace).stdout
        self.assertIn("true --token", events)
        self.assertNotIn(secret, events)

    def tmux(self, *arguments):
        return subprocess.run(["tmux", "-f", "/dev/null", "-L", f"oomtrace-{os.getpid()}", *arguments],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True,
                              text=True, errors="replace", timeout=60).stdout

    def await_screen(self, word):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            screen = self.tmux("capture-pane", "-p", "-S", "-", "-t", "pane")
            if word in screen:
                return screen
            time.sleep(0.2)
        self.fail(f"no {word!r} on the terminal: {screen}")

    @unittest.skipUnless(shutil.which("tmux"), "tmux is not installed")
    def test_hostile_name_does_nothing_to_a_terminal(self):
        """A name and a command line that set the title, clear the screen, ring and are no UTF-8, in a real terminal."""
        self.tmux("new-session", "-d", "-s", "pane", "-x", "120", "-y", "50", "env", "PS1=$ ", "sh", "-i")
        self.addCleanup(self.tmux, "kill-server")
        self.tmux("select-pane", "-t", "pane", "-T", "as it was")
        self.tmux("send-keys", "-t", "pane", f"{harness.Options.binary} record -o {self.trace}; echo the $((0 + 1))st",
                  "Enter")
        self.await_screen("recording")
        hog = self.workload(self.group(64), "grow", name="\x1b]2;X\x07\udcff\x9b2J", wait=1, cap=256)
        hog.go()
        self.assertEqual(hog.wait(), -signal.SIGKILL)
        self.await_screen(f"pid {hog.pid}")
        self.tmux("send-keys", "-t", "pane", "C-c")
        self.await_screen("the 1st")
        self.tmux("send-keys", "-t", "pane", f"{harness.Options.binary} report {self.trace}; echo the $((1 + 1))nd", "Enter")
        screen = self.await_screen("the 2nd")
        self.assertIn("recording", screen)  # nothing was cleared
        self.assertIn("Incident 1", screen)
        self.assertIn("name=\\x1b]2;X", screen)
        state = self.tmux("display-message", "-p", "-t", "pane", "#{pane_title}|#{window_bell_flag}|#{alternate_on}")
        self.assertEqual(state.strip(), "as it was|0|0")

    @unittest.skipUnless(shutil.which("sudo"), "sudo is not installed")
    def test_command_under_sudo_is_its_users_own(self):
        rule = f"/etc/sudoers.d/oomtrace-test-{os.getpid()}"
        with open(os.open(rule, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o440), "w", encoding="ascii") as file:
            file.write(f"nobody ALL=(root) NOPASSWD: {harness.Options.binary}\n")
        self.addCleanup(os.unlink, rule)
        os.chown(self.dir, NOBODY.pw_uid, NOBODY.pw_gid)
        done = subprocess.run(["setpriv", "--reuid", str(NOBODY.pw_uid), "--regid", str(NOBODY.pw_gid), "--init-groups",
                               "env", "HOME=/nonexistent/home", "sudo", "-n", harness.Options.binary, "record", "-o",
                               self.trace, "--", "sh", "-c", ASKED],
                              cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        told = dict(line.replace(":", " ").split(None, 1) for line in done.stdout.splitlines())
        self.assertEqual(told["uid"], str(NOBODY.pw_uid), done.stdout)
        self.assertEqual((int(told["CapEff"], 16), int(told["CapPrm"], 16)), (0, 0))
        self.assertEqual(told["VmLck"].split()[0], "0")
        self.assertEqual(told["NoNewPrivs"].strip(), "0")  # the recorder's own vow is not the command's
        self.assertEqual(told["Seccomp"].strip(), "0")
        self.assertEqual(told["fds"].split()[:3], ["0", "1", "2"])
        self.assertLessEqual(len(told["fds"].split()), 4, told["fds"])  # and ls's own
        with open("/proc/self/oom_score_adj", encoding="ascii") as file:
            self.assertEqual(told["adj"].strip(), file.read().strip())
        self.assertEqual(told["home"], "/nonexistent/home")
        status = os.stat(self.trace)
        self.assertEqual((status.st_uid, status.st_mode & 0o777), (NOBODY.pw_uid, 0o600))
        read = subprocess.run(["setpriv", "--reuid", str(NOBODY.pw_uid), "--clear-groups", harness.Options.binary,
                               "report", self.trace], stdout=subprocess.PIPE, check=False)
        self.assertEqual(read.returncode, 0)
