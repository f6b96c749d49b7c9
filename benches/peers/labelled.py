"""The Python functions of the labelled set: what each of them does while it runs decides which model is best for it."""

import asyncio
import fcntl
import hashlib
import json
import os
import re
import sqlite3
import time
import urllib.request
import zlib

TEXT = b" ".join(b"%d squared is %d" % (n, n * n) for n in range(8000))
WORDS = " ".join(f"key{n}=value{n * 7919 % 1000};" for n in range(4000))
PAIR = re.compile(r"(\w+?)(\d+)=(\w+?)(\d+);")


def compute(seconds):
    """Python code for so long, by the thread's own clock: it holds the interpreter's lock."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def sqrt(n):
    return sum(i**0.5 for i in range(n))


def digest(n):
    return hashlib.sha256(bytes(4 << 20)).hexdigest()[:8] + str(n)


def deflate(n):
    return len(zlib.compress(TEXT, 6)) + n


def tiny(x):
    return x + 1


def sleep(seconds):
    time.sleep(seconds)
    return seconds


async def sleep_async(seconds):
    await asyncio.sleep(seconds)
    return seconds


async def fake_async(seconds):
    time.sleep(seconds)
    return seconds


async def mixed_async(milliseconds):
    compute(milliseconds / 1000)
    await asyncio.sleep(milliseconds * 10 / 1000)
    return milliseconds


def mixed(milliseconds):
    """As long a wait as there is computing."""
    compute(milliseconds / 1000)
    time.sleep(milliseconds / 1000)
    return milliseconds


def locked(path):
    """Of this there is one on the whole machine."""
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        time.sleep(0.01)
    return True


def search(n):
    return sum(int(match[2]) for match in PAIR.finditer(WORDS)) + n


def large_result(n):
    return [{"n": i, "text": "x" * 40, "half": i / 2} for i in range(n)]


def dumped(n):
    return len(json.dumps(large_result(n)))


def total(numbers):
    return sum(numbers)


def crowded(folder):
    """Fails when more than eight run at once. Each place is a file's lock, so that whoever dies gives his back."""
    for place in range(8):
        file = open(os.path.join(folder, f"place{place}"), "w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        with file:
            time.sleep(0.02)
            return True
    raise RuntimeError("no place is free")


def insert(row):
    path, n = row
    connection = sqlite3.connect(path, timeout=60)
    with connection:
        connection.execute("create table if not exists rows(n)")
        connection.execute("insert into rows values (?)", (n,))
    connection.close()
    return n


def read(path):
    with open(path, "rb") as file:
        return zlib.crc32(file.read())


def fetch(url):
    with urllib.request.urlopen(url) as answer:
        return len(answer.read())
