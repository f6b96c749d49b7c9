//! Where outcomes go.

use std::io;

use triway_core::{Event, Outcome, Task};

/// Takes a job's outcomes, one at a time, on the job's dispatching thread; while it works, no input is handed out.
pub trait Sink<T: Task>: Send + 'static {
    /// One input has come to its end.
    ///
    /// # Errors
    /// The outcome could not be delivered. The job hands out nothing more and says so in its summary.
    fn outcome(&mut self, outcome: Outcome<T::Input, T::Output>) -> io::Result<()>;

    /// One input has come to its end in this run: this is its outcome, before it is written down and before those of
    /// earlier inputs are waited for. What an earlier run came to its end with is not told here.
    fn settled(&mut self, _outcome: &Outcome<T::Input, T::Output>) {}

    /// Something else happened.
    fn event(&mut self, _event: &Event) {}
}

impl<T: Task> Sink<T> for Vec<Outcome<T::Input, T::Output>> {
    fn outcome(&mut self, outcome: Outcome<T::Input, T::Output>) -> io::Result<()> {
        self.push(outcome);
        Ok(())
    }
}

/// Calls a closure for each outcome.
#[derive(Debug)]
pub struct Each<F>(pub F);

impl<T: Task, F> Sink<T> for Each<F>
where
    F: FnMut(Outcome<T::Input, T::Output>) -> io::Result<()> + Send + 'static,
{
    fn outcome(&mut self, outcome: Outcome<T::Input, T::Output>) -> io::Result<()> {
        self.0(outcome)
    }
}
