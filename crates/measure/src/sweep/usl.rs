//! The Universal Scalability Law: throughput that first grows with concurrency, then less and less, and then falls.
//!
//! `X(N) = λN / (1 + σ(N−1) + κN(N−1))`, where λ is the throughput of one, σ the part of the work that must queue up for
//! something (contention), and κ what it costs each to agree with each other (coherency). Source: N. J. Gunther, *Guerrilla
//! Capacity Planning*, Springer 2007, chapters 4 to 6; also "A General Theory of Computational Scalability Based on
//! Rational Functions", arXiv:0808.1431.
//!
//! By Little's law `N / X` is the time that an input spends in a lane, and under this law it is a sum:
//! `N / X = p + qN + cN(N−1)`, with `λ = 1/(p + q)`, `σ = q/(p + q)` and `κ = c/(p + q)`. So all the law asks for
//! (`λ > 0`, `0 ≤ σ ≤ 1`, `κ ≥ 0`) is that p, q and c are not negative, and the least squares of the relative residuals
//! of those times have one minimum, which is found exactly: no start, no iteration, nothing that may not converge.

/// The fewest points that a fit is made of: it has three parameters, and fits any three points.
pub const FEWEST: usize = 4;

/// How far off a law may be on average and still be one.
pub const TOLERANCE: f64 = 0.1;

/// The law that fits some points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Law {
    /// Throughput at a concurrency of one.
    pub lambda: f64,
    /// Contention, from 0 to 1.
    pub sigma: f64,
    /// Coherency, from 0.
    pub kappa: f64,
}

/// Why no law is told.
#[derive(Debug, Clone, PartialEq)]
pub enum NoFit {
    /// There are only so many points.
    TooFew(usize),
    /// The law is off by so much on average: the root of the mean square of its relative residuals.
    Poor(f64),
    /// No law has such figures at all.
    None,
}

/// A law and how well it fits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fitted {
    /// The law.
    pub law: Law,
    /// The share of the variance of the throughput that it explains; 1 where there is none to explain.
    pub r2: f64,
    /// The root of the mean square of its relative residuals, of throughput.
    pub residual: f64,
}

impl Law {
    /// The throughput at this concurrency.
    #[must_use]
    pub fn throughput(&self, n: f64) -> f64 {
        self.lambda * n / (1.0 + self.sigma * (n - 1.0) + self.kappa * n * (n - 1.0))
    }

    /// The concurrency at which throughput is greatest, if there is one: it grows for ever without coherency.
    #[must_use]
    pub fn peak(&self) -> Option<f64> {
        let peak = ((1.0 - self.sigma) / self.kappa).sqrt();
        (self.kappa > 0.0 && peak.is_finite()).then_some(peak.max(1.0))
    }
}

/// Fits the law to points of concurrency and throughput. Points that are no positive numbers are left out.
///
/// # Errors
/// Too few points are left, or the law is not theirs.
pub fn fit(points: &[(f64, f64)]) -> Result<Fitted, NoFit> {
    let positive = |value: f64| value.is_finite() && value > 0.0;
    let mut points: Vec<(f64, f64)> = points.to_vec();
    points.retain(|(n, x)| positive(*n) && positive(*x) && positive(n / x));
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let different = points.chunk_by(|a, b| a.0 == b.0).count();
    if different < FEWEST {
        return Err(NoFit::TooFew(different));
    }
    let law = least_squares(&points).ok_or(NoFit::None)?;
    let fitted = Fitted {
        law,
        r2: explained(law, &points),
        residual: residual(law, &points),
    };
    let finite = [law.lambda, law.sigma, law.kappa, fitted.r2, fitted.residual];
    if !positive(law.lambda) || finite.iter().any(|value| !value.is_finite()) {
        return Err(NoFit::None);
    }
    if fitted.residual > TOLERANCE {
        return Err(NoFit::Poor(fitted.residual));
    }
    Ok(fitted)
}

