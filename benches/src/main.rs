//! Triway and what people would use instead, side by side in one run.
//!
//! `cargo run --release -p triway-benches -- empty` prints one table; without a word, the names of all of them. A
//! second word leaves only the rows whose name has it.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]

mod empty;
mod rounds;

use triway_exec::{registration, restart};

fn main() {
    restart::init(vec![registration::<empty::Nothing>("nothing")]);
    let words: Vec<String> = std::env::args().skip(1).collect();
    let only = words.get(1).map_or("", String::as_str);
    match words.first().map(String::as_str) {
        Some("empty") => empty::run(only),
        _ => println!("cargo run --release -p triway-benches -- empty [ROWS]"),
    }
}
