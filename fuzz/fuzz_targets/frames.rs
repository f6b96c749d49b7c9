//! Whatever a worker process sends, its parent neither panics nor takes more memory than was sent.

#![no_main]

use std::{
    io::Write as _,
    os::{fd::OwnedFd, unix::net::UnixStream},
};

use libfuzzer_sys::fuzz_target;
use triway_exec::restart::Link;

fuzz_target!(|bytes: &[u8]| {
    let (mut theirs, ours) = UnixStream::pair().expect("a socket pair");
    // More than a socket holds would wait for somebody to read it.
    let sent = &bytes[..bytes.len().min(64 << 10)];
    theirs.write_all(sent).expect("the socket takes it");
    drop(theirs);
    let mut link = Link::over(OwnedFd::from(ours));
    let mut got = 0;
    while let Ok(Some(frame)) = link.recv(None) {
        got += frame.payload.len();
        assert!(frame.descriptors.is_empty(), "none were sent");
        assert!(got <= sent.len(), "more came than was sent");
    }
});
