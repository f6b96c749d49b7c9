//! Outcomes on their way to the sink: counted, put in order if that is wanted, and given over.

use std::{collections::VecDeque, sync::Arc};

use triway_core::{Event, FailureLimit, Outcome, Plan, Status, Task};

use crate::sink::Sink;

/// The last step of every input.
pub(crate) struct Delivery<T: Task, S> {
    task: Arc<T>,
    sink: S,
    counts: Counts,
    order: Option<Order<T>>,
    max_failures: Option<FailureLimit>,
    broken: Option<String>,
}

/// How many inputs ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub succeeded: u64,
    pub failed: u64,
    pub cancelled: u64,
    pub undelivered: u64,
    /// Of those that succeeded or failed: in an earlier run.
    pub earlier: u64,
    /// Of those that failed: in an earlier run.
    pub earlier_failed: u64,
}

/// An outcome, and what it weighed when it came.
type Weighed<T> = (Outcome<<T as Task>::Input, <T as Task>::Output>, usize);

struct Order<T: Task> {
    window: VecDeque<Option<Weighed<T>>>,
    /// The index of the first place in the window.
    first: u64,
    held_bytes: usize,
    most_bytes: usize,
}

impl<T: Task, S: Sink<T>> Delivery<T, S> {
    pub(crate) fn new(task: Arc<T>, sink: S, plan: &Plan) -> Self {
        let order = plan.keep_order.then(|| Order {
            window: VecDeque::new(),
            first: 0,
            held_bytes: 0,
            most_bytes: plan.order_window_bytes,
        });
        Self {
            task,
            sink,
            counts: Counts::default(),
            order,
            max_failures: plan.max_failures,
            broken: None,
        }
    }

    /// Passes an outcome on, now or when those before it have come.
    pub(crate) fn deliver(&mut self, outcome: Outcome<T::Input, T::Output>) {
        match outcome.status {
            Status::Ok => self.counts.succeeded += 1,
            Status::Cancelled => self.counts.cancelled += 1,
            _ => self.counts.failed += 1,
        }
        let Some(order) = &mut self.order else {
            return self.give(outcome);
        };
        order.hold(&self.task, outcome);
        while let Some(outcome) = self.order.as_mut().and_then(Order::next) {
            self.give(outcome);
        }
    }

    /// Passes an outcome of an earlier run on. It is no reason to stop this one.
    pub(crate) fn deliver_earlier(&mut self, outcome: Outcome<T::Input, T::Output>) {
        self.counts.earlier += 1;
        self.counts.earlier_failed += u64::from(!outcome.is_ok());
        self.deliver(outcome);
    }

    /// Passes nothing on any more, for this reason; what comes is counted as not delivered.
    pub(crate) fn break_off(&mut self, reason: &str) {
        self.broken.get_or_insert_with(|| reason.to_owned());
    }

    /// Tells that an outcome is there, which is passed on later.
    pub(crate) fn settled(&mut self, outcome: &Outcome<T::Input, T::Output>) {
        self.sink.settled(outcome);
    }

    pub(crate) fn event(&mut self, event: &Event) {
        self.sink.event(event);
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether outcomes that wait for an earlier one fill their window, so that no further input may be admitted.
    pub(crate) fn is_full(&self) -> bool {
        self.order
            .as_ref()
            .is_some_and(|order| order.held_bytes >= order.most_bytes)
    }

    /// Whether more inputs failed than the plan allows.
    pub(crate) fn too_many_failed(&self) -> bool {
        let Counts {
            succeeded,
            failed,
            earlier,
            earlier_failed,
            ..
        } = self.counts;
        let ended = succeeded + failed - earlier;
        self.max_failures
            .is_some_and(|limit| limit.exceeded(failed - earlier_failed, ended))
    }

    /// Why outcomes cannot be delivered any more.
    pub(crate) fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    pub(crate) fn into_sink(self) -> S {
        self.sink
    }

    fn give(&mut self, outcome: Outcome<T::Input, T::Output>) {
        if self.broken.is_none() {
            match self.sink.outcome(outcome) {
                Ok(()) => return,
                Err(error) => self.broken = Some(error.to_string()),
            }
        }
        self.counts.undelivered += 1;
    }
}

impl<T: Task> Order<T> {
    fn hold(&mut self, task: &T, outcome: Outcome<T::Input, T::Output>) {
        // Every admitted input has an outcome, and none before `first` is still out, so the place is never negative.
        let place = usize::try_from(outcome.index.saturating_sub(self.first)).unwrap_or(usize::MAX);
        while self.window.len() <= place {
            self.window.push_back(None);
        }
        let bytes = bytes(task, &outcome);
        self.held_bytes += bytes;
        self.window[place] = Some((outcome, bytes));
    }

    fn next(&mut self) -> Option<Outcome<T::Input, T::Output>> {
        let (outcome, bytes) = self.window.front_mut()?.take()?;
        self.window.pop_front();
        self.first += 1;
        self.held_bytes -= bytes;
        Some(outcome)
    }
}

fn bytes<T: Task>(task: &T, outcome: &Outcome<T::Input, T::Output>) -> usize {
    size_of::<Option<Weighed<T>>>()
        + task.input_bytes(&outcome.input)
        + outcome
            .output
            .as_ref()
            .map_or(0, |output| task.output_bytes(output))
        + outcome
            .error
            .as_ref()
            .map_or(0, |error| error.message.len())
        + outcome
            .tried
            .iter()
            .map(|tried| size_of_val(tried) + tried.failure.message.len())
            .sum::<usize>()
}
