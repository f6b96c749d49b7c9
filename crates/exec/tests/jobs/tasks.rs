//! Tasks for tests: each input says what is to happen to it.

use std::{
    fs::OpenOptions,
    io::Write,
    path::PathBuf,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure, FailureKind, Forms, Task};
use triway_exec::{Finished, Running, Sink};

/// An output that is judged a failure.
pub(crate) const REJECTED: u64 = u64::MAX;

/// An output at which `judge` panics.
pub(crate) const PANICKING: u64 = u64::MAX - 1;

/// How a host says that it wants to be left alone.
pub(crate) const BUSY: FailureKind = FailureKind::new("busy");

/// How long it takes to ask a host that answers.
const ASKING: Duration = Duration::from_millis(20);

/// What an attempt is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Act {
    /// Give the number, doubled.
    Double(u64),
    /// Wait so many milliseconds, as the form does it.
    Sleep(u64),
    /// Hold the thread for so many milliseconds, whatever the form and whatever is asked.
    Hold(u64),
    /// Hold one of so many pieces of something that this process has, for so many milliseconds.
    Scarce {
        most: usize,
        millis: u64,
    },
    /// Return within the deadline, or when cancelled.
    Polite,
    Panic,
    Fail,
    FailPermanently,
    /// Fail at every attempt before this one.
    SucceedAt(u32),
    /// Ask a host, which takes 20 ms; at every attempt before this one it wants to be left alone for so many milliseconds.
    Ask {
        host: u8,
        ready_at: u32,
        wait: u64,
    },
    /// Give an output that is judged a failure.
    Reject,
    /// Give an output at which `judge` panics.
    PanicInJudge,
    /// End the process.
    Exit(i32),
    Abort,
    /// Give how many attempts this lane's state has seen.
    CountLane,
    /// Print to standard output.
    Print,
    /// Take so many MiB of memory, and hold them and the thread for good.
    Grow(usize),
    /// Abort the process at every attempt before this one.
    DieUntil(u32),
    /// Say this on the error output, and abort.
    Complain(String),
    /// Give the number of the process.
    Process,
    /// Start a command that outlives this attempt, and give the number of its process.
    LeaveBehind,
    /// Take so many MiB of memory and give them back.
    Fill(usize),
    /// Let this thread take a minute to end.
    LingerAtExit,
    /// Give how long the text is.
    Measure(String),
}

/// How many pieces of something scarce are held.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// One of a limited number of pieces, as a descriptor is.
struct Piece;

