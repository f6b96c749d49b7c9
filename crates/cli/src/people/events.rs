//! What happens to a job besides outcomes, in plain words, and no more of it than somebody can read.

use std::time::{Duration, Instant};

use triway_core::{Event, StopReason};

use super::{Screen, figures};
use crate::inputs::Places;

/// How many events of a kind are told in a [`PERIOD`].
const TOLD: u32 = 3;

/// How long it takes until more are told.
const PERIOD: Duration = Duration::from_secs(1);

/// Tells events, and counts those that it keeps to itself.
pub(crate) struct Events {
    screen: Screen,
    places: Places,
    retries: Kind,
    abandoned: Kind,
    died: Kind,
    fewer_told: bool,
}

/// Events of one kind.
struct Kind {
    one: &'static str,
    many: &'static str,
    since: Option<Instant>,
    told: u32,
    kept: u64,
    total: u64,
}

impl Events {
    /// Tells them on this screen.
    pub(crate) fn new(screen: Screen, places: Places) -> Self {
        Self {
            screen,
            places,
            retries: Kind::new("retry", "retries"),
            abandoned: Kind::new("attempt left behind", "attempts left behind"),
            died: Kind::new("worker process lost", "worker processes lost"),
            fewer_told: false,
        }
    }

    /// How many attempts failed and were followed by another.
    pub(crate) fn retries(&self) -> u64 {
        self.retries.total
    }

    /// Tells an event, if it is not one of too many.
    pub(crate) fn tell(&mut self, event: &Event) {
        let (kind, line) = match event {
            Event::Retrying {
                index,
                attempt,
                delay,
                failure,
            } => {
                let delay = figures::time(delay.as_secs_f64());
                let name = self.places.name(*index);
                let line =
                    format!("{name}: attempt {attempt} failed ({failure}); again in {delay}");
                (Some(&mut self.retries), line)
            }
            Event::Abandoned { index, reason, .. } => {
                let name = self.places.name(*index);
                let line =
                    format!("{name}: its time limit passed, and {reason}; it was left behind");
                (Some(&mut self.abandoned), line)
            }
            Event::WorkerDied { worker, reason } => (
                Some(&mut self.died),
                format!("worker process {worker} died: {reason}"),
            ),
            Event::FewerLanes { wanted, reason, .. } => {
                // It goes down step by step; the summary says where to.
                if std::mem::replace(&mut self.fewer_told, true) {
                    return;
                }
                (
                    None,
                    format!("going on with fewer than {wanted} at once: {reason}"),
                )
            }
            Event::Stopping { reason, .. } => match stopping(reason) {
                Some(line) => (None, line.to_owned()),
                None => return,
            },
            _ => return,
        };
        match kind {
            None => self.screen.say(&line),
            Some(kind) => kind.tell(&self.screen, &line),
        }
    }

    /// Says how many were kept back.
    pub(crate) fn end(&mut self) {
        for kind in [&mut self.retries, &mut self.abandoned, &mut self.died] {
            kind.admit(&self.screen);
        }
    }
}

impl Kind {
    fn new(one: &'static str, many: &'static str) -> Self {
        Self {
            one,
            many,
            since: None,
            told: 0,
            kept: 0,
            total: 0,
        }
    }

    fn tell(&mut self, screen: &Screen, line: &str) {
        self.total += 1;
        let now = Instant::now();
        if self.since.is_none_or(|since| now - since >= PERIOD) {
            self.admit(screen);
            self.since = Some(now);
            self.told = 0;
        }
        if self.told < TOLD {
            self.told += 1;
            screen.say(line);
        } else {
            self.kept += 1;
        }
    }

    fn admit(&mut self, screen: &Screen) {
        if self.kept > 0 {
            let name = if self.kept == 1 { self.one } else { self.many };
            screen.say(&format!("… and {} more {name}", self.kept));
            self.kept = 0;
        }
    }
}

/// What a stop is told as while the rest still runs. Signals and broken outputs are told where they happen.
fn stopping(reason: &StopReason) -> Option<&'static str> {
    match reason {
        StopReason::FailureLimit => Some("too many inputs failed: handing out no more"),
        _ => None,
    }
}
