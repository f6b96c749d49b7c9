//! The task `http` by name: an input is a URL.

use std::{borrow::Cow, num::NonZeroUsize, time::Duration};

use triway_core::{Failure, Model};
use url::{ParseError, Url};

use super::{Http, journey::blame, origin::Origin, redact};
use crate::command::{CommandTask, Lanes, Preferred, excerpt, text};

impl CommandTask for Http {
    const NAME: &'static str = "http";
    const INPUT: &'static str = "a URL";
    const DOES: &'static str =
        "requests it; status, size, time spent on DNS, connect, TLS, first byte, body";
    const VARYING: &'static [&'static str] = &[
        "remote",
        "retry_after_s",
        "queue_s",
        "dns_s",
        "connect_s",
        "tls_s",
        "first_byte_s",
        "body_s",
    ];

    fn preferred() -> Preferred {
        Preferred {
            model: Model::Async,
            lanes: Lanes::Exactly(const { NonZeroUsize::new(50).unwrap() }),
            // A server that dribbles must not hold a lane for good.
            timeout: Some(Duration::from_secs(60)),
            retries: 0,
        }
    }

    fn parse(&self, bytes: &[u8]) -> Result<Url, Failure> {
        let text = text(bytes)?;
        let url = Url::parse(text).map_err(|error| no_url(text, error))?;
        Origin::of(&url).map_err(|failure| blame(&url, failure))?;
        Ok(url)
    }

    fn show<'a>(&self, text: &'a str) -> Cow<'a, str> {
        redact(text)
    }
}

fn no_url(text: &str, error: ParseError) -> Failure {
    let shown = redact(text);
    let shown = excerpt(&shown);
    Failure::bad_input(match error {
        ParseError::RelativeUrlWithoutBase => {
            format!("`{shown}` is no URL; begin it with http:// or https://")
        }
        error => format!("`{shown}` is no URL: {error}"),
    })
}
