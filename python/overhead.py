# What Python charges on this machine: one round of `triway overhead`, told as one JSON object on standard output.
# Arguments: the round, from which the order follows, and how many lanes a pool has. Standard library alone.
import asyncio
import concurrent.futures
import json
import multiprocessing
import os
import pickle
import signal
import statistics
import sys
import threading
import time


def end_all(*_):
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


# The program that asked ends this and all that it has started. Where that program was killed itself, nobody would.
signal.signal(signal.SIGALRM, end_all)
signal.alarm(40)

ROUND, LANES = int(sys.argv[1]), int(sys.argv[2])
WAITING_LANES = 100
clock = time.perf_counter


def median_of(count, act):
    """How long it takes, in seconds; half of the times it took less."""
    taken = []
    for _ in range(count):
        began = clock()
        act()
        taken.append(clock() - began)
    return statistics.median(taken)


def nothing():
    pass


async def nothing_async():
    pass


def private_bytes(process="self"):
    """Memory that no other process shares."""
    with open("/proc/%s/smaps_rollup" % process) as lines:
        kib = [int(line.split()[1]) for line in lines if line.startswith(("Private_Clean:", "Private_Dirty:"))]
    return 1024 * sum(kib)


# Starts.

def thread():
    def one():
        started = threading.Thread(target=nothing)
        started.start()
        started.join()
    return {"python.start.thread": median_of(100, one)}


def fork():
    def one():
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
    return {"python.start.fork": median_of(15, one)}


def spawn():
    spawning = multiprocessing.get_context("spawn")

    def one():
        child = spawning.Process(target=int)
        child.start()
        child.join()
        if child.exitcode != 0:
            raise OSError("a spawned process ended with %s" % child.exitcode)
    # The first one also starts what keeps track of shared memory, once a program.
    one()
    return {"python.start.spawn": median_of(1, one)}


def coroutine():
    async def awaited(count):
        began = clock()
        for _ in range(count):
            await nothing_async()
        return (clock() - began) / count

    async def as_tasks(count):
        loop = asyncio.get_running_loop()
        began = clock()
        for _ in range(count):
            await loop.create_task(nothing_async())
        return (clock() - began) / count
    async def in_turn(count):
        async def one():
            for _ in range(count):
                await asyncio.sleep(0)
        began = clock()
        await asyncio.gather(one(), one())
        return (clock() - began) / (2 * count)
    return {
        "python.start.coroutine": asyncio.run(awaited(20000)),
        "python.start.task": asyncio.run(as_tasks(1500)),
        "python.switch.task": asyncio.run(in_turn(1500)),
    }


# Memory.

def memory_of_threads():
    count = 50
    go_on = threading.Event()
    threads = [threading.Thread(target=go_on.wait) for _ in range(count)]
    before = private_bytes()
    try:
        for each in threads:
            each.start()
        time.sleep(0.002)
        grown = private_bytes() - before
    finally:
        go_on.set()
    for each in threads:
        each.join()
    return {"python.memory.thread": grown / count}


def memory_of_fork():
    told, tell = os.pipe()
    held, hold = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hold)
        os.write(tell, b".")
        os.read(held, 1)
        os._exit(0)
    try:
        os.read(told, 1)
        own = private_bytes(child)
    finally:
        for descriptor in (told, tell, held, hold):
            os.close(descriptor)
        os.waitpid(child, 0)
    return {"python.memory.fork": own}


def memory_of_spawn():
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    # Nothing here can be imported by another process; `exec` can.
    held = ("conn.send(1)\nconn.recv()", {"conn": theirs})
    child = spawning.Process(target=exec, args=held, daemon=True)
    child.start()
    try:
        if not ours.poll(20):
            raise OSError("a spawned process did not answer")
        own = private_bytes(child.pid)
    finally:
        child.terminate()
        child.join()
    return {"python.memory.spawn": own}


def memory_of_tasks():
    count = 3000

    async def many():
        go_on = asyncio.Event()
        before = private_bytes()
        tasks = [asyncio.ensure_future(go_on.wait()) for _ in range(count)]
        await asyncio.sleep(0)
        grown = private_bytes() - before
        go_on.set()
        await asyncio.gather(*tasks)
        return grown / count
    return {"python.memory.task": asyncio.run(many())}


# Handing inputs over, through the pools of the standard library.

def per_input(count, run):
    began = clock()
    run(range(count))
    return (clock() - began) / count


def hand_to_nobody():
    def loop(numbers):
        for n in numbers:
            abs(n)
    return {"python.hand.sequential": per_input(50000, loop)}


