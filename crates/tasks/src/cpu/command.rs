//! The task `cpu` by name: an input is a number.

use triway_core::{Failure, Model};

use super::{Amount, Cpu, Work};
use crate::command::{CommandTask, Lanes, Preferred, excerpt, text};

impl CommandTask for Cpu {
    const NAME: &'static str = "cpu";
    const INPUT: &'static str = "a number n";
    const DOES: &'static str = "sums the square roots below n, or another reference load";
    const VARYING: &'static [&'static str] = &[];

    fn preferred() -> Preferred {
        Preferred {
            model: Model::Threads,
            lanes: Lanes::Processors,
            timeout: None,
            retries: 0,
        }
    }

    fn remark(&self, model: Model) -> Option<&'static str> {
        let waits = self.work == Work::None || model != Model::Async;
        (!waits).then_some(
            "cpu never waits: under async, each input holds a runtime thread until it is done",
        )
    }

    fn parse(&self, bytes: &[u8]) -> Result<Amount, Failure> {
        let text = text(bytes)?;
        let no_number =
            |wanted: &str| Failure::bad_input(format!("`{}` is no {wanted}", excerpt(text)));
        match self.work {
            Work::Spin => text
                .parse()
                .map(Amount::Millis)
                .map_err(|_| no_number("number of milliseconds, such as 0.5")),
            Work::Sqrt | Work::Memory | Work::Sha256 | Work::None => text
                .parse()
                .map(Amount::Number)
                .map_err(|_| no_number("whole number from 0 to 18446744073709551615")),
        }
    }
}
