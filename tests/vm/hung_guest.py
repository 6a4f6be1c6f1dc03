# SPDX-License-Identifier: Apache-2.0
"""What a guest that does not go on is asked before it is ended: its kernel's own account of itself, on the console.

A serial break makes the next character a command for the kernel (Documentation/admin-guide/sysrq.rst); QEMU's monitor
sends it (chardev-send-break). A kernel that does not answer leaves its registers (info registers).
"""
import re
import socket
import time

CONSOLE = "console"  # the character device of the serial port
LOUD = "9"           # or the answers go to the log alone
# Backtraces of the running processors, blocked tasks, memory, all tasks.
QUESTIONS = "lwmt"
ANSWER_SECONDS = 3


def arguments(monitor):
    """Of QEMU: a serial port on standard input and output, and a monitor on the socket of this path."""
    return ["-chardev", f"stdio,id={CONSOLE},signal=off", "-serial", f"chardev:{CONSOLE}",
            "-monitor", f"unix:{monitor},server=on,wait=off"]


def ask(monitor, keyboard):
    """Writes the questions; the answers go where the console goes. Returns what the monitor tells of the registers."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(ANSWER_SECONDS)
            line.connect(monitor)
            line.sendall(b"info registers -a\n")
            time.sleep(1)
            told = line.recv(1 << 16).decode("utf-8", "replace")
            for key in LOUD + QUESTIONS:
                line.sendall(f"chardev-send-break {CONSOLE}\n".encode())
                time.sleep(0.5)
                keyboard.write(key.encode())
                keyboard.flush()
                time.sleep(ANSWER_SECONDS)
            return told
    except OSError as error:
        return f"its monitor does not answer: {error}"


def running(console):
    """["far at get_page_from_freelist+0x30d", ...]: what each processor did, by the kernel's answer on the console."""
    _, _, answer = console.partition("Show backtrace of all active CPUs")
    answer, _, _ = answer.partition("Show Blocked State")
    return [f"{name} at {place}" for name, place in
            re.findall(r"CPU: \d+ PID: \d+ Comm: (\S+)(?:(?!CPU: ).)*?RIP: 0010:(\S+?)/", answer, re.DOTALL)]
