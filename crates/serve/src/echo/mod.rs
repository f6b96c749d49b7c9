//! An echo server: reads a line, waits as a database would, answers `Echo: …`. It is served as async tasks, by a thread a
//! connection, or by worker processes, with the same limits and the same words.

mod counters;
mod limits;
mod places;
mod processes;
mod session;
mod shared;
mod tasks;
mod threads;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    num::NonZeroUsize,
    sync::Arc,
    thread,
};

use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use shared::Shared;
use triway_exec::ensure_threads;

use crate::listen::{Port, listen};

pub use counters::Counts;
pub use limits::Limits;
pub use processes::{ROLE, serve_role};

/// How connections are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// As async tasks, on as many threads as there are processors.
    Tasks,
    /// By a thread each.
    Threads,
    /// By so many worker processes. They are this program started again for the task of this name, which has to be
    /// registered with [`ROLE`] and [`serve_role`].
    Processes(NonZeroUsize, String),
}

/// An echo server that listens; [`EchoServer::run`] serves it.
#[derive(Debug)]
pub struct EchoServer {
    listeners: Vec<TcpListener>,
    host: Host,
    shared: Arc<Shared>,
}

/// A look at what a server has counted, also while it runs.
#[derive(Debug, Clone)]
pub struct Watch(Arc<Shared>);

impl EchoServer {
    /// Listens on `address`; port 0 takes a free one, which [`EchoServer::local_addr`] tells.
    ///
    /// # Errors
    /// What the system said when the address could not be had.
    pub fn bind(address: SocketAddr, host: Host, limits: Limits) -> io::Result<Self> {
        let listeners = match &host {
            Host::Tasks | Host::Threads => vec![listen(address, Port::Alone)?],
            Host::Processes(workers, _) => shared_listeners(address, workers.get())?,
        };
        Ok(Self {
            listeners,
            host,
            shared: Arc::new(Shared::new(limits)),
        })
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// What the system said.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        let first = self.listeners.first();
        first.map_or_else(
            || Err(io::ErrorKind::NotConnected.into()),
            TcpListener::local_addr,
        )
    }

    /// What it counts.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch(Arc::clone(&self.shared))
    }

    /// Serves until `stop` is cancelled, then takes no further connection, answers what is there for up to
    /// [`Limits::drain`], and closes the rest. Blocks; not to be called in an async runtime.
    ///
    /// # Errors
    /// An error of the listening socket that waiting does not mend, or there are no threads or processes.
    pub fn run(self, stop: &CancellationToken) -> io::Result<()> {
        let Self {
            listeners,
            host,
            shared,
        } = self;
        match host {
            Host::Tasks => {
                let runtime = runtime()?;
                let stop = stop.clone().cancelled_owned();
                let served = runtime.block_on(tasks::run(only(listeners)?, shared, stop));
                runtime.shutdown_background();
                served
            }
            Host::Threads => threads::run(only(listeners)?, &shared, stop),
            Host::Processes(_, task) => processes::run(listeners, &shared, &task, stop),
        }
    }
}

/// As many threads as there are processors; an error, where the machine does not give them.
fn runtime() -> io::Result<Runtime> {
    ensure_threads(thread::available_parallelism().map_or(1, NonZeroUsize::get))?;
    Builder::new_multi_thread().enable_all().build()
}

fn only(listeners: Vec<TcpListener>) -> io::Result<TcpListener> {
    let mut listeners = listeners.into_iter();
    listeners.next().ok_or(io::ErrorKind::NotConnected.into())
}

/// A socket for each worker, all on one port. Somebody else's server on it is found out first: sockets that share a port
/// do not mind others of the same user.
fn shared_listeners(address: SocketAddr, workers: usize) -> io::Result<Vec<TcpListener>> {
    let alone = listen(address, Port::Alone)?;
    let address = alone.local_addr()?;
    drop(alone);
    (0..workers)
        .map(|_| listen(address, Port::Shared))
        .collect()
}

impl Watch {
    /// What was counted so far. Of worker processes it is up to a quarter of a second old.
    #[must_use]
    pub fn look(&self) -> Counts {
        self.0.look()
    }
}
