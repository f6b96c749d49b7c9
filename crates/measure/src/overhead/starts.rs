//! What it costs to start something: a thread, an async task, a process.

use std::{
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use tokio::runtime::{Builder, Runtime};

use super::{
    answer::{Answer, PATIENCE, count, middle_of, why},
    other::Other,
};

/// How many async tasks are started in a row; one alone would be lost in the clock.
const TASKS: u32 = 5_000;

/// A thread, from its start to its end.
pub(super) fn of_thread() -> Answer {
    let once = || {
        let started = thread::Builder::new().spawn(|| {});
        let started = started.map_err(|error| why("no thread")(&error))?;
        started.join().map_err(|_| "the thread panicked".to_owned())
    };
    Ok(vec![middle_of(20, 500, once)?])
}

/// An async task, from its start to its end.
pub(super) fn of_task() -> Answer {
    let runtime = one_thread()?;
    let all = async {
        for _ in 0..TASKS {
            tokio::spawn(async {}).await?;
        }
        Ok(())
    };
    let began = Instant::now();
    let ended: Result<(), tokio::task::JoinError> = runtime.block_on(all);
    ended.map_err(|error| why("an async task failed")(&error))?;
    Ok(vec![began.elapsed().as_secs_f64() / f64::from(TASKS)])
}

/// This program started again, from its start to its end.
pub(super) fn of_this_program() -> Answer {
    let once = || Other::start()?.end();
    Ok(vec![middle_of(4, 50, once)?])
}

/// A process by `vfork`, which takes over nothing of this one's memory.
pub(super) fn by_vfork() -> Answer {
    // The standard library starts programs by posix_spawn(3), which is vfork(2) on Linux, where nothing stands against it.
    of_program(|_| {})
}

/// A process by `fork`, which copies the tables of this one's memory.
pub(super) fn by_fork() -> Answer {
    let own = rustix::process::getuid().as_raw();
    // A user to become, even the same, is what posix_spawn(3) cannot give, so the standard library forks.
    of_program(move |command| {
        command.uid(own);
    })
}

fn of_program(as_wanted: impl Fn(&mut Command)) -> Answer {
    let program = idle_program()?;
    let once = || {
        let mut command = Command::new(program);
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
        as_wanted(quiet.env_clear());
        let ended = command.status();
        let ended = ended.map_err(|error| why(&program.display().to_string())(&error))?;
        match ended.success() {
            true => Ok(()),
            false => Err(format!("{} ended with {ended}", program.display())),
        }
    };
    Ok(vec![middle_of(4, 50, once)?])
}

/// A program that does nothing.
fn idle_program() -> Result<&'static Path, String> {
    let known = ["/bin/true", "/usr/bin/true"].map(Path::new);
    let found = known.into_iter().find(|path| path.is_file());
    found.ok_or_else(|| "there is no /bin/true to start".to_owned())
}

/// A runtime whose tasks take turns on the thread that waits for them.
pub(super) fn one_thread() -> Result<Runtime, String> {
    let built = Builder::new_current_thread().build();
    built.map_err(|error| why("no async runtime")(&error))
}

/// A million whole numbers, written and read back as worker processes get theirs.
pub(super) fn of_serialised() -> Answer {
    let numbers: Vec<u64> = (0..1_000_000).collect();
    let began = Instant::now();
    let bytes = postcard::to_stdvec(&numbers).map_err(|error| why("postcard")(&error))?;
    let back: Vec<u64> = postcard::from_bytes(&bytes).map_err(|error| why("postcard")(&error))?;
    let taken = began.elapsed().as_secs_f64();
    match back.len() == numbers.len() && taken < PATIENCE.as_secs_f64() {
        true => Ok(vec![taken]),
        false => Err(format!("{} numbers came back", count(back.len() as u64))),
    }
}
