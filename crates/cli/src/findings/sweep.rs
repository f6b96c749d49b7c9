//! A sweep as tables, records and pictures.

use std::io::{self, Write};

use triway_measure::{
    report::Latency,
    sweep::{
        report::{Point, Sweep},
        usl::Law,
    },
};

use super::{
    Bar, Chart, Curve, Found, Grid, Heading, Records, Sheet, Spread,
    cells::{count, end, interval, median, missing, pair, seconds, text},
    how, write_json,
};
use crate::people::{excerpt::excerpt, figures};

/// How much of an outcome a remark shows.
const SHOWN: usize = 100;

/// Of how many points a line is drawn.
const DRAWN: u32 = 60;

impl Found for Sweep {
    fn json(&self, pretty: bool, to: &mut dyn Write) -> io::Result<()> {
        write_json(self, pretty, to)
    }

    fn sheet(&self) -> Sheet {
        let row = |point: &Point| {
            let columns = COLUMNS.iter().map(|column| (column.cell)(point));
            let mut cells: Vec<String> = columns.collect();
            cells.push(mark(self, point).to_owned());
            cells
        };
        let headings = COLUMNS.iter().map(|column| column.heading);
        Sheet {
            grids: vec![Grid {
                title: None,
                headings: headings.chain([Heading::words("", "remark")]).collect(),
                rows: self.points.iter().map(row).collect(),
            }],
            remarks: remarks(self),
        }
    }

    fn records(&self) -> Records {
        Records::of(
            self.points
                .iter()
                .map(|point| values(self, point))
                .collect(),
        )
    }

    fn charts(&self) -> Vec<Chart> {
        let name = |point: &Point| format!("{}@{}", self.model, point.concurrency);
        let recommended = self.recommended.as_ref().map(|it| it.concurrency);
        let is_recommended = |point: &Point| recommended == Some(point.concurrency);
        let bars = self.points.iter().filter_map(|point| {
            let rate = point.throughput_per_s?;
            Some(Bar {
                label: name(point),
                value: rate.median,
                interval: rate.ci95,
                marked: is_recommended(point),
            })
        });
        let spreads = self.points.iter().filter_map(|point| {
            let counts = point.latency_distribution.as_ref()?;
            let marked = is_recommended(point);
            Some(Spread::of(name(point), counts, point.latency_s?, marked))
        });
        let timelines = self.points.iter().filter_map(|point| {
            let timeline = point.timeline.as_ref()?;
            Some(Chart::timeline(name(point), timeline))
        });
        let curves = [
            Chart::Curves {
                title: "Throughput against concurrency".to_owned(),
                x: "inputs at once".to_owned(),
                y: "inputs a second".to_owned(),
                x_doubles: true,
                unit: figures::number,
                curves: throughput(self),
            },
            Chart::Curves {
                title: "Latency against concurrency".to_owned(),
                x: "inputs at once".to_owned(),
                y: "seconds an attempt".to_owned(),
                x_doubles: true,
                unit: figures::time,
                curves: vec![
                    latency(self, "p50", |latency| latency.p50),
                    latency(self, "p99", |latency| latency.p99),
                ],
            },
        ];
        let bars = Chart::Bars {
            title: "Inputs a second".to_owned(),
            unit: figures::number,
            bars: bars.collect(),
        };
        let spreads = Chart::latencies(spreads.collect());
        curves
            .into_iter()
            .chain([bars])
            .chain(spreads)
            .chain(timelines)
            .collect()
    }

    fn title(&self) -> String {
        format!("sweep {}", self.task)
    }

    fn how(&self) -> Vec<(&'static str, String)> {
        let inputs = figures::counted(self.inputs, "input", "inputs");
        let inputs = match self.sampled {
            Some(sampled) => format!("{sampled} of {inputs}, evenly spaced"),
            None => inputs,
        };
        let rounds = figures::counted(self.rounds as u64, "counted round", "counted rounds");
        let mut how = vec![
            ("Task", self.task.clone()),
            ("Model", self.model.to_string()),
            ("Inputs", inputs),
            (
                "Rounds",
                format!("{rounds}, the points in turn, each trial a fresh process"),
            ),
        ];
        how.extend(how::options(&self.options));
        how.extend(how::machine(&self.machine));
        how
    }
}