impl Piece {
    fn take(most: usize) -> Result<(), Failure> {
        let more = |held| (held < most).then_some(held + 1);
        let taken = HELD.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more);
        let short = |_| Failure::new(FailureKind::LOCAL_LIMIT, "none left");
        taken.map(drop).map_err(short)
    }

    fn put_back() {
        HELD.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Does what its inputs say; with a ledger file, notes each execution in it.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct Script {
    pub(crate) ledger: Option<PathBuf>,
}

impl Script {
    fn begin(
        &self,
        lane: &mut u64,
        input: &Act,
        context: &Context<'_>,
    ) -> Option<Result<u64, Failure>> {
        *lane += 1;
        self.note(context);
        let now = |result| Some(result);
        match input {
            Act::Double(n) => now(Ok(n * 2)),
            Act::Grow(mib) => {
                let block = vec![1u8; mib << 20];
                thread::sleep(Duration::from_secs(60));
                now(Ok(block.len() as u64))
            }
            Act::DieUntil(attempt) if context.attempt() < *attempt => std::process::abort(),
            Act::DieUntil(attempt) => now(Ok(u64::from(*attempt))),
            Act::Complain(words) => {
                eprintln!("{words}");
                std::process::abort()
            }
            Act::Process => now(Ok(u64::from(std::process::id()))),
            Act::LeaveBehind => {
                let left = std::process::Command::new("sleep").arg("60").spawn();
                now(Ok(u64::from(left.unwrap().id())))
            }
            Act::Fill(mib) => {
                let block = vec![1u8; mib << 20];
                now(Ok(block.iter().map(|&byte| u64::from(byte)).sum()))
            }
            Act::LingerAtExit => {
                LINGERER.with(|_| ());
                now(Ok(0))
            }
            Act::Measure(text) => now(Ok(text.len() as u64)),
            Act::CountLane => now(Ok(*lane)),
            Act::Hold(millis) => {
                thread::sleep(Duration::from_millis(*millis));
                now(Ok(*millis))
            }
            Act::Panic => panic!("asked to panic at input {}", context.index()),
            Act::Fail => now(Err(Failure::new(FailureKind::ERROR, "asked to fail"))),
            Act::FailPermanently => now(Err(Failure::bad_input("asked to fail for good"))),
            Act::SucceedAt(attempt) if context.attempt() < *attempt => {
                now(Err(Failure::new(FailureKind::ERROR, "not yet")))
            }
            Act::SucceedAt(attempt) => now(Ok(u64::from(*attempt))),
            Act::Ask { ready_at, wait, .. } if context.attempt() < *ready_at => {
                let wait = Duration::from_millis(*wait);
                now(Err(Failure::new(BUSY, "busy").with_retry_after(wait)))
            }
            Act::Reject => now(Ok(REJECTED)),
            Act::PanicInJudge => now(Ok(PANICKING)),
            Act::Exit(code) => std::process::exit(*code),
            Act::Abort => std::process::abort(),
            Act::Print => {
                println!("a line of the task's own");
                now(Ok(0))
            }
            Act::Scarce { most, .. } => Piece::take(*most).err().map(Err),
            Act::Sleep(_) | Act::Polite | Act::Ask { .. } => None,
        }
    }

    /// One write in append mode, so that lines of several processes never mix.
    fn note(&self, context: &Context<'_>) {
        if let Some(path) = &self.ledger {
            let mut file = OpenOptions::new()
                .append(true)
                .create(true)
                .open(path)
                .unwrap();
            let line = format!("{} {}\n", context.index(), context.attempt());
            file.write_all(line.as_bytes()).unwrap();
        }
    }
}

impl Task for Script {
    type Input = Act;
    type Output = u64;
    type Lane = u64;

    fn forms(&self) -> Forms {
        Forms::Both
    }

    fn run_blocking(
        &self,
        lane: &mut u64,
        input: &Act,
        context: &Context<'_>,
    ) -> Result<u64, Failure> {
        if let Some(result) = self.begin(lane, input, context) {
            return result;
        }
        match input {
            Act::Sleep(millis) => thread::sleep(Duration::from_millis(*millis)),
            Act::Ask { .. } => thread::sleep(ASKING),
            Act::Scarce { millis, .. } => {
                thread::sleep(Duration::from_millis(*millis));
                Piece::put_back();
            }
            _ => {
                while !context.is_cancelled() && context.remaining() != Some(Duration::ZERO) {
                    thread::sleep(Duration::from_millis(1));
                }
                return Err(match context.is_cancelled() {
                    true => Failure::new(FailureKind::CANCELLED, "was told to stop"),
                    false => Failure::new(FailureKind::TIMEOUT, "kept its own deadline"),
                });
            }
        }
        Ok(0)
    }

    async fn run_async(
        &self,
        lane: &mut u64,
        input: &Act,
        context: &Context<'_>,
    ) -> Result<u64, Failure> {
        if let Some(result) = self.begin(lane, input, context) {
            return result;
        }
        match input {
            Act::Sleep(millis) => tokio::time::sleep(Duration::from_millis(*millis)).await,
            Act::Ask { .. } => tokio::time::sleep(ASKING).await,
            Act::Scarce { millis, .. } => {
                tokio::time::sleep(Duration::from_millis(*millis)).await;
                Piece::put_back();
            }
            _ => std::future::pending().await,
        }
        Ok(0)
    }

    fn judge(&self, output: &u64) -> Result<(), Failure> {
        assert!(*output != PANICKING, "asked to panic in judge");
        if *output == REJECTED {
            return Err(Failure::new(FailureKind::new("rejected"), "a bad number"));
        }
        Ok(())
    }

    fn key(&self, input: &Act) -> Option<String> {
        match input {
            Act::Ask { host, .. } => Some(format!("host {host}")),
            other => Some(format!("{other:?}")),
        }
    }
}

struct Lingerer;

impl Drop for Lingerer {
    fn drop(&mut self) {
        thread::sleep(Duration::from_secs(60));
    }
}

thread_local! {
    static LINGERER: Lingerer = const { Lingerer };
}

/// A task that only one process can make from its configuration: the one that makes the file first.
#[derive(Debug, Serialize)]
pub(crate) struct OnlyOnce {
    pub(crate) file: PathBuf,
}

impl<'de> Deserialize<'de> for OnlyOnce {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let file = PathBuf::deserialize(source)?;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&file)
            .map_err(serde::de::Error::custom)?;
        Ok(Self { file })
    }
}

