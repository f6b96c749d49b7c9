#!/usr/bin/env bash
# Runs every command that the documents named below show in a `console` block, as it stands there, and fails if one fails.
#
# A line that begins with `$ ` is a command; a last line `# exits N` says which exit code is expected. Each has two minutes,
# and a document a folder of its own, in which its commands follow one another. `cargo run` takes the build that the tests
# have made, so that no second profile is built.
set -euo pipefail
cd "$(dirname "$0")/.."

documents=(README.md docs/eight-programs.md)

cargo build --locked --package triway-cli
built="${CARGO_TARGET_DIR:-$PWD/target}/debug"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The commands of a document, each after the exit code that is expected of it.
commands_of() {
    awk '
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
        }' "$1"
}

# Runs the commands of a document in a folder that has nothing but the document.
run_commands_of() {
    local folder count=0 expected command code
    folder="$scratch/$(basename "$1" .md)"
    mkdir "$folder"
    cp "$1" "$folder"
    while IFS=$'\t' read -r expected command; do
        command=${command//cargo run --release --/triway}
        case "$command" in ci/*) continue ;; esac
        echo "\$ $command"
        code=0
        (
            cd "$folder"
            PATH="$built:$PATH" exec timeout 120 bash -c "$command" >"$scratch/output" 2>"$scratch/messages" </dev/null
        ) || code=$?
        if [ "$code" != "$expected" ]; then
            echo "exited $code instead of $expected" >&2
            cat "$scratch/output" "$scratch/messages" >&2
            exit 1
        fi
        count=$((count + 1))
    done < <(commands_of "$1")
    [ "$count" -gt 0 ] || { echo "$1 shows no command" >&2; exit 1; }
    echo "$count commands of $1 ran"
}

for document in "${documents[@]}"; do
    run_commands_of "$document"
done
