//! Dates and points in time: as people write them, as files hold them, and as results show them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};

/// Nanoseconds of a day.
pub(super) const DAY: i128 = 86_400_000_000_000;

/// A date or a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Instant {
    /// Nanoseconds since the beginning of 1970.
    pub(super) nanos: i128,
    /// How it is written.
    pub(super) form: Form,
}

/// How a point in time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Form {
    /// `2026-01-31`.
    Date,
    /// `2026-01-31T12:30:00`, wherever that may have been.
    Local,
    /// `2026-01-31T12:30:00Z`.
    Utc,
}

impl Instant {
    /// Reads `2026-01-31`, `2026-01-31T12:30`, `2026-01-31 12:30:05.25` and the same with `Z` or `+02:00` behind.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let (date, rest) = text.split_at_checked(10)?;
        let day = date_of(date)?;
        let Some((b'T' | b't' | b' ', rest)) = rest.split_first() else {
            return rest.is_empty().then_some(Self {
                nanos: day * DAY,
                form: Form::Date,
            });
        };
        let (time, offset) = rest.split_at(time_length(rest));
        let time = time_of(time)?;
        let (form, offset) = offset_of(offset)?;
        Some(Self {
            nanos: day * DAY + time - offset,
            form,
        })
    }

    /// As it is shown; `None` for what is beyond all calendars.
    pub(super) fn text(self) -> Option<String> {
        let seconds = i64::try_from(self.nanos.div_euclid(1_000_000_000)).ok()?;
        let nanos = u32::try_from(self.nanos.rem_euclid(1_000_000_000)).ok()?;
        let moment = DateTime::from_timestamp(seconds, nanos)?.naive_utc();
        Some(match self.form {
            Form::Date => moment.date().to_string(),
            Form::Local => shown(moment),
            Form::Utc => shown(moment) + "Z",
        })
    }
}

fn shown(moment: NaiveDateTime) -> String {
    moment.format("%Y-%m-%dT%H:%M:%S%.f").to_string()
}

/// Days since the beginning of 1970.
fn date_of(text: &[u8]) -> Option<i128> {
    let [a, b, c, d, b'-', e, f, b'-', g, h] = *text else {
        return None;
    };
    let year = number(&[a, b, c, d])?;
    let date = NaiveDate::from_ymd_opt(year.cast_signed(), number(&[e, f])?, number(&[g, h])?)?;
    Some(i128::from(date.to_epoch_days()))
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum: u32, digit| {
        let digit = u32::from(digit.wrapping_sub(b'0'));
        (digit < 10).then_some(sum * 10 + digit)
    })
}

fn time_length(text: &[u8]) -> usize {
    let part = |byte: &u8| byte.is_ascii_digit() || b":.".contains(byte);
    text.iter()
        .position(|byte| !part(byte))
        .unwrap_or(text.len())
}

/// Nanoseconds since midnight.
fn time_of(text: &[u8]) -> Option<i128> {
    let [a, b, b':', c, d, ref rest @ ..] = *text else {
        return None;
    };
    let (second, fraction) = match *rest {
        [] => (0, &[][..]),
        [b':', e, f] => (number(&[e, f])?, &[][..]),
        [b':', e, f, b'.', ref fraction @ ..] if (1..=9).contains(&fraction.len()) => {
            (number(&[e, f])?, fraction)
        }
        _ => return None,
    };
    let scale = 10_u32.pow(9 - u32::try_from(fraction.len()).ok()?);
    let nanos = number(fraction)?.checked_mul(scale)?;
    NaiveTime::from_hms_opt(number(&[a, b])?, number(&[c, d])?, second)?;
    let seconds = number(&[a, b])? * 3600 + number(&[c, d])? * 60 + second;
    Some(i128::from(seconds) * 1_000_000_000 + i128::from(nanos))
}

/// How far ahead of Greenwich it is, in nanoseconds.
fn offset_of(text: &[u8]) -> Option<(Form, i128)> {
    let (sign, a, b, c, d) = match *text {
        [] => return Some((Form::Local, 0)),
        [b'Z' | b'z'] => return Some((Form::Utc, 0)),
        [sign @ (b'+' | b'-'), a, b, b':', c, d] | [sign @ (b'+' | b'-'), a, b, c, d] => {
            (sign, a, b, c, d)
        }
        _ => return None,
    };
    let (hours, minutes) = (number(&[a, b])?, number(&[c, d])?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let ahead = i128::from(hours * 60 + minutes) * 60_000_000_000;
    Some((Form::Utc, if sign == b'-' { -ahead } else { ahead }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_read_and_show() {
        for (text, shown) in [
            ("1970-01-01", Some("1970-01-01")),
            ("2026-01-31", Some("2026-01-31")),
            ("1900-02-28", Some("1900-02-28")),
            ("2024-02-29", Some("2024-02-29")),
            ("2023-02-29", None),
            ("2026-1-31", None),
            ("2026-01-31x", None),
            ("2026-01-31T12:30", Some("2026-01-31T12:30:00")),
            ("2026-01-31 12:30:05.25", Some("2026-01-31T12:30:05.250")),
            ("1969-12-31T23:59:59.5", Some("1969-12-31T23:59:59.500")),
            ("2026-01-31T12:30:05Z", Some("2026-01-31T12:30:05Z")),
            ("2026-01-31T01:30:00+02:00", Some("2026-01-30T23:30:00Z")),
            ("2026-01-31T24:00:00", None),
            ("2026-01-31T12:30:05.1234567891", None),
            ("2026-01-31T12:30:05+0x:00", None),
        ] {
            let read = Instant::parse(text.as_bytes());
            assert_eq!(
                read.and_then(Instant::text).as_deref(),
                shown,
                "{text}: {read:?}"
            );
        }
    }
}
