#!/usr/bin/env bash
# The one test command: installs what the tests need, then runs every check.
#
# On a fresh Debian machine with a Rust toolchain nothing else is needed. Where something is missing that cannot be
# installed, this fails under CI=true and says what it skips elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-auto}"

step() { printf '\n== %s\n' "$*"; }

# Debian packages that the tests talk to: programs that nobody here wrote.
packages=(chromium curl netcat-openbsd nginx-light postgresql procps python3 python3-venv)

# Python packages, likewise: servers, and libraries for tables. They go into a folder of their own.
python_packages=(httpbin gunicorn polars pyarrow duckdb uvloop)

install_missing() {
    local missing=()
    for package in "${packages[@]}"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    echo "installing ${missing[*]}"
    if [ "$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; then
        return
    fi
    if [ "${CI:-}" = true ]; then
        echo "could not install ${missing[*]}; install them as root with apt-get" >&2
        exit 1
    fi
    echo "SKIPPED: ${missing[*]} could not be installed; tests that need them will fail" >&2
}

install_python_packages() {
    local venv="${CARGO_TARGET_DIR:-target}/test-venv"
    "$venv/bin/pip" show --quiet "${python_packages[@]}" >/dev/null 2>&1 && return
    echo "installing ${python_packages[*]} into $venv"
    if python3 -m venv "$venv" && "$venv/bin/pip" install --quiet "${python_packages[@]}"; then
        return
    fi
    if [ "${CI:-}" = true ]; then
        echo "could not install ${python_packages[*]} with pip" >&2
        exit 1
    fi
    echo "SKIPPED: ${python_packages[*]} could not be installed; tests that need them say so" >&2
}

step "what the tests need"
install_missing
install_python_packages
cargo --version

step "formatting"
cargo fmt --all -- --check

step "lints"
cargo clippy --locked --workspace --all-targets --all-features -- -D warnings

step "tests"
# Examples are built too: tests run them. The benches have peers to build and nothing to test.
if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --locked --workspace --all-features --exclude triway-benches
else
    cargo test --locked --workspace --all-features --exclude triway-benches --lib --bins --tests --examples
fi

step "doc tests, and the README's code"
cargo test --locked --workspace --all-features --exclude triway-benches --doc

step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --all-features --exclude triway-benches --no-deps

step "the commands that are documented"
ci/documented.sh

step "all checks passed"
