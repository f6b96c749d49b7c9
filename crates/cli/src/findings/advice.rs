//! Advice as tables, records and pictures.

use std::io::{self, Write};

use triway_core::Model;
use triway_measure::advise::{Advice, Situation, Slice};

use super::{
    Bar, Chart, Curve, Found, Grid, Heading, Records, Sheet, Spread,
    cells::{missing, seconds, text},
    how, write_json,
};
use crate::people::figures;

impl Found for Advice {
    fn json(&self, pretty: bool, to: &mut dyn Write) -> io::Result<()> {
        write_json(self, pretty, to)
    }

    fn sheet(&self) -> Sheet {
        let grids = [settings(self), evidence(self), rule(self)];
        Sheet {
            grids: grids
                .into_iter()
                .filter(|grid| !grid.rows.is_empty())
                .collect(),
            remarks: remarks(self),
        }
    }

    fn records(&self) -> Records {
        Records::of(self.probes.iter().map(values).collect())
    }

    fn charts(&self) -> Vec<Chart> {
        if self.probes.len() < 2 {
            return Vec::new();
        }
        let spreads = self.details.iter().map(|detail| {
            let advised = self.recommendation;
            let advised = advised.map(|it| (it.model, it.concurrency));
            let marked = advised == Some((detail.model, detail.concurrency));
            let (counts, latency) = (&detail.latency_distribution, detail.latency_s);
            Spread::of(
                name(detail.model, detail.concurrency),
                counts,
                latency,
                marked,
            )
        });
        let spreads = Chart::latencies(spreads.collect());
        let timelines = self.details.iter().map(|detail| {
            let name = name(detail.model, detail.concurrency);
            Chart::timeline(name, &detail.timeline)
        });
        [bars(self), curves(self)]
            .into_iter()
            .chain(spreads)
            .chain(timelines)
            .collect()
    }

    fn title(&self) -> String {
        format!("advise {}", self.task)
    }

    fn how(&self) -> Vec<(&'static str, String)> {
        let inputs = self
            .inputs
            .map_or_else(|| "unknown".to_owned(), |inputs| inputs.to_string());
        let mut how = vec![
            (
                "Inputs",
                format!("{inputs}, of which {} were executed", self.executed),
            ),
            ("Probes", self.probes.len().to_string()),
        ];
        how.extend(self.situation.iter().flat_map(asked));
        how.extend(self.machine.iter().flat_map(how::machine));
        how
    }
}

