//! Connections served by a thread each.

use std::{
    collections::HashMap,
    future::poll_fn,
    io,
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    task::Poll,
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use tokio_util::sync::CancellationToken;
use triway_wait::{Blocking, Io as _, block_on};

use super::{
    session::{after, serve},
    shared::Shared,
};
use crate::listen::{ACCEPT_PAUSE, is_fatal, is_shortage, waiting};

/// A session needs little, and ten thousand stacks are to fit into the address space of any machine.
const STACK_BYTES: usize = 128 << 10;
/// How often whoever waits looks whether the server is to end, or there is room for another connection.
const GLANCE: Duration = Duration::from_millis(50);

/// The open connections, so that they can be told of the end.
#[derive(Debug, Default)]
struct Open {
    streams: Mutex<HashMap<u64, Weak<TcpStream>>>,
    /// Told whenever there is one fewer.
    fewer: Condvar,
}

/// Serves until `stop` is cancelled, and then what is in flight. Blocks.
///
/// # Errors
/// An error of the listening socket that waiting does not mend.
pub(super) fn run(
    listener: TcpListener,
    shared: &Arc<Shared>,
    stop: &CancellationToken,
) -> io::Result<()> {
    let open = Arc::new(Open::default());
    let mut number = 0;
    let served = loop {
        if stop.is_cancelled() {
            break Ok(());
        }
        if !open.has_room(shared.limits.connections) {
            continue;
        }
        match listener.accept() {
            Ok((stream, _)) => {
                number += 1;
                serve_in_thread(stream, number, (shared, &open), stop);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait(&listener)?,
            Err(error) if is_fatal(&error) => break Err(error),
            Err(error) if is_shortage(&error) => thread::sleep(ACCEPT_PAUSE),
            // The client gave up before it was accepted.
            Err(_) => {}
        }
    };
    for stream in waiting(&listener) {
        if !open.has_room(shared.limits.connections) {
            break;
        }
        number += 1;
        serve_in_thread(stream, number, (shared, &open), stop);
    }
    drop(listener);
    // What has arrived can still be read, and then there is an end.
    open.shut(Shutdown::Read);
    let until = after(shared.limits.drain);
    while !open.has_room(1) && Instant::now() < until {}
    open.shut(Shutdown::Both);
    served
}

/// Waits for a connection, or a moment.
fn wait(listener: &TcpListener) -> io::Result<()> {
    let limit = Timespec {
        tv_sec: 0,
        tv_nsec: GLANCE.subsec_nanos().into(),
    };
    match poll(&mut [PollFd::new(listener, PollFlags::IN)], Some(&limit)) {
        Err(error) if error != Errno::INTR => Err(error.into()),
        _ => Ok(()),
    }
}

/// A machine that has no thread or descriptor left gives the connection up, and its client sees its end.
fn serve_in_thread(
    stream: TcpStream,
    number: u64,
    (shared, open): (&Arc<Shared>, &Arc<Open>),
    stop: &CancellationToken,
) {
    let Ok(stream) = Blocking::adopt(stream) else {
        return;
    };
    open.lock().insert(number, Arc::downgrade(stream.stream()));
    let (shared, own, stop) = (Arc::clone(shared), Arc::clone(open), stop.clone());
    let work = move || {
        // Nothing wakes it: its connection is shut, which does.
        let ended = poll_fn(|_| match stop.is_cancelled() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        });
        block_on(serve::<Blocking>(
            stream,
            &shared.limits,
            &shared.counters,
            ended,
        ));
        own.remove(number);
    };
    let builder = thread::Builder::new()
        .name("triway-echo".to_owned())
        .stack_size(STACK_BYTES);
    if builder.spawn(work).is_err() {
        open.remove(number);
        thread::sleep(ACCEPT_PAUSE);
    }
}

impl Open {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Weak<TcpStream>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remove(&self, number: u64) {
        self.lock().remove(&number);
        self.fewer.notify_all();
    }

    /// Whether there are fewer than `most`; waits a moment for that.
    fn has_room(&self, most: usize) -> bool {
        let full = |streams: &mut HashMap<_, _>| streams.len() >= most;
        let waited = self.fewer.wait_timeout_while(self.lock(), GLANCE, full);
        let (streams, _) = waited.unwrap_or_else(PoisonError::into_inner);
        streams.len() < most
    }

    fn shut(&self, how: Shutdown) {
        for stream in self.lock().values().filter_map(Weak::upgrade) {
            // One that has ended already needs no end.
            let _shut = stream.shutdown(how);
        }
    }
}
