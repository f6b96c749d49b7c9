//! Whole jobs under every model. The harness is a library, because worker processes are this binary started again and
//! must be served before anything else happens.

#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "one task prints, to show that this disturbs nothing, and one complains before it dies"
)]

mod crashes;
mod faults;
mod journal;
mod limits;
mod models;
mod processes;
mod rest;
mod stretches;
mod tasks;
mod workers;

use libtest_mimic::{Arguments, Trial};
use triway_exec::{registration, restart};

fn main() {
    restart::init(vec![
        registration::<tasks::Script>("script"),
        registration::<tasks::OnlyAsync>("only-async"),
        registration::<tasks::Unmakeable>("unmakeable"),
        registration::<tasks::OnlyOnce>("only-once"),
    ]);
    if std::env::args().any(|argument| argument == faults::VICTIM) {
        return faults::be_the_victim();
    }
    let mut trials = Vec::new();
    let all = models::TESTS
        .iter()
        .chain(limits::TESTS)
        .chain(rest::TESTS)
        .chain(faults::TESTS)
        .chain(workers::TESTS)
        .chain(crashes::TESTS)
        .chain(journal::TESTS)
        .chain(stretches::TESTS);
    for &(name, test) in all {
        trials.push(Trial::test(name, move || {
            test();
            Ok(())
        }));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// A name and the function under it.
type Test = (&'static str, fn());
