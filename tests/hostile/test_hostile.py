#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Inputs made to exhaust their reader: test_hostile.py BINARY [-k PATTERN]

Each is reported or refused as docs/security.md has it, in the time and the memory that stand here.
OOMTRACE_HOSTILE=long makes them as long as they may get; OOMTRACE_HOSTILE_TELL=1 says what each took."""
import os
import sys
import tempfile
import unittest

import floods
import reader
from floods import MIB

BINARY = ""
LONG = os.environ.get("OOMTRACE_HOSTILE") == "long"
KILLS = 300
MOST_INCIDENTS = 32_768  # World::Limits::incidents
SMALL, FLOOD = 256, 1024  # MiB resident


class Hostile(unittest.TestCase):
    def read(self, chunks, *verb, seconds=100, mib=SMALL, status=0, file=False):
        """By a pipe; with `file`, which may be read twice, by a file."""
        verb = verb or ("report", "--format", "json")
        if file:
            with tempfile.NamedTemporaryFile(prefix="oomtrace-hostile-") as named:
                for chunk in chunks:
                    named.write(chunk)
                named.flush()
                seen = reader.run([BINARY, *verb, named.name], seconds=seconds)
        else:
            seen = reader.run([BINARY, *verb, "-"], chunks, seconds=seconds)
        if status is not None:
            self.assertEqual(seen.status, status, seen.err)
        self.assertLess(seen.seconds, seconds)
        self.assertLess(seen.mib, mib)
        return seen

    def refused(self, chunks, *words, **more):
        seen = self.read(chunks, status=4, **more)
        self.assertEqual(seen.out, "")
        for word in words:
            self.assertIn(word, seen.err)
        return seen


class Lines(Hostile):
    SIZE = 4096 * MIB if LONG else 200 * MIB

    def test_one_line_of_nothing(self):
        self.refused(floods.long_line(self.SIZE), "standard input", "neither a trace, an event stream nor a kernel log")

    def test_one_line_that_looks_like_an_event(self):
        head = floods.kill_line(2, 5, 1)[:-2] + b',"more":"'
        self.refused(floods.long_line(self.SIZE, head), "standard input", "line 1", "longer than 64 MiB")

    def test_one_line_behind_events(self):
        chunks = floods.long_line(self.SIZE, floods.start() + floods.kill_line(2, 5, 1))
        seen = self.read(chunks)
        self.assertEqual(len(seen.report()["incidents"]), 1)
        self.assertIn("line 3 is longer than 64 MiB", seen.notes())

    def test_one_line_behind_the_line_of_a_kernel_log(self):
        chunks = floods.long_line(self.SIZE, next(floods.kernel_kills(1)))
        self.assertEqual(len(self.read(chunks).report()["incidents"]), 1)

    def test_a_file_of_4_GiB_without_anything(self):
        with tempfile.NamedTemporaryFile(prefix="oomtrace-hostile-") as sparse:
            sparse.truncate(4 << 30)
            seen = reader.run([BINARY, "report", sparse.name])
        self.assertEqual(seen.status, 4, seen.err)
        self.assertIn(sparse.name, seen.err)
        self.assertLess(seen.mib, SMALL)

    def test_a_list_without_end(self):
        seen = self.read(floods.list_without_end(20 * MIB))
        self.assertEqual(len(seen.report()["incidents"]), 1)
        self.assertRegex(seen.notes(), "line 2 left out: .* more than 1 MiB")

    def test_brackets(self):
        self.refused(floods.nested(900_000), "neither")
        head = floods.kill_line(2, 5, 1)[:-2] + b',"more":'
        self.refused(floods.nested(900_000, head), "no event that could be read: the last line is cut")
        self.assertEqual(len(self.read(floods.nested_event(400_000)).report()["incidents"]), 1)

    def test_junk_of_a_kernel_log(self):
        self.read(floods.kernel_junk(200 * MIB if LONG else MIB), mib=FLOOD if LONG else SMALL, seconds=300)

    def test_newlines_that_are_escaped(self):
        self.assertEqual(len(self.read(floods.escaped_newlines(20, 20_000)).report()["incidents"]), 1)

    def test_numbers_at_the_end_of_their_type(self):
        last = 2 ** 64 - 1
        chunks = [floods.start(), floods.kill_line(last, 5, last), floods.kill_line(last - 1, 6, last - 1)]
        seen = self.read(chunks)
        self.assertEqual(len(seen.report()["incidents"]), 2)
        self.assertIn(f"{last - 3} events missing", seen.notes())


class Bombs(Hostile):
    SIZE = 4096 * MIB if LONG else 300 * MIB

    def test_gzip_of_one_line(self):
        self.refused(floods.gzipped(floods.long_line(self.SIZE, floods.kill_line(2, 5, 1)[:-2] + b',"x":"')), "line 1",
                     "longer than 64 MiB")

    def test_gzip_of_many_kills(self):
        seen = self.read(floods.gzipped(floods.kills(KILLS)))
        self.assertEqual(len(seen.report()["incidents"]), KILLS)

    def test_zstd_frame_without_end(self):
        self.refused(floods.zstd_bomb(b"\n", 1, 100_000), "inflates to more than 64 MiB")
        self.refused(floods.zstd_bomb(b"a", 1, 100_000), "a line of more than 1 MiB")

    def test_zstd_frames_of_one_line(self):
        self.read(floods.zstd_bomb(b"a", 50, 500), status=4)

    def test_zstd_frame_behind_events(self):
        raw = floods.start() + floods.kill_line(2, 5, 1)
        seen = self.read(floods.zstd_bomb(b"\n", 1, 1, raw))
        self.assertEqual(len(seen.report()["incidents"]), 1)

    @unittest.skipUnless(LONG, "takes half a minute")
    def test_zstd_frames_of_blank_lines(self):
        raw = floods.start() + floods.kill_line(2, 5, 1)
        seen = self.read(floods.zstd_bomb(b"\n", 1000, 500, raw))  # 62 GiB
        self.assertEqual(len(seen.report()["incidents"]), 1)
        self.assertIn("inflates to more than 200 times of its size", seen.notes())

    @unittest.skipUnless(LONG, "takes a minute")
    def test_gzip_of_blank_lines(self):
        events = floods.start() + floods.kill_line(2, 5, 1)
        seen = self.read(floods.gzipped(floods.long_line(self.SIZE, events, b"\n")))
        self.assertEqual(len(seen.report()["incidents"]), 1)
        self.assertIn("inflates to more than 200 times of its size", seen.notes())
        log = b"".join(floods.kernel_kills(1))
        self.refused(floods.gzipped(floods.long_line(self.SIZE, log, b"\n")), "standard input",
                     "inflates to more than 200 times of its size", seconds=300)


class Floods(Hostile):
    """Reported as far as the bounds of userspace/model/world.h go, which the report says."""

    def flood(self, chunks, *words, mib=FLOOD, **more):
        seen = self.read(chunks, file=True, mib=mib, **more)
        for word in words:
            self.assertIn(word, seen.notes())
        return seen

    @unittest.skipUnless(LONG, "takes half a minute")
    def test_processes(self):
        self.flood(floods.forks(1_000_000), "times a process was left out")

    @unittest.skipUnless(LONG, "takes half a minute")
    def test_figures(self):
        self.flood(floods.samples(20_000, 70))

    def test_a_line_of_descent(self):
        self.flood(floods.forks(400_000 if LONG else 30_000, chain=True))

    def test_children_that_come_and_go(self):
        self.flood(floods.births_and_deaths(2 ** 16 - 1 - 8192, 400_000))

    def test_children_without_names(self):
        self.flood(floods.unnamed_children(80_000))

    def test_texts(self):
        self.flood(floods.infos(300_000 if LONG else 70_000, "x" * 3000), "times a process's command line")

    def test_inherited_texts(self):
        self.flood(floods.inherited(100_000 if LONG else 3000, True), "times a process's command line")

    def test_kills(self):
        count = 200_000 if LONG else KILLS
        seen = self.flood(floods.kills(count), *["kills left out"] * LONG, seconds=300)
        self.assertEqual(len(seen.report()["incidents"]), min(count, MOST_INCIDENTS))

    def test_kills_of_a_kernel_log(self):
        count = 200_000 if LONG else KILLS
        seen = self.read(floods.kernel_kills(count), mib=FLOOD, seconds=300)
        self.assertEqual(len(seen.report()["incidents"]), min(count, MOST_INCIDENTS))

    def test_kills_of_one_incident(self):
        self.flood(floods.kills(17_000, one_incident=True), "kills left out")

    def test_candidates(self):
        self.flood(floods.candidates(100 if LONG else 2, 20_000))

    def test_cgroups(self):
        self.flood(floods.cgroups(1_000_000 if LONG else 20_000), mib=SMALL)

    def test_trace_ids(self):
        self.flood(floods.traces(100_000 if LONG else 2000), mib=SMALL)

    def test_stream(self):
        count = 1_000_000 if LONG else 10_000
        for chunks in floods.forks(count), floods.kills(count), floods.traces(count // 10):
            self.read(chunks, "stream", file=True, mib=SMALL)


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
