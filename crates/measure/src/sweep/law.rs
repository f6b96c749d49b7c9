//! The law as part of the report: what is told of a fit, and what is said where there is none.

use super::{
    report::Fit,
    usl::{self, FEWEST, NoFit},
};

/// The fit, or why there is none; never anything about what lies beyond the measured.
pub(super) fn law(figures: &[(f64, f64)]) -> Result<Fit, String> {
    let fitted = usl::fit(figures).map_err(|why| match why {
        NoFit::TooFew(0) => "nothing was measured that a law could be fitted to".to_owned(),
        NoFit::TooFew(points) => format!(
            "{points} {} too few for a law; it takes {FEWEST} concurrencies at least",
            if points == 1 {
                "point is"
            } else {
                "points are"
            }
        ),
        NoFit::Poor(residual) => format!(
            "the best fit is off by {:.0} % on average, so these figures do not follow the law",
            residual * 100.0
        ),
        NoFit::None => "no law of this kind has such figures".to_owned(),
    })?;
    let range = (figures.first(), figures.last());
    let within = |peak: &f64| matches!(range, (Some((first, _)), Some((last, _))) if (first..=last).contains(&peak));
    let peak = fitted.law.peak().filter(within);
    Ok(Fit {
        lambda: fitted.law.lambda,
        sigma: fitted.law.sigma,
        kappa: fitted.law.kappa,
        r2: fitted.r2,
        residual: fitted.residual,
        points: figures.len(),
        peak_concurrency: peak,
        within_measured_range: peak.is_some(),
    })
}

/// The fit to these figures, in words.
pub(super) fn told(fit: &Fit, figures: &[(f64, f64)]) -> String {
    let peak = match fit.peak_concurrency {
        Some(peak) => format!("its peak is at {peak:.0}"),
        None => "it has no peak within what was measured".to_owned(),
    };
    let one = match figures.first() {
        // What it says of fewer than were tried, nobody has seen.
        Some((n, _)) if *n > 1.0 => String::new(),
        _ => format!("{} a second for one, ", super::verdict::rate(fit.lambda)),
    };
    format!(
        "the Universal Scalability Law fits to {:.1} %: {one}contention {}, coherency {}; {peak}",
        fit.residual * 100.0,
        share(fit.sigma),
        share(fit.kappa),
    )
}

/// A share in per cent, with digits enough to tell a small one from none.
fn share(share: f64) -> String {
    match share * 100.0 {
        0.0 => "none".to_owned(),
        small if small < 0.01 => format!("{small:.1e} %"),
        percent => format!("{percent:.2} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The law with these parameters at these concurrencies.
    fn figures(law: (f64, f64, f64), concurrencies: &[u32]) -> Vec<(f64, f64)> {
        let law = usl::Law {
            lambda: law.0,
            sigma: law.1,
            kappa: law.2,
        };
        let n = concurrencies.iter().map(|n| f64::from(*n));
        n.map(|n| (n, law.throughput(n))).collect()
    }

    #[test]
    fn a_peak_is_told_only_where_somebody_looked() {
        let ladder = [1, 2, 4, 8, 16, 32];
        for (parameters, peak) in [
            ((100.0, 0.05, 0.01), Some(9.746_794)),
            ((100.0, 0.05, 0.0001), None),
            ((100.0, 0.05, 0.0), None),
            ((100.0, 0.0, 0.0), None),
        ] {
            let fit = law(&figures(parameters, &ladder)).unwrap();
            let near = |a: f64, b: f64| (a - b).abs() < 1e-4;
            assert!(
                near(fit.lambda / 100.0, 1.0) && near(fit.sigma, parameters.1),
                "{fit:?}"
            );
            match (fit.peak_concurrency, peak) {
                (Some(found), Some(peak)) => assert!(near(found, peak), "{found}"),
                (None, None) => {
                    let told = told(&fit, &figures(parameters, &ladder));
                    assert!(told.contains("no peak within what was measured"), "{told}");
                    assert!(told.contains("a second for one"), "{told}");
                }
                other => panic!("{other:?}"),
            }
            assert_eq!(fit.within_measured_range, peak.is_some());
        }
    }

    #[test]
    fn what_one_does_is_told_only_where_one_was_tried() {
        let figures = figures((100.0, 0.05, 0.01), &[8, 16, 32, 64]);
        let told = told(&law(&figures).unwrap(), &figures);
        assert!(
            told.contains("contention") && !told.contains("for one"),
            "{told}"
        );
    }

    #[test]
    fn what_does_not_fit_is_said() {
        for (figures, says) in [
            (vec![], "nothing was measured"),
            (vec![(1.0, 1.0)], "1 point is too few"),
            (figures((1.0, 0.1, 0.1), &[1, 2, 4]), "3 points are too few"),
            (
                vec![(1.0, 1.0), (2.0, 9.0), (4.0, 1.0), (8.0, 9.0)],
                "do not follow the law",
            ),
        ] {
            let why = law(&figures).unwrap_err();
            assert!(why.contains(says), "{why}");
        }
    }
}
