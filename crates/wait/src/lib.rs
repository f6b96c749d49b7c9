//! How code that speaks over the network waits: on the thread that calls, or without holding it.
//!
//! This is all that a blocking and an async form differ in; whatever else a client or a server does is written once, as
//! an async function over [`Io`]. [`block_on`] runs it for the blocking form.

#![forbid(unsafe_code)]

mod blocking;
mod nonblocking;
mod way;

pub use self::{
    blocking::{Blocking, Socket, block_on},
    nonblocking::NonBlocking,
    way::{Io, Stream},
};
