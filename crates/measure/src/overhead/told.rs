//! Figures in words, for the cells of the table and the verdict.

use super::report::{Figure, Unit};

/// The median of a figure, or that there is none.
pub(super) fn told(figure: Option<&Figure>) -> String {
    let known = figure.and_then(|figure| Some((figure.unit, figure.median?)));
    match known {
        None => "(not measured)".to_owned(),
        Some((Unit::Seconds, seconds)) => time(seconds),
        Some((Unit::Bytes, bytes)) => size(bytes),
        Some((Unit::Times, times)) => format!("{times:.2} times"),
    }
}

/// Seconds in the unit that suits, two digits or three.
pub(super) fn time(seconds: f64) -> String {
    match seconds {
        whole if whole >= 0.9995 => format!("{} s", digits(whole)),
        milli if milli >= 0.999_5e-3 => format!("{} ms", digits(milli * 1e3)),
        micro if micro >= 0.999_5e-6 => format!("{} µs", digits(micro * 1e6)),
        nano => format!("{} ns", digits(nano * 1e9)),
    }
}

/// Bytes likewise.
fn size(bytes: f64) -> String {
    match bytes {
        large if large >= 1e6 => format!("{} MiB", digits(large / 1_048_576.0)),
        middle if middle >= 1e3 => format!("{} KiB", digits(middle / 1024.0)),
        small => format!("{small:.0} bytes"),
    }
}

/// How many there can be, roughly.
pub(super) fn many(number: f64) -> String {
    match number {
        millions if millions >= 9.95e5 => format!("{} million", digits(millions / 1e6)),
        thousands if thousands >= 9.95e3 => format!("{:.0} thousand", thousands / 1e3),
        few => format!("{few:.0}"),
    }
}

fn digits(value: f64) -> String {
    match value {
        small if small < 9.95 => format!("{small:.1}"),
        large => format!("{large:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_people_say_them() {
        for (seconds, expected) in [
            (0.0, "0.0 ns"),
            (12.4e-9, "12 ns"),
            (999.6e-9, "1.0 µs"),
            (1.84e-3, "1.8 ms"),
            (0.2, "200 ms"),
            (2.0, "2.0 s"),
        ] {
            assert_eq!(time(seconds), expected);
        }
        for (bytes, expected) in [
            (312.0, "312 bytes"),
            (14_990.0, "15 KiB"),
            (3.2e6, "3.1 MiB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
        for (number, expected) in [
            (812.0, "812"),
            (31_700.0, "32 thousand"),
            (27e6, "27 million"),
        ] {
            assert_eq!(many(number), expected);
        }
    }
}
