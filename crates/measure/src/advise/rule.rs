//! The rule of thumb that everybody knows, followed with this job's measured answers.
//!
//! Does it compute? Processes. Is there no async version of it? Threads. Are there fewer than a hundred waits at once?
//! Threads. Else async.

use triway_core::Model;

use super::{
    advice::{Answer, Rule},
    slice::{Candidate, Situation},
    widest::Widest,
};

/// From how many waits at once the rule says async.
const MANY_WAITS: usize = 100;

/// Where the rule leads with so large a share of computing and so many inputs in flight.
pub(super) fn follow(situation: &Situation, share: f64, widest: Widest, advised: Model) -> Rule {
    let per_cent = (share * 100.0).round();
    let mut path = vec![Answer {
        question: "Does it compute, or does it wait?".to_owned(),
        answer: match share >= 0.5 {
            true => format!("it computes: {per_cent} % of an attempt's time it has a processor"),
            false => format!("it waits: only {per_cent} % of an attempt's time it has a processor"),
        },
    }];
    let says = if share >= 0.5 {
        Model::Processes
    } else {
        let able = |it: &Candidate| it.model == Model::Async && it.refused.is_none();
        let is_async = situation.models.iter().any(able);
        path.push(Answer {
            question: "Is there an async version of it?".to_owned(),
            answer: if is_async { "yes" } else { "no" }.to_owned(),
        });
        if is_async {
            path.push(Answer {
                question: format!("Are there {MANY_WAITS} waits at once, or more?"),
                answer: widest.answer(MANY_WAITS),
            });
        }
        match is_async && widest.at_once >= MANY_WAITS {
            true => Model::Async,
            false => Model::Threads,
        }
    };
    Rule {
        says,
        holds: says == advised,
        path,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::widest::End, *};

    fn check(share: f64, is_async: bool, at_once: usize, expected: Model) {
        let mut situation = Situation::bare(2);
        situation.models.push(Candidate {
            model: Model::Async,
            refused: (!is_async).then(|| "not async".to_owned()),
        });
        let widest = Widest {
            at_once,
            end: End::GainedNothing,
        };
        let rule = follow(&situation, share, widest, Model::Threads);
        assert_eq!(rule.says, expected, "{share} {is_async} {at_once}");
        assert_eq!(rule.holds, expected == Model::Threads);
    }

    #[test]
    fn it_leads_where_everybody_says() {
        check(0.9, true, 2, Model::Processes);
        check(0.1, false, 500, Model::Threads);
        check(0.1, true, 20, Model::Threads);
        check(0.1, true, 200, Model::Async);
    }
}
