//! What one more of something holds in memory that nobody shares with it.

use std::{
    fs,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
};

use super::{
    answer::{Answer, count, why},
    other::Other,
    starts::one_thread,
};

const THREADS: u64 = 200;
const TASKS: u64 = 10_000;
const PROCESSES: usize = 8;

/// A thread that waits.
pub(super) fn of_thread() -> Answer {
    let gate = Arc::new((Mutex::new((0, false)), Condvar::new()));
    let before = own()?;
    let mut started = Vec::new();
    let mut refused = None;
    for _ in 0..THREADS {
        let gate = Arc::clone(&gate);
        match thread::Builder::new().spawn(move || wait_at(&gate)) {
            Ok(thread) => started.push(thread),
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    let wanted = started.len();
    let arrived = gate.0.lock().unwrap_or_else(PoisonError::into_inner);
    let all_there = |state: &mut (usize, bool)| state.0 < wanted;
    let mut state = gate
        .1
        .wait_while(arrived, all_there)
        .unwrap_or_else(PoisonError::into_inner);
    let grown = own();
    state.1 = true;
    drop(state);
    gate.1.notify_all();
    for thread in started {
        thread.join().map_err(|_| "a thread panicked".to_owned())?;
    }
    match refused {
        Some(error) => Err(format!("this machine gave only {wanted} threads: {error}")),
        None => Ok(vec![count(grown?.saturating_sub(before)) / count(THREADS)]),
    }
}

/// Says that it is there, and waits until the gate opens.
fn wait_at(gate: &(Mutex<(usize, bool)>, Condvar)) {
    let mut state = gate.0.lock().unwrap_or_else(PoisonError::into_inner);
    state.0 += 1;
    gate.1.notify_all();
    let opened = gate.1.wait_while(state, |state| !state.1);
    drop(opened.unwrap_or_else(PoisonError::into_inner));
}

/// An async task that waits.
pub(super) fn of_task() -> Answer {
    let runtime = one_thread()?;
    let grown = runtime.block_on(async {
        let before = own()?;
        for _ in 0..TASKS {
            tokio::spawn(std::future::pending::<()>());
        }
        // Each is polled once, as one that waits has been.
        tokio::task::yield_now().await;
        own().map(|after| after.saturating_sub(before))
    })?;
    Ok(vec![count(grown) / count(TASKS)])
}

/// A process of this program that waits.
pub(super) fn of_process() -> Answer {
    let all: Vec<Other> = (0..PROCESSES)
        .map(|_| Other::start())
        .collect::<Result<_, _>>()?;
    let held: Result<Vec<u64>, String> = all.iter().map(|other| of(&other.id())).collect();
    for other in all {
        other.end()?;
    }
    let held = held?;
    let together: u64 = held.iter().sum();
    Ok(vec![count(together) / count(held.len() as u64)])
}

fn own() -> Result<u64, String> {
    of(&"self")
}

/// The memory of a process that nobody shares with it, in bytes.
fn of(process: &dyn std::fmt::Display) -> Result<u64, String> {
    let path = format!("/proc/{process}/smaps_rollup");
    let text = fs::read_to_string(&path).map_err(|error| why(&path)(&error))?;
    private_bytes(&text).ok_or_else(|| format!("{path} does not tell of private memory"))
}

fn private_bytes(rollup: &str) -> Option<u64> {
    let of = |name: &str| -> Option<u64> {
        let line = rollup.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    };
    Some((of("Private_Clean:")? + of("Private_Dirty:")?) * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_memory_is_what_the_kernel_calls_so() {
        let text = "00-ff ---p 00 00:00 0 [rollup]\nRss: 900 kB\nShared_Clean: 800 kB\n\
                    Private_Clean:        4 kB\nPrivate_Dirty:       96 kB\n";
        assert_eq!(private_bytes(text), Some(100 * 1024));
        assert_eq!(private_bytes("Rss: 900 kB\n"), None);
    }
}
