//! Which statuses count as a success.

use std::{fmt, ops::RangeInclusive, str::FromStr};

use serde::{Deserialize, Serialize};

/// The statuses that count as a success, such as `200..=399` or `200..=299,404`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Accept(Vec<RangeInclusive<u16>>);

impl Accept {
    /// Whether `status` counts as a success.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}

impl Default for Accept {
    /// `200..=399`.
    fn default() -> Self {
        Self(vec![200..=399])
    }
}

impl fmt::Display for Accept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, range) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            if range.start() == range.end() {
                write!(f, "{comma}{}", range.start())?;
            } else {
                write!(f, "{comma}{}..={}", range.start(), range.end())?;
            }
        }
        Ok(())
    }
}

impl From<Accept> for String {
    fn from(accept: Accept) -> Self {
        accept.to_string()
    }
}

impl TryFrom<String> for Accept {
    type Error = AcceptError;

    fn try_from(text: String) -> Result<Self, AcceptError> {
        text.parse()
    }
}

impl FromStr for Accept {
    type Err = AcceptError;

    fn from_str(text: &str) -> Result<Self, AcceptError> {
        text.split(',')
            .map(|part| range(part.trim()))
            .collect::<Option<_>>()
            .map(Self)
            .ok_or_else(|| AcceptError(text.to_owned()))
    }
}

/// A text that names no statuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no HTTP statuses; write numbers from 100 to 999 or ranges of them, such as 200..=299,404"
)]
pub struct AcceptError(String);

/// Up to 599 they have a meaning, but servers send others too, such as 999, and three digits are what fits in a head.
fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once("..=").unwrap_or((text, text));
    let range = first.parse().ok()?..=last.parse().ok()?;
    (*range.start() >= 100 && *range.end() <= 999 && !range.is_empty()).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_read_as_they_are_shown() {
        for text in ["200..=399", "200..=299,404", "100", "100..=999"] {
            assert_eq!(text.parse::<Accept>().unwrap().to_string(), text);
        }
        for bad in [
            "",
            "99",
            "1000",
            "600..=1000",
            "300..=200",
            "200..300",
            "x",
            "200,",
            "200..=",
        ] {
            assert!(bad.parse::<Accept>().is_err(), "{bad}");
        }
        let accept: Accept = "200..=299, 404".parse().unwrap();
        for (status, accepted) in [(200, true), (299, true), (300, false), (404, true)] {
            assert_eq!(accept.contains(status), accepted, "{status}");
        }
    }
}
