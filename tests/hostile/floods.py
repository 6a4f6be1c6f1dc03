# SPDX-License-Identifier: Apache-2.0
"""Inputs made to take time and memory, as chunks of bytes: none of them is ever whole in memory."""
import io
import itertools
import json
import operator
import re
import zlib

MIB = 1 << 20
START = 7  # ns since boot
KERNEL_KILL = ("Nov 26 10:00:00 host kernel: [{0}.{1:06d}] Out of memory: Killed process {2} (eater) total-vm:90000kB, "
               "anon-rss:80000kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:200kB oom_score_adj:0\n")


def line(seq, event, trace_id="t", **members):
    return json.dumps({"ts": "2026-11-26T10:00:00.000000000Z", "boot_ns": min(1000 * seq, 2 ** 62), "seq": seq, "trace_id": trace_id,
                       "boot_id": "00000000-0000-4000-8000-000000000001", "event": event, **members},
                      separators=(",", ":")).encode() + b"\n"


def start(trace_id="t"):
    return line(1, "trace.start", trace_id, schema="oomtrace.event/1", trace={"source": "live", "tool_version": "0"},
                system={"page_size_bytes": 4096, "cpus": 2})


def process(pid, start_ns=START, **members):
    return {"pid": pid, "start_boot_ns": start_ns, "comm": "python3", **members}


MEMORY = {"anon_bytes": 4096, "file_bytes": 0, "shmem_bytes": 0, "swap_bytes": 0, "pgtables_bytes": 4096,
          "total_vm_bytes": 8192}


def batched(lines, size=2000):
    lines = iter(lines)
    while chunk := b"".join(itertools.islice(lines, size)):
        yield chunk


def filled(template, values, seq=2):
    """The line `template` for each value, in place of 77777, and for each seq, in place of 88888; for what is one less
    than the value there is 66666."""
    places = {b"88888": 0, b"77777": 1, b"66666": 2}
    order = operator.itemgetter(*(places[found] for found in re.findall(b"88888|77777|66666", template)))
    form = re.sub(b"88888|77777|66666", b"%d", template.replace(b"%", b"%%"))
    for number, value in enumerate(values, seq):
        yield form % order((number, value, value - 1))


def forks(count, chain=False):
    """`count` processes that are born and never end; of one parent, or each of the one before."""
    child = line(88888, "process.fork", process=process(
        77777, parent_pid=66666 if chain else 1, user={"id": 0}, clone_flags=0,
        parent={"start_boot_ns": START, "comm": "python3"}), memory=MEMORY)
    yield start()
    yield from batched(filled(child, range(2, count + 2)))


def births_and_deaths(living, dying):
    """Children of one parent: so many that stay, and then so many that end at once."""
    child = line(88888, "process.fork", process=process(
        77777, parent_pid=1, user={"id": 0}, clone_flags=0, parent={"start_boot_ns": START, "comm": "python3"}))
    end = line(88888, "process.exit", process=process(77777, exit={"wait_status": 0}))
    yield start()
    yield from batched(filled(child, range(2, living + 2)))
    seq = living + 2
    for pid in range(seq, seq + dying):
        yield from filled(child, [pid], seq)
        yield from filled(end, [pid], seq + 1)
        seq += 2


def unnamed_children(count):
    """Children of a trainer that PyTorch had time to name, and did not."""
    yield start()
    yield line(2, "process.info", process=process(1, command_line="python3 train.py", threads=["pt_autograd_0"]))
    yield from batched(filled(line(88888, "process.fork", process=process(
        77777, parent_pid=1, clone_flags=0, parent={"start_boot_ns": START, "comm": "python3"})), range(2, count + 2), 3))
    sample = line(count + 10, "process.memory", process=process(77777, parent_pid=1), memory=MEMORY, reason="snapshot")
    sample = re.sub(rb'"boot_ns":\d+', b'"boot_ns":%d' % (60 * 10 ** 9), re.sub(rb'"seq":\d+', b'"seq":88888', sample))
    yield from batched(filled(sample, range(2, count + 2), count + 10))


def escaped_newlines(lines, count):
    """Lines with so many newlines that the log's keeper escaped, and more signs that begin another kind of them."""
    yield next(kernel_kills(1))
    for _ in range(lines):
        yield b"Nov 26 10:00:01 host kernel: " + b"\\x0a" * count + b"#" * (4 * count) + b"\n"


def infos(count, text, **more):
    """`count` processes, each with `text` in its environment and a parent that nobody knows."""
    yield start()
    yield from batched(filled(line(88888, "process.info", process=process(
        77777, parent_pid=4_000_000_000, command_line="python3 train.py", environment={"A": text}, **more)),
        range(2, count + 2)))


