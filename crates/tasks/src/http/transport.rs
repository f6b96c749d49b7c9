//! The connections that the blocking client reads and writes: plain ones and secured ones.

use std::{
    fmt,
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

use rustix::{io::Errno, net::RecvFlags};
use rustls::{ClientConnection, StreamOwned};
use ureq::{
    Error,
    unversioned::transport::{
        Buffers, LazyBuffers, NextTimeout, Transport, TransportAdapter, time,
    },
};

/// A plain connection.
#[derive(Debug)]
pub(super) struct TcpTransport {
    stream: TcpStream,
    buffers: LazyBuffers,
    /// What the socket was last told, so that a request without a time limit costs no system call for it.
    read_limit: Option<Duration>,
    write_limit: Option<Duration>,
}

impl TcpTransport {
    pub(super) fn new(stream: TcpStream, buffers: LazyBuffers) -> Self {
        Self {
            stream,
            buffers,
            read_limit: None,
            write_limit: None,
        }
    }
}

impl Transport for TcpTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let limit = limit(timeout)?;
        if limit != self.write_limit {
            self.stream.set_write_timeout(limit)?;
            self.write_limit = limit;
        }
        self.stream
            .write_all(&self.buffers.output()[..amount])
            .map_err(|error| late(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let limit = limit(timeout)?;
        if limit != self.read_limit {
            self.stream.set_read_timeout(limit)?;
            self.read_limit = limit;
        }
        let space = self.buffers.input_append_buf();
        let amount = loop {
            match self.stream.read(space) {
                // A signal for somebody else. The limit starts anew, and the next read sees a deadline that passed.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                ended => break ended.map_err(|error| late(error, timeout))?,
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// Nothing may be there to read between two answers: neither an end nor bytes that nobody asked for.
    fn is_open(&mut self) -> bool {
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        let peeked = rustix::net::recv(&self.stream, &mut [0_u8; 1], flags);
        matches!(peeked, Err(Errno::AGAIN))
    }
}

/// A secured connection.
pub(super) struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl TlsTransport {
    pub(super) fn new(
        session: ClientConnection,
        socket: TransportAdapter,
        buffers: LazyBuffers,
    ) -> Self {
        Self {
            buffers,
            stream: StreamOwned::new(session, socket),
        }
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = &self.buffers.output()[..amount];
        Ok(self.stream.write_all(output)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport")
            .field("over", self.stream.sock.inner())
            .finish_non_exhaustive()
    }
}

/// A time limit as a socket takes it, which has no zero.
fn limit(timeout: NextTimeout) -> Result<Option<Duration>, Error> {
    match timeout.after {
        time::Duration::NotHappening => Ok(None),
        time::Duration::Exact(Duration::ZERO) => Err(Error::Timeout(timeout.reason)),
        time::Duration::Exact(after) => Ok(Some(after)),
    }
}

fn late(error: io::Error, timeout: NextTimeout) -> Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
            if !matches!(timeout.after, time::Duration::NotHappening) =>
        {
            Error::Timeout(timeout.reason)
        }
        _ => Error::Io(error),
    }
}
