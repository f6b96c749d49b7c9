//! A comparison as tables, records and pictures.

use std::io::{self, Write};

use triway_core::Status;
use triway_measure::report::{ArmReport, Comparison, Latency, ServerReport, Shown};

use super::{
    Bar, Chart, Found, Grid, Heading, Records, Sheet, Spread,
    cells::{count, end, interval, median, missing, pair, seconds, text},
    how, write_json,
};
use crate::people::{excerpt::excerpt, figures};

/// How much of an outcome a remark shows.
const SHOWN: usize = 100;

impl Found for Comparison {
    fn json(&self, pretty: bool, to: &mut dyn Write) -> io::Result<()> {
        write_json(self, pretty, to)
    }

    fn sheet(&self) -> Sheet {
        let columns = columns(self);
        let row = |arm| columns.iter().map(|column| (column.cell)(arm)).collect();
        Sheet {
            grids: vec![Grid {
                title: None,
                headings: columns.iter().map(|column| column.heading).collect(),
                rows: self.models.iter().map(row).collect(),
            }],
            remarks: remarks(self),
        }
    }

    fn records(&self) -> Records {
        let winner = self.winner.as_deref();
        Records::of(self.models.iter().map(|arm| values(arm, winner)).collect())
    }

    fn charts(&self) -> Vec<Chart> {
        let bar = |arm: &ArmReport| {
            let total = arm.total_s?;
            Some(Bar {
                // What failed or gave something else is no faster, however short its bar.
                label: match arm.unranked {
                    Some(_) => format!("{} (not ranked)", arm.id),
                    None => arm.id.clone(),
                },
                value: total.median,
                interval: total.telling_interval(),
                marked: self.winner.as_ref() == Some(&arm.id),
            })
        };
        let bars = Chart::Bars {
            title: "Start-up and work; shorter is better".to_owned(),
            unit: figures::time,
            bars: self.models.iter().filter_map(bar).collect(),
        };
        let spreads: Vec<Spread> = self
            .models
            .iter()
            .filter_map(|arm| spread(arm, self))
            .collect();
        let spread = Chart::latencies(spreads);
        let timelines = self.models.iter().filter_map(timeline);
        [bars].into_iter().chain(spread).chain(timelines).collect()
    }

    fn title(&self) -> String {
        format!("compare {}", self.task)
    }

    fn how(&self) -> Vec<(&'static str, String)> {
        let inputs = figures::counted(self.inputs, "input", "inputs");
        let inputs = match self.sampled {
            Some(sampled) => format!("{sampled} of {inputs}, evenly spaced"),
            None => inputs,
        };
        let rounds = figures::counted(self.rounds as u64, "counted round", "counted rounds");
        let arms = self.models.iter().filter(|arm| arm.skipped.is_none());
        let arms = arms.map(|arm| format!("{} (concurrency {})", arm.id, arm.concurrency));
        let mut how = vec![
            ("Task", self.task.clone()),
            ("Inputs", inputs),
            (
                "Rounds",
                format!("{rounds}, the arms in turn, each trial a fresh process, after a warm-up"),
            ),
            ("Arms", arms.collect::<Vec<_>>().join(", ")),
            ("Baseline", self.baseline.clone().unwrap_or_else(missing)),
            (
                "Results",
                match self.results_equal {
                    true => "the same under all arms".to_owned(),
                    false => "not the same under all arms".to_owned(),
                },
            ),
        ];
        how.extend(how::options(&self.options));
        how.extend(how::machine(&self.machine));
        how
    }
}

/// How long the inputs of an arm took.
fn spread(arm: &ArmReport, comparison: &Comparison) -> Option<Spread> {
    let counts = arm.latency_distribution.as_ref()?;
    let marked = comparison.winner.as_ref() == Some(&arm.id);
    Some(Spread::of(arm.id.clone(), counts, arm.latency_s?, marked))
}

/// What the lanes of an arm did.
fn timeline(arm: &ArmReport) -> Option<Chart> {
    Some(Chart::timeline(arm.id.clone(), arm.timeline.as_ref()?))
}

/// A column of a comparison.
struct Column {
    heading: Heading,
    when: When,
    /// The figures of an arm; a second line where two belong together.
    cell: fn(&ArmReport) -> String,
}

/// Which comparisons have a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    /// Where the arms are models.
    Models,
    /// Where the arms are servers.
    Servers,
}

const ALL: [Column; 11] = [
    Column {
        heading: Heading::words("\nmodel", "model"),
        when: When::Always,
        cell: |arm| arm.id.clone(),
    },
    column("start-\nup", "start-up", When::Models, |arm| {
        seconds(arm.startup_s)
    }),
    column("wall\n95 %", "wall (95 %)", When::Models, |arm| {
        interval(arm.wall_s, figures::time, figures::time_range)
    }),
    column("total\n95 %", "total (95 %)", When::Always, |arm| {
        interval(arm.total_s, figures::time, figures::time_range)
    }),
    column("speedup\n95 %", "speedup (95 %)", When::Always, speedup),
    column("inputs\na second", "inputs a second", When::Always, |arm| {
        arm.throughput_per_s.map_or_else(missing, figures::number)
    }),
    column("p50\np99", "latency p50 p99", When::Always, |arm| {
        let latency = arm.latency_s;
        pair(
            seconds(latency.map(|latency| latency.p50)),
            seconds(latency.map(|latency| latency.p99)),
        )
    }),
    column("CPU\nmemory", "CPU, memory", When::Always, |arm| {
        let memory = arm.peak_memory_bytes;
        pair(
            seconds(arm.cpu_s),
            memory.map_or_else(missing, figures::bytes),
        )
    }),
    column(
        "switches\nforced",
        "context switches, forced",
        When::Models,
        |arm| {
            let switches = arm.context_switches;
            pair(
                count(switches.map(|switches| switches.voluntary)),
                count(switches.map(|switches| switches.involuntary)),
            )
        },
    ),
    column(
        "server/msg\n/connection",
        "the server's CPU a message, its memory a connection",
        When::Servers,
        |arm| {
            let bytes = |server: ServerReport| figures::bytes(server.memory_per_connection_bytes);
            pair(
                seconds(arm.server.map(|server| server.cpu_per_message_s)),
                arm.server.map_or_else(missing, bytes),
            )
        },
    ),
    column("ok\nfailed", "ok, failed", When::Always, |arm| {
        pair(count(arm.succeeded), count(arm.failed))
    }),
];

