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
    Pid, Signal, WaitOptions, getpgid, getpid, getsid, kill_process_group, set_child_subreaper,
    waitpid,
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
        for child in children {
            if let Ok(group) = getpgid(Some(child)) {
                let _gone = kill_process_group(group, Signal::KILL);
            }
            // Only to forget it: how it ended is known.
            let _collected = waitpid(Some(child), WaitOptions::NOHANG);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// The children in this process's session that have a group of their own.
fn children() -> Vec<Pid> {
    let own = getpid();
    let (session, group) = (getsid(None).ok(), getpgid(None).ok());
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
    pids.filter(|pid| getsid(Some(*pid)).ok() == session && getpgid(Some(*pid)).ok() != group)
        .collect()
}
