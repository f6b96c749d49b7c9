//! A run whose model is found out on its first inputs (`-m auto`).

use std::sync::{Arc, OnceLock};

use triway_core::Plan;
use triway_exec::{Finished, Job, Refusal};
use triway_measure::advise::{self, Advised, Observed, Progress, Situation, Steered, Tell};
use triway_tasks::catalog::Named;

use crate::{
    arguments::{Chosen, LanesArguments, ProbeArguments},
    people::{Screen, figures},
    prepared::Configuration,
    probing::{self, Known},
    reporter::Reporter,
};

/// Who chooses the model after all, and on what basis it is measured where it is; nothing is known where somebody has chosen.
pub(crate) fn way(
    chosen: Chosen,
    configuration: &Configuration,
    (plan, known, options): (&Plan, Option<Known>, (&LanesArguments, &ProbeArguments)),
    screen: &Screen,
) -> (Chosen, Option<Situation>) {
    let Some(known) = known else {
        return (chosen, None);
    };
    let why = match probing::unmeasured(plan, &known, options.0) {
        Some(why) => why,
        None => {
            let situation =
                probing::situation(configuration, plan, known, options, Situation::of_work);
            match probing::has_choice(&situation) {
                true => return (chosen, Some(situation)),
                false => "no other model can run it",
            }
        }
    };
    screen.say(&format!("auto: as the task prefers, for {why}"));
    (Chosen::Preferred, None)
}

/// The job is probed, and goes on as the figures say.
pub(crate) fn measured(
    job: Job<Named>,
    reporter: Reporter,
    basis: (Situation, Plan),
    tell: Tell,
) -> Result<Finished<Reporter>, Refusal> {
    let Steered { job, sink, .. } = advise::choose(job, (reporter, probing::sizes()), basis, tell);
    let finished = job.run_into(sink).wait()?;
    Ok(finished.map(Observed::into_inner))
}

/// What became of measuring, for whoever tells of the job afterwards. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Became(Arc<OnceLock<bool>>);

impl Became {
    /// Who chose the model in the end.
    pub(crate) fn chosen(&self, chosen: Chosen) -> Chosen {
        match (chosen, self.0.get()) {
            (Chosen::Measured, None) => Chosen::Unsettled,
            (Chosen::Measured, Some(false)) => Chosen::Preferred,
            _ => chosen,
        }
    }
}

/// Tells of what is measured, and what the job goes on under.
pub(crate) fn tell(screen: Screen, task: Named, became: Became) -> Tell {
    Box::new(move |progress| match progress {
        Progress::GoesOn(advice) => {
            let advised = advice.recommendation;
            // Measured anew, it stays measured.
            let _before = became.0.set(advised.is_some());
            let besides = match advised {
                Some(_) => "",
                None => " Going on as the task prefers.",
            };
            screen.say(&format!("auto: {}{besides}", advice.verdict));
            let failed = advice.failed_by_crowding();
            if failed > 0 {
                screen.say(&format!(
                    "auto: {failed} failed while more at once were tried than are let in; \
                     --retries tries such again"
                ));
            }
            if let Some(Advised {
                model, concurrency, ..
            }) = advised
            {
                screen.say_all(task.remark(model));
                screen.set_message(format!("{} {model}@{concurrency}", task.name()));
            }
        }
        Progress::Exhausted => screen.say("auto: all inputs were done while it was measured"),
        Progress::Refused(why) => screen.say(&format!(
            "auto: what was advised cannot begin now ({why}): going on with one input at a time"
        )),
        Progress::Fails { failed, attempts } => screen.say(&format!(
            "auto: {failed} of the last {attempts} attempts failed, far more than when it was \
             measured: measuring anew"
        )),
        Progress::Unexplained => screen.say(
            "auto: it computes, and nothing explains why two at once gained nothing: \
             measuring anew",
        ),
        Progress::Flows => screen.say("auto: inputs come quickly enough now: measuring anew"),
        Progress::Fell { promised, found } => screen.say(&format!(
            "auto: {} a second where {} were measured: measuring anew",
            figures::number(found),
            figures::number(promised)
        )),
        _ => {}
    })
}
