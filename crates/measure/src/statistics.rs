//! What samples say about the figure behind them: medians, intervals, and Student's t distribution to make them with.
//!
//! Written out rather than taken from a library because it is small; every figure in the tests is scipy's.

/// Geometric mean of the ratios of paired samples, with a two-sided interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogRatio {
    /// Mean of `ln(a/b)`.
    pub mean: f64,
    /// Lower and upper end of the interval for that mean.
    pub interval: [f64; 2],
}

/// The t-interval, at `level` (such as 0.95), of the mean of `ln(a/b)` over the pairs.
///
/// Ratios of times are skewed and their logarithms far less so; pairing takes out what slowed a whole round. `None`
/// with fewer than two pairs, or where a sample is not a positive number.
#[must_use]
pub fn log_ratio(a: &[f64], b: &[f64], level: f64) -> Option<LogRatio> {
    let logs: Vec<f64> = a.iter().zip(b).map(|(a, b)| (a / b).ln()).collect();
    if logs.len() < 2 || logs.iter().any(|log| !log.is_finite()) {
        return None;
    }
    let n = count(logs.len());
    let mean = logs.iter().sum::<f64>() / n;
    let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let reach = t_quantile(1.0 - (1.0 - level) / 2.0, n - 1.0) * (variance / n).sqrt();
    Some(LogRatio {
        mean,
        interval: [mean - reach, mean + reach],
    })
}

/// The level of each of `pairs` intervals so that all hold together with 95 % (Bonferroni).
#[must_use]
pub fn simultaneous_level(pairs: usize) -> f64 {
    1.0 - 0.05 / count(pairs.max(1))
}

/// The middle value, or the mean of the two in the middle. `None` of nothing.
#[must_use]
pub fn median(samples: &[f64]) -> Option<f64> {
    let sorted = sorted(samples);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[middle]),
        _ => Some(sorted[middle - 1].midpoint(sorted[middle])),
    }
}

/// The interval between two order statistics that holds the true median in at least 95 of 100 cases, whatever the
/// distribution. `None` below six samples, which cannot carry 95 %.
///
/// Source: the number of samples below the median is binomial with p = 1/2.
#[must_use]
pub fn median_interval(samples: &[f64]) -> Option<[f64; 2]> {
    let rank = median_rank(samples.len())?;
    let sorted = sorted(samples);
    Some([sorted[rank - 1], sorted[sorted.len() - rank]])
}

/// The value that a Student t variable with `df` degrees of freedom stays below with probability `p` (0 < p < 1).
///
/// Found by bisection of the distribution function, to the last digits of a double.
#[must_use]
pub fn t_quantile(p: f64, df: f64) -> f64 {
    if p < 0.5 {
        return -t_quantile(1.0 - p, df);
    }
    let (mut low, mut high) = (0.0, 1.0);
    while t_cdf(high, df) < p && high < 1e12 {
        low = high;
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if t_cdf(middle, df) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Largest rank, from 1, whose symmetric pair of order statistics covers the median with at least 95 %.
fn median_rank(n: usize) -> Option<usize> {
    let mut outside = 0.0;
    let mut best = None;
    for rank in 1..=n / 2 {
        outside += 2.0 * binomial_half(n, rank - 1);
        if outside > 0.05 {
            break;
        }
        best = Some(rank);
    }
    best
}

/// Probability of `k` heads in `n` throws of a fair coin.
fn binomial_half(n: usize, k: usize) -> f64 {
    let (n, k) = (count(n), count(k));
    let ways = ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0);
    (ways - n * std::f64::consts::LN_2).exp()
}

/// Probability that a Student t variable is below `t` (t ≥ 0). Source: DLMF 8.17, Abramowitz and Stegun 26.7.1.
fn t_cdf(t: f64, df: f64) -> f64 {
    1.0 - 0.5 * incomplete_beta(df / 2.0, 0.5, df / (df + t * t))
}

/// The regularised incomplete beta function, by the continued fraction of DLMF 8.17.22.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    // The fraction converges fast only on this side of the mean; the other side is its mirror image.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, 1.0 - x);
    }
    let scale = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p();
    scale.exp() / (a * beta_fraction(a, b, x))
}

/// The continued fraction 1 + d1/(1 + d2/(1 + …)), evaluated from its far end.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    // At the end of 300 terms what is left out is far below a double's last digit, for all that this crate asks.
    (1..=300_u32).rev().fold(1.0, |rest, term| {
        let m = f64::from(term / 2);
        let numerator = if term % 2 == 0 {
            m * (b - m) / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        1.0 + numerator * x / rest
    })
}

