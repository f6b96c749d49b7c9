//! Advice, as scripts may rely on it: this is schema 1 of `advise --format json`.

use serde::{Deserialize, Serialize};
use triway_core::Model;

use super::{
    detail::Detail,
    setting::Setting,
    slice::{Situation, Slice},
};
use crate::report::{Estimate, Machine};

/// What to run a job under, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Advice {
    /// Version of this form.
    pub schema: u32,
    /// Name of the task.
    pub task: String,
    /// How many inputs the job has, where that is known.
    pub inputs: Option<u64>,
    /// How many of them were executed to find out.
    pub executed: u64,
    /// What it ran on.
    pub machine: Option<Machine>,
    /// The model and the concurrency; `None` where the figures do not carry any.
    pub recommendation: Option<Advised>,
    /// What the work is like.
    pub character: Character,
    /// How many times as quick as one input after the other, for the whole job; `None` where that could not be
    /// measured.
    pub expected_gain: Option<Estimate>,
    /// Successes a second that were measured under it.
    pub throughput_per_s: Option<f64>,
    /// Where the true figure may be, with 95 %; `None` where it was measured once.
    #[serde(default)]
    pub throughput_ci95: Option<[f64; 2]>,
    /// Seconds until its lanes stand ready.
    pub startup_s: Option<f64>,
    /// Sum of the peaks of its processes.
    pub memory_bytes: Option<u64>,
    /// What people usually say.
    pub rule_of_thumb: Option<Rule>,
    /// What was measured, line by line.
    pub evidence: Vec<Evidence>,
    /// Other settings that were measured, the quickest first.
    pub alternatives: Vec<Alternative>,
    /// What would change the advice.
    pub changes: Vec<String>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
    /// One sentence.
    pub verdict: String,
    /// What was known before the first probe; with the probes it is all that the advice was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub situation: Option<Situation>,
    /// Every probe, in order.
    pub probes: Vec<Slice>,
    /// What attempts were like, where somebody wanted to look closely: of each model the setting that did most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Detail>,
}

impl Advice {
    /// How many inputs failed under settings that were refused what fewer at once were not.
    #[must_use]
    pub fn failed_by_crowding(&self) -> u64 {
        let settings = Setting::all(&self.probes);
        let refused = settings.iter().filter(|it| it.is_refused());
        let slices = refused.flat_map(|it| it.slices.iter());
        slices.map(|slice| slice.failed).sum()
    }

    /// What was advised before stays advised where now nothing is.
    pub(super) fn or_as_before(self, before: Option<&Self>) -> Self {
        let before = before.filter(|_| self.recommendation.is_none());
        match before.and_then(|it| Some((it.recommendation?, it.throughput_per_s))) {
            None => self,
            Some((advised, throughput_per_s)) => Self {
                recommendation: Some(advised),
                throughput_per_s,
                verdict: format!(
                    "{} Going on as before, under {}@{}.",
                    self.verdict, advised.model, advised.concurrency
                ),
                ..self
            },
        }
    }

    /// Of each model the setting that did most, the advised one first.
    pub(super) fn shown(&self) -> Vec<(Model, usize)> {
        let advised = self.recommendation.iter();
        let advised = advised.map(|it| (it.model, it.concurrency));
        let others = self.alternatives.iter();
        let others = others.map(|it| (it.model, it.concurrency));
        let mut shown: Vec<(Model, usize)> = Vec::new();
        for (model, concurrency) in advised.chain(others) {
            if shown.iter().all(|(it, _)| *it != model) {
                shown.push((model, concurrency));
            }
        }
        shown
    }
}

/// A model at a concurrency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Advised {
    /// The model.
    pub model: Model,
    /// How many inputs in flight.
    pub concurrency: usize,
}

