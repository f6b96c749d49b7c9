//! How a client waits for the network: on the thread that calls, or without holding it. This is all that the two forms
//! differ in; whatever else a request does is written once, as an async function.

mod blocking;
mod nonblocking;
mod way;

pub(super) use self::{
    blocking::{Blocking, block_on},
    nonblocking::NonBlocking,
    way::{Io, Stream},
};
