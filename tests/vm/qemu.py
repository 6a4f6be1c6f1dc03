# SPDX-License-Identifier: Apache-2.0
"""One guest in QEMU: its boot, what it says on the serial port, and the results it leaves on a disk."""
import os
import queue
import re
import subprocess
import tarfile
import tempfile
import threading
import time

import expect
import hung_guest

SWAP_BYTES = 64 << 20
RESULT_BYTES = 256 << 20
# Where the host starves an emulated CPU while its timers are calibrated, a kernel may hang before its first process.
BOOT_SECONDS = 150
BOOT_TRIES = 3
NODES_MIB = (expect.GUEST_NODE_MIB, expect.GUEST_NODE_MIB)


def say(text):
    print(text, flush=True)


class Guest:
    """One boot. Results land in `directory`, a folder for each session. `nodes_mib` is the memory of each NUMA node;
    `disks` are files that outlive the boot, by serial."""

    def __init__(self, kernel, initramfs, sessions, directory, host_name="matrix", nodes_mib=NODES_MIB,
                 swap_bytes=SWAP_BYTES, disks=None):
        self.kernel, self.initramfs, self.directory, self.host_name = kernel, initramfs, directory, host_name
        self.nodes_mib, self.swap_bytes, self.disks = nodes_mib, swap_bytes, disks or {}
        self.sessions = [session.name for session in sessions]
        # "NAME:plan" is a session without its scenarios
        self.words = [session.name if session.has_feature(kernel["line"]) else session.name + ":plan"
                      for session in sessions]
        self.progress, self.problems, self.hung_at = [], [], []
        self.heard = queue.SimpleQueue()  # lines of the console
        self.seconds = 0.0

    def command(self, disks, monitor):
        command = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", str(expect.GUEST_CPUS),
                   "-m", f"{sum(self.nodes_mib)}M"]
        for number, mib in enumerate(self.nodes_mib if len(self.nodes_mib) > 1 else ()):
            command += ["-object", f"memory-backend-ram,size={mib}M,id=memory{number}",
                        "-numa", f"node,nodeid={number},cpus={number},memdev=memory{number}"]
        for serial, path in disks.items():
            command += ["-drive", f"file={path},if=none,id={serial},format=raw,cache=unsafe",
                        "-device", f"nvme,drive={serial},serial={serial}"]
        # A busy host starves the guest's timer for long enough to fail the kernel's check of it.
        arguments = ("console=ttyS0 quiet panic=-1 no_timer_check nowatchdog log_buf_len=16M sysrq_always_enabled "
                     f"matrix.host={self.host_name} matrix.sessions={','.join(self.words)}")
        return command + ["-kernel", os.path.join(self.kernel["dir"], "vmlinuz"), "-initrd", self.initramfs,
                          "-append", arguments, "-display", "none", "-no-reboot", "-nic", "none",
                          *hung_guest.arguments(monitor)]

    def run(self, timeout, verbose):
        with tempfile.TemporaryDirectory(prefix="oomtrace-vm-") as scratch:
            disks = dict(self.disks)
            for name, size in (("swap", self.swap_bytes), ("results", RESULT_BYTES)):
                disks[name] = os.path.join(scratch, name)
                with open(disks[name], "wb") as file:
                    file.truncate(size)
            begun = time.monotonic()
            for attempt in range(BOOT_TRIES):
                monitor = os.path.join(scratch, f"monitor{attempt}")
                self.boot(self.command(disks, monitor), monitor, timeout, verbose)
                if self.progress:
                    break
                say(f"{self.kernel['release']}: did not boot in {BOOT_SECONDS} s (try {attempt + 1} of {BOOT_TRIES})")
            if not any(line.startswith("done") for line in self.progress):
                last = self.progress[-1] if self.progress else "nothing"
                self.problems.append(f"the guest did not finish in time or died; its last word was: {last}; running: "
                                     f"{', '.join(self.hung_at) or 'not known'}")
            self.seconds = time.monotonic() - begun
            self.unpack(disks["results"])

    def end_hung(self, process, monitor):
        registers = hung_guest.ask(monitor, process.stdin, self.heard)
        with open(os.path.join(self.directory, "registers.txt"), "w", encoding="utf-8") as file:
            file.write(registers)
        with open(os.path.join(self.directory, "console.txt"), encoding="utf-8") as file:
            self.hung_at = hung_guest.running(file.read())
        process.kill()

    def boot(self, command, monitor, timeout, verbose):
        console = open(os.path.join(self.directory, "console.txt"), "w", buffering=1, encoding="utf-8")
        with console, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT) as process:
            timers = [threading.Timer(timeout, self.end_hung, (process, monitor)),
                      threading.Timer(BOOT_SECONDS, lambda: self.progress or process.kill())]
            for timer in timers:
                timer.start()
            for raw in process.stdout:
                line = raw.decode("utf-8", "replace").rstrip()
                console.write(line + "\n")
                self.heard.put(line)
                told = re.search(r"MATRIX (\w+) ?(.*)", line)
                if not told:
                    continue
                if verbose:
                    say(f"  {self.kernel['line']}: {told[1]} {told[2]}")
                self.progress.append(told[1] + " " + told[2])
                if told[1] == "problem":
                    self.problems.append(told[2])
            for timer in timers:
                timer.cancel()

    def unpack(self, disk):
        try:
            with tarfile.open(disk, "r:", ignore_zeros=True) as archive:
                for member in archive:
                    path = os.path.normpath(member.name)
                    if path.startswith(("/", "..")) or not (member.isfile() or member.isdir()):
                        continue
                    archive.extract(member, self.directory)
        except (tarfile.TarError, OSError) as error:
            self.problems.append(f"results cannot be read: {error}")