/// A column of a sweep.
struct Column {
    heading: Heading,
    /// The figures of a point; a second line where two belong together.
    cell: fn(&Point) -> String,
}

const COLUMNS: [Column; 8] = [
    column("at\nonce", "at once", |point| point.concurrency.to_string()),
    column("\ninputs", "inputs", |point| figures::count(point.inputs)),
    column(
        "inputs a\nsecond, 95 %",
        "inputs a second (95 %)",
        |point| {
            interval(point.throughput_per_s, figures::number, |_, [low, high]| {
                format!("{}–{}", figures::number(low), figures::number(high))
            })
        },
    ),
    column("effi-\nciency", "efficiency", |point| {
        let share = |share: f64| format!("{:.0} %", share * 100.0);
        point.efficiency.map_or_else(missing, share)
    }),
    column("latency\np50 / p99", "latency p50 p99", |point| {
        let at = |of: fn(&Latency) -> f64| seconds(point.latency_s.as_ref().map(of));
        pair(at(|latency| latency.p50), at(|latency| latency.p99))
    }),
    column("CPU/input\nmemory", "CPU an input, memory", |point| {
        let memory = point.peak_memory_bytes;
        pair(
            seconds(point.cpu_per_input_s),
            memory.map_or_else(missing, figures::bytes),
        )
    }),
    column("switches\nforced", "context switches, forced", |point| {
        let switches = point.context_switches;
        pair(
            count(switches.map(|switches| switches.voluntary)),
            count(switches.map(|switches| switches.involuntary)),
        )
    }),
    column("ok\nfailed", "ok, failed", |point| {
        pair(count(point.succeeded), count(point.failed))
    }),
];

const fn column(short: &'static str, long: &'static str, cell: fn(&Point) -> String) -> Column {
    Column {
        heading: Heading::figures(short, long),
        cell,
    }
}

/// What is to be seen at once about a point.
fn mark(sweep: &Sweep, point: &Point) -> &'static str {
    let recommended = sweep.recommended.as_ref().map(|it| it.concurrency);
    let is_open = sweep.recommended.as_ref().is_some_and(|it| it.is_open);
    let knee = sweep.knee.map(|knee| knee.concurrency);
    let here = Some(point.concurrency);
    match point {
        Point {
            skipped: Some(_), ..
        } => "skipped",
        Point {
            unranked: Some(_), ..
        } => "left out",
        Point {
            too_few_inputs: true,
            ..
        } => "too few",
        _ if recommended == here && is_open => "◂ best of these",
        _ if recommended == here && knee == here => "◂ enough, knee",
        _ if recommended == here => "◂ enough",
        _ if knee == here => "knee",
        _ => "",
    }
}

/// What is to be said below: what did not run or is left out, where results differ, notes, the verdict.
fn remarks(sweep: &Sweep) -> Vec<String> {
    let mut remarks: Vec<String> = skipped(sweep).into_iter().collect();
    let id = |point: &Point| format!("{}@{}", sweep.model, point.concurrency);
    remarks.extend(sweep.points.iter().filter_map(|point| {
        let why = point.unranked.as_ref()?;
        Some(format!("{} is left out: {why}", id(point)))
    }));
    remarks.extend(sweep.differences.iter().map(|difference| {
        let (one, other) = (&difference.reference, &difference.differing);
        format!(
            "input {} differs: {} gave {}, {} gave {}",
            difference.index,
            one.id,
            excerpt(&one.outcome, SHOWN),
            other.id,
            excerpt(&other.outcome, SHOWN)
        )
    }));
    remarks.extend(sweep.notes.iter().map(|note| format!("Note: {note}")));
    remarks.push(sweep.verdict.clone());
    remarks
}

