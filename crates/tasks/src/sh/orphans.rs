//! Commands whose Triway was killed: the trial of a comparison is, when it takes too long or is not wanted any more.
//!
//! Nobody is left then who knows of them. So whoever starts such a process asks the kernel beforehand to be given the
//! orphans of all its descendants, and finds them among its own children.

use std::{
    fs, io,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{
    Pid, Signal, WaitOptions, getpid, kill_process_group, set_child_subreaper, waitpid,
};

static ADOPTING: AtomicBool = AtomicBool::new(false);

/// How long the kernel may take to end what cannot refuse.
const KILLED: Duration = Duration::from_millis(500);

/// From now on, what descendants of this process leave behind becomes its own child. For [`end_orphans`].
///
/// # Errors
/// The kernel does not do it.
pub fn adopt_orphans() -> io::Result<()> {
    set_child_subreaper(Some(getpid()))?;
    ADOPTING.store(true, Ordering::Relaxed);
    Ok(())
}

/// Ends all children of this process, if it adopts orphans; what has a session of its own was meant to stay. Blocks
/// until they are gone. For a moment at which this process has no child that it still needs.
pub fn end_orphans() {
    if !ADOPTING.load(Ordering::Relaxed) {
        return;
    }
    let until = Instant::now() + KILLED;
    loop {
        let children = children();
        if children.is_empty() || until <= Instant::now() {
            return;
        }
        for (child, group) in children {
            let _gone = kill_process_group(group, Signal::KILL);
            // Only to forget it: how it ended is known.
            let _collected = waitpid(Some(child), WaitOptions::NOHANG);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// The children in this process's session that have a group of their own, and that group.
fn children() -> Vec<(Pid, Pid)> {
    let own = getpid();
    let Some(parent) = Kin::of(own) else {
        return Vec::new();
    };
    let threads = fs::read_dir(format!("/proc/{own}/task"));
    let lists = threads.into_iter().flatten().flatten();
    let lists = lists.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let numbers: Vec<i32> = lists
        .flat_map(|list| {
            list.split(' ')
                .filter_map(|word| word.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect();
    let pids = numbers.into_iter().filter_map(Pid::from_raw);
    let kin = pids.filter_map(|pid| Some((pid, Kin::of(pid)?)));
    kin.filter(|(_, kin)| kin.session == parent.session && kin.group != parent.group)
        .filter_map(|(pid, kin)| Some((pid, Pid::from_raw(kin.group)?)))
        .collect()
}

/// Where a process belongs. A number is 0 if it is of a process outside the PID namespace, as whoever starts a
/// container often is; a [`Pid`] cannot say that.
#[derive(Debug, PartialEq, Eq)]
struct Kin {
    group: i32,
    session: i32,
}

impl Kin {
    /// `None` once the process was collected.
    fn of(process: Pid) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
    }

    /// From `proc_pid_stat(5)`; the name of the program may have spaces and parentheses in it.
    fn parse(stat: &str) -> Option<Self> {
        let (_, fields) = stat.rsplit_once(") ")?;
        let mut numbers = fields.split(' ').skip(2).map(str::parse);
        Some(Self {
            group: numbers.next()?.ok()?,
            session: numbers.next()?.ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kin_are_found_behind_any_name() {
        for (stat, expected) in [
            ("7 (sh) S 1 5 3 0 -1", Some((5, 3))),
            ("7 (a) S 9 9 (b) R 1 0 0 34816 -1", Some((0, 0))),
            ("7 (sh) S 1", None),
            ("", None),
        ] {
            let expected = expected.map(|(group, session)| Kin { group, session });
            assert_eq!(Kin::parse(stat), expected, "{stat}");
        }
    }
}