/// The coefficients p, q and c, none negative, that make the least squares of `(p + qN + cN(N−1)) / (N/X) − 1`.
///
/// With three of them, every choice of those that are not zero can be tried: the best one whose coefficients are all
/// positive is the minimum, because the problem is convex.
fn least_squares(points: &[(f64, f64)]) -> Option<Law> {
    let row = |(n, x): &(f64, f64)| {
        let time = n / x;
        [1.0 / time, n / time, n * (n - 1.0) / time]
    };
    let mut rows: Vec<[f64; 3]> = points.iter().map(row).collect();
    // Columns of one length: throughput may be told in any unit, and concurrency be large.
    let length = |column: usize| {
        let largest = rows.iter().map(|row| row[column]).fold(0.0, f64::max);
        let squares = rows.iter().map(|row| (row[column] / largest).powi(2));
        largest * squares.sum::<f64>().sqrt()
    };
    let lengths = [0, 1, 2].map(length);
    for row in &mut rows {
        for (value, length) in row.iter_mut().zip(lengths) {
            // A column of zeros stays one.
            *value = if length > 0.0 { *value / length } else { 0.0 };
        }
    }
    let subsets = (1..8_usize).filter_map(|chosen| solve(&rows, chosen));
    let best = subsets.min_by(|a, b| squares(&rows, *a).total_cmp(&squares(&rows, *b)))?;
    let of = |column: usize| match best[column] {
        0.0 => 0.0,
        scaled => scaled / lengths[column],
    };
    let (p, q, c) = (of(0), of(1), of(2));
    Some(Law {
        lambda: 1.0 / (p + q),
        sigma: q / (p + q),
        kappa: c / (p + q),
    })
}

/// The least squares of `row · solution − 1` with the columns of this set alone; `None` if one of them is not positive.
fn solve(rows: &[[f64; 3]], chosen: usize) -> Option<[f64; 3]> {
    let columns: Vec<usize> = (0..3).filter(|column| chosen >> column & 1 == 1).collect();
    let product = |a: usize, b: usize| rows.iter().map(|row| row[a] * row[b]).sum::<f64>();
    let mut matrix = [[0.0; 4]; 3];
    for (place, a) in columns.iter().enumerate() {
        for (other, b) in columns.iter().enumerate() {
            matrix[place][other] = product(*a, *b);
        }
        matrix[place][3] = rows.iter().map(|row| row[*a]).sum();
    }
    let solved = eliminate(&mut matrix, columns.len())?;
    let mut solution = [0.0; 3];
    for (column, value) in columns.iter().zip(solved) {
        if !(value.is_finite() && value > 0.0) {
            return None;
        }
        solution[*column] = value;
    }
    Some(solution)
}

/// Gaussian elimination with pivots; the last column is the right-hand side. `None` if there is more than one solution.
fn eliminate(matrix: &mut [[f64; 4]; 3], size: usize) -> Option<[f64; 3]> {
    for step in 0..size {
        let below = step..size;
        let pivot =
            below.max_by(|a, b| matrix[*a][step].abs().total_cmp(&matrix[*b][step].abs()))?;
        matrix.swap(step, pivot);
        // Columns have length one, so that anything this small is rounding.
        let size_of_pivot = matrix[step][step].abs();
        if size_of_pivot <= 1e-13 || size_of_pivot.is_nan() {
            return None;
        }
        let top = matrix[step];
        for row in &mut matrix[step + 1..size] {
            let factor = row[step] / top[step];
            for (value, above) in row.iter_mut().zip(top) {
                *value -= factor * above;
            }
        }
    }
    let mut solution = [0.0; 3];
    for step in (0..size).rev() {
        let known: f64 = (step + 1..size)
            .map(|column| matrix[step][column] * solution[column])
            .sum();
        solution[step] = (matrix[step][3] - known) / matrix[step][step];
    }
    Some(solution)
}

fn squares(rows: &[[f64; 3]], solution: [f64; 3]) -> f64 {
    let off = |row: &[f64; 3]| row.iter().zip(solution).map(|(a, b)| a * b).sum::<f64>() - 1.0;
    rows.iter().map(|row| off(row).powi(2)).sum()
}

