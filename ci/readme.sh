#!/usr/bin/env bash
# Runs every command that the README shows in a `console` block, as it stands there, and fails if one fails.
#
# A line that begins with `$ ` is a command; a last line `# exits N` says which exit code is expected. `cargo run` takes
# the build that the tests have made, so that no second profile is built.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --locked --package triway-cli
triway="${CARGO_TARGET_DIR:-$PWD/target}/debug/triway"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp README.md "$scratch"
cd "$scratch"

count=0
while IFS=$'\t' read -r expected command; do
    command=${command//cargo run --release --/triway}
    case "$command" in ci/*) continue ;; esac
    echo "\$ $command"
    code=0
    PATH="$(dirname "$triway"):$PATH" timeout 120 bash -c "$command" >output 2>messages </dev/null || code=$?
    if [ "$code" != "$expected" ]; then
        echo "exited $code instead of $expected" >&2
        cat output messages >&2
        exit 1
    fi
    count=$((count + 1))
done < <(awk '
    /^```console/ { inside = 1; next }
    /^```/ { inside = 0 }
    inside && /^\$ / {
        command = substr($0, 3)
        expected = 0
        if (match(command, / +# exits [0-9]+$/)) {
            expected = substr(command, RSTART + 9)
            gsub(/[^0-9]/, "", expected)
            command = substr(command, 1, RSTART - 1)
        }
        print expected "\t" command
    }' README.md)

[ "$count" -gt 0 ] || { echo "the README shows no command" >&2; exit 1; }
echo "$count commands ran"