/// What work is like, as far as it decides over models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Character {
    /// It waits for something outside.
    Waiting,
    /// It computes, and more processors do more of it.
    Cpu,
    /// It computes while it holds the interpreter's lock.
    InterpreterLock,
    /// It computes, and more processors do not do more of it: memory is what they wait for.
    Memory,
    /// Something outside lets only so much through.
    ExternalLimit,
    /// It is called async and holds its event loop.
    FakeAsync,
    /// To hand an input over takes as long as to do it.
    Tiny,
    /// It computes and waits.
    Mixed,
    /// Too little was seen to tell.
    Unknown,
}

impl Character {
    /// The name in every output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Cpu => "cpu",
            Self::InterpreterLock => "interpreter-lock",
            Self::Memory => "memory",
            Self::ExternalLimit => "external-limit",
            Self::FakeAsync => "fake-async",
            Self::Tiny => "tiny",
            Self::Mixed => "mixed",
            Self::Unknown => "unknown",
        }
    }
}

/// The rule of thumb, with this job's measured answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rule {
    /// The model that it leads to.
    pub says: Model,
    /// Whether that is the one advised.
    pub holds: bool,
    /// Its questions and what was measured for each.
    pub path: Vec<Answer>,
}

/// A question of the rule of thumb, and this job's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Answer {
    /// The question.
    pub question: String,
    /// The answer, with the figure behind it.
    pub answer: String,
}

/// A figure and what it means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Evidence {
    /// What was measured.
    pub figure: String,
    /// The value, in seconds, bytes, times, or a share from 0 to 1.
    pub value: f64,
    /// What that is and means, in plain words.
    pub meaning: String,
}

/// A setting that was measured and is not advised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Alternative {
    /// The model.
    pub model: Model,
    /// How many inputs in flight.
    pub concurrency: usize,
    /// Successes a second.
    pub throughput_per_s: f64,
    /// Where the true figure may be, with 95 %; `None` where it was measured once.
    #[serde(default)]
    pub throughput_ci95: Option<[f64; 2]>,
    /// How many times as quick as one input after the other, for the whole job; `None` where that could not be
    /// measured.
    pub gain: Option<f64>,
    /// Why it is not advised, where that is not that it is slower.
    pub remark: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{super::recommend, *};

    fn slice(model: Model, concurrency: usize, (failed, retried): (u64, u64)) -> Slice {
        Slice {
            model: Some(model),
            concurrency,
            inputs: 100,
            failed,
            retried,
            wall_s: 1.0,
            lanes_s: 1.0,
            rate_per_s: 100.0,
            run_s: 0.01,
            ..Slice::default()
        }
    }

    #[test]
    fn only_what_too_many_at_once_failed_is_told() {
        let with_most = |most| {
            let slices = [
                slice(Model::Sequential, 1, (5, 0)),
                slice(Model::Async, 8, (5, 0)),
                slice(Model::Async, 16, most),
            ];
            recommend(&Situation::bare(2), &slices).failed_by_crowding()
        };
        assert_eq!(with_most((5, 0)), 0);
        assert_eq!(with_most((40, 0)), 40);
        // All of them succeeded in the end.
        assert_eq!(with_most((5, 40)), 5);
    }

    #[test]
    fn what_was_advised_before_stays_where_nothing_is() {
        let situation = Situation::bare(2);
        let before = recommend(&situation, &[slice(Model::Sequential, 1, (0, 0))]);
        let before = Advice {
            recommendation: Some(Advised {
                model: Model::Threads,
                concurrency: 32,
            }),
            throughput_per_s: Some(3200.0),
            ..before
        };
        let none = recommend(&situation, &[]);
        assert_eq!(none.recommendation, None);
        let kept = none.clone().or_as_before(Some(&before));
        assert_eq!(
            (kept.recommendation, kept.throughput_per_s),
            (before.recommendation, Some(3200.0))
        );
        assert!(kept.verdict.contains("as before, under threads@32"));
        assert_eq!(none.clone().or_as_before(None), none);
        assert_eq!(before.clone().or_as_before(Some(&none)), before);
    }
}
