//! What was found so far, as JSON lines, so that a run can go on after an interruption.

use std::{
    error::Error,
    fs::{self, OpenOptions},
    io::Write as _,
};

use serde::{Deserialize, Serialize};

use super::judge::{Measured, Setting};

/// One thing that was found of a workload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) workload: String,
    /// How many processes wanted to run on the machine when it was begun, over the last minute.
    pub(super) load: f64,
    /// How long it took to find out.
    pub(super) seconds: f64,
    #[serde(flatten)]
    pub(super) found: Found,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(super) enum Found {
    /// The settings that were measured whole, the best first.
    Truth { measured: Vec<Measured> },
    /// What was advised, and how that does beside the best.
    Advice {
        run: usize,
        character: String,
        advised: Option<Setting>,
        ratio: f64,
        probing_s: f64,
    },
    /// Wall times of a larger job under `-m auto` and under the best.
    Auto {
        run: usize,
        times: u64,
        auto_s: f64,
        best_s: f64,
        /// What it said of its choice, and of those that followed.
        #[serde(default)]
        said: Vec<String>,
    },
}

/// The lines, and where further ones go.
pub(super) struct Kept {
    path: Option<String>,
    lines: Vec<Line>,
}

impl Kept {
    pub(super) fn open(path: Option<String>) -> Result<Self, Box<dyn Error>> {
        let text = match &path {
            Some(path) if fs::exists(path)? => fs::read_to_string(path)?,
            _ => String::new(),
        };
        // The last line of a run that was interrupted may be cut off.
        let read = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        Ok(Self {
            lines: read.collect(),
            path,
        })
    }

    pub(super) fn push(&mut self, line: Line) -> Result<(), Box<dyn Error>> {
        if let Some(path) = &self.path {
            let mut file = OpenOptions::new().create(true).append(true).open(path)?;
            writeln!(file, "{}", serde_json::to_string(&line)?)?;
        }
        self.lines.push(line);
        Ok(())
    }

    pub(super) fn of<'a>(&'a self, workload: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |it| it.workload == workload)
    }

    /// What was measured whole of it, the best first.
    pub(super) fn truth(&self, workload: &str) -> Option<Vec<Measured>> {
        self.of(workload).find_map(|line| match &line.found {
            Found::Truth { measured } => Some(measured.clone()),
            _ => None,
        })
    }

    pub(super) fn has_advice(&self, workload: &str, wanted: usize) -> bool {
        self.of(workload)
            .any(|line| matches!(line.found, Found::Advice { run, .. } if run == wanted))
    }

    pub(super) fn has_auto(&self, workload: &str, wanted: usize) -> bool {
        self.of(workload)
            .any(|line| matches!(line.found, Found::Auto { run, .. } if run == wanted))
    }
}

/// How busy the machine is: processes that want to run, over the last minute.
pub(super) fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split(' ').next().and_then(|word| word.parse().ok());
    first.unwrap_or(f64::NAN)
}
