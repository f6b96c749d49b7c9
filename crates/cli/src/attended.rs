//! Work that somebody may interrupt: done on a thread of its own, while the main thread listens for signals.

use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGXFSZ},
    flag,
    iterator::Signals,
    low_level::emulate_default_handler,
};
use triway_exec::Control;

use crate::exit::{Exit, Fault};

/// How many times somebody has asked, and how the program is to end for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// From 1.
    pub(crate) times: u32,
    /// By the first signal.
    pub(crate) exit: Exit,
}

/// How work ended that may be interrupted.
pub(crate) struct Attended<R> {
    /// What it gave; `None` if it panicked, or did not end in time after it was asked to.
    pub(crate) result: Option<R>,
    /// Whether somebody asked.
    pub(crate) asked: Option<Asked>,
}

enum News<R> {
    /// `None` if it panicked.
    Done(Option<R>),
    Signal(i32),
}

/// Does `work` to its end. At each signal that asks for an end `heed` is told, and answers how long to wait for the work
/// from then on; `None` is for as long as it takes. When a shell stops this program (Ctrl-Z), the job of `control` stops
/// with it.
///
/// # Errors
/// The machine gave no thread or no signal handler.
pub(crate) fn attend<R: Send + 'static>(
    work: impl FnOnce() -> R + Send + 'static,
    mut heed: impl FnMut(Asked) -> Option<Duration>,
    control: Option<Control>,
) -> Result<Attended<R>, Fault> {
    let (send, receive) = channel();
    listen(send.clone(), control).map_err(Fault::could_not_run)?;
    thread::Builder::new()
        .name("triway-job".to_owned())
        .spawn(move || {
            // Whatever the panic left behind, nobody uses it any more.
            let done = catch_unwind(AssertUnwindSafe(work)).ok();
            // Nobody listens any more if the work took too long to end.
            let _unheard = send.send(News::Done(done));
        })
        .map_err(Fault::could_not_run)?;
    let mut asked: Option<Asked> = None;
    let mut until: Option<Instant> = None;
    loop {
        let news = match until {
            None => receive.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(until) => receive.recv_timeout(until.saturating_duration_since(Instant::now())),
        };
        match news {
            Ok(News::Done(result)) => {
                return Ok(Attended { result, asked });
            }
            Ok(News::Signal(signal)) => {
                let now = Asked {
                    times: asked.map_or(0, |asked| asked.times) + 1,
                    exit: asked.map_or_else(|| exit_of(signal), |asked| asked.exit),
                };
                asked = Some(now);
                until = heed(now).map(|limit| Instant::now() + limit);
            }
            Err(_) => {
                return Ok(Attended {
                    result: None,
                    asked,
                });
            }
        }
    }
}

/// Sends the signals that ask for an end on, from a thread of its own, for as long as the program lives. Those that
/// whoever started this program wants to be ignored (as `nohup` does) stay ignored.
fn listen<R: Send + 'static>(send: Sender<News<R>>, control: Option<Control>) -> io::Result<()> {
    // A file that has reached its largest size is an error of the write, as a full disk is, and no reason to die.
    flag::register(SIGXFSZ, Arc::default())?;
    let wanted = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP];
    let mut signals = Signals::new(wanted.into_iter().filter(|&signal| !is_ignored(signal)))?;
    thread::Builder::new()
        .name("triway-signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                if signal == SIGTSTP {
                    stop(control.as_ref());
                } else if send.send(News::Signal(signal)).is_err() {
                    break;
                }
            }
        })?;
    Ok(())
}

/// Stops this program as a shell wants it; comes back when it goes on.
fn stop(control: Option<&Control>) {
    let stop = || {
        // A program that cannot be stopped goes on, which the shell notices.
        let _unstopped = emulate_default_handler(SIGTSTP);
    };
    match control {
        Some(control) => control.suspend(stop),
        None => stop(),
    }
}

/// Whether this signal was to be ignored when the program was started.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

fn exit_of(signal: i32) -> Exit {
    match signal {
        SIGTERM => Exit::Terminated,
        SIGHUP => Exit::HungUp,
        SIGQUIT => Exit::Quit,
        _ => Exit::Interrupted,
    }
}
