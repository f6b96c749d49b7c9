//! How many at once were still of use, and why no more are said to be.

use triway_core::Model;

use super::{
    durations::{GAIN, WORTHWHILE},
    setting::{Setting, smallest_nearly_best},
    slice::{Situation, Slice},
};

/// The most at once that gained something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Widest {
    pub(super) at_once: usize,
    pub(super) end: End,
}

/// Why it is not more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// More did no more.
    GainedNothing,
    /// More failed inputs.
    Failed,
    /// As many did no more than one does, so nobody looked further.
    NoneGained,
    /// It was to be as many.
    Given,
    /// No more were allowed.
    Allowed,
    /// Inputs came more slowly than they were worked off.
    Starved,
    /// There were too few inputs for more.
    FewInputs,
    /// Time was up.
    Time,
}

impl Widest {
    pub(super) fn of(
        situation: &Situation,
        slices: &[Slice],
        settings: &[Setting<'_>],
        sequential: &Setting<'_>,
    ) -> Self {
        let at_once = Model::PLAIN
            .into_iter()
            .filter_map(|model| smallest_nearly_best(settings, model))
            .map(|it| it.concurrency)
            .max()
            .unwrap_or(1);
        let mut more = settings.iter().filter(|it| it.concurrency > at_once);
        let tried = more.clone().next().is_some();
        let worthwhile = match situation.thorough {
            true => GAIN,
            false => WORTHWHILE,
        };
        let gained = |it: &Setting<'_>| it.rate() >= worthwhile * sequential.rate();
        let executed: u64 = slices.iter().map(|slice| slice.inputs).sum();
        let left = situation.inputs.map(|all| all.saturating_sub(executed));
        // Half as many again are the least that is tried.
        let needed =
            situation.one_part_in(sequential.waits()) * (at_once as u64).saturating_mul(3) / 2;
        let end = match () {
            () if tried && more.all(Setting::is_refused) => End::Failed,
            () if tried => End::GainedNothing,
            () if situation.fixed_concurrency.is_some() => End::Given,
            () if at_once >= situation.most_concurrency => End::Allowed,
            () if at_once > 1 && !settings.iter().any(gained) => End::NoneGained,
            () if slices.iter().any(|slice| slice.starved) => End::Starved,
            () if left.is_some_and(|left| left < needed) => End::FewInputs,
            () => End::Time,
        };
        Self { at_once, end }
    }

    /// The answer to whether so many are at once, or more.
    pub(super) fn answer(self, many: usize) -> String {
        let Self { at_once, end } = self;
        let yes = at_once >= many;
        let no = format!("more than {at_once} at once");
        match end {
            End::Given => format!(
                "{}: it was to be {at_once} at once, and nothing else was tried",
                if yes { "yes" } else { "no" }
            ),
            _ if yes => format!("yes: throughput still rose up to {at_once} at once"),
            End::GainedNothing => format!("no: {no} gained nothing"),
            End::Failed => format!("no: {no} failed inputs"),
            End::NoneGained => {
                format!("no: {at_once} at once gained nothing over one, so no more were tried")
            }
            End::Allowed => format!("no: {no} were not allowed, so they were not tried"),
            End::Starved => {
                format!("not known: inputs came too slowly for {no}, which were not tried")
            }
            End::FewInputs => {
                format!("not known: there were too few inputs for {no}, which were not tried")
            }
            End::Time => format!("not known: there was no time for {no}, which were not tried"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(model: Model, concurrency: usize, rate_per_s: f64) -> Slice {
        Slice {
            model: Some(model),
            concurrency,
            inputs: 20,
            wall_s: 20.0 / rate_per_s,
            rate_per_s,
            run_s: 0.1,
            ..Slice::default()
        }
    }

    #[track_caller]
    fn check(situation: &Situation, slices: &[Slice], at_once: usize, end: End) {
        let sequential = Setting::sequential(slices).unwrap();
        let settings = Setting::all(slices);
        let found = Widest::of(situation, slices, &settings, &sequential);
        assert_eq!(found, Widest { at_once, end });
        let answer = found.answer(100);
        let tried = settings.iter().any(|it| it.concurrency > at_once);
        assert_eq!(
            answer.contains("not tried")
                || answer.contains("no more were tried")
                || end == End::Given,
            !tried && at_once < 100,
            "{answer}"
        );
    }

    #[test]
    fn what_was_not_tried_is_not_said_to_gain_nothing() {
        use Model::{Async, Sequential, Threads};
        let usual = || Situation::bare(2);
        let one = || slice(Sequential, 1, 10.0);
        let two = || slice(Threads, 2, 20.0);
        let of = |inputs| Situation {
            inputs: Some(inputs),
            ..usual()
        };
        let given = Situation {
            fixed_concurrency: Some(2),
            ..usual()
        };
        let allowed = Situation {
            most_concurrency: 2,
            ..usual()
        };
        let failing = Slice {
            failed: 10,
            ..slice(Async, 8, 40.0)
        };
        let starved = Slice {
            starved: true,
            ..two()
        };
        let flat = slice(Threads, 8, 20.5);
        check(&usual(), &[one(), two(), flat], 2, End::GainedNothing);
        check(&usual(), &[one(), two(), failing], 2, End::Failed);
        check(
            &usual(),
            &[one(), slice(Threads, 2, 10.1)],
            2,
            End::NoneGained,
        );
        // A little is enough to go on where there is time for all.
        let little = [one(), slice(Threads, 2, 11.0)];
        check(&usual(), &little, 2, End::Time);
        let quick = Situation {
            thorough: false,
            ..usual()
        };
        check(&quick, &little, 2, End::NoneGained);
        check(&given, &[one(), two()], 2, End::Given);
        check(&allowed, &[one(), two()], 2, End::Allowed);
        check(&usual(), &[one(), starved], 2, End::Starved);
        check(&of(42), &[one(), two()], 2, End::FewInputs);
        check(&of(4200), &[one(), two()], 2, End::Time);
        check(&usual(), &[one(), two()], 2, End::Time);
        check(
            &usual(),
            &[one(), slice(Async, 128, 1000.0)],
            128,
            End::Time,
        );
    }
}