/// What advice was asked for on what: options, the interpreter, and the noise.
fn asked(situation: &Situation) -> Vec<(&'static str, String)> {
    let mut options = vec![
        format!("budget {}", figures::time(situation.budget_s)),
        format!("max concurrency {}", situation.most_concurrency),
    ];
    let fixed = situation.fixed_concurrency;
    options.extend(fixed.map(|lanes| format!("concurrency {lanes}")));
    // Where nobody looked, there is no figure.
    let noise = situation.two_threads.map(|_| {
        format!(
            "the same work differed by {:.0} % from one time to the next",
            situation.noise * 100.0
        )
    });
    let interpreter = situation.interpreter.as_ref().map(|it| {
        let lock = if it.has_lock { "" } else { ", without a lock" };
        format!("{}{lock}", it.name)
    });
    let known = [
        ("Options", Some(options.join(", "))),
        ("Interpreter", interpreter),
        ("Noise", noise),
    ];
    let known = known.into_iter();
    known
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// A setting and what it came to.
struct Row {
    name: String,
    rate: f64,
    interval: Option<[f64; 2]>,
    gain: Option<f64>,
    remark: String,
    marked: bool,
}

fn name(model: Model, concurrency: usize) -> String {
    match model {
        Model::Sequential => model.to_string(),
        _ => format!("{model}@{concurrency}"),
    }
}

fn rows(advice: &Advice) -> Vec<Row> {
    let chosen = advice.recommendation.map(|advised| Row {
        name: name(advised.model, advised.concurrency),
        rate: advice.throughput_per_s.unwrap_or(f64::NAN),
        interval: advice.throughput_ci95,
        gain: advice.expected_gain.map(|gain| gain.median),
        remark: "advised".to_owned(),
        marked: true,
    });
    let others = advice.alternatives.iter().map(|other| Row {
        name: name(other.model, other.concurrency),
        rate: other.throughput_per_s,
        interval: other.throughput_ci95,
        gain: other.gain,
        remark: other.remark.clone().unwrap_or_default(),
        marked: false,
    });
    chosen.into_iter().chain(others).collect()
}

fn settings(advice: &Advice) -> Grid {
    let row = |row: Row| {
        vec![
            row.name,
            figures::number(row.rate),
            row.gain.map_or_else(missing, figures::times),
            row.remark,
        ]
    };
    Grid {
        title: None,
        headings: vec![
            Heading::words("measured", "measured"),
            Heading::figures("inputs a second", "inputs a second"),
            Heading::figures("whole job", "the whole job, of one input after the other"),
            Heading::words("", "remark"),
        ],
        rows: rows(advice).into_iter().map(row).collect(),
    }
}

fn evidence(advice: &Advice) -> Grid {
    let rows = advice.evidence.iter();
    Grid {
        title: Some(format!("Evidence: the work is {}", told(advice))),
        headings: vec![
            Heading::words("figure", "figure"),
            Heading::words("what it means", "what it means"),
        ],
        rows: rows
            .map(|line| vec![line.figure.clone(), line.meaning.clone()])
            .collect(),
    }
}

/// What the work is like.
fn told(advice: &Advice) -> String {
    advice.character.name().replace('-', " ")
}

fn rule(advice: &Advice) -> Grid {
    let Some(rule) = &advice.rule_of_thumb else {
        return Grid::default();
    };
    let answers = rule.path.iter();
    let mut rows: Vec<_> = answers
        .map(|step| vec![step.question.clone(), step.answer.clone()])
        .collect();
    let holds = match rule.holds {
        true => "as measured here",
        false => "which is not what was measured here",
    };
    rows.push(vec!["So:".to_owned(), format!("{}, {holds}", rule.says)]);
    Grid {
        title: Some("The rule of thumb, with this job's answers".to_owned()),
        headings: vec![
            Heading::words("question", "question"),
            Heading::words("answer", "answer"),
        ],
        rows,
    }
}

fn remarks(advice: &Advice) -> Vec<String> {
    let changes = advice.changes.iter();
    let changes = changes.map(|change| format!("What would change this: {change}."));
    let cost = advice.recommendation.map(|_| {
        let memory = advice.memory_bytes.map_or_else(missing, figures::bytes);
        let executed = figures::counted(advice.executed, "input", "inputs");
        format!(
            "{executed} executed to find out; it starts in {} and holds {memory}.",
            seconds(advice.startup_s)
        )
    });
    let notes = advice.notes.iter().map(|note| format!("Note: {note}"));
    changes
        .chain(cost)
        .chain(notes)
        .chain([advice.verdict.clone()])
        .collect()
}

fn values(slice: &Slice) -> Vec<(&'static str, String)> {
    vec![
        ("model", text(slice.model)),
        ("concurrency", slice.concurrency.to_string()),
        ("refused", text(slice.refused.as_deref())),
        ("inputs", slice.inputs.to_string()),
        ("failed", slice.failed.to_string()),
        ("startup_s", slice.startup_s.to_string()),
        ("wall_s", slice.wall_s.to_string()),
        ("throughput_per_s", slice.rate_per_s.to_string()),
        ("run_s", slice.run_s.to_string()),
        ("run_sd_s", slice.run_sd_s.to_string()),
        ("run_max_s", slice.run_max_s.to_string()),
        ("cpu_s", text(slice.cpu_s)),
        ("attempts_cpu_s", text(slice.attempts_cpu_s)),
        ("run_queue_s", text(slice.run_queue_s)),
        ("serialising_s", text(slice.serialising_s)),
        ("longest_hold_s", text(slice.longest_hold_s)),
        ("input_bytes", slice.input_bytes.to_string()),
        ("output_bytes", slice.output_bytes.to_string()),
        ("peak_memory_bytes", text(slice.peak_memory_bytes)),
    ]
}

fn bars(advice: &Advice) -> Chart {
    let bar = |row: Row| Bar {
        label: row.name,
        value: row.rate,
        interval: row.interval,
        marked: row.marked,
    };
    Chart::Bars {
        title: "Inputs a second".to_owned(),
        unit: figures::number,
        bars: rows(advice).into_iter().map(bar).collect(),
    }
}

/// Throughput at rising concurrency, a curve a model, with one point of all that was measured of a setting.
fn curves(advice: &Advice) -> Chart {
    let chosen = advice.recommendation.zip(advice.throughput_per_s);
    let chosen = chosen.map(|(it, rate)| (it.model, it.concurrency, rate));
    let others = advice.alternatives.iter();
    let others = others.map(|it| (it.model, it.concurrency, it.throughput_per_s));
    let all: Vec<_> = chosen.into_iter().chain(others).collect();
    let curve = |model: Model| {
        let of_model = all.iter().filter(|(it, ..)| *it == model);
        let mut points: Vec<(f64, f64)> = of_model
            .filter_map(|(_, concurrency, rate)| {
                Some((f64::from(u32::try_from(*concurrency).ok()?), *rate))
            })
            .collect();
        points.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        (!points.is_empty()).then(|| Curve {
            name: model.to_string(),
            points,
            measured: true,
        })
    };
    Chart::Curves {
        title: "Throughput against concurrency".to_owned(),
        x: "inputs at once".to_owned(),
        y: "inputs a second".to_owned(),
        x_doubles: true,
        unit: figures::number,
        curves: Model::PLAIN.into_iter().filter_map(curve).collect(),
    }
}