const fn column(
    short: &'static str,
    long: &'static str,
    when: When,
    cell: fn(&ArmReport) -> String,
) -> Column {
    Column {
        heading: Heading::figures(short, long),
        when,
        cell,
    }
}

/// The columns of this comparison.
fn columns(comparison: &Comparison) -> Vec<&'static Column> {
    let servers = comparison.models.iter().any(|arm| arm.server.is_some());
    let other = if servers { When::Models } else { When::Servers };
    ALL.iter().filter(|column| column.when != other).collect()
}

fn speedup(arm: &ArmReport) -> String {
    // The baseline is exactly as fast as itself, which needs no interval.
    let speedup = arm.speedup.map(|mut speedup| {
        speedup.ci95 = speedup
            .telling_interval()
            .filter(|ends| *ends != [1.0, 1.0]);
        speedup
    });
    interval(speedup, figures::times, figures::times_range)
}

/// What is to be said below a comparison: who did not run or is not ranked, where results differ, notes, the verdict.
fn remarks(comparison: &Comparison) -> Vec<String> {
    let skipped = comparison.models.iter().filter_map(|arm| {
        let why = arm.skipped.as_ref()?;
        Some(format!("{} was skipped: {why}", arm.id))
    });
    let unranked = comparison.models.iter().filter_map(|arm| {
        let why = arm.unranked.as_ref()?;
        Some(format!("{} is not ranked: {why}", arm.id))
    });
    let differences = comparison.differences.iter().map(|difference| {
        let (one, other) = (&difference.reference, &difference.differing);
        format!(
            "input {} {}: {} gave {}, {} gave {}",
            difference.index,
            how_it_differs(one, other),
            one.id,
            excerpt(&one.outcome, SHOWN),
            other.id,
            excerpt(&other.outcome, SHOWN)
        )
    });
    let notes = comparison.notes.iter().map(|note| format!("Note: {note}"));
    skipped
        .chain(unranked)
        .chain(differences)
        .chain(notes)
        .chain([comparison.verdict.clone()])
        .collect()
}

/// An input that failed on one side alone did not give another result; it gave none.
fn how_it_differs(one: &Shown, other: &Shown) -> &'static str {
    let ok = |side: &Shown| side.outcome.starts_with(Status::Ok.name());
    let failed = |side: &Shown| {
        let failures = [Status::Failed, Status::Timeout, Status::WorkerLost];
        let mut names = failures.iter().map(|status| status.name());
        names.any(|name| side.outcome.starts_with(name))
    };
    match (ok(one) && failed(other)) || (failed(one) && ok(other)) {
        true if one.id == other.id => "failed in some rounds alone",
        true => "failed under some arms alone",
        false => "differs",
    }
}

/// The figures of an arm with their names; what was not measured is empty.
fn values(arm: &ArmReport, winner: Option<&str>) -> Vec<(&'static str, String)> {
    let latency = |of: fn(&Latency) -> f64| text(arm.latency_s.as_ref().map(of));
    let (switches, server) = (arm.context_switches, arm.server);
    vec![
        ("id", arm.id.clone()),
        ("model", arm.model.to_string()),
        ("concurrency", arm.concurrency.to_string()),
        ("runtime_threads", text(arm.runtime_threads)),
        ("winner", (winner == Some(&*arm.id)).to_string()),
        ("skipped", text(arm.skipped.as_deref())),
        ("unranked", text(arm.unranked.as_deref())),
        ("succeeded", text(arm.succeeded)),
        ("failed", text(arm.failed)),
        ("startup_s", text(arm.startup_s)),
        ("wall_s", median(arm.wall_s)),
        ("wall_s_low", end(arm.wall_s, 0)),
        ("wall_s_high", end(arm.wall_s, 1)),
        ("total_s", median(arm.total_s)),
        ("total_s_low", end(arm.total_s, 0)),
        ("total_s_high", end(arm.total_s, 1)),
        ("speedup", median(arm.speedup)),
        ("speedup_low", end(arm.speedup, 0)),
        ("speedup_high", end(arm.speedup, 1)),
        ("throughput_per_s", text(arm.throughput_per_s)),
        ("latency_p50_s", latency(|latency| latency.p50)),
        ("latency_p90_s", latency(|latency| latency.p90)),
        ("latency_p99_s", latency(|latency| latency.p99)),
        ("latency_max_s", latency(|latency| latency.max)),
        ("cpu_s", text(arm.cpu_s)),
        ("peak_memory_bytes", text(arm.peak_memory_bytes)),
        (
            "voluntary_switches",
            text(switches.map(|switches| switches.voluntary)),
        ),
        (
            "involuntary_switches",
            text(switches.map(|switches| switches.involuntary)),
        ),
        (
            "server_connections",
            text(server.map(|server| server.connections)),
        ),
        (
            "server_cpu_per_message_s",
            text(server.map(|server| server.cpu_per_message_s)),
        ),
        (
            "server_memory_per_connection_bytes",
            text(server.map(|server| server.memory_per_connection_bytes)),
        ),
    ]
}
