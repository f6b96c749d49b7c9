//! What became of the inputs of each host, for people.

use std::{cmp::Reverse, collections::HashMap, time::Duration};

use comfy_table::{CellAlignment, ContentArrangement, Table as Grid, presets};
use triway_core::Status;

use super::figures;

/// How many hosts are told apart; a list of a million hosts must not fill the memory.
const MOST_HOSTS: usize = 10_000;

/// How many are shown.
const SHOWN: usize = 20;

/// Counts by host.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    hosts: HashMap<String, Counts>,
    others: Counts,
}

#[derive(Debug, Default, Clone)]
struct Counts {
    healthy: u64,
    flaky: u64,
    unhealthy: u64,
    slowest: Duration,
}

impl Hosts {
    /// Counts an outcome of this host; a cancelled one says nothing about it.
    pub(crate) fn record(
        &mut self,
        host: Option<String>,
        status: Status,
        retried: bool,
        run: Duration,
    ) {
        if status == Status::Cancelled {
            return;
        }
        let known =
            host.filter(|host| self.hosts.len() < MOST_HOSTS || self.hosts.contains_key(host));
        let counts = match known {
            Some(host) => self.hosts.entry(host).or_default(),
            None => &mut self.others,
        };
        match status {
            Status::Ok if retried => counts.flaky += 1,
            Status::Ok => counts.healthy += 1,
            _ => counts.unhealthy += 1,
        }
        counts.slowest = counts.slowest.max(run);
    }

    /// A table, those with the most trouble first.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut hosts: Vec<_> = self.hosts.iter().collect();
        hosts.sort_by_key(|(host, counts)| {
            (
                Reverse((counts.unhealthy, counts.flaky, counts.healthy)),
                *host,
            )
        });
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(["host", "healthy", "flaky", "unhealthy", "slowest"]);
        for (host, counts) in hosts.iter().take(SHOWN) {
            grid.add_row(counts.row(host));
        }
        if self.others.total() > 0 {
            grid.add_row(self.others.row("others"));
        }
        for (place, column) in grid.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if place > 0 {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let mut lines: Vec<_> = grid.trim_fmt().lines().map(str::to_owned).collect();
        if hosts.len() > SHOWN {
            lines.push(format!("… and {} more hosts", hosts.len() - SHOWN));
        }
        lines
    }
}

impl Counts {
    fn total(&self) -> u64 {
        self.healthy + self.flaky + self.unhealthy
    }

    fn row(&self, host: &str) -> [String; 5] {
        [
            host.to_owned(),
            self.healthy.to_string(),
            self.flaky.to_string(),
            self.unhealthy.to_string(),
            figures::time(self.slowest.as_secs_f64()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_host_comes_first() {
        let mut hosts = Hosts::default();
        let ms = Duration::from_millis;
        for (host, status, retried, time) in [
            ("good:80", Status::Ok, false, 5),
            ("good:80", Status::Ok, true, 7),
            ("bad:80", Status::Failed, false, 9),
            ("bad:80", Status::Cancelled, false, 1000),
        ] {
            hosts.record(Some(host.to_owned()), status, retried, ms(time));
        }
        hosts.record(None, Status::Timeout, false, ms(1));
        let lines = hosts.lines().join("\n");
        let (bad, good) = (lines.find("bad:80"), lines.find("good:80"));
        assert!(bad < good && lines.contains("others"), "{lines}");
        assert!(!lines.contains("1.00 s"), "{lines}");
    }
}