/// Logarithm of the gamma function for x > 0, by Stirling's series (DLMF 5.11.1), shifted to where it is exact.
fn ln_gamma(x: f64) -> f64 {
    let mut shift = 0.0;
    let mut x = x;
    while x < 15.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let square = x * x;
    let series = (1.0 / 12.0
        - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / (1680.0 * square)) / square) / square)
        / x;
    let half_ln_tau = 0.5 * std::f64::consts::TAU.ln();
    shift + (x - 0.5) * x.ln() - x + half_ln_tau + series
}

fn sorted(samples: &[f64]) -> Vec<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[expect(
    clippy::cast_precision_loss,
    reason = "rounds and arms are counted in hundreds at most"
)]
fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(got: f64, expected: f64) {
        let error = (got - expected).abs() / expected.abs().max(1e-300);
        assert!(error < 1e-9, "{got} is not {expected}");
    }

    #[test]
    fn t_quantiles_are_those_of_scipy() {
        // scipy.stats.t.ppf(p, df)
        for (p, df, expected) in [
            (0.975, 1.0, 12.706_204_736_174_694),
            (0.975, 2.0, 4.302_652_729_749_462),
            (0.975, 6.0, 2.446_911_851_144_978_6),
            (0.995, 6.0, 3.707_428_021_324_806_5),
            (0.991_666_666_666_666_7, 6.0, 3.287_455_157_088_189),
            (0.975, 30.0, 2.042_272_456_301_237_8),
            (0.975, 1000.0, 1.962_339_080_826_408_3),
            (0.75, 3.5, 0.750_937_029_394_077_8),
            (0.9999, 4.0, 13.033_671_720_896_821),
            (0.025, 6.0, -2.446_911_851_144_979_4),
        ] {
            close(t_quantile(p, df), expected);
        }
    }

    #[test]
    fn incomplete_beta_is_that_of_scipy() {
        // scipy.special.betainc(a, b, x)
        for (a, b, x, expected) in [
            (3.0, 0.5, 0.3, 0.009_603_693_590_288_068),
            (0.5, 0.5, 0.5, 0.5),
            (2.0, 3.0, 0.9, 0.9963),
            (15.0, 0.5, 0.99, 0.586_064_964_776_335_5),
        ] {
            close(incomplete_beta(a, b, x), expected);
        }
    }

    #[test]
    fn log_ratio_interval_is_that_of_scipy() {
        let a = [1.02, 0.98, 1.05, 1.01, 0.99, 1.03, 1.00];
        let b = [0.51, 0.50, 0.55, 0.49, 0.50, 0.52, 0.51];
        // d = log(a/b); scipy.stats.t.interval(level, 6, loc=d.mean(), scale=scipy.stats.sem(d))
        for (level, low, high) in [
            (0.95, 0.660_783_192_473_500_6, 0.703_772_723_262_634_7),
            (
                simultaneous_level(3),
                0.653_399_485_064_192_4,
                0.711_156_430_671_942_9,
            ),
        ] {
            let ratio = log_ratio(&a, &b, level).unwrap();
            close(ratio.interval[0], low);
            close(ratio.interval[1], high);
        }
    }

    #[test]
    fn log_ratio_needs_two_pairs_of_positive_numbers() {
        assert_eq!(log_ratio(&[1.0], &[1.0], 0.95), None);
        assert_eq!(log_ratio(&[1.0, 0.0], &[1.0, 1.0], 0.95), None);
        assert_eq!(log_ratio(&[1.0, 1.0], &[1.0, f64::NAN], 0.95), None);
        let steady = log_ratio(&[2.0, 2.0], &[1.0, 1.0], 0.95).unwrap();
        close(steady.interval[0], 2_f64.ln());
    }

    #[test]
    fn medians_and_their_intervals() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median_interval(&[1.0; 5]), None);
        // largest k with 1 - 2*scipy.stats.binom.cdf(k-1, n, 0.5) >= 0.95
        for (n, rank) in [(6, 1), (7, 1), (8, 1), (9, 2), (10, 2), (20, 6), (50, 18)] {
            let samples: Vec<f64> = (1..=n).map(f64::from).collect();
            let expected = [f64::from(rank), f64::from(n + 1 - rank)];
            assert_eq!(median_interval(&samples), Some(expected), "{n} samples");
        }
    }
}