#[expect(clippy::cast_precision_loss, reason = "points are few")]
fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    values.clone().sum::<f64>() / values.count().max(1) as f64
}

fn residual(law: Law, points: &[(f64, f64)]) -> f64 {
    let off = points.iter().map(|(n, x)| law.throughput(*n) / x - 1.0);
    mean(off.map(|off| off * off)).sqrt()
}

fn explained(law: Law, points: &[(f64, f64)]) -> f64 {
    // Shares of the largest, whose squares are numbers whatever the unit.
    let largest = points.iter().map(|(_, x)| *x).fold(0.0, f64::max);
    let mean = mean(points.iter().map(|(_, x)| x / largest));
    let spread = points.iter().map(|(_, x)| (x / largest - mean).powi(2));
    let off = points
        .iter()
        .map(|(n, x)| ((law.throughput(*n) - x) / largest).powi(2));
    let (spread, off) = (spread.sum::<f64>(), off.sum::<f64>());
    match spread > 1e-24 {
        true => 1.0 - off / spread,
        false => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn points(figures: &[(u32, f64)]) -> Vec<(f64, f64)> {
        figures.iter().map(|(n, x)| (f64::from(*n), *x)).collect()
    }

    #[track_caller]
    fn close(got: f64, expected: f64, what: &str) {
        // Eight digits: what the normal equations leave of sixteen.
        let off = (got - expected).abs() / expected.abs().max(1e-6);
        assert!(off < 1e-8, "{what}: {got} for {expected}");
    }

    type Case = (&'static str, &'static [(u32, f64)], [f64; 5]);

    /// With T = N/X, A = c_[1/T, N/T, N*(N-1)/T] and s = norm(A, axis=0): p, q, c = nnls(A/s, ones(len(N)))[0]/s of
    /// scipy.optimize. λ, σ and κ follow, and so do the residual and R².
    const FITS: &[Case] = &[
        (
            "the ray tracer of Gunther's chapter 5",
            &[
                (1, 20.0),
                (4, 78.0),
                (8, 130.0),
                (12, 170.0),
                (16, 190.0),
                (20, 200.0),
                (24, 210.0),
                (28, 230.0),
                (32, 260.0),
                (48, 280.0),
                (64, 310.0),
            ],
            [
                21.746_235_099_575_692,
                0.056_856_528_418_323_2,
                3.454_758_405_291_584_5e-6,
                0.048_965_467_966_213_67,
                0.990_490_107_670_828_1,
            ],
        ),
        (
            "a peak, with noise",
            &[
                (1, 10.2),
                (2, 19.6),
                (4, 38.9),
                (8, 69.0),
                (16, 98.0),
                (32, 117.5),
                (64, 101.0),
            ],
            [
                10.343_473_568_429_49,
                0.027_044_986_391_922_946,
                0.000_967_315_537_816_126_1,
                0.023_621_459_779_467_113,
                0.998_361_110_445_012_2,
            ],
        ),
        (
            "linear",
            &[(1, 3.0), (2, 6.0), (4, 12.0), (8, 24.0), (16, 48.0)],
            [3.0, 0.0, 0.0, 0.0, 1.0],
        ),
        (
            "better than linear",
            &[(1, 1.0), (2, 2.1), (4, 4.3), (8, 8.9)],
            [
                1.060_951_327_433_628_4,
                0.0,
                0.0,
                0.039_184_329_180_083_77,
                0.995_164_084_906_442,
            ],
        ),
        (
            "flat",
            &[(1, 5.1), (2, 5.0), (4, 4.9), (8, 5.05), (16, 4.95)],
            [
                5.025_790_078_143_056,
                1.0,
                0.000_963_717_010_311_895_2,
                0.013_246_495_220_738_03,
                0.131_902_809_527_301_7,
            ],
        ),
        (
            "falling",
            &[(1, 9.0), (2, 8.1), (4, 7.0), (8, 5.5), (16, 4.1), (32, 2.6)],
            [
                8.765_905_684_834_67,
                1.0,
                0.077_615_060_163_980_87,
                0.019_421_298_923_390_364,
                0.996_521_742_564_654_5,
            ],
        ),
        (
            "coherency alone",
            &[(1, 98.0), (2, 195.0), (4, 380.0), (8, 600.0), (16, 690.0)],
            [
                98.953_328_252_843_06,
                0.0,
                0.005_418_054_655_349_563,
                0.012_247_730_531_899_379,
                0.999_501_817_308_852_8,
            ],
        ),
    ];

    #[test]
    fn fits_are_those_of_scipy() {
        for (what, figures, expected) in FITS {
            let Fitted { law, r2, residual } = fit(&points(figures)).unwrap();
            let got = [law.lambda, law.sigma, law.kappa, residual, r2];
            for (got, expected) in got.into_iter().zip(expected) {
                close(got, *expected, what);
            }
        }
    }

    #[test]
    fn what_has_no_law_is_said() {
        let of = |n: u32, x: fn(f64) -> f64| -> Vec<(f64, f64)> {
            (0..n)
                .map(|k| f64::from(1 << k))
                .map(|n| (n, x(n)))
                .collect()
        };
        assert_eq!(fit(&[]), Err(NoFit::TooFew(0)));
        assert_eq!(fit(&of(3, |n| n)), Err(NoFit::TooFew(3)));
        assert_eq!(fit(&of(6, |_| 0.0)), Err(NoFit::TooFew(0)));
        assert_eq!(fit(&of(6, |_| f64::INFINITY)), Err(NoFit::TooFew(0)));
        assert_eq!(fit(&[(2.0, 1.0); 9]), Err(NoFit::TooFew(1)));
        assert!(matches!(fit(&of(6, |n| n * n)), Err(NoFit::Poor(_))));
        // Up and down from one point to the next.
        let saw = |n: f64| if n.log2() % 2.0 == 0.0 { 1.0 } else { 9.0 };
        assert!(matches!(fit(&of(8, saw)), Err(NoFit::Poor(off)) if off > 0.3));
    }

    #[test]
    fn the_peak_is_where_throughput_is_greatest() {
        let law = Law {
            lambda: 10.0,
            sigma: 0.03,
            kappa: 0.001,
        };
        let peak = law.peak().unwrap();
        assert!(law.throughput(peak) > law.throughput(peak * 1.01));
        assert!(law.throughput(peak) > law.throughput(peak / 1.01));
        assert_eq!(Law { kappa: 0.0, ..law }.peak(), None);
    }

    proptest! {
        #[test]
        fn a_law_keeps_its_constraints_whatever_the_figures(
            figures in prop::collection::vec((any::<f64>(), any::<f64>()), 0..12)
        ) {
            if let Ok(fitted) = fit(&figures) {
                let law = fitted.law;
                prop_assert!(law.lambda.is_finite() && law.lambda > 0.0);
                prop_assert!((0.0..=1.0).contains(&law.sigma));
                prop_assert!(law.kappa.is_finite() && law.kappa >= 0.0);
                prop_assert!(fitted.r2.is_finite() && fitted.residual <= TOLERANCE);
                prop_assert!(law.peak().is_none_or(f64::is_finite));
            }
        }

        #[test]
        fn a_law_is_found_again_from_its_own_figures(
            lambda in 1e-3..1e6f64, sigma in 0.0..0.9f64, kappa in 0.0..0.1f64, rungs in 4..12u32
        ) {
            let law = Law { lambda, sigma, kappa };
            let n = (0..rungs).map(|k| f64::from(1 << k));
            let figures: Vec<(f64, f64)> = n.map(|n| (n, law.throughput(n))).collect();
            let found = fit(&figures).unwrap();
            prop_assert!(found.residual < 1e-6, "{found:?}");
            prop_assert!((found.law.lambda / lambda - 1.0).abs() < 1e-4, "{found:?}");
            prop_assert!((found.law.sigma - sigma).abs() < 1e-3, "{found:?}");
            prop_assert!((found.law.kappa - kappa).abs() < 1e-3, "{found:?}");
        }
    }
}
