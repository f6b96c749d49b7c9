//! Waiting on the thread that calls, in the kernel, for its own socket and nothing else: no runtime, no hidden thread.
//!
//! A request is written as an async function, so something must poll it. Here that is [`block_on`]: whatever cannot go
//! on notes the socket or the moment that it waits for, and the thread sleeps in `poll(2)` until one of them has come.

use std::{
    cell::RefCell,
    future::Future,
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::way::Io;

thread_local! {
    static AWAITED: RefCell<Awaited> = RefCell::default();
}

/// What the blocking form waits with.
#[derive(Debug)]
pub struct Blocking;

/// A connection that is waited for on the thread that uses it.
#[derive(Debug)]
pub struct Socket(Arc<TcpStream>);

/// What the future that this thread polls could not go on without.
#[derive(Default)]
struct Awaited {
    sockets: Vec<(Arc<TcpStream>, PollFlags)>,
    until: Option<Instant>,
}

/// Says that something has changed which no socket and no moment tells of.
struct Bell {
    rung: AtomicBool,
    sleeper: Thread,
}

/// Runs a future that waits with [`Blocking`] to its end. Blocks.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let bell = Arc::new(Bell {
        rung: AtomicBool::new(false),
        sleeper: thread::current(),
    });
    let waker = Waker::from(Arc::clone(&bell));
    loop {
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        let awaited = AWAITED.take();
        if let Poll::Ready(output) = polled {
            return output;
        }
        if !bell.rung.swap(false, Ordering::Acquire) {
            awaited.wait();
        }
    }
}

impl Io for Blocking {
    const HAS_RUNTIME: bool = false;

    type Stream = Socket;

    async fn connect(address: SocketAddr, until: Option<Instant>) -> io::Result<Socket> {
        let stream = match until {
            None => TcpStream::connect(address)?,
            Some(until) => match left(until) {
                Duration::ZERO => return Err(io::ErrorKind::TimedOut.into()),
                left => TcpStream::connect_timeout(&address, left)?,
            },
        };
        Self::adopt(stream)
    }

    fn adopt(stream: TcpStream) -> io::Result<Socket> {
        // Without it, small requests wait for the other side's delayed acknowledgement.
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Socket(Arc::new(stream)))
    }

    fn peer(stream: &Socket) -> io::Result<SocketAddr> {
        stream.0.peer_addr()
    }

    async fn breathe() {
        // The thread is this request's own.
    }

    async fn until<F: Future + Send>(until: Instant, mut future: Pin<&mut F>) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            if until <= Instant::now() {
                return Poll::Ready(None);
            }
            AWAITED.with_borrow_mut(|awaited| {
                awaited.until = Some(awaited.until.map_or(until, |other| other.min(until)));
            });
            Poll::Pending
        })
        .await
    }
}

impl Awaited {
    fn wait(self) {
        if self.sockets.is_empty() {
            return match self.until {
                None => thread::park(),
                Some(until) => thread::park_timeout(left(until)),
            };
        }
        let mut polled: Vec<_> = self
            .sockets
            .iter()
            .map(|(socket, flags)| PollFd::new(socket, *flags))
            .collect();
        let limit = self.until.map(timespec);
        // If it ends early, by a signal or an error, the future is polled for nothing.
        let _ended = poll(&mut polled, limit.as_ref());
    }
}

impl Socket {
    /// The connection itself, for whoever is to end it from outside.
    #[must_use]
    pub fn stream(&self) -> &Arc<TcpStream> {
        &self.0
    }

    fn attempt(
        &self,
        flags: PollFlags,
        mut call: impl FnMut() -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            match call() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let socket = Arc::clone(&self.0);
                    AWAITED.with_borrow_mut(|awaited| awaited.sockets.push((socket, flags)));
                    return Poll::Pending;
                }
                ended => return Poll::Ready(ended),
            }
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let unfilled = buffer.initialize_unfilled();
        let read = self.attempt(PollFlags::IN, || (&*self.0).read(unfilled));
        read.map_ok(|bytes| buffer.advance(bytes))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.attempt(PollFlags::OUT, || (&*self.0).write(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.shutdown(std::net::Shutdown::Write))
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.sleeper.unpark();
    }
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

fn timespec(until: Instant) -> Timespec {
    let left = left(until);
    Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: left.subsec_nanos().into(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[test]
    fn a_moment_ends_a_wait_for_a_socket() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let start = Instant::now();
        let read = block_on(async {
            let mut socket = Blocking::connect(address, None).await.unwrap();
            let mut buffer = [0; 8];
            let read = pin!(socket.read(&mut buffer));
            Blocking::until(start + Duration::from_millis(50), read).await
        });
        assert!(read.is_none());
        let took = start.elapsed();
        assert!(
            took >= Duration::from_millis(50) && took < Duration::from_secs(2),
            "{took:?}"
        );
    }

    #[test]
    fn another_thread_ends_a_wait_without_a_socket() {
        let (send, receive) = tokio::sync::oneshot::channel();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            send.send(7).unwrap();
        });
        assert_eq!(block_on(receive), Ok(7));
    }
}
