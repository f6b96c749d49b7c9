//! What a lock costs: while nobody else wants it, and while others do.

use std::{
    sync::{
        Arc, Barrier, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

use super::answer::{Answer, STRETCH, count, why};
use crate::machine::cpus;

/// The free lock, the lock that two threads want, and the one that twice as many want as there are processors.
pub(super) fn of_all() -> Answer {
    [1, 2, 2 * cpus()].into_iter().map(taken_by).collect()
}

/// Seconds from one taking of a lock to the next, by whomever, while so many threads do nothing but take it.
fn taken_by(threads: usize) -> Result<f64, String> {
    let lock = Arc::new(Mutex::new(0_u64));
    let stop = Arc::new(AtomicBool::new(false));
    let ready = Arc::new(Barrier::new(threads));
    let mut started = Vec::new();
    // This thread is one of them. If one cannot be started, the others wait for it until this process ends, which is soon.
    for _ in 1..threads {
        let (lock, stop, ready) = (lock.clone(), stop.clone(), ready.clone());
        let take = move || {
            ready.wait();
            while !stop.load(Ordering::Relaxed) {
                take(&lock);
            }
        };
        let thread = thread::Builder::new().spawn(take);
        started.push(thread.map_err(|error| why("no thread")(&error))?);
    }
    ready.wait();
    let began = Instant::now();
    let before = *lock.lock().unwrap_or_else(PoisonError::into_inner);
    while began.elapsed() < STRETCH {
        // The clock is asked rarely, because it takes longer than the lock.
        (0..64).for_each(|_| take(&lock));
    }
    let all = *lock.lock().unwrap_or_else(PoisonError::into_inner) - before;
    let elapsed = began.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    for thread in started {
        thread.join().map_err(|_| "a thread panicked".to_owned())?;
    }
    Ok(elapsed / count(all))
}

fn take(lock: &Mutex<u64>) {
    *lock.lock().unwrap_or_else(PoisonError::into_inner) += 1;
}
