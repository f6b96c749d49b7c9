//! A program that does a job with this program's library.

use triway_measure::advise::Advised;

/// A program that is built and run as an example of the library, so that what is made of it is one that works.
const PROGRAM: &str = include_str!("../../../triway/examples/advised.rs");

/// What stands there and is another in each program.
const ABOUT: &str = "The program that `triway advise TASK --code` writes, which puts the name, the model and the number in its place.";
const MODEL: &str = "Model::Processes";
const LANES: &str = "NonZeroUsize::new(2)";
/// What an example says to this project's own checks.
const EXPECTED: &str =
    "#[expect(clippy::print_stdout, reason = \"an example shows what it did\")]\n";

/// The program that runs `task` so.
pub(super) fn job(task: &str, advised: Advised) -> String {
    let (model, lanes) = (advised.model.name(), advised.concurrency);
    let (head, tail) = model.split_at(1);
    let about = format!(
        "{task}: {model} with {lanes} at once. It needs the crates triway and serde (with its feature derive)."
    );
    PROGRAM
        .replace(ABOUT, &about)
        .replace(MODEL, &format!("Model::{}{tail}", head.to_uppercase()))
        .replace(LANES, &format!("NonZeroUsize::new({lanes})"))
        .replace(EXPECTED, "")
}

#[cfg(test)]
mod tests {
    use triway_core::Model;

    use super::*;

    #[test]
    fn all_that_differs_is_put_in() {
        for place in [ABOUT, MODEL, LANES, EXPECTED] {
            assert_eq!(PROGRAM.matches(place).count(), 1, "{place}");
        }
        for (model, name) in [
            (Model::Sequential, "Model::Sequential"),
            (Model::Threads, "Model::Threads"),
            (Model::Processes, "Model::Processes"),
            (Model::Async, "Model::Async"),
        ] {
            let advised = serde_json::json!({ "model": model, "concurrency": 17 });
            let program = job("cpu", serde_json::from_value(advised).unwrap());
            assert!(program.contains(&format!(".model({name})")), "{program}");
            assert!(program.contains("NonZeroUsize::new(17)"), "{program}");
            assert!(program.contains("triway::init("), "{program}");
            assert!(!program.contains("expect("), "{program}");
        }
    }
}
