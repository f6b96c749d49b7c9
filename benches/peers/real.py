"""Functions as people have them, and the standard library's executors around them, timed by hand.

`python real.py` prints for each function the seconds that a loop, ThreadPoolExecutor and multiprocessing.Pool take, all of
them without their start; `triway compare py real.py:NAME` compares the same function on the same inputs (`python real.py
inputs NAME` prints them).
"""

import hashlib
import json
import multiprocessing
import os
import re
import sqlite3
import statistics
import sys
import tempfile
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

TEXT = ("The quick brown fox jumps over 13 lazy dogs at 12:34, mail: a.b@example.org; " * 4000).encode()
WORDS = TEXT.decode()
TABLE = [{"id": n, "name": "user %d" % n, "tags": ["a", "b", str(n)]} for n in range(3000)]


def hashed(n):
    return hashlib.sha256(TEXT * 12 + b"%d" % n).hexdigest()


def matched(n):
    return len(re.findall(r"[\w.]+@[\w.]+|\d+:\d+", WORDS[n:]))


def dumped(n):
    return len(json.dumps(json.loads(json.dumps(TABLE)), indent=n % 2))


def compressed(n):
    return len(zlib.compress(TEXT * 3 + b"%d" % n, 9))


def queried(n):
    connection = sqlite3.connect(":memory:")
    rows = connection.execute(
        "with recursive c(x) as (select 1 union all select x + 1 from c where x < ?) select sum(x * x % 7) from c",
        (100_000 + n,),
    )
    return rows.fetchone()[0]


def slept(n):
    time.sleep(0.02)
    return n


def multiplied(n):
    import numpy

    numbers = numpy.random.default_rng(n).random((400, 400))
    return round(float((numbers @ numbers).sum()), 3)


def requested(n):
    import requests

    return requests.get("%s/delay/0.05?n=%d" % (os.environ["HTTPBIN"], n)).status_code


FUNCTIONS = [hashed, matched, dumped, compressed, queried, slept, multiplied, requested]
COUNT = 24
WORKERS = 4


def timed(call):
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def by_hand(function, rounds=5):
    inputs = range(COUNT)
    figures = {"sequential": [], "threads": [], "processes": []}
    with ThreadPoolExecutor(WORKERS) as threads, multiprocessing.Pool(WORKERS) as processes:
        list(threads.map(function, inputs))
        processes.map(function, inputs, 1)
        for _ in range(rounds):
            figures["sequential"].append(timed(lambda: list(map(function, inputs))))
            figures["threads"].append(timed(lambda: list(threads.map(function, inputs))))
            figures["processes"].append(timed(lambda: processes.map(function, inputs, 1)))
    return {name: statistics.median(times) for name, times in figures.items()}


def main(arguments):
    if arguments[:1] == ["inputs"]:
        print("\n".join(str(n) for n in range(COUNT)))
        return
    for function in FUNCTIONS:
        if arguments and function.__name__ not in arguments:
            continue
        try:
            figures = by_hand(function)
        except (ImportError, KeyError) as error:
            print("%-10s skipped: %s" % (function.__name__, error))
            continue
        print("%-10s" % function.__name__, " ".join("%s %.3f" % item for item in figures.items()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
