//! Numbers and times as people write them, and what to say where they cannot be read.

use std::{num::NonZeroUsize, str::FromStr, time::Duration};

pub(super) fn whole<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse()
        .map_err(|_| "write a whole number from 0".to_owned())
}

pub(super) fn positive(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .map_err(|_| "write a whole number from 1".to_owned())
}

pub(super) fn time(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| {
        format!("{error}; write a number and its unit, such as 5s, 300ms or 1m 30s")
    })
}
