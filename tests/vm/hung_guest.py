# SPDX-License-Identifier: Apache-2.0
"""What a guest that does not go on is asked before it is ended: its kernel's own account of itself, on the console.

A serial break makes the next character a command for the kernel (Documentation/admin-guide/sysrq.rst); QEMU's monitor
sends it (chardev-send-break). A kernel that does not answer leaves its registers (info registers).
"""
import queue
import re
import socket
import time

CONSOLE = "console"  # the character device of the serial port
LOUD = "9"           # or the answers go to the log alone
# Backtraces of the running processors, blocked tasks, memory, all tasks.
QUESTIONS = "lwmt"
SILENT_SECONDS = 3  # after which no more of an answer comes
ANSWER_SECONDS = 30


def arguments(monitor):
    """Of QEMU: a serial port on standard input and output, and a monitor on the socket of this path."""
    return ["-chardev", f"stdio,id={CONSOLE},signal=off", "-serial", f"chardev:{CONSOLE}",
            "-monitor", f"unix:{monitor},server=on,wait=off"]


def until_prompt(line):
    """What the monitor says up to its next prompt."""
    told = b""
    while not told.endswith(b"(qemu) "):
        part = line.recv(1 << 16)
        if not part:
            raise OSError("it hung up")
        told += part
    return told.decode("utf-8", "replace")


def until_silent(heard):
    """Takes lines of the console for as long as they come, and no longer than an answer may take."""
    end = time.monotonic() + ANSWER_SECONDS
    try:
        while time.monotonic() < end:
            heard.get(timeout=SILENT_SECONDS)
    except queue.Empty:
        return


def ask(monitor, keyboard, heard):
    """Writes the questions; the answers go where the console goes, and `heard`, a queue, has their lines as they come.
    Returns what the monitor tells of the registers."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(SILENT_SECONDS)
            line.connect(monitor)
            until_prompt(line)
            line.sendall(b"info registers -a\n")
            told = until_prompt(line)
            for key in LOUD + QUESTIONS:
                line.sendall(f"chardev-send-break {CONSOLE}\n".encode())
                until_prompt(line)
                keyboard.write(key.encode())
                keyboard.flush()
                until_silent(heard)
            return told
    except OSError as error:
        return f"its monitor does not answer: {error}"


def running(console):
    """["far at get_page_from_freelist+0x30d", ...]: what each processor did, by the kernel's answer on the console."""
    _, _, answer = console.partition("Show backtrace of all active CPUs")
    answer, _, _ = answer.partition("Show Blocked State")
    return [f"{name} at {place}" for name, place in
            re.findall(r"CPU: \d+ PID: \d+ Comm: (\S+)(?:(?!CPU: ).)*?RIP: 0010:(\S+?)/", answer, re.DOTALL)]
