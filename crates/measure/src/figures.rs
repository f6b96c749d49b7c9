//! Figures as sentences say them: three digits, and a unit.

/// A share, such as `45 %`.
pub(crate) fn per_cent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// Bytes, such as `12 bytes`, `4.50 KiB`, `1.20 MiB`.
pub(crate) fn bytes(bytes: f64) -> String {
    match bytes {
        many if many >= 1024.0 * 1024.0 => format!("{:.2} MiB", many / 1024.0 / 1024.0),
        some if some >= 1024.0 => format!("{:.2} KiB", some / 1024.0),
        1.0 => "1 byte".to_owned(),
        few => format!("{few:.0} bytes"),
    }
}

/// Seconds, such as `1.23 s`, `45.6 ms`, `789 µs`.
pub(crate) fn time(seconds: f64) -> String {
    let scaled = |value: f64, unit: &str| match value {
        large if large >= 99.95 => format!("{value:.0} {unit}"),
        middle if middle >= 9.995 => format!("{value:.1} {unit}"),
        _ => format!("{value:.2} {unit}"),
    };
    match seconds {
        whole if whole >= 1.0 => scaled(seconds, "s"),
        milli if milli >= 1e-3 => scaled(seconds * 1e3, "ms"),
        micro if micro >= 1e-6 => scaled(seconds * 1e6, "µs"),
        _ => scaled(seconds * 1e9, "ns"),
    }
}
