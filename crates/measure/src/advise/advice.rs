//! Advice, as scripts may rely on it: this is schema 1 of `advise --format json`.

use serde::{Deserialize, Serialize};
use triway_core::Model;

use super::{
    detail::Detail,
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
