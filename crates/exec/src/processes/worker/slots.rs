//! The slots of a worker: threads, or async tasks on a runtime of its own. Each makes one attempt at a time.

use std::{
    sync::{Arc, Mutex},
    thread,
};

use tokio::runtime::{Builder, Runtime};
use triway_core::Task;

use super::desk::SharedDesk;
use crate::{
    restart::{Link, LinkError},
    runtime::ensure_threads,
    unwind,
};

/// Works with threads until there will be no more inputs. With one slot that is this thread.
pub(super) fn serve_threads<T: Task>(desk: &SharedDesk<T>, link: Link) -> Result<(), LinkError> {
    let link = Arc::new(Mutex::new(link));
    let mut others = Vec::new();
    for slot in 1..desk.hello.slots {
        let (desk, link) = (Arc::clone(desk), Arc::clone(&link));
        let work = move || work_blocking(&desk, slot, &link);
        let named = thread::Builder::new().name(format!("triway-{slot}"));
        others.push(named.spawn(work).map_err(LinkError::Io)?);
    }
    let mut worked = work_blocking(desk, 0, &link);
    for other in others {
        // Panics of tasks are caught; one that is not is a fault of this program, and the parent sees the exit code.
        let ended = other.join();
        worked = worked.and(ended.unwrap_or_else(|_| Err(LinkError::broken("a slot panicked"))));
    }
    worked
}

fn work_blocking<T: Task>(
    desk: &SharedDesk<T>,
    slot: usize,
    link: &Mutex<Link>,
) -> Result<(), LinkError> {
    let mut lane = T::Lane::default();
    while let Some(item) = desk.inbox.next(&desk.board, link, || desk.flush())? {
        let begun = desk.begin(slot, &item);
        let result = desk.attempt_blocking(&mut lane, item);
        if unwind::was_panic(&result) {
            lane = T::Lane::default();
        }
        desk.end(&begun, result)?;
    }
    Ok(())
}

/// Works with async tasks until there will be no more inputs.
pub(super) fn serve_async<T: Task>(desk: &SharedDesk<T>, mut link: Link) -> Result<(), LinkError> {
    let runtime = runtime(desk.hello.runtime_threads).map_err(LinkError::Io)?;
    let reader = {
        let desk = Arc::clone(desk);
        let read = move || desk.inbox.read_all(&mut link);
        let named = thread::Builder::new().name("triway-inbox".to_owned());
        named.spawn(read).map_err(LinkError::Io)?
    };
    let mut slots = tokio::task::JoinSet::new();
    for slot in 0..desk.hello.slots {
        slots.spawn_on(work_async(Arc::clone(desk), slot), runtime.handle());
    }
    let worked = runtime.block_on(async {
        let mut worked = Ok(());
        while let Some(ended) = slots.join_next().await {
            let ended = ended.unwrap_or_else(|_| Err(LinkError::broken("a slot panicked")));
            worked = worked.and(ended);
            if worked.is_err() {
                break;
            }
        }
        worked
    });
    runtime.shutdown_background();
    worked?;
    let read = reader.join();
    read.unwrap_or_else(|_| Err(LinkError::broken("the reader of the inbox panicked")))
}

fn runtime(threads: usize) -> std::io::Result<Runtime> {
    match threads {
        0 | 1 => Builder::new_current_thread().enable_all().build(),
        more => {
            ensure_threads(more)?;
            Builder::new_multi_thread()
                .worker_threads(more)
                .enable_all()
                .build()
        }
    }
}

async fn work_async<T: Task>(desk: SharedDesk<T>, slot: usize) -> Result<(), LinkError> {
    let mut lane = T::Lane::default();
    while let Some(item) = desk.inbox.next_async(&desk.board).await {
        let begun = desk.begin(slot, &item);
        let result = desk.attempt_async(slot, &mut lane, item).await;
        if unwind::was_panic(&result) {
            lane = T::Lane::default();
        }
        desk.end(&begun, result)?;
        // A slot whose inputs never wait would otherwise keep its thread from all other slots.
        tokio::task::consume_budget().await;
    }
    Ok(())
}
