//! Whole comparisons, trials and all. A trial is this very binary started again, hence a `main` of its own that calls
//! `init` before anything else.

#![expect(
    clippy::unwrap_used,
    reason = "all of this binary is tests, which clippy cannot see without the usual harness"
)]

mod probe;
mod reports;
mod sweeps;
mod trouble;

use libtest_mimic::{Arguments, Trial};
use triway_exec::restart;
use triway_measure::registration;

fn main() {
    restart::init(vec![
        registration::<probe::Probe>("probe"),
        registration::<trouble::Unwritable>("unwritable"),
    ]);
    let tests = reports::TESTS
        .iter()
        .chain(sweeps::TESTS)
        .chain(trouble::TESTS);
    let trials = tests.map(|(name, test)| {
        Trial::test(*name, || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}
