"""Polars on the same numbers: makes the files, then does what it is told, a word a line, and says how long it took."""

import glob
import sys
import time

import polars as pl

folder = sys.argv[1]
# A cheap generator that needs nothing but Polars.
numbers = (pl.int_range(8_000_000, eager=True) * 2_654_435_761 % 4_294_967_296 // 7919) % 100
frames = [numbers.slice(n * 1_000_000, 1_000_000).rename("x").to_frame() for n in range(8)]
for n, frame in enumerate(frames):
    frame.write_parquet(f"{folder}/{n}.parquet")
    frame.write_csv(f"{folder}/{n}.csv")
    frame.write_ipc(f"{folder}/{n}.arrow", compression="uncompressed")

memory = pl.concat(frames).lazy()
scans = {
    "memory": lambda: memory,
    "parquet": lambda: pl.scan_parquet(f"{folder}/*.parquet"),
    "csv": lambda: pl.scan_csv(f"{folder}/*.csv"),
    "arrow": lambda: pl.scan_ipc(f"{folder}/*.arrow"),
}
x = pl.col("x")
print("ready", pl.__version__, flush=True)
for line in sys.stdin:
    began = time.perf_counter()
    found = (
        scans[line.strip()]()
        .filter(x > 50)
        .select(x.count().alias("count"), x.sum().alias("sum"), x.mean().alias("avg"))
        .collect()
    )
    took = time.perf_counter() - began
    print(took, found["count"][0], found["sum"][0], flush=True)
