# SPDX-License-Identifier: Apache-2.0
"""Reads the kernel log by sequence numbers, so that a test looks at its own kill only and notices lost records."""
import errno
import os
import re


class LostRecords(Exception):
    """The log overwrote records before they were read."""


class Kmsg:
    """Records of /dev/kmsg (Documentation/ABI/testing/dev-kmsg) from the moment of construction on."""

    def __init__(self):
        self.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self.fd, 0, os.SEEK_END)
        self.next_seq = None

    def close(self):
        os.close(self.fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def lines(self):
        """The message lines that came since the last call; a record of several lines is split."""
        found = []
        while True:
            try:
                record = os.read(self.fd, 8192)
            except OSError as error:
                if error.errno == errno.EAGAIN:
                    return found
                if error.errno == errno.EPIPE:
                    raise LostRecords("the kernel log was overwritten before it was read") from error
                raise
            head, _, rest = record.decode("utf-8", "replace").partition(";")
            sequence = int(head.split(",")[1])
            if self.next_seq is not None and sequence != self.next_seq:
                raise LostRecords(f"records {self.next_seq} to {sequence - 1} are missing")
            self.next_seq = sequence + 1
            message = rest.split("\n", 1)[0]  # dictionary lines follow, each after a blank
            message = re.sub(r"\\x([0-9a-f]{2})", lambda match: chr(int(match[1], 16)), message)
            found += message.split("\n")