def inherited(count, megabyte):
    """One process with a great environment, and `count` forks that inherit it."""
    environment = {f"V{i}": "x" * 4000 for i in range(250)} if megabyte else {}
    yield start()
    yield line(2, "process.info", process=process(1, command_line="sh", environment=environment))
    yield from batched(filled(line(88888, "process.fork", process=process(
        77777, parent_pid=1, clone_flags=0, parent={"start_boot_ns": START, "comm": "sh"})), range(3, count + 3), 3))


def kill_line(seq, pid, incident, **more):
    return line(seq, "oom.kill", process=process(pid), memory=MEMORY,
                oom={"incident_id": incident, "domain": "global", "decided_by": "kernel",
                     "constraint": "CONSTRAINT_NONE", "total_pages": 1000000, "points": 900, **more})


def kills(count, one_incident=False):
    yield start()
    template = kill_line(88888, 77777, 55555)
    if one_incident:
        yield from batched(filled(template.replace(b"55555", b"1"), range(2, count + 2)))
    else:
        yield from batched(filled(template.replace(b"55555", b"77777"), range(2, count + 2)))


def candidates(incidents, rows):
    """Scans without end, of few processes each."""
    yield start()
    template = line(88888, "oom.candidate", process=process(77777, oom_score_adj=0), memory=MEMORY,
                    cgroup={"id": 5, "path": "/" + "c" * 200},
                    oom={"incident_id": 55555, "provenance": "kernel_walk", "points": 5})
    for incident in range(1, incidents + 1):
        yield from batched(filled(template.replace(b"55555", b"%d" % incident), range(2, rows + 2), incident * rows))


def samples(processes, rounds):
    """Memory that moves with each event, of many processes."""
    yield start()
    template = line(88888, "process.memory", process=process(77777), memory={**MEMORY, "anon_bytes": 4040404},
                    faults={"fresh": 1}, reason="moved")
    for turn in range(rounds):
        yield from batched(filled(template.replace(b"4040404", b"%d" % (4096 * (turn + 1))).replace(
            b"88888000", b"%d" % ((turn + 1) * 10 ** 9)), range(2, processes + 2), 2 + turn * processes))


def cgroups(count):
    yield start()
    yield from batched(filled(line(88888, "cgroup.memory", cgroup={"id": 77777, "path": "/x77777", "version": 2},
                                   memory={"usage_bytes": 77777}), range(2, count + 2)))


def traces(count):
    for number in range(count):
        yield start(f"{number:08}") + line(2, "process.info", f"{number:08}", process=process(5, command_line="x"))


def long_line(size, head=b"", byte=b"a"):
    yield head
    block = byte * MIB
    for _ in range(size // MIB):
        yield block


def list_without_end(size):
    yield start()
    yield line(2, "process.info", process=process(5, command_line="x"))[:-2] + b',"list":["'
    yield from long_line(size, byte=b'",')
    yield b'"]}\n' + kill_line(3, 5, 1)


def nested(depth, head=b'{"a":'):
    """One line: brackets that open, and close nowhere."""
    yield head + b"[" * depth


def nested_event(depth):
    text = kill_line(2, 5, 1)[:-2]
    yield start() + text + b',"deep":' + b"[" * depth + b"]" * depth + b"}\n" + kill_line(3, 6, 2)


def kernel_kills(count):
    yield from batched((KERNEL_KILL.format(1000 + i * 10, i % 1000000, 2 + i % 4_000_000).encode()
                        for i in range(count)))


def kernel_junk(size):
    """What begins every kind of report, and ends none."""
    block = (b"kernel: python3 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
             b"kernel: [    123]     0   123  10000  10000  90000  0  0 python3\n"
             b"kernel: Killed process 1\x1b[2J " + b"\xff" * 40 + b"\n"
             b'{"MESSAGE":"' + b"[" * 200 + b"oom-kill:constraint=" + b"," * 200 + b"\n") * 100
    for _ in range(size // len(block)):
        yield block


def gzipped(chunks, level=9):
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    for chunk in chunks:
        if packed := packer.compress(chunk):
            yield packed
    yield packer.flush()


def zstd_frame(byte, blocks, raw=b""):
    """A frame of blocks of 128 KiB of one byte each, in four bytes each (RFC 8878, 3.1.1), behind one of `raw`."""
    frame = io.BytesIO()
    frame.write(b"\x28\xb5\x2f\xfd\x00\x38")  # no checksum, no size; a window of 128 KiB
    if raw:
        frame.write((len(raw) << 3).to_bytes(3, "little") + raw)
    for number in range(blocks):
        last = number + 1 == blocks
        frame.write(((128 << 10) << 3 | 1 << 1 | last).to_bytes(3, "little") + byte)
    return frame.getvalue()


def zstd_bomb(byte, frames, blocks, raw=b""):
    frame = zstd_frame(byte, blocks)
    yield zstd_frame(byte, blocks, raw) if raw else frame
    for _ in range(frames - 1):
        yield frame


def size_of(chunks):
    return sum(len(chunk) for chunk in chunks)
