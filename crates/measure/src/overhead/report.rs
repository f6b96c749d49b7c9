//! What was found, as scripts may rely on it: this is schema 1 of `overhead --format json`.

use serde::{Deserialize, Serialize};

use crate::report::Machine;

/// What this machine charges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Overhead {
    /// Version of this form.
    pub schema: u32,
    /// What it ran on.
    pub machine: Machine,
    /// How many processes were running or waiting for a processor in the minute before it began.
    pub load_average: Option<f64>,
    /// Seconds after which no other round was to begin.
    #[serde(default)]
    pub budget_s: f64,
    /// Rounds, of which each measures every figure once.
    pub rounds: usize,
    /// Lanes of the jobs that were handed inputs: as many as there are processors, but 2 at least and 16 at most.
    pub lanes: usize,
    /// The interpreter; `None` where there is none.
    pub python: Option<Python>,
    /// Everything that was to be measured, also what could not be.
    pub figures: Vec<Figure>,
    /// From which duration of an input each model pays.
    pub pays_from: Vec<Pays>,
    /// The formula behind it.
    pub pays_from_formula: String,
    /// The models side by side.
    pub table: Vec<Row>,
    /// One sentence.
    pub verdict: String,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

/// The interpreter that was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Python {
    /// Such as `3.12.1`.
    pub version: String,
    /// Such as `cpython`.
    pub implementation: String,
    /// Where it is.
    pub executable: String,
    /// Whether its threads run side by side.
    pub free_threaded: bool,
    /// How long a thread may keep the interpreter's lock while another wants it.
    pub switch_interval_s: f64,
    /// How its pools of processes start one.
    pub start_method: String,
}

/// What the numbers of a figure are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Bytes.
    #[serde(rename = "bytes")]
    Bytes,
    /// So many times as fast.
    #[serde(rename = "times")]
    Times,
}

/// Something that was measured, or could not be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Figure {
    /// Its name for scripts.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// What its numbers are.
    pub unit: Unit,
    /// The middle of the rounds.
    pub median: Option<f64>,
    /// An interval that holds the true median in 95 of 100 cases; it takes six rounds.
    pub ci95: Option<[f64; 2]>,
    /// The least and the most of any round.
    pub range: Option<[f64; 2]>,
    /// How many rounds gave a number.
    pub rounds: usize,
    /// What was done.
    pub how: String,
    /// Why there is no number.
    pub missing: Option<String>,
}

/// What inputs do while they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// They keep a processor busy.
    Computes,
    /// They wait for something else.
    Waits,
}

/// From which duration of an input a model is faster than one input after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pays {
    /// The row of the table that it belongs to.
    pub row: String,
    /// The model for people.
    pub name: String,
    /// For inputs that do this.
    pub work: Work,
    /// How many run at once.
    pub lanes: usize,
    /// How many times as fast so many are: measured for what computes, the number of lanes for what waits.
    pub times: Option<f64>,
    /// Seconds an input must take in a job so long that its start does not matter.
    pub long_job_s: Option<f64>,
    /// Seconds an input must take in a job of a hundred.
    pub hundred_inputs_s: Option<f64>,
    /// Why it never pays, or why that is not known.
    pub why_not: Option<String>,
}

/// One model in the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Row {
    /// Its name for scripts.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// What it is good for here.
    pub best_for: Cell,
    /// What a lock costs it.
    pub lock_impact: Cell,
    /// Whether its lanes compute side by side.
    pub parallelism: Cell,
    /// What one more holds.
    pub memory: Cell,
    /// What it costs to go from one to another.
    pub switch_cost: Cell,
    /// What it costs that two have the same data.
    pub data_sharing: Cell,
    /// How many there can be.
    pub scale: Cell,
}

impl Row {
    /// The columns, each with its heading, in the order of the table.
    #[must_use]
    pub fn columns(&self) -> [(&'static str, &Cell); 7] {
        [
            ("best for", &self.best_for),
            ("lock impact", &self.lock_impact),
            ("parallelism", &self.parallelism),
            ("memory", &self.memory),
            ("switch cost", &self.switch_cost),
            ("data sharing", &self.data_sharing),
            ("scale", &self.scale),
        ]
    }
}

/// A cell of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cell {
    /// For people, with the figures in it.
    pub text: String,
    /// The figures that it stands on, by id.
    pub figures: Vec<String>,
}

impl Overhead {
    /// The figure of this id.
    #[must_use]
    pub fn figure(&self, id: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.id == id)
    }
}
