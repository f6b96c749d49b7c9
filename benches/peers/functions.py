"""The functions that both sides call, and the standard library's pools around them."""

import asyncio
import multiprocessing
import sys
import time
from concurrent.futures import ThreadPoolExecutor


def nop(x):
    return x


async def nop_async(x):
    return x


def nap(x):
    time.sleep(0.02)
    return x


async def nap_async(x):
    await asyncio.sleep(0.02)
    return x


def busy(milliseconds):
    until = time.thread_time() + milliseconds / 1000
    while time.thread_time() < until:
        pass


def timed(name, function, count):
    began = time.perf_counter()
    function()
    print(name, (time.perf_counter() - began) * 1e9 / count, flush=True)


def main(count):
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(nop, range(99)))
        timed("ThreadPoolExecutor.map", lambda: list(pool.map(nop, range(count))), count)
    with multiprocessing.Pool(2) as pool:
        list(pool.imap(nop, range(99)))
        timed("Pool.imap", lambda: list(pool.imap(nop, range(count))), count)

    async def many():
        return await asyncio.gather(*[nop_async(n) for n in range(count)])

    timed("asyncio.gather", lambda: asyncio.run(many()), count)


if __name__ == "__main__":
    main(int(sys.argv[1]))
