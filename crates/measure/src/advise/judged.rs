//! The figures that settings are judged by: where they were run in turn, those of that alone, for the machine may have become
//! quicker or slower since earlier looks.

use triway_core::Model;

use super::{
    setting::{Setting, inputs_of},
    slice::{Situation, Slice},
};

/// What was run in turn, as far as that is enough of it: nothing, where it is too little of the best, or where one input at a time is
/// to be compared and was not.
pub(super) fn in_turn<'a>(
    situation: &Situation,
    settings: &[Setting<'a>],
    slices: &[Slice],
) -> Option<Vec<Setting<'a>>> {
    let looks = slices.iter().filter(|slice| slice.in_turn);
    let began = settings.iter().filter(|it| {
        let setting = (it.model, it.concurrency);
        looks.clone().any(|slice| slice.is_of(setting))
    });
    let inputs = inputs_of(situation);
    let total = |it: &Setting<'_>| it.total(inputs);
    let first = began.clone().filter(|it| it.is_sound());
    let first = first.min_by(|one, other| total(one).total_cmp(&total(other)))?;
    first.in_turn()?;
    let turns: Vec<_> = began.filter_map(Setting::in_turn).collect();
    (!situation.thorough || one_at_a_time(&turns).is_some()).then_some(turns)
}

/// One input at a time, if that is among these.
pub(super) fn one_at_a_time<'a, 'b>(settings: &'b [Setting<'a>]) -> Option<&'b Setting<'a>> {
    settings.iter().find(|it| it.model == Model::Sequential)
}

/// All settings, each with the figures that it was judged by.
pub(super) fn shown<'a>(settings: &[Setting<'a>], judged: &[Setting<'a>]) -> Vec<Setting<'a>> {
    let as_judged = |it: &Setting<'a>| same_in(judged, it).unwrap_or(it).clone();
    settings.iter().map(as_judged).collect()
}

/// The same model at the same concurrency, if that is among these.
pub(super) fn same_in<'a, 'b>(
    settings: &'b [Setting<'a>],
    it: &Setting<'_>,
) -> Option<&'b Setting<'a>> {
    let mut settings = settings.iter();
    settings.find(|other| (other.model, other.concurrency) == (it.model, it.concurrency))
}
