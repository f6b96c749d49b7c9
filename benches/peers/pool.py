"""Prints how many seconds multiprocessing.Pool needs for 16 payloads of 8 MB on 2 processes, as often as asked."""

import multiprocessing
import os
import sys
import time


def size(payload):
    return len(payload)


if __name__ == "__main__":
    payloads = [os.urandom(8_000_000) for _ in range(16)]
    with multiprocessing.Pool(2) as pool:
        pool.map(size, payloads[:2], chunksize=1)
        for _ in range(int(sys.argv[1])):
            began = time.perf_counter()
            pool.map(size, payloads, chunksize=1)
            print(time.perf_counter() - began, flush=True)
