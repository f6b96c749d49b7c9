//! What a stretch of work cost this process and its children: processor time and context switches.
//!
//! Its peak of memory is [`triway_exec::restart::own_peak_bytes`]; the one that getrusage gives is inherited from the
//! parent and lies.

use std::{fs, io, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    report::ContextSwitches,
    rusage::{self, Usage},
};

/// A point in time to measure from.
#[derive(Debug, Clone)]
pub struct Meter {
    own: Usage,
    children: Usage,
    /// Children that ran when it was started and are to count, and what they had used by then.
    running: Vec<(u32, Duration)>,
}

/// What was used since a [`Meter`] was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cost {
    /// Processor time, user and system, of this process and of children that were waited for in between.
    pub cpu: Duration,
    /// Context switches of the same.
    pub switches: ContextSwitches,
}

impl Meter {
    /// Starts measuring here.
    ///
    /// # Errors
    /// The system does not tell what was used.
    pub fn start() -> io::Result<Self> {
        Ok(Self {
            own: rusage::of_self()?,
            children: rusage::of_children()?,
            running: Vec::new(),
        })
    }

    /// The same, and what is used by children that run already counts as well, whether or not they end meanwhile.
    ///
    /// # Errors
    /// The system does not tell what was used.
    pub(crate) fn start_with_running() -> io::Result<Self> {
        let used = |child| Some((child, rusage::of_running(child).ok()?));
        Ok(Self {
            running: children()?.into_iter().filter_map(used).collect(),
            ..Self::start()?
        })
    }

    /// What was used since the start. Children count whole, and only once they were waited for.
    ///
    /// # Errors
    /// The system does not tell what was used.
    pub fn read(&self) -> io::Result<Cost> {
        let own = since(rusage::of_self()?, self.own);
        let children = since(rusage::of_children()?, self.children);
        // Of those that have ended, the whole is in what children have used.
        let before = |(child, then): &(u32, Duration)| (rusage::of_running(*child), *then);
        let (mut running, mut ended) = (Duration::ZERO, Duration::ZERO);
        for (now, then) in self.running.iter().map(before) {
            match now {
                Ok(now) => running += now.saturating_sub(then),
                Err(_) => ended += then,
            }
        }
        Ok(Cost {
            cpu: own.cpu + children.cpu.saturating_sub(ended) + running,
            switches: ContextSwitches {
                voluntary: own.voluntary + children.voluntary,
                involuntary: own.involuntary + children.involuntary,
            },
        })
    }
}

/// The children of this process, whichever of its threads has started them.
fn children() -> io::Result<Vec<u32>> {
    let mut children = Vec::new();
    for thread in fs::read_dir("/proc/self/task")? {
        // A thread may have ended meanwhile.
        let of_thread = fs::read_to_string(thread?.path().join("children")).unwrap_or_default();
        let numbers = of_thread.split_ascii_whitespace();
        children.extend(numbers.filter_map(|it| it.parse::<u32>().ok()));
    }
    Ok(children)
}

fn since(now: Usage, then: Usage) -> Usage {
    Usage {
        cpu: now.cpu.saturating_sub(then.cpu),
        voluntary: now.voluntary.saturating_sub(then.voluntary),
        involuntary: now.involuntary.saturating_sub(then.involuntary),
    }
}

#[cfg(test)]
mod tests {
    use std::{process::Command, thread, time::Instant};

    use super::*;

    fn spin(time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn own_work_and_that_of_reaped_children_count() {
        let meter = Meter::start().unwrap();
        spin(Duration::from_millis(30));
        let own = meter.read().unwrap();
        assert!(own.cpu >= Duration::from_millis(5), "{own:?}");
        let script = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done";
        let child = Meter::start().unwrap();
        assert!(
            Command::new("sh")
                .args(["-c", script])
                .status()
                .unwrap()
                .success()
        );
        assert!(child.read().unwrap().cpu > Duration::from_millis(2));
    }

    /// A child that was busy before, and is while it is measured, and ends or not.
    #[test]
    fn running_children_count_from_where_it_was_started() {
        let mut child = Command::new("sh")
            .args(["-c", "while :; do :; done"])
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(400));
        let meter = Meter::start_with_running().unwrap();
        thread::sleep(Duration::from_millis(100));
        let runs = meter.read().unwrap().cpu;
        child.kill().unwrap();
        child.wait().unwrap();
        let ended = meter.read().unwrap().cpu;
        // Its first 400 ms do not count, and it had a processor for some of the rest.
        for found in [runs, ended] {
            assert!(found > Duration::from_millis(5), "{runs:?} {ended:?}");
            assert!(found < Duration::from_millis(300), "{runs:?} {ended:?}");
        }
    }
}
