//! The task `echo` by name: an input is a line.

use std::{num::NonZeroUsize, time::Duration};

use triway_core::{Failure, Model};

use super::Echo;
use crate::command::{CommandTask, Lanes, Preferred};

impl CommandTask for Echo {
    const NAME: &'static str = "echo";
    const INPUT: &'static str = "a line";
    const DOES: &'static str =
        "sends it to a server over TCP and waits for the line that it answers";
    const VARYING: &'static [&'static str] = &["connect_s"];

    fn preferred() -> Preferred {
        Preferred {
            model: Model::Async,
            lanes: Lanes::Exactly(const { NonZeroUsize::new(50).unwrap() }),
            timeout: Some(Duration::from_secs(60)),
            retries: 0,
        }
    }

    fn parse(&self, bytes: &[u8]) -> Result<String, Failure> {
        // As it stands: white space and nothing at all are messages too.
        let message = str::from_utf8(bytes).map_err(|error| {
            let at = error.valid_up_to();
            Failure::bad_input(format!("the message is not UTF-8 from byte {at} on"))
        })?;
        if message.contains('\n') {
            return Err(Failure::bad_input("a message is one line"));
        }
        Ok(message.to_owned())
    }
}
