//! Where values lie on an axis, and which of them are written beside it. Nothing here is ever not a number.

/// What part of an axis a label takes.
const NEAREST: f64 = 0.08;

/// An axis from one value to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    /// Whether equal steps multiply.
    multiplies: bool,
}

impl Scale {
    /// From nothing to the greatest of these.
    pub(super) fn from_zero(values: impl IntoIterator<Item = f64>) -> Self {
        let greatest = finite(values).fold(0.0, f64::max);
        Self {
            low: 0.0,
            high: if greatest > 0.0 { greatest } else { 1.0 },
            multiplies: false,
        }
    }

    /// From the least of these to the greatest.
    pub(super) fn between(values: impl IntoIterator<Item = f64> + Clone) -> Self {
        let (low, high) = ends(finite(values));
        let (low, high) = if low < high {
            (low, high)
        } else {
            (low - 0.5, low + 0.5)
        };
        Self {
            low,
            high,
            multiplies: false,
        }
    }

    /// From the least of these that are greater than nothing to the greatest, equal steps multiplying.
    pub(super) fn multiplying(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = ends(finite(values).filter(|value| *value > 0.0));
        // A single value needs something around it.
        let (low, high) = match high / low {
            wide if wide >= 2.0 => (low, high),
            _ => (low / 1.5, high * 1.5),
        };
        Self {
            low,
            high,
            multiplies: true,
        }
    }

    /// The greatest value.
    pub(super) fn high(&self) -> f64 {
        self.high
    }

    /// Where a value lies, from 0 to 1; what is beyond an end lies at it.
    pub(super) fn share(&self, value: f64) -> f64 {
        let share = if self.multiplies {
            let least = value.max(self.low);
            (least / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// Round values within it, as many as can be read beside each other.
    pub(super) fn labels(&self) -> Vec<f64> {
        let mut last = f64::NEG_INFINITY;
        let mut ticks = self.ticks();
        ticks.retain(|tick| {
            let far = self.share(*tick) - last >= NEAREST;
            if far {
                last = self.share(*tick);
            }
            far
        });
        ticks
    }

    /// Round values within it, some four to seven.
    pub(super) fn ticks(&self) -> Vec<f64> {
        if self.multiplies {
            self.multiplying_ticks()
        } else {
            self.even_ticks()
        }
    }

    fn even_ticks(&self) -> Vec<f64> {
        let rough = (self.high - self.low) / 5.0;
        let power = 10_f64.powf(rough.log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
        let step = steps
            .into_iter()
            .find(|step| *step >= rough)
            .unwrap_or(rough);
        let first = (self.low / step).ceil();
        let ticks = (0..20).map(|n| (first + f64::from(n)) * step);
        ticks
            .take_while(|tick| tick.is_finite() && *tick <= self.high * 1.000_001)
            .collect()
    }

    fn multiplying_ticks(&self) -> Vec<f64> {
        let tens = (self.high / self.low).log10();
        let factors: &[f64] = match tens {
            wide if wide > 4.0 => &[1.0],
            middle if middle > 1.5 => &[1.0, 3.0],
            _ => &[1.0, 2.0, 5.0],
        };
        let first = self.low.log10().floor();
        let powers = (0..60).map(|n| 10_f64.powf(first + f64::from(n)));
        let ticks = powers.flat_map(|power| factors.iter().map(move |factor| factor * power));
        let within = |tick: &f64| tick.is_finite() && *tick >= self.low * 0.999;
        ticks
            .take_while(|tick| *tick <= self.high * 1.001)
            .filter(within)
            .collect()
    }
}

/// A coordinate as SVG has it: two decimals, and a number whatever comes.
pub(super) fn coordinate(value: f64) -> String {
    const FARTHEST: f64 = 100_000.0;
    let value = if value.is_finite() {
        value.clamp(-FARTHEST, FARTHEST)
    } else {
        0.0
    };
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// A share as per cent of the width.
pub(super) fn per_cent(share: f64) -> String {
    format!("{}%", coordinate(share * 100.0))
}

/// On which side of its place a text stands, so that none is cut off at an edge.
pub(super) fn anchor(share: f64) -> &'static str {
    match share {
        left if left < 0.06 => "start",
        right if right > 0.94 => "end",
        _ => "middle",
    }
}

fn finite(values: impl IntoIterator<Item = f64>) -> impl Iterator<Item = f64> {
    values.into_iter().filter(|value| value.is_finite())
}

fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let none = (f64::INFINITY, f64::NEG_INFINITY);
    let (low, high) = values.fold(none, |(low, high), value| (low.min(value), high.max(value)));
    if low <= high { (low, high) } else { (1.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ODD: [&[f64]; 7] = [
        &[],
        &[0.0],
        &[f64::NAN, f64::INFINITY],
        &[1e300, 1e-300],
        &[-1.0, 3.0],
        &[5.0, 5.0],
        &[f64::MAX, f64::MIN_POSITIVE],
    ];

    #[test]
    fn whatever_comes_lies_within_the_axis() {
        for values in ODD {
            let values = || values.iter().copied();
            for scale in [
                Scale::from_zero(values()),
                Scale::between(values()),
                Scale::multiplying(values()),
            ] {
                for value in values().chain([0.0, 1.0, f64::NAN, f64::NEG_INFINITY, 1e-9]) {
                    let share = scale.share(value);
                    assert!(
                        (0.0..=1.0).contains(&share),
                        "{value} at {share} of {scale:?}"
                    );
                }
                let ticks = scale.ticks();
                assert!(
                    ticks.len() <= 60 && ticks.iter().all(|tick| tick.is_finite()),
                    "{scale:?}: {ticks:?}"
                );
            }
        }
    }

    #[test]
    fn ticks_are_round() {
        for (scale, expected) in [
            (Scale::from_zero([1.0]), "0 0.2 0.4 0.6 0.8 1"),
            (Scale::from_zero([37.0]), "0 10 20 30"),
            (
                Scale::multiplying([0.001, 0.1]),
                "0.001 0.003 0.01 0.03 0.1",
            ),
            (Scale::multiplying([1.0, 10.0]), "1 2 5 10"),
        ] {
            let ticks: Vec<_> = scale
                .ticks()
                .into_iter()
                .map(|tick| format!("{}", (tick * 1e6).round() / 1e6))
                .collect();
            assert_eq!(ticks.join(" "), expected);
        }
    }

    #[test]
    fn a_coordinate_is_a_number() {
        for (value, expected) in [
            (1.0, "1"),
            (0.125, "0.12"),
            (-0.001, "0"),
            (f64::NAN, "0"),
            (f64::INFINITY, "0"),
            (1e300, "100000"),
            (100.0, "100"),
        ] {
            assert_eq!(coordinate(value), expected, "{value}");
        }
    }
}
