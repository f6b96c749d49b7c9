//! The one doorway through which panics of tasks pass: they become failures of their input.

use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

use triway_core::{Failure, FailureKind};

/// Runs `call`; a panic in it is a failure with the panic's message.
///
/// Unwind safety is asserted because nothing that was being changed is used again: the lane's state starts anew.
pub(crate) fn catch<O>(call: impl FnOnce() -> Result<O, Failure>) -> Result<O, Failure> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| Err(failure(&*payload)))
}

/// The same for a future: a panic while it is polled. `around` is told before (`true`) and after (`false`) each poll.
pub(crate) async fn catch_async<O>(
    future: impl Future<Output = Result<O, Failure>>,
    around: impl Fn(bool),
) -> Result<O, Failure> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        around(true);
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        around(false);
        polled.unwrap_or_else(|payload| Poll::Ready(Err(failure(&*payload))))
    })
    .await
}

/// Whether a failure came from a panic, after which a lane's state cannot be trusted.
pub(crate) fn was_panic<O>(result: &Result<O, Failure>) -> bool {
    matches!(result, Err(failure) if failure.kind == FailureKind::PANIC)
}

fn failure(payload: &(dyn Any + Send)) -> Failure {
    let message = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "the task panicked with a value that is no text".to_owned());
    Failure::new(FailureKind::PANIC, message)
}
