//! Triway and what people would use instead, side by side in one run.
//!
//! `cargo run --release -p triway-benches -- empty` prints one table; without a word, the names of all of them.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]

mod empty;
mod rounds;

use triway_exec::restart::{self, Registration};

fn main() {
    restart::init(vec![Registration::of::<empty::Nothing>("nothing")]);
    match std::env::args().nth(1).as_deref() {
        Some("empty") => empty::run(),
        _ => println!("cargo run --release -p triway-benches -- empty"),
    }
}