def hand_to_threads(lanes, name, count):
    began = clock()
    with concurrent.futures.ThreadPoolExecutor(lanes) as pool:
        # A pool starts threads as long as all it has are busy.
        gate = threading.Barrier(lanes + 1)
        for _ in range(lanes):
            pool.submit(gate.wait, 20)
        gate.wait(20)
        ready = clock() - began
        hand = per_input(count, lambda numbers: list(pool.map(abs, numbers)))
    return {"python.ready." + name: ready, "python.hand." + name: hand}


def hand_to_few_threads():
    return hand_to_threads(LANES, "threads", 1000)


def hand_to_many_threads():
    return hand_to_threads(WAITING_LANES, "threads_100", 1000)


def hand_to_processes():
    began = clock()
    with concurrent.futures.ProcessPoolExecutor(LANES) as pool:
        # So long that no process takes two of them.
        list(pool.map(time.sleep, [0.005] * LANES))
        ready = clock() - began - 0.005
        hand = per_input(300, lambda numbers: list(pool.map(abs, numbers)))
        times = parallel(pool)
    return {
        "python.ready.processes": max(ready, 0.0),
        "python.hand.processes": hand,
        "python.parallel.processes": times,
    }


def hand_to_coroutines():
    async def lane(n, limit):
        async with limit:
            await nothing_async()

    async def gathered(count):
        limit = asyncio.Semaphore(WAITING_LANES)
        began = clock()
        await asyncio.gather(*[lane(n, limit) for n in range(count)])
        return (clock() - began) / count
    return {"python.hand.async": asyncio.run(gathered(1500)), "python.ready.async": median_of(3, new_loop)}


def new_loop():
    asyncio.run(nothing_async())


# Side by side.

def parallel(pool):
    """How many times as fast a pool adds up as one thread alone: the fastest of three turns each, because what disturbs the
    machine only ever adds to a time."""
    numbers = [range(400000)] * (2 * LANES)
    alone, together = [], []
    for _ in range(3):
        alone.append(median_of(1, lambda: [sum(each) for each in numbers]))
        together.append(median_of(1, lambda: list(pool.map(sum, numbers))))
    return min(alone) / min(together)


def parallel_threads():
    with concurrent.futures.ThreadPoolExecutor(LANES) as pool:
        list(pool.map(time.sleep, [0.001] * LANES))
        return {"python.parallel.threads": parallel(pool)}


def lock():
    """How late a thread comes to run that wakes up, while another computes and while none does."""
    def late():
        due = clock() + 0.001
        time.sleep(0.001)
        return clock() - due
    alone = statistics.median(late() for _ in range(12))
    stop = threading.Event()

    def compute():
        while not stop.is_set():
            for _ in range(2000):
                pass
    computing = threading.Thread(target=compute)
    computing.start()
    try:
        contended = statistics.median(late() for _ in range(12))
    finally:
        stop.set()
        computing.join()
    return {"python.lock.free": max(alone, 0.0), "python.lock.contended": max(contended, 0.0)}


def pickled():
    numbers = list(range(1000000))
    return {"python.share.pickled": median_of(1, lambda: pickle.loads(pickle.dumps(numbers)))}


PROBES = [
    (thread, ["python.start.thread"]),
    (fork, ["python.start.fork"]),
    (spawn, ["python.start.spawn"]),
    (coroutine, ["python.start.coroutine", "python.start.task", "python.switch.task"]),
    (memory_of_threads, ["python.memory.thread"]),
    (memory_of_fork, ["python.memory.fork"]),
    (memory_of_spawn, ["python.memory.spawn"]),
    (memory_of_tasks, ["python.memory.task"]),
    (hand_to_nobody, ["python.hand.sequential"]),
    (hand_to_few_threads, ["python.hand.threads", "python.ready.threads"]),
    (hand_to_many_threads, ["python.hand.threads_100", "python.ready.threads_100"]),
    (hand_to_processes, ["python.hand.processes", "python.ready.processes", "python.parallel.processes"]),
    (hand_to_coroutines, ["python.hand.async", "python.ready.async"]),
    (parallel_threads, ["python.parallel.threads"]),
    (lock, ["python.lock.free", "python.lock.contended"]),
    (pickled, ["python.share.pickled"]),
]


def main():
    figures, missing = {}, {}
    first = ROUND % len(PROBES)
    for probe, names in PROBES[first:] + PROBES[:first]:
        try:
            figures.update(probe())
        except Exception as error:
            why = str(error) or type(error).__name__
            missing.update((name, "Python said: " + why) for name in names)
    has_gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    print(json.dumps({
        "version": "%d.%d.%d" % sys.version_info[:3],
        "implementation": sys.implementation.name,
        "executable": sys.executable,
        "free_threaded": not has_gil,
        "switch_interval_s": sys.getswitchinterval(),
        "start_method": multiprocessing.get_start_method(),
        "figures": figures,
        "missing": missing,
    }))


if __name__ == "__main__":
    main()
