//! What a stretch of work cost this process and its children: processor time and context switches.
//!
//! Its peak of memory is [`triway_exec::restart::own_peak_bytes`]; the one that getrusage gives is inherited from the
//! parent and lies.

use std::{io, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    report::ContextSwitches,
    rusage::{self, Usage},
};

/// A point in time to measure from.
#[derive(Debug, Clone, Copy)]
pub struct Meter {
    own: Usage,
    children: Usage,
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
        })
    }

    /// What was used since the start. Children count whole, and only once they were waited for.
    ///
    /// # Errors
    /// The system does not tell what was used.
    pub fn read(&self) -> io::Result<Cost> {
        let own = since(rusage::of_self()?, self.own);
        let children = since(rusage::of_children()?, self.children);
        Ok(Cost {
            cpu: own.cpu + children.cpu,
            switches: ContextSwitches {
                voluntary: own.voluntary + children.voluntary,
                involuntary: own.involuntary + children.involuntary,
            },
        })
    }
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
    use std::{process::Command, time::Instant};

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
}
