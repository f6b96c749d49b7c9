//! The task `check` by name: an input is a URL.

use std::borrow::Cow;

use triway_core::Failure;
use url::Url;

use super::Check;
use crate::{
    command::{CommandTask, Preferred},
    http::{Http, redact},
};

impl CommandTask for Check {
    const NAME: &'static str = "check";
    const INPUT: &'static str = "a URL";
    const DOES: &'static str = "requests it and examines the answer by rules";
    const VARYING: &'static [&'static str] = &[
        "answer.remote",
        "answer.retry_after_s",
        "answer.queue_s",
        "answer.dns_s",
        "answer.connect_s",
        "answer.tls_s",
        "answer.first_byte_s",
        "answer.body_s",
    ];

    fn preferred() -> Preferred {
        Preferred {
            retries: 2,
            ..Http::preferred()
        }
    }

    fn parse(&self, bytes: &[u8]) -> Result<Url, Failure> {
        Http::parse(&self.http, bytes)
    }

    fn show<'a>(&self, text: &'a str) -> Cow<'a, str> {
        redact(text)
    }
}