/// Says once why points were skipped: it is the same for all but for a number.
fn skipped(sweep: &Sweep) -> Option<String> {
    let skipped: Vec<&Point> = sweep
        .points
        .iter()
        .filter(|it| it.skipped.is_some())
        .collect();
    let names: Vec<String> = skipped
        .iter()
        .map(|it| it.concurrency.to_string())
        .collect();
    let why = skipped.first()?.skipped.as_ref()?;
    Some(format!("{} skipped: {why}", names.join(", ")))
}

/// The figures of a point with their names; what was not measured is empty.
fn values(sweep: &Sweep, point: &Point) -> Vec<(&'static str, String)> {
    let latency = |of: fn(&Latency) -> f64| text(point.latency_s.as_ref().map(of));
    let recommended = sweep.recommended.as_ref().map(|it| it.concurrency);
    let knee = sweep.knee.map(|knee| knee.concurrency);
    let switches = point.context_switches;
    vec![
        ("model", sweep.model.to_string()),
        ("concurrency", point.concurrency.to_string()),
        ("inputs", point.inputs.to_string()),
        (
            "recommended",
            (recommended == Some(point.concurrency)).to_string(),
        ),
        ("knee", (knee == Some(point.concurrency)).to_string()),
        ("too_few_inputs", point.too_few_inputs.to_string()),
        ("skipped", text(point.skipped.as_deref())),
        ("unranked", text(point.unranked.as_deref())),
        ("succeeded", text(point.succeeded)),
        ("failed", text(point.failed)),
        ("startup_s", text(point.startup_s)),
        ("wall_s", median(point.wall_s)),
        ("wall_s_low", end(point.wall_s, 0)),
        ("wall_s_high", end(point.wall_s, 1)),
        ("throughput_per_s", median(point.throughput_per_s)),
        ("throughput_per_s_low", end(point.throughput_per_s, 0)),
        ("throughput_per_s_high", end(point.throughput_per_s, 1)),
        ("efficiency", text(point.efficiency)),
        ("latency_p50_s", latency(|latency| latency.p50)),
        ("latency_p90_s", latency(|latency| latency.p90)),
        ("latency_p99_s", latency(|latency| latency.p99)),
        ("latency_max_s", latency(|latency| latency.max)),
        ("cpu_s", text(point.cpu_s)),
        ("cpu_per_input_s", text(point.cpu_per_input_s)),
        ("peak_memory_bytes", text(point.peak_memory_bytes)),
        (
            "voluntary_switches",
            text(switches.map(|switches| switches.voluntary)),
        ),
        (
            "involuntary_switches",
            text(switches.map(|switches| switches.involuntary)),
        ),
    ]
}

/// What was measured, and the law between the first and the last of that, but not beyond.
fn throughput(sweep: &Sweep) -> Vec<Curve> {
    let points = sweep.points.iter().filter_map(|point| {
        let throughput = point.throughput_per_s?;
        Some((at(point), throughput.median))
    });
    let points: Vec<(f64, f64)> = points.collect();
    let law = sweep.fit.and_then(|fit| {
        let law = Law {
            lambda: fit.lambda,
            sigma: fit.sigma,
            kappa: fit.kappa,
        };
        let usable = || sweep.points.iter().filter(|point| point.figure().is_some());
        let (first, last) = (at(usable().next()?), at(usable().next_back()?));
        let drawn = (0..=DRAWN).map(|step| {
            let n = first * (last / first).powf(f64::from(step) / f64::from(DRAWN));
            (n, law.throughput(n))
        });
        Some(Curve {
            name: "the Universal Scalability Law".to_owned(),
            points: drawn.collect(),
            measured: false,
        })
    });
    let measured = Curve {
        name: sweep.model.to_string(),
        points,
        measured: true,
    };
    [measured].into_iter().chain(law).collect()
}

/// A percentile of latency.
fn latency(sweep: &Sweep, name: &str, of: fn(&Latency) -> f64) -> Curve {
    let points = sweep.points.iter();
    Curve {
        name: name.to_owned(),
        points: points
            .filter_map(|point| Some((at(point), of(&point.latency_s?))))
            .collect(),
        measured: true,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a concurrency needs no more digits than a float has"
)]
fn at(point: &Point) -> f64 {
    point.concurrency as f64
}
