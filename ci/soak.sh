#!/usr/bin/env bash
# Repeats the tests that have chance in them, each time with another seed, for an hour or as many seconds as are given.
#
# ci/soak.sh [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/.."

seconds="${1:-3600}"
case "$seconds" in '' | *[!0-9]*) echo "usage: ci/soak.sh [SECONDS]" >&2; exit 2 ;; esac

round=0
while [ "$SECONDS" -lt "$seconds" ]; do
    round=$((round + 1))
    export TRIWAY_SOAK_SEED="$RANDOM$RANDOM"
    export PROPTEST_CASES=20000
    echo "== round $round, seed $TRIWAY_SOAK_SEED, after $SECONDS s of $seconds"
    cargo nextest run --locked --release -p triway-exec --no-fail-fast crashes faults journal ledger workers
    cargo nextest run --locked --release -p triway-cli --all-features --no-fail-fast journaling stopping
done
echo "== $round rounds passed"
