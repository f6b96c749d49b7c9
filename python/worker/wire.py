# What this worker and its parent say to each other: frames over a socket, and the board, which is memory that both see.
#
# The pieces in this folder are one script, put together when Triway is built. It needs the standard library alone, and
# imports little of it, because a worker is not ready before that is done.

import errno
import json
import mmap
import os
import socket
import struct
import sys
import threading
import time

# Kinds of frames.
HELLO, READY, INPUTS, OUTCOMES, DRAIN, BYE = range(1, 7)
# A frame: length of the payload, kind, number of descriptors.
FRAME = struct.Struct("<IBB")
# An input: index, attempt, length; then its bytes.
INPUT = struct.Struct("<QII")
# An outcome: place, beginning, time taken, processor time, slot, status, length; then its bytes.
OUTCOME = struct.Struct("<QQQQIII")
# How an input ended: a JSON value, a failure (JSON), a failure whose thread or coroutine was left behind, or bytes.
DONE, FAILED, LEFT_BEHIND, DONE_BYTES = range(4)

# Processor time that nobody knows.
UNKNOWN = (1 << 64) - 1

# The words of the board; those of the parent are in `board.rs`.
NEXT, OUTBOX, RECALL, DECIDED, FROM, TO, HEEDED = range(7)
CELLS = CELL_WORDS = 8
# In a slot's cell: one more than the place of what it runs, or nothing; since when; whether it holds its thread.
HOLDER, SINCE, HOLDS = range(3)
OUTBOX_BYTES = 128 << 10

# An outcome waits for so long at most (in nanoseconds), if its slot is not held up by its next input.
PATIENCE = 1_000_000
# What makes a frame worth its system call.
FULL_BYTES = 8 << 10
# The most that a frame may hold.
MOST_BYTES = (1 << 30) - OUTCOME.size

now = time.monotonic_ns
spent = time.thread_time_ns


class Gone(Exception):
    """The parent is gone, or wants no more."""


def is_closed(file):
    try:
        os.fstat(file)
    except OSError:
        return True
    return False


class Link:
    """The socket to the parent."""

    def __init__(self, file):
        self.socket = socket.socket(fileno=file)
        self.socket.set_inheritable(False)
        self.rest = b""

    def is_closed(self):
        return is_closed(self.socket.fileno())

    def send(self, kind, *payload):
        sent = [FRAME.pack(sum(map(len, payload)), kind, 0), *payload]
        done = self.socket.sendmsg(sent)
        for part in sent:
            if done < len(part):
                self.socket.sendall(memoryview(part)[done:])
            done = max(0, done - len(part))

    def recv(self, flags=0):
        """The next frame, or None where it is not there yet and must not be waited for."""
        data = self.rest
        while len(data) < FRAME.size:
            try:
                more = self.socket.recv(1 << 16, flags)
            except BlockingIOError:
                self.rest = data
                return None
            if not more:
                raise Gone
            data += more
        length, kind, _ = FRAME.unpack_from(data)
        end = FRAME.size + length
        if len(data) < end:
            self.rest = b""
            return kind, memoryview(self.fill(data, end))[FRAME.size :]
        self.rest = data[end:]
        return kind, data[FRAME.size : end]

    def fill(self, data, end):
        whole = bytearray(end)
        whole[: len(data)] = data
        rest = memoryview(whole)[len(data) :]
        while rest:
            count = self.socket.recv_into(rest, len(rest), socket.MSG_WAITALL)
            if not count:
                raise Gone
            rest = rest[count:]
        return whole


class Board:
    """What this worker does, for its parent to see at any time, also when this process has ended."""

    def __init__(self, file, slots):
        self.bytes = mmap.mmap(file, (CELLS + slots * CELL_WORDS) * 8 + OUTBOX_BYTES)
        os.close(file)
        self.words = memoryview(self.bytes).cast("Q")
        self.outbox_at = (CELLS + slots * CELL_WORDS) * 8
