//! What a task is told about the attempt it is making.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// One attempt at one input: which it is, and until when it may take.
#[derive(Debug)]
pub struct Context<'a> {
    index: u64,
    attempt: u32,
    deadline: Option<Instant>,
    cancelled: &'a AtomicBool,
    only_once: bool,
}

impl<'a> Context<'a> {
    /// The context of attempt number `attempt` (from 1) at input `index` (from 0).
    #[must_use]
    pub fn new(
        index: u64,
        attempt: u32,
        deadline: Option<Instant>,
        cancelled: &'a AtomicBool,
    ) -> Self {
        Self {
            index,
            attempt,
            deadline,
            cancelled,
            only_once: false,
        }
    }

    /// The same for a job that begins no input twice, or may.
    #[must_use]
    pub fn only_once(self, only_once: bool) -> Self {
        Self { only_once, ..self }
    }

    /// Whether no input of this job may be begun twice: what was sent once is not sent again, whatever became of it.
    #[must_use]
    pub fn is_only_once(&self) -> bool {
        self.only_once
    }

    /// The input's place among the job's inputs, from 0.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// When the attempt's time limit expires, if it has one.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The time left until the deadline: `None` without one, zero when it has passed.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Whether the job was aborted. A long blocking task should look now and then and return early.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}
