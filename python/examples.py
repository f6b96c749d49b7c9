"""Functions that people argue about: what each of them does while it runs decides which model is best for it."""

import fcntl
import hashlib
import sqlite3
import time
import urllib.request


def sqrt(n):
    """Holds the interpreter's lock all the time."""
    return sum(i**0.5 for i in range(n))


def fetch(url):
    """Waits for a server."""
    with urllib.request.urlopen(url) as answer:
        return len(answer.read())


def batches(numbers):
    """Little work for much data, which has to reach the interpreter first."""
    return sum(n for n in numbers if n % 2 == 0)


def insert(row):
    """Waits for a disk, and for the one writer that SQLite has at a time."""
    path, n = row
    with sqlite3.connect(path, timeout=60) as connection:
        connection.execute("create table if not exists rows(n)")
        connection.execute("insert into rows values (?)", (n,))
    connection.close()
    return n


# Made once: to ask the system for so much memory at each call would be most of what is measured.
BLOCK = b"x" * (4 << 20)


def digest(n):
    """C code that lets go of the interpreter's lock while it computes."""
    return hashlib.sha256(BLOCK).hexdigest()[:8] + str(n)


def tiny(x):
    """Less work than it takes to hand over."""
    return x + 1


async def fake_async(seconds):
    """Async by name alone: it never lets go of the event loop."""
    time.sleep(seconds)
    return seconds


def locked(path):
    """Waits for something of which there is one on the whole machine."""
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        time.sleep(0.02)
    return True
