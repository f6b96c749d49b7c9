"""Runs inputs of 1 ms on 2 worker processes of a peer, kills workers at random moments, and prints as JSON what came back.

python kills.py PEER INPUTS KILLS SECONDS
"""

import json
import os
import random
import signal
import sys
import threading
import time


def work(index):
    time.sleep(0.001)
    return index


def futures(executor, count):
    handed = [executor.submit(work, index) for index in range(count)]
    done, failed = 0, 0
    for future in handed:
        try:
            future.result()
            done += 1
        except BaseException:
            failed += 1
    return done, failed


def concurrent(count):
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(2) as executor:
        return futures(executor, count)


def loky(count):
    from loky import get_reusable_executor

    return futures(get_reusable_executor(max_workers=2), count)


def pebble(count):
    from pebble import ProcessPool

    with ProcessPool(max_workers=2) as pool:
        handed = [pool.schedule(work, args=[index]) for index in range(count)]
        done, failed = 0, 0
        for future in handed:
            try:
                future.result()
                done += 1
            except BaseException:
                failed += 1
        return done, failed


def mpire(count):
    from mpire import WorkerPool

    with WorkerPool(2) as pool:
        done = 0
        try:
            for _ in pool.imap_unordered(work, range(count), chunk_size=1):
                done += 1
        except BaseException:
            pass
        return done, count - done


def children():
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as stat:
                fields = stat.read().rsplit(") ", 1)[1].split()
            with open(f"/proc/{pid}/cmdline") as line:
                command = line.read()
        except OSError:
            continue
        helper = "resource_tracker" in command or "forkserver" in command
        if fields[1] == str(os.getpid()) and fields[0] != "Z" and not helper:
            found.append(int(pid))
    return found


def kill(kills, over, count):
    random.seed(7)
    pause = count * 0.0005 / (kills + 1)
    while not over.is_set() and killed[0] < kills:
        time.sleep(random.uniform(0.5, 1.5) * pause)
        workers = children()
        if workers:
            try:
                os.kill(random.choice(workers), signal.SIGKILL)
                killed[0] += 1
            except OSError:
                pass


killed = [0]

if __name__ == "__main__":
    peer, count, kills, patience = sys.argv[1], *map(int, sys.argv[2:5])
    over = threading.Event()

    def give_up():
        answer = {"done": None, "failed": None, "killed": killed[0], "hung": True, "seconds": patience}
        print(json.dumps(answer), flush=True)
        for worker in children():
            os.kill(worker, signal.SIGKILL)
        os._exit(0)

    watch = threading.Timer(patience, give_up)
    watch.daemon = True
    watch.start()
    began = time.perf_counter()
    killer = threading.Thread(target=kill, args=(kills, over, count), daemon=True)
    killer.start()
    try:
        done, failed = globals()[peer](count)
    except BaseException as error:
        done, failed = None, repr(error)
    over.set()
    seconds = time.perf_counter() - began
    print(json.dumps({"done": done, "failed": failed, "killed": killed[0], "hung": False, "seconds": seconds}), flush=True)
    os._exit(0)
