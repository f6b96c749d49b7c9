//! How many lanes are made for a probe: more than are at work in it, where those that follow would each have to start an
//! interpreter anew.

use triway_core::Model;

use super::{
    setting::Setting,
    slice::{Situation, Slice},
};

/// So many slots an interpreter has, where not all that may be wanted are known yet. They cost next to nothing.
const ROOMY: usize = 256;
/// Where fewer slots are at work than there are, no input is handed out ahead, and a slot waits a moment for its next one. That
/// is nothing beside attempts that take so long.
const LONG_S: f64 = 5e-3;

/// How many lanes are made for so many that are at work. What computes has none to spare: numeric libraries are told how many
/// processors there are for each.
pub(super) fn room(
    situation: &Situation,
    sequential: &Setting<'_>,
    (model, concurrency): (Model, usize),
) -> usize {
    let has_slots = matches!(model, Model::Threads | Model::Async);
    let pays = sequential.waits() && sequential.run() >= LONG_S;
    let pays = pays && has_slots && situation.interpreter.is_some();
    // Whoever asked for advice is told what memory each setting takes, and how long it starts.
    match pays && !situation.thorough && situation.fixed_concurrency.is_none() {
        true => concurrency.max(ROOMY.min(situation.most_concurrency)),
        false => concurrency,
    }
}

/// Whether the lanes of the last slice have room for so many at work, and never had more.
pub(super) fn stand_ready(
    situation: &Situation,
    slices: &[Slice],
    (model, concurrency): (Model, usize),
) -> bool {
    let Some((sequential, last)) = Setting::sequential(slices).zip(slices.last()) else {
        return false;
    };
    let room_of = |concurrency| room(situation, &sequential, (model, concurrency));
    let same = last.model == Some(model) && room_of(last.concurrency) == room_of(concurrency);
    last.counts() && same && last.concurrency <= concurrency
}
