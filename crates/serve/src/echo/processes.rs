//! Connections served by worker processes, each of which listens on the same port and serves many as async tasks.
//!
//! The kernel deals connections out to the workers' sockets. The parent keeps these sockets as well, so that a worker
//! that ends loses its own connections alone: new ones wait for its successor.

use std::{
    io,
    net::TcpListener,
    os::fd::{AsFd as _, OwnedFd},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;
use triway_exec::restart::{self, Child, Link, LinkError, Prints, Registration};

use super::{counters::Counts, limits::Limits, places::Places, shared::Shared, tasks};

/// The role in which a worker is started; give it to the program's registration with [`serve_role`].
pub const ROLE: &str = "echo";

/// Frame: [`Limits`] follow, how many workers there are and which one this is, with the socket and the [`Places`].
const SETUP: u8 = 1;
/// Frame: come to an end.
const DRAIN: u8 = 2;
/// Frame: [`Counts`] follow.
const COUNTS: u8 = 3;

/// How often a worker tells what it has counted.
const TELLING: Duration = Duration::from_millis(250);
/// How long a worker may take to begin, and to end beyond what its connections may.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait before a worker that ended is started again.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves with a worker for each socket until `stop` is cancelled. Blocks.
pub(super) fn run(
    listeners: Vec<TcpListener>,
    shared: &Arc<Shared>,
    task: &str,
    stop: &CancellationToken,
) -> io::Result<()> {
    let (places, file) = Places::create(listeners.len())?;
    let (places, file, workers) = (&places, &file, listeners.len());
    thread::scope(|scope| {
        let workers = listeners.into_iter().enumerate().map(|(number, listener)| {
            let mut worker = Worker {
                number,
                listener: Some(listener),
                workers,
                places,
                file,
                shared,
                task,
                stop,
            };
            scope.spawn(move || worker.keep_alive())
        });
        let workers: Vec<_> = workers.collect();
        let ended = workers.into_iter().map(|worker| {
            worker
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a worker's keeper panicked")))
        });
        ended.fold(Ok(()), Result::and)
    })
}

/// How often in a row a first worker may fail to begin, until the server says why.
const TRIES: u32 = 3;

struct Worker<'a> {
    number: usize,
    /// Until the server is to end: then only the worker has it, and closes it.
    listener: Option<TcpListener>,
    workers: usize,
    places: &'a Places,
    file: &'a OwnedFd,
    shared: &'a Shared,
    task: &'a str,
    stop: &'a CancellationToken,
}

impl Worker<'_> {
    /// Starts the worker, and again whenever it has ended.
    fn keep_alive(&mut self) -> io::Result<()> {
        let mut before = Counts::default();
        let mut served = false;
        let mut failed = 0;
        while !self.stop.is_cancelled() {
            match self.start() {
                Ok((mut child, link)) => {
                    served = true;
                    before = self.attend(&mut child, link, before);
                }
                // One that never began says why; one that cannot begin again may be able to later.
                Err(error) if !served => {
                    // Somebody may have killed it before it had begun.
                    failed += 1;
                    if failed == TRIES {
                        self.stop.cancel();
                        return Err(error);
                    }
                }
                Err(_) => {}
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn start(&self) -> io::Result<(Child, Link)> {
        let (child, mut link) =
            restart::start(ROLE, self.task, "echo worker", Prints::ToStandardError)?;
        let listener = self.listener.as_ref();
        let listener = listener.ok_or(io::ErrorKind::NotConnected)?;
        let setup = (&self.shared.limits, self.workers, self.number);
        let setup = postcard::to_stdvec(&setup).map_err(io::Error::other)?;
        let deadline = Some(Instant::now() + PATIENCE);
        let files = [listener.as_fd(), self.file.as_fd()];
        let sent = link.send(SETUP, &setup, &files, deadline);
        sent.map_err(io::Error::other)?;
        Ok((child, link))
    }

    /// Takes in what the worker tells until it has ended; what it has counted, and those before it.
    fn attend(&mut self, child: &mut Child, mut link: Link, before: Counts) -> Counts {
        let mut all = before;
        let mut asked = None;
        loop {
            match link.recv(Some(Instant::now() + TELLING)) {
                Ok(Some(frame)) if frame.kind == COUNTS => {
                    let counts: Counts = postcard::from_bytes(&frame.payload).unwrap_or_default();
                    all = before.then(counts);
                    all.longest = counts.longest;
                    self.shared.tell(self.number, all);
                }
                Ok(Some(_)) | Err(LinkError::TimedOut) => {}
                Ok(None) | Err(_) => break,
            }
            if asked.is_none() && self.stop.is_cancelled() {
                asked = Some(Instant::now());
                self.listener = None;
                // A worker that is gone says so when it is listened to next.
                let _told = link.send(DRAIN, &[], &[], Some(Instant::now() + PATIENCE));
            }
            if asked.is_some_and(|asked| {
                asked.elapsed() > self.shared.limits.drain.saturating_add(PATIENCE)
            }) {
                child.kill();
            }
        }
        child.kill();
        let _reaped = child.wait();
        self.places.clear(self.number);
        let all = Counts { open: 0, ..all };
        self.shared.tell(self.number, all);
        all
    }
}

/// Serves in a worker process.
///
/// # Errors
/// The parent is gone, or does not speak this protocol.
pub fn serve_role(_: &'static Registration, mut link: Link) -> Result<(), LinkError> {
    let Some(frame) = link.recv(None)? else {
        return Ok(());
    };
    let (limits, workers, number): (Limits, usize, usize) =
        postcard::from_bytes(&frame.payload).map_err(LinkError::broken)?;
    let [socket, file] = <[OwnedFd; 2]>::try_from(frame.descriptors)
        .map_err(|_| LinkError::broken("a descriptor is missing"))?;
    let listener = TcpListener::from(socket);
    let places = Places::open(&file, workers, number, limits.connections);
    let mut shared = Shared::new(limits);
    shared.places = Some(Arc::new(places.map_err(LinkError::broken)?));
    let shared = Arc::new(shared);
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(LinkError::broken)?;
    let drain = CancellationToken::new();
    let (watched, asked) = (Arc::clone(&shared), drain.clone());
    let served = thread::spawn(move || {
        let ended = runtime.block_on(tasks::run(listener, watched, asked.cancelled_owned()));
        // What is still open ends with the runtime.
        drop(runtime);
        ended
    });
    while !served.is_finished() {
        match link.recv(Some(Instant::now() + TELLING)) {
            Ok(Some(frame)) if frame.kind == DRAIN => drain.cancel(),
            Ok(Some(_)) | Err(LinkError::TimedOut) => {}
            Ok(None) => drain.cancel(),
            Err(error) => return Err(error),
        }
        tell(&mut link, &shared)?;
    }
    tell(&mut link, &shared)
}

fn tell(link: &mut Link, shared: &Shared) -> Result<(), LinkError> {
    let counts = postcard::to_stdvec(&shared.counters.look()).map_err(LinkError::broken)?;
    link.send(COUNTS, &counts, &[], Some(Instant::now() + PATIENCE))
}
