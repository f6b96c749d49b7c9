//! One start of an attempt, and the ticket that names its input.

/// Names an admitted input until its end; reused afterwards.
pub(crate) type Ticket = u32;

/// One attempt at one admitted input. Tickets are reused, so the index goes with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    pub ticket: Ticket,
    pub index: u64,
    pub attempt: u32,
}
