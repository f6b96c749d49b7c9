//! Figures as people read them: three digits or so, and a unit.

/// Seconds, such as `1.23 s`, `45.6 ms`, `789 µs`.
pub(crate) fn time(seconds: f64) -> String {
    let (factor, unit) = unit(seconds);
    format!("{} {unit}", digits(seconds * factor))
}

/// An interval of seconds in the unit that its middle has, which stands nearby.
pub(crate) fn time_range(middle: f64, [low, high]: [f64; 2]) -> String {
    let (factor, _) = unit(middle);
    format!("{}–{}", number(low * factor), number(high * factor))
}

/// A factor, such as `8.50×`.
pub(crate) fn times(factor: f64) -> String {
    let shown = if factor < 999.5 {
        digits(factor)
    } else {
        number(factor)
    };
    format!("{shown}×")
}

/// An interval of factors.
pub(crate) fn times_range(_middle: f64, [low, high]: [f64; 2]) -> String {
    format!("{}–{}", number(low), number(high))
}

/// Where numbers end.
const BEYOND: f64 = 999.5e9;

/// A number, such as `412` or `1.25 M`.
///
/// Intervals of two or three rounds can be wider than any unit; those digits would say nothing.
pub(crate) fn number(value: f64) -> String {
    if value >= BEYOND {
        return ">999 G".to_owned();
    }
    scaled(value, 1000.0, ["", " k", " M", " G"])
}

/// Bytes, such as `12.3 MiB`.
#[expect(
    clippy::cast_precision_loss,
    reason = "three digits are shown, a float has more"
)]
pub(crate) fn bytes(value: u64) -> String {
    scaled(value as f64, 1024.0, [" B", " KiB", " MiB", " GiB"])
}

/// A count: whole up to five digits.
#[expect(
    clippy::cast_precision_loss,
    reason = "three digits are shown, a float has more"
)]
pub(crate) fn count(value: u64) -> String {
    if value < 100_000 {
        value.to_string()
    } else {
        number(value as f64)
    }
}

/// So many of something, such as `1 input` or `5 inputs`.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// A share in per cent, rounded down: a hundred means all. There is none of nothing.
#[expect(
    clippy::cast_precision_loss,
    reason = "one decimal is shown, a float has more"
)]
pub(crate) fn per_cent(part: u64, of: u64) -> Option<String> {
    match of {
        0 => None,
        all if part == all => Some("100 %".to_owned()),
        _ => {
            let tenths = (part as f64 / of as f64 * 1000.0).floor();
            Some(format!("{:.1} %", tenths / 10.0))
        }
    }
}

fn unit(seconds: f64) -> (f64, &'static str) {
    match seconds.abs() {
        whole if whole >= 0.9995 => (1.0, "s"),
        thousandth if thousandth >= 0.000_999_5 => (1e3, "ms"),
        millionth if millionth >= 0.000_000_999_5 => (1e6, "µs"),
        0.0 => (1.0, "s"),
        _ => (1e9, "ns"),
    }
}

fn scaled(value: f64, step: f64, units: [&str; 4]) -> String {
    let mut value = value;
    let mut units = units.into_iter().peekable();
    while let Some(unit) = units.next() {
        // What would be rounded up to a step belongs to the next unit.
        if value < step - 0.5 || units.peek().is_none() {
            let shown = if unit.is_empty() || unit == " B" {
                short(value)
            } else {
                digits(value)
            };
            return format!("{shown}{unit}");
        }
        value /= step;
    }
    digits(value)
}

/// A whole number without decimals, anything else with three digits.
fn short(value: f64) -> String {
    if value.fract() == 0.0 {
        return format!("{value:.0}");
    }
    digits(value)
}

/// Three digits, more or less.
fn digits(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        small if small < 9.995 => format!("{value:.2}"),
        middle if middle < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_the_unit_that_suits() {
        for (seconds, expected) in [
            (0.0, "0 s"),
            (1.234, "1.23 s"),
            (12.34, "12.3 s"),
            (123.4, "123 s"),
            (0.9996, "1.00 s"),
            (0.0456, "45.6 ms"),
            (0.000_789, "789 µs"),
            (0.000_000_12, "120 ns"),
        ] {
            assert_eq!(time(seconds), expected);
        }
        assert_eq!(time_range(0.05, [0.0456, 0.1]), "45.6–100");
    }

    #[test]
    fn large_figures_are_shortened() {
        for (value, expected) in [
            (412.0, "412"),
            (0.5, "0.50"),
            (999.4, "999"),
            (999.6, "1.00 k"),
            (1_250_000.0, "1.25 M"),
        ] {
            assert_eq!(number(value), expected);
        }
        assert_eq!(number(1.4e29), ">999 G");
        assert_eq!(times(1.0), "1.00×");
        assert_eq!(times(69_212_776.0), "69.2 M×");
        assert_eq!(bytes(12_897_485), "12.3 MiB");
        assert_eq!(bytes(100), "100 B");
        assert_eq!(count(99_999), "99999");
        assert_eq!(count(100_000), "100 k");
    }

    #[test]
    fn a_hundred_per_cent_means_all() {
        for (part, of, expected) in [
            (3, 3, Some("100 %")),
            (0, 0, None),
            (99_999, 100_000, Some("99.9 %")),
            (1, 3, Some("33.3 %")),
            (0, 7, Some("0.0 %")),
        ] {
            assert_eq!(per_cent(part, of).as_deref(), expected);
        }
    }
}
