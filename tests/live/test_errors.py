# SPDX-License-Identifier: Apache-2.0
"""What goes wrong is told in a message, with the documented exit status, and loses nothing."""
import os
import shutil
import signal
import subprocess
import time

import harness

NOBODY = {"user": 65534, "group": 65534, "extra_groups": []}
USAGE, NOT_PERMITTED, BAD_INPUT, KERNEL_LACKS, OUTPUT = 2, 3, 4, 5, 6


class Errors(harness.LiveTest):
    def assert_told(self, done, status, *words):
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertTrue(done.stderr.strip(), "a message")
        for word in words:
            self.assertIn(word, done.stderr)

    def write(self, name, data):
        path = os.path.join(self.dir, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def killed_hog(self):
        """The pid of one that was killed, the kernel's log of it read."""
        hog = self.workload(self.group(64), "grow", name="hog", wait=1, cap=128)
        hog.go()
        self.assertEqual(hog.wait(), -signal.SIGKILL)
        self.kernel_incidents(1)
        return hog.pid

    def recorded_kill(self):
        """A trace of one kill, and the victim's pid."""
        recorder = self.recorder()
        pid = self.killed_hog()
        self.assertEqual(recorder.stop(), 0)
        return pid

    def test_existing_file_is_kept(self):
        path = self.write("trace.oomtrace", b"mine")
        self.assert_told(harness.run("record", "-o", path, "--", "true"), OUTPUT, path)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"mine")
        done = harness.run("record", "-o", path, "--force", "--", "true")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.report(path)

    def test_symbolic_link_is_not_followed(self):
        target = self.write("target", b"mine")
        os.symlink(target, self.trace)
        self.assert_told(harness.run("record", "-o", self.trace, "--", "true"), OUTPUT)
        with open(target, "rb") as file:
            self.assertEqual(file.read(), b"mine")

    def test_directory_that_does_not_exist(self):
        path = os.path.join(self.dir, "missing", "trace.oomtrace")
        self.assert_told(harness.run("record", "-o", path, "--", "true"), OUTPUT, path)

    def test_not_root(self):
        binary = shutil.copy(harness.Options.binary, self.dir)
        os.chmod(binary, 0o755)
        path = f"/tmp/oomtrace-live-{os.getpid()}.oomtrace"
        done = subprocess.run([binary, "record", "-o", path, "--", "true"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
                              **NOBODY)
        self.assert_told(done, NOT_PERMITTED)
        self.assertFalse(os.path.exists(path), "no file left of a recording that never began")

    def wrapped(self, *wrapper):
        """record -- true, started through another program."""
        return subprocess.run([*wrapper, harness.Options.binary, "record", "-o", self.trace, "--", "true"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=60, check=False)

    def test_root_without_the_capabilities_for_bpf(self):
        self.assert_told(self.wrapped("setpriv", "--bounding-set", "-sys_admin,-bpf,-perfmon"), NOT_PERMITTED, "CAP_")

    def test_kernel_without_type_information(self):
        hide = 'mount -t tmpfs tmpfs /sys/kernel/btf && exec "$@"'
        self.assert_told(self.wrapped("unshare", "--mount", "sh", "-c", hide, "sh"), KERNEL_LACKS, "BTF")

    def test_file_that_cannot_be_written(self):
        path = "/proc/trace.oomtrace"
        self.assert_told(harness.run("record", "-o", path, "--", "true"), OUTPUT, path)

    def test_events_of_a_newer_schema(self):
        self.assertEqual(self.recorder().stop(), 0)
        done = harness.run("stream", self.trace)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("oomtrace.event/1", done.stdout)
        newer = self.write("newer.ndjson", done.stdout.replace("oomtrace.event/1", "oomtrace.event/2").encode())
        self.assert_told(harness.run("report", newer), BAD_INPUT, "oomtrace.event/2")

    def test_usage(self):
        for arguments in (["record", "--no-such-flag"], ["no-such-verb"], [], ["report", "--format", "xml"],
                          ["record", "--ring-size", "5000"], ["record", "--ring-size", "0"],
                          ["record", "--ring-size", "2G"], ["list", "here", "--state-dir", "there"]):
            with self.subTest(arguments=arguments):
                self.assertEqual(harness.run(*arguments).returncode, USAGE)

    def test_unreadable_inputs(self):
        inputs = {"missing": os.path.join(self.dir, "missing"), "empty": self.write("empty", b""),
                  "directory": self.dir, "zeros": self.write("zeros", bytes(5000)),
                  "text": self.write("text", b"Dear diary,\nnothing happened.\n" * 50),
                  "random": self.write("random", bytes((i * 7919 >> 3) & 255 for i in range(9000)))}
        for name, path in inputs.items():
            with self.subTest(name):
                done = harness.run("report", path, "--format", "json")
                self.assert_told(done, BAD_INPUT)
                self.assertEqual(done.stdout, "")

    def test_truncated_trace_reports_what_is_there_and_says_so(self):
        victim = self.recorded_kill()
        whole = self.report()
        self.assertEqual(whole["incidents"][0]["victims"][0]["pid"], victim)
        with open(self.trace, "rb") as file:
            data = file.read()
        cut = self.report(self.write("cut", data[:-7]))
        known = whole["source"]["notes"]
        self.assertTrue([note for note in cut["source"]["notes"] if note not in known], cut["source"])
        stub = harness.run("report", self.write("stub", data[:9]))
        self.assert_told(stub, BAD_INPUT)
        self.assertIn("no event that could be read", stub.stderr)
        self.assertEqual(stub.stdout, "")

    def test_full_disk(self):
        disk = os.path.join(self.dir, "disk")
        os.mkdir(disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=True)
        self.trace = os.path.join(disk, "trace.oomtrace")
        recorder = self.recorder()
        time.sleep(1.5)  # the snapshot is on the disk
        ballast = os.open(os.path.join(disk, "ballast"), os.O_WRONLY | os.O_CREAT)
        try:
            while os.write(ballast, bytes(4096)):
                pass
        except OSError:  # full
            os.close(ballast)
        deadline = time.monotonic() + 30
        while recorder.err.wait_for("only kills are recorded", 0.01) is None and time.monotonic() < deadline:
            subprocess.run(["true"], check=True)
        pid = self.killed_hog()
        # While the disk is full and the recorder goes on.
        self.assertIsNotNone(recorder.err.wait_for(str(pid), 10, "killed"))
        time.sleep(1)
        meanwhile = self.report(shutil.copy(self.trace, os.path.join(self.dir, "meanwhile")))
        self.assertEqual(recorder.stop(), OUTPUT)
        told = "\n".join(recorder.err.all())
        self.assertIn("could not be written", told)
        self.assertIn("none of them is part of a kill", told)
        for report in (meanwhile, self.report()):
            self.assertEqual([one["victims"][0]["pid"] for one in report["incidents"]], [pid])
            self.assertIn(pid, [row["pid"] for row in report["incidents"][0]["selection"]["candidates"]])
            self.assertGreater(report["source"]["lost_events"], 0)
            self.assertTrue([note for note in report["source"]["notes"] if "lost from disk" in note], report["source"])

    def redirected(self, redirections, *arguments, **keywords):
        return subprocess.Popen(["sh", "-c", f'exec "$@" {redirections}', "sh", harness.Options.binary, *arguments],
                                preexec_fn=harness.end_with_parent, **keywords)

    def test_closed_descriptors_do_not_become_files_of_ours(self):
        stream = os.path.join(self.dir, "events.ndjson")
        process = self.redirected("<&- >&- 2>&-", "record", "-o", self.trace, "--stream", stream)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + 60
        while not (os.path.exists(stream) and os.path.getsize(stream)) and time.monotonic() < deadline:
            time.sleep(0.05)
        for fd in range(3):
            self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/{fd}"), "/dev/null")
        pid = self.killed_hog()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), 0)
        for path in (self.trace, stream):
            report = self.report(path)
            self.assertEqual([one["victims"][0]["pid"] for one in report["incidents"]], [pid], path)
            self.assertEqual([note for note in report["source"]["notes"] if "line" in note or "frame" in note], [], path)
        # Data without a place to go to is an error; with one it goes there, and no word beside it.
        out = os.path.join(self.dir, "out")
        self.assertEqual(self.redirected("<&- >&- 2>&-", "report", self.trace).wait(60), OUTPUT)
        self.assertEqual(self.redirected("<&- >&- 2>&-", "stream").wait(60), OUTPUT)
        self.assertEqual(self.redirected("<&- >&- 2>&-", "report", "-o", out, self.trace).wait(60), 0)
        with open(out, encoding="utf-8") as file:
            self.assertEqual(file.read(), harness.run("report", self.trace).stdout)

    def test_reader_of_the_words_goes_away(self):
        process = self.redirected("", "record", "-o", self.trace, stderr=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        while b"recording" not in (line := process.stderr.readline()):
            self.assertTrue(line, "it records")
        process.stderr.close()
        pid = self.killed_hog()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), 0)
        self.assertEqual(self.report()["incidents"][0]["victims"][0]["pid"], pid)

    def test_trace_belongs_to_its_owner_alone(self):
        recorder = self.recorder()
        self.assertEqual(recorder.stop(), 0)
        self.assertEqual(os.stat(self.trace).st_mode & 0o777, 0o600)
