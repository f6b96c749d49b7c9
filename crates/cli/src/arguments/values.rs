//! Numbers and times as people write them, and what to say where they cannot be read.

use std::{str::FromStr, time::Duration};

pub(super) fn whole<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse()
        .map_err(|_| "write a whole number from 0".to_owned())
}

pub(super) fn positive<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse()
        .map_err(|_| "write a whole number from 1".to_owned())
}

/// A size, with or without a unit.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit: u64 = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err("write a number and its unit, such as 1GiB or 500MiB".to_owned()),
    };
    let count: u64 = digits
        .trim()
        .parse()
        .map_err(|_| "write a whole number and its unit, such as 1GiB or 500MiB".to_owned())?;
    let bytes = count.checked_mul(unit);
    bytes.ok_or_else(|| "no machine has as much".to_owned())
}

/// The same, of which there must be some.
pub(super) fn some_bytes(text: &str) -> Result<u64, String> {
    match size(text)? {
        0 => Err("write a size from 1 byte".to_owned()),
        bytes => Ok(bytes),
    }
}

pub(super) fn time(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| {
        format!("{error}; write a number and its unit, such as 5s, 300ms or 1m 30s")
    })
}

/// The same, of which there must be some.
pub(super) fn some_time(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("write a time that is longer than none, such as 5s".to_owned()),
        time => Ok(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_people_write_them() {
        for (text, bytes) in [
            ("1GiB", Some(1 << 30)),
            ("64M", Some(64 << 20)),
            ("20000000", Some(20_000_000)),
            ("500 mb", Some(500_000_000)),
            ("0", Some(0)),
            ("-1GiB", None),
            ("99999999TiB", None),
            ("many", None),
        ] {
            assert_eq!(size(text).ok(), bytes, "{text}");
        }
        assert!(some_bytes("0").is_err());
        assert!(some_time("0s").is_err() && some_time("1ms").is_ok());
    }
}
