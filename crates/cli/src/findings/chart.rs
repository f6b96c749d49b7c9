//! Pictures as data: what is drawn, before anybody draws it on a terminal or a page.

use triway_core::Status;
use triway_measure::report::{Latency, LatencyCount, Timeline};

use crate::people::figures;

/// A picture.
#[derive(Debug, Clone)]
pub(crate) enum Chart {
    /// A bar for each of several, all of one quantity.
    Bars {
        /// What is shown, with its unit.
        title: String,
        /// Writes a value with its unit.
        unit: fn(f64) -> String,
        /// Top to bottom.
        bars: Vec<Bar>,
    },
    /// One quantity against another.
    Curves {
        /// What is shown.
        title: String,
        /// What the horizontal axis counts.
        x: String,
        /// What the vertical axis measures.
        y: String,
        /// Whether each step to the right multiplies.
        x_doubles: bool,
        /// Writes a value of the vertical axis with its unit.
        unit: fn(f64) -> String,
        /// In the order of their legend.
        curves: Vec<Curve>,
    },
    /// How values of several are spread, all of one quantity that is greater than nothing.
    Distributions {
        /// What is shown, with its unit.
        title: String,
        /// Writes a value with its unit.
        unit: fn(f64) -> String,
        /// Top to bottom.
        spreads: Vec<Spread>,
    },
    /// Who ran what when, in seconds from the start; what a trace is made of as well.
    Timeline {
        /// Whose lanes these are.
        title: String,
        /// How long nothing could run, because the lanes did not stand ready.
        startup: f64,
        /// How many attempts there were; those that are shown may be fewer.
        attempts: u64,
        /// Attempts, in any order.
        spans: Vec<Span>,
    },
}

impl Chart {
    /// How long inputs took; `None` where nobody's are known.
    pub(crate) fn latencies(spreads: Vec<Spread>) -> Option<Self> {
        (!spreads.is_empty()).then(|| Self::Distributions {
            title: "How long an input took".to_owned(),
            unit: figures::time,
            spreads,
        })
    }

    /// What lanes did.
    pub(crate) fn timeline(title: String, timeline: &Timeline) -> Self {
        let spans = timeline.spans.iter().map(|span| Span {
            worker: span.worker,
            from: span.started_s,
            to: span.started_s + span.run_s,
            status: span.status,
            index: span.index,
        });
        Self::Timeline {
            title,
            startup: timeline.startup_s,
            attempts: timeline.attempts,
            spans: spans.collect(),
        }
    }
}

impl Spread {
    /// How long inputs took.
    pub(crate) fn of(
        label: String,
        counts: &[LatencyCount],
        latency: Latency,
        marked: bool,
    ) -> Self {
        Self {
            label,
            counts: counts
                .iter()
                .map(|step| (step.from_s, step.to_s, step.count))
                .collect(),
            marks: vec![
                ("p50", latency.p50),
                ("p90", latency.p90),
                ("p99", latency.p99),
                ("max", latency.max),
            ],
            marked,
        }
    }
}

/// How often values occurred.
#[derive(Debug, Clone)]
pub(crate) struct Spread {
    /// Whose values they are.
    pub(crate) label: String,
    /// Between which two values how many lie, from the least.
    pub(crate) counts: Vec<(f64, f64, u64)>,
    /// Values that have names, from the least, such as the median.
    pub(crate) marks: Vec<(&'static str, f64)>,
    /// Whether it is the one that matters.
    pub(crate) marked: bool,
}

/// One of several values, with its interval where there is one.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    /// Whose value it is.
    pub(crate) label: String,
    /// The value.
    pub(crate) value: f64,
    /// Where the true one may be.
    pub(crate) interval: Option<[f64; 2]>,
    /// Whether it is the one that matters.
    pub(crate) marked: bool,
}

/// Points that belong together.
#[derive(Debug, Clone)]
pub(crate) struct Curve {
    /// What they are.
    pub(crate) name: String,
    /// From left to right.
    pub(crate) points: Vec<(f64, f64)>,
    /// Whether they were measured, and are shown as dots; a line is what follows from them.
    pub(crate) measured: bool,
}

/// One attempt.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    /// The lane that made it.
    pub(crate) worker: u32,
    /// When it began.
    pub(crate) from: f64,
    /// When it ended.
    pub(crate) to: f64,
    /// How it ended.
    pub(crate) status: Status,
    /// The input.
    pub(crate) index: u64,
}
