//! A job with this program's library.

use triway_measure::advise::Advised;

/// The lines that run `task` on `inputs`.
pub(super) fn job(task: &str, advised: Advised) -> String {
    let name = advised.model.name();
    let (head, tail) = name.split_at(1);
    format!(
        "// {task}: {name} with {lanes} at once.\n\
         use std::num::NonZeroUsize;\n\
         use triway::prelude::*;\n\n\
         let lanes = NonZeroUsize::new({lanes}).expect(\"there is at least one\");\n\
         let done = Job::new(task, inputs)\n    \
             .model(Model::{}{tail})\n    \
             .concurrency(lanes)\n    \
             .run()\n    \
             .wait()?;\n\
         println!(\"{{}} succeeded\", done.summary.succeeded);\n",
        head.to_uppercase(),
        lanes = advised.concurrency,
    )
}
