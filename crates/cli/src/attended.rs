//! Work that somebody may interrupt: done on a thread of its own, while the main thread listens for signals.

use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    iterator::Signals,
};

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

/// Does `work` to its end. At each signal that asks for an end `heed` is told, and answers how long to wait for the work from
/// then on; `None` is for as long as it takes.
///
/// # Errors
/// The machine gave no thread or no signal handler.
pub(crate) fn attend<R: Send + 'static>(
    work: impl FnOnce() -> R + Send + 'static,
    mut heed: impl FnMut(Asked) -> Option<Duration>,
) -> Result<Attended<R>, Fault> {
    let (send, receive) = channel();
    listen(send.clone()).map_err(Fault::could_not_run)?;
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

/// Sends every signal that asks for an end on from a thread of its own, for as long as the program lives.
///
/// A terminal that goes away and its Ctrl-\ ask for one too. Whoever started this program with one of those two
/// ignored, as `nohup` and a shell's `&` do, wants it to go on; so they stay ignored.
fn listen<R: Send + 'static>(send: Sender<News<R>>) -> io::Result<()> {
    let ignored = ignored();
    let from_terminal = [SIGHUP, SIGQUIT];
    let heeded = from_terminal
        .iter()
        .filter(|signal| !holds(ignored, **signal));
    let mut signals = Signals::new([SIGINT, SIGTERM].iter().chain(heeded))?;
    thread::Builder::new()
        .name("triway-signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                if send.send(News::Signal(signal)).is_err() {
                    break;
                }
            }
        })?;
    Ok(())
}

/// The signals that this program ignores, one bit each; none where the system does not tell.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.unwrap_or(0)
}

fn holds(mask: u64, signal: i32) -> bool {
    mask >> (signal - 1) & 1 == 1
}

fn exit_of(signal: i32) -> Exit {
    match signal {
        SIGHUP => Exit::HungUp,
        SIGQUIT => Exit::Quit,
        SIGTERM => Exit::Terminated,
        _ => Exit::Interrupted,
    }
}
