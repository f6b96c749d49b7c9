//! What it costs to go from one thread, process or async task to another.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::fd::{AsFd as _, OwnedFd},
    thread,
    time::Instant,
};

use rustix::{
    pipe::{PipeFlags, pipe_with},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

use super::{
    answer::{Answer, why},
    other::Other,
    starts::one_thread,
};

/// How many times a byte goes there and back.
const TRIPS: u32 = 1_500;
/// How many times each of two async tasks lets the other go on.
const YIELDS: u32 = 50_000;

/// From thread to thread on one processor, through pipes.
pub(super) fn of_threads() -> Answer {
    stay_on_one_processor()?;
    let (there, back) = (Pipe::new()?, Pipe::new()?);
    let (from, to) = (there.out, back.into);
    let echo = thread::Builder::new().spawn(move || send_back(from.into(), to.into()));
    let echo = echo.map_err(|error| why("no thread")(&error))?;
    let taken = trips(there.into.into(), back.out.into());
    // The pipe is closed by now, so the thread ends.
    let ended = echo.join().map_err(|_| "a thread panicked".to_owned())?;
    ended.map_err(|error| why("a pipe")(&error))?;
    taken
}

/// From process to process on one processor, through pipes.
pub(super) fn of_processes() -> Answer {
    // Inherited by whatever is started from here on.
    stay_on_one_processor()?;
    let mut other = Other::start()?;
    let (there, back) = (Pipe::new()?, Pipe::new()?);
    other.send_back(there.out.as_fd(), back.into.as_fd())?;
    drop((there.out, back.into));
    let taken = trips(there.into.into(), back.out.into());
    other.end()?;
    taken
}

/// From async task to async task on one thread.
pub(super) fn of_tasks() -> Answer {
    let runtime = one_thread()?;
    let taken = runtime.block_on(async {
        let yields = || async {
            for _ in 0..YIELDS {
                tokio::task::yield_now().await;
            }
        };
        let began = Instant::now();
        let both = [tokio::spawn(yields()), tokio::spawn(yields())];
        for task in both {
            task.await
                .map_err(|error| why("an async task failed")(&error))?;
        }
        Ok::<_, String>(began.elapsed())
    })?;
    Ok(vec![taken.as_secs_f64() / f64::from(2 * YIELDS)])
}

/// Sends a byte there and waits for it to come back; half of a trip, in seconds.
fn trips(mut there: File, mut back: File) -> Answer {
    let mut byte = [1];
    let mut trip = || {
        there
            .write_all(&byte)
            .and_then(|()| back.read_exact(&mut byte))
    };
    let failed = why("a pipe");
    (0..10)
        .try_for_each(|_| trip())
        .map_err(|error| failed(&error))?;
    let began = Instant::now();
    for _ in 0..TRIPS {
        trip().map_err(|error| failed(&error))?;
    }
    Ok(vec![began.elapsed().as_secs_f64() / f64::from(2 * TRIPS)])
}

fn send_back(mut from: File, mut to: File) -> std::io::Result<()> {
    let mut byte = [0];
    while from.read(&mut byte)? == 1 {
        to.write_all(&byte)?;
    }
    Ok(())
}

struct Pipe {
    out: OwnedFd,
    into: OwnedFd,
}

impl Pipe {
    fn new() -> Result<Self, String> {
        let made = pipe_with(PipeFlags::CLOEXEC);
        let (out, into) = made.map_err(|error| why("no pipe")(&error))?;
        Ok(Self { out, into })
    }
}

/// On two processors a byte that comes wakes the other one up, which is no switch and takes longer.
fn stay_on_one_processor() -> Result<(), String> {
    let failed = why("a thread cannot be kept on one processor here");
    let may = sched_getaffinity(None).map_err(|error| failed(&error))?;
    let first = (0..CpuSet::MAX_CPU).find(|&cpu| may.is_set(cpu));
    let mut one = CpuSet::new();
    one.set(first.ok_or_else(|| failed(&"none is allowed"))?);
    sched_setaffinity(None, &one).map_err(|error| failed(&error))
}
