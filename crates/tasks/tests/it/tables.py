"""Makes files with Polars and PyArrow, asks DuckDB and Polars about them, and writes a line of JSON a question.

What is expected is exact: whole numbers add up as Python's do, floats by math.fsum. DuckDB and Polars have to agree with
it first, so that a file that one of them reads otherwise is noticed here.
"""

import datetime as dt
import gzip
import json
import math
import random
import sys
from decimal import Decimal
from fractions import Fraction

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

folder = sys.argv[1]
ROWS = 5000
rng = random.Random(5)


def column(make):
    return [None if rng.random() < 0.1 else make() for _ in range(ROWS)]


START = dt.datetime(2026, 1, 1)
frame = pl.DataFrame(
    {
        "small": column(lambda: rng.randrange(-50, 100)),
        "large": column(lambda: rng.randrange(-(2**63), 2**63)),
        "unsigned": column(lambda: rng.randrange(2**64)),
        "narrow": column(lambda: rng.randrange(-128, 128)),
        "price": column(lambda: rng.uniform(-1e6, 1e6)),
        "single": column(lambda: rng.uniform(-1, 1)),
        "word": column(lambda: rng.choice(["a", "b", "cé", '"q"', "x,y", "line\nbreak", "zz"])),
        "kind": column(lambda: rng.choice(["k1", "k2", "k3"])),
        "day": column(lambda: START.date() + dt.timedelta(days=rng.randrange(365))),
        "moment": column(lambda: START + dt.timedelta(microseconds=rng.randrange(365 * 86_400_000_000))),
        "flag": column(lambda: rng.random() < 0.5),
        "none": [None] * ROWS,
    },
    schema={
        "small": pl.Int64,
        "large": pl.Int64,
        "unsigned": pl.UInt64,
        "narrow": pl.Int8,
        "price": pl.Float64,
        "single": pl.Float32,
        "word": pl.String,
        "kind": pl.Categorical,
        "day": pl.Date,
        "moment": pl.Datetime("us"),
        "flag": pl.Boolean,
        "none": pl.Int64,
    },
)

frame.write_csv(f"{folder}/polars.csv")
with open(f"{folder}/polars.csv", "rb") as plain, gzip.open(f"{folder}/polars.csv.gz", "wb") as packed:
    packed.write(plain.read())
frame.write_csv(f"{folder}/polars.tsv", separator="\t", line_terminator="\r\n", quote_style="non_numeric")
for codec in ["snappy", "gzip", "zstd", "lz4", "uncompressed"]:
    frame.write_parquet(f"{folder}/polars-{codec}.parquet", compression=codec, row_group_size=700)
frame.write_ipc(f"{folder}/polars.arrow")
frame.write_ipc(f"{folder}/polars-zstd.feather", compression="zstd")
table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
pq.write_table(table, f"{folder}/pyarrow-v2.parquet", data_page_version="2.0", row_group_size=1000)
pq.write_table(table, f"{folder}/pyarrow-bare.parquet", write_statistics=False, use_dictionary=False)
with pa.ipc.new_file(f"{folder}/pyarrow.arrow", table.schema) as file:
    file.write_table(table, max_chunksize=900)

# Files that cannot be read, or not all of them.
pq.write_table(table.select(["small"]), f"{folder}/brotli.parquet", compression="brotli")
whole = open(f"{folder}/polars-snappy.parquet", "rb").read()
open(f"{folder}/truncated.parquet", "wb").write(whole[: len(whole) // 2])
# The footer is there, and what it points to is not what it was.
middle = len(whole) // 2
open(f"{folder}/damaged.parquet", "wb").write(whole[:100] + bytes(middle - 100) + whole[middle:])
arrow = open(f"{folder}/pyarrow.arrow", "rb").read()
open(f"{folder}/truncated.arrow", "wb").write(arrow[: len(arrow) // 2])
with pa.ipc.new_stream(f"{folder}/stream.arrow", table.schema) as file:
    file.write_table(table)
decimals = pa.table({"small": [Decimal("1.50"), Decimal("2.50")], "list": [[1], [2]]})
pq.write_table(decimals, f"{folder}/decimals.parquet")

QUESTIONS = [
    ("small", None),
    ("small", "small > 50"),
    ("small", "small >= 10 and small < 20"),
    ("small", "small > 50.5 and small <= 60.5"),
    ("small", "small > 1000"),
    ("small", "word = 'line\nbreak'"),
    ("small", "none is null and word >= 'b'"),
    ("large", None),
    ("large", "large > 0"),
    ("large", "large <= -9223372036854775808"),
    ("unsigned", None),
    ("unsigned", "unsigned > 9223372036854775807"),
    ("narrow", "narrow <> 3"),
    ("price", None),
    ("price", "price < 0 and word = 'a'"),
    ("price", "day >= '2026-06-01' and flag = true"),
    ("price", "price > 0.1 and kind = 'k2'"),
    ("single", "single > 0.5"),
    ("word", "word <> 'a' and word <> '\"q\"'"),
    ("word", "word is not null and price is null"),
    ("kind", "kind <> 'k2'"),
    ("day", "small = 7"),
    ("day", "day < '2026-02-01' and flag <> true"),
    ("moment", "moment < '2026-03-01T12:00:00'"),
    ("flag", "small > 90"),
    ("none", "small > 0"),
]


def shown(value):
    """As it is compared: floats apart, because they are written in many ways."""
    if isinstance(value, float):
        return {"float": repr(value)}
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.datetime):
        digits = "seconds" if value.microsecond == 0 else "microseconds" if value.microsecond % 1000 else "milliseconds"
        return value.isoformat(timespec=digits)
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def expected(values):
    numbers = bool(values) and isinstance(values[0], (int, float)) and not isinstance(values[0], bool)
    total = None
    mean = None
    if numbers and isinstance(values[0], float):
        total = math.fsum(values)
        mean = total / len(values)
    elif numbers:
        total = sum(values)
        mean = float(Fraction(total, len(values)))
    return len(values), total, mean, min(values, default=None), max(values, default=None)


def agree(what, theirs, ours):
    for one, other in zip(theirs, ours):
        if isinstance(other, float):
            assert math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-3), (what, theirs, ours)
        else:
            assert one == other, (what, theirs, ours)


polars = pl.SQLContext(t=frame.with_columns(pl.col("kind").cast(pl.String)))
for name, where in QUESTIONS:
    rest = f" where {where}" if where else ""
    values = [
        value
        for (value,) in duckdb.sql(f"select {name} from '{folder}/polars-snappy.parquet'{rest}").fetchall()
        if value is not None
    ]
    figures = expected(values)
    count, total, mean, least, most = figures
    numeric = total is not None
    ask = f"select count({name}), {'sum(%s), avg(%s),' % (name, name) if numeric else ''} min({name}), max({name}) from "
    pick = figures if numeric else (count, least, most)
    agree(("duckdb", name, where), duckdb.sql(f"{ask} '{folder}/polars-snappy.parquet'{rest}").fetchall()[0], pick)
    (row,) = polars.execute(ask + f" t{rest}", eager=True).rows()
    # Its sums of whole numbers wrap beyond 64 bits.
    if numeric and isinstance(total, int) and not -(2**63) <= total < 2**63:
        row = (row[0], total, mean, *row[3:])
    agree(("polars", name, where), row, pick)
    line = {"column": name, "where": where, "rows": ROWS, "count": count}
    line |= dict(zip(["sum", "avg", "min", "max"], map(shown, figures[1:])))
    print(json.dumps(line))
