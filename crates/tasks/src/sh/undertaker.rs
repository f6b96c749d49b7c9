//! Sees off commands that nobody waits for any more: attempts that were cancelled, or given up at a deadline.
//!
//! Whoever drops a command cannot wait until it has ended, and somebody must, or it would stay a zombie or live on. One
//! thread does it, which exists from the first such command on. They come with the same grace each, so that taking them
//! one after the other keeps none of them waiting for its KILL.

use std::{
    sync::{
        OnceLock,
        mpsc::{Sender, channel},
    },
    thread,
};

use super::{blocking, running::Running};

/// Where they are handed in; `None` if the machine gave no thread.
static QUEUE: OnceLock<Option<Sender<Running>>> = OnceLock::new();

/// Waits elsewhere until a command that was asked to end has done so, and makes it after its grace.
pub(super) fn see_off(running: Running) {
    let here = match QUEUE.get_or_init(open) {
        Some(queue) => match queue.send(running) {
            Ok(()) => return,
            Err(unsent) => unsent.0,
        },
        None => running,
    };
    // There is nobody to wait for its grace.
    here.kill();
    blocking::see_off(here);
}

fn open() -> Option<Sender<Running>> {
    let (send, receive) = channel();
    let named = thread::Builder::new().name("triway-commands".to_owned());
    let started = named.spawn(move || receive.into_iter().for_each(blocking::see_off));
    started.ok().map(|_| send)
}