impl Task for OnlyOnce {
    type Input = u64;
    type Output = u64;
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Blocking
    }

    fn run_blocking(&self, (): &mut (), input: &u64, _: &Context<'_>) -> Result<u64, Failure> {
        Ok(*input)
    }
}

/// A task without a blocking form.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct OnlyAsync;

impl Task for OnlyAsync {
    type Input = u64;
    type Output = u64;
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Async
    }

    async fn run_async(&self, (): &mut (), input: &u64, _: &Context<'_>) -> Result<u64, Failure> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(input + 1)
    }
}

/// A task that no worker can make from its configuration.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Unmakeable;

impl<'de> Deserialize<'de> for Unmakeable {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("cannot be made here"))
    }
}

impl Task for Unmakeable {
    type Input = u64;
    type Output = u64;
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Blocking
    }
}

/// An input that panics when the lane's copy of it is dropped.
#[derive(Debug)]
pub(crate) struct Grenade {
    pub(crate) armed: bool,
    pub(crate) copy: bool,
}

impl Clone for Grenade {
    fn clone(&self) -> Self {
        Self {
            armed: self.armed,
            copy: true,
        }
    }
}

impl Drop for Grenade {
    fn drop(&mut self) {
        assert!(!(self.armed && self.copy), "asked to panic when dropped");
    }
}

/// Does nothing with inputs that are dangerous to drop.
#[derive(Debug, Default)]
pub(crate) struct Handle;

impl Task for Handle {
    type Input = Grenade;
    type Output = ();
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Both
    }

    fn run_blocking(&self, (): &mut (), _: &Grenade, _: &Context<'_>) -> Result<(), Failure> {
        Ok(())
    }

    async fn run_async(&self, (): &mut (), _: &Grenade, _: &Context<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

/// A task without an async form, and not registered.
#[derive(Debug, Default)]
pub(crate) struct OnlyBlocking;

impl Task for OnlyBlocking {
    type Input = u64;
    type Output = u64;
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Blocking
    }

    fn run_blocking(&self, (): &mut (), input: &u64, _: &Context<'_>) -> Result<u64, Failure> {
        Ok(input + 1)
    }
}

/// Runs `call` and fails if it takes longer than `limit`: nothing may hang. A call that does not come back at all ends
/// this process.
pub(crate) fn within<R>(limit: Duration, call: impl FnOnce() -> R) -> R {
    let began = Instant::now();
    let (done, waiting) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        let patience = limit + Duration::from_secs(20);
        if waiting.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            std::process::abort();
        }
    });
    let result = call();
    drop(done);
    watch.join().unwrap();
    let took = began.elapsed();
    assert!(took < limit, "took {took:?}, more than {limit:?}");
    result
}

/// What a job came to that must end within [`LIMIT`].
pub(crate) fn ended<T: Task, S: Sink<T>>(job: Running<T, S>) -> Finished<S> {
    within(LIMIT, || job.wait().unwrap())
}

/// Far longer than any job here takes that is not asked to.
const LIMIT: Duration = Duration::from_secs(20);
