//! What to probe next: a pure function of what is known and of what was measured so far.
//!
//! First one input at a time; then two at a time under each model, which tells apart what holds an interpreter's lock, what
//! lets go of it, what waits, and what is too small to be handed over; then rising concurrency under the models that gained,
//! until there is no more to gain; and where intervals are wanted, the best settings once more in turn.

mod climb;

use triway_core::Model;

use super::{
    allowance::{Allowance, Start},
    durations::{BRIEF_S, CLEARLY_MORE, HAND_OVER_COUNTS_S, NOT_WORTH_PROBING_S, WORTHWHILE},
    room::{room, stand_ready},
    setting::{Setting, inputs_f64, inputs_of, smallest_nearly_best},
    slice::{Situation, Slice},
};

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// To measure this.
    Probe(Probe),
    /// Enough is known, or no more can be.
    Done,
}

/// Some inputs to be run so.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Probe {
    /// The model.
    pub model: Model,
    /// How many inputs in flight.
    pub concurrency: usize,
    /// Whether it is one of several that are run in turn, to be compared with each other.
    pub in_turn: bool,
    /// How many lanes there are for them: more, where those that a later probe may want would start slowly.
    pub room: usize,
    /// How many inputs.
    pub inputs: u64,
    /// After so many seconds no further one begins.
    pub seconds: f64,
}

/// What does this share of what the processors could has them all.
const ALL_OF_THEM: f64 = 0.7;
/// Rounds of pairs, and slices of each finalist in turn, where intervals are wanted.
const PAIRS: usize = 2;
const FINALS: usize = 3;
/// Slices of each finalist where there is no time for more.
const SECOND_LOOK: usize = 2;
/// What takes no more than this times as long as the best may be the best, after some looks; and one at a time, which was looked at
/// before all others, where it takes no more than that. Of a job that is to be done so many others are compared at most.
const NEAR: f64 = 1.3;
const FAR: f64 = 2.0;
const RIVALS: usize = 3;
/// Attempts of so many seconds are long: of those that wait, so many are the first that are tried at once, and each lane has one.
const LONG_S: f64 = 1.0;
const FEW_THAT_WAIT: usize = 8;
/// No probe but the first and the last takes a larger part of the inputs than this, so that there is enough for each: there
/// are about thirty.
const PARTS: u64 = 32;
/// The same for a job that is to be done, where there are a few, and most inputs are to be done as they advise.
const QUICK_PARTS: u64 = 16;
/// How many times as many inputs as are expected a probe has where its time is to end it: it is a waste to have it end before.
const TO_SPARE: f64 = 2.0;
/// So many inputs a lane, and so many where the last of a slice may be far slower than the others.
const WAVES: u64 = 3;
const HEAVY_WAVES: u64 = 8;
/// A slice is longer by no more than this for lanes that start slowly.
const LONGEST_START_S: f64 = 0.5;
/// So many one at a time where nobody knows how many there are, and so many at most.
const FIRST: u64 = 16;
const MOST_ALONE: u64 = 100_000;
/// So many times as many next, where these took too little time: the first input may have taken most of it.
const MORE: f64 = 8.0;
const MOST_MORE: f64 = 512.0;
/// Where so large a share of so many fails, nothing is known of what would succeed, and no more are executed to find out.
pub(super) const FAILS: f64 = 0.9;
const TELLS_ENOUGH: u64 = 5;
/// What takes less time than this is too little to tell anything.
const TELLS_SOMETHING_S: f64 = 0.02;

/// What to measure next, after so many seconds.
#[must_use]
pub fn next(situation: &Situation, slices: &[Slice], elapsed_s: f64) -> Step {
    let Some(sequential) = Setting::sequential(slices) else {
        return first(situation, slices);
    };
    if sequential.inputs() >= TELLS_ENOUGH && sequential.failed_share() >= FAILS {
        return Step::Done;
    }
    let view = View {
        situation,
        slices,
        sequential,
        allowance: allowance(situation, slices, elapsed_s),
    };
    if view.is_over() {
        return Step::Done;
    }
    if let Some(probe) = longer(situation, slices) {
        return Step::Probe(probe);
    }
    let compares = slices.iter().any(|slice| slice.in_turn);
    let climb = || match view.must_compare() {
        true => None,
        false => view.climb(),
    };
    let probe = match compares {
        true => view.finals(),
        false => view.pairs().or_else(climb).or_else(|| view.finals()),
    };
    probe.map_or(Step::Done, Step::Probe)
}

/// Whether the rest of a job is better off with so many lanes of their own than with the larger number that stands ready.
pub(super) fn others_pay(situation: &Situation, slices: &[Slice], lanes: (Model, usize)) -> bool {
    allowance(situation, slices, 0.0).affords(slices, lanes, Start::Fewer)
}

/// One input at a time.
fn first(situation: &Situation, slices: &[Slice]) -> Step {
    if !slices.is_empty() || situation.inputs == Some(0) {
        return Step::Done;
    }
    // With fewer than three nothing is said of what the work is like.
    let some = |inputs: u64| (inputs / 10).max(3.min(inputs / 5));
    let share = situation.inputs.map(some);
    let inputs = share.map_or(FIRST, |share| share.clamp(2, MOST_ALONE));
    Step::Probe(alone(situation, inputs))
}

/// Where nobody knows how many inputs there are, one at a time is tried with few of them first, and with so many more as should
/// take long enough, as long as that takes too little time to tell anything.
fn longer(situation: &Situation, slices: &[Slice]) -> Option<Probe> {
    let [.., last] = slices else {
        return None;
    };
    let so_far = slices.iter().all(|it| it.model == Some(Model::Sequential));
    let brief = last.wall_s < TELLS_SOMETHING_S;
    let whole = last.inputs >= FIRST && last.inputs < MOST_ALONE;
    let times = (2.0 * TELLS_SOMETHING_S / last.wall_s).clamp(MORE, MOST_MORE);
    let inputs = (times * inputs_f64(last.inputs)).ceil() as u64;
    (situation.inputs.is_none() && so_far && brief && whole && !last.starved)
        .then(|| alone(situation, inputs.min(MOST_ALONE)))
}

fn alone(situation: &Situation, inputs: u64) -> Probe {
    Probe {
        model: Model::Sequential,
        concurrency: 1,
        in_turn: false,
        room: 1,
        inputs,
        seconds: 2.0 * allowance(situation, &[], 0.0).probe_s,
    }
}

fn allowance(situation: &Situation, slices: &[Slice], elapsed_s: f64) -> Allowance {
    Allowance::of(situation, slices, left(situation, slices), elapsed_s)
}

/// How many inputs nobody has begun, where it is known how many there are.
fn left(situation: &Situation, slices: &[Slice]) -> u64 {
    let used: u64 = slices.iter().map(|slice| slice.inputs).sum();
    let all = situation.inputs.unwrap_or(u64::MAX);
    all.saturating_sub(used)
}

struct View<'a> {
    situation: &'a Situation,
    slices: &'a [Slice],
    sequential: Setting<'a>,
    allowance: Allowance,
}

impl View<'_> {
    fn is_over(&self) -> bool {
        let starved = self.slices.iter().any(|slice| slice.starved);
        let left = self.left();
        let little = !self.situation.thorough
            && self.situation.inputs.is_some()
            && inputs_f64(left) * self.sequential.run() < NOT_WORTH_PROBING_S;
        starved || little || left < 2 || self.allowance.is_over
    }

    fn left(&self) -> u64 {
        left(self.situation, self.slices)
    }

    fn waits(&self) -> bool {
        self.sequential.waits()
    }

    fn computes(&self) -> bool {
        self.sequential.computes()
    }

    fn is_tiny(&self) -> bool {
        self.sequential.run() < HAND_OVER_COUNTS_S
    }

    /// Whether a moment is many inputs.
    fn is_brief(&self) -> bool {
        self.sequential.run() < BRIEF_S
    }

    fn can(&self, model: Model) -> bool {
        let models = self.situation.models.iter();
        models
            .filter(|one| one.model == model)
            .any(|one| one.refused.is_none())
    }

    /// How many slices there are of this, whether or not they came to anything.
    fn tried(&self, model: Model, concurrency: usize) -> usize {
        let same = |slice: &&Slice| slice.is_of((model, concurrency));
        self.slices.iter().filter(same).count()
    }

    /// What two at a time is, where nobody asked for another number: more, where a look takes seconds and attempts wait.
    fn two(&self) -> usize {
        let all = self.situation.inputs.unwrap_or(u64::MAX);
        let rest = all.saturating_sub(self.sequential.inputs());
        let few = match !self.situation.thorough && self.waits() && self.is_long() {
            true => FEW_THAT_WAIT.min(usize::try_from(rest).unwrap_or(usize::MAX)),
            false => 2,
        };
        let least = few.min(self.situation.most_concurrency);
        self.situation.fixed_concurrency.unwrap_or(least)
    }

    fn is_long(&self) -> bool {
        self.sequential.run() >= LONG_S
    }

    /// The models to be tried with two lanes.
    fn paired(&self) -> Vec<Model> {
        let all = [Model::Threads, Model::Processes, Model::Async];
        let able = all.into_iter().filter(|model| self.can(*model));
        if self.situation.thorough {
            return able.collect();
        }
        // Without time for all: for what waits one model that waits well, for what computes those that compute side by side,
        // for what does both all three; and where they gain nothing, the next one. Processes come first where threads may be
        // kept apart by an interpreter's lock: what starts slowly may start but once.
        let interpreter = self.situation.interpreter.as_ref();
        let computing = match interpreter.is_some_and(|it| it.has_lock) {
            true => [Model::Processes, Model::Threads, Model::Async],
            false => [Model::Threads, Model::Processes, Model::Async],
        };
        let (wanted, first) = match () {
            () if self.waits() => ([Model::Async, Model::Threads, Model::Processes], 1),
            () if self.computes() => (computing, 2),
            () => (computing, 3),
        };
        let wanted: Vec<_> = wanted.into_iter().filter(|it| self.can(*it)).collect();
        let mut most = first.min(wanted.len());
        while most < wanted.len() && wanted[..most].iter().all(|it| self.gained_nothing(*it)) {
            most += 1;
        }
        wanted[..most].to_vec()
    }

    /// Whether two lanes of a model were tried and did no more than one.
    fn gained_nothing(&self, model: Model) -> bool {
        let two = self.two();
        let gained = Setting::of(self.slices, model, two)
            .is_some_and(|it| it.rate() >= WORTHWHILE * self.sequential.rate());
        self.tried(model, two) > 0 && !gained
    }

    /// Whether two lanes of a model clearly did more than one: of what computes, another hardly does more than that.
    fn gains(&self, model: Model) -> bool {
        let clearly = CLEARLY_MORE * self.sequential.rate();
        Setting::of(self.slices, model, self.two()).is_some_and(|it| it.rate() >= clearly)
    }

    /// Whether two lanes of a model had two processors for most of the time: no other can do much more.
    fn has_all(&self, model: Model) -> bool {
        let processors = ratio(self.situation.cpus.min(self.two()), 1);
        let all = ALL_OF_THEM * processors * self.sequential.rate();
        Setting::of(self.slices, model, self.two()).is_some_and(|it| it.rate() >= all)
    }

    /// Whether two lanes gained little, which a second processor that others had for a moment explains as well, or one that was
    /// quicker in the moment before: of work that computes, and of what is so brief that a moment is many inputs, unless more lanes
    /// are to be tried anyway.
    fn is_doubtful(&self, models: &[Model]) -> bool {
        match self.is_brief() {
            true if self.is_tiny() => self.promising().is_empty(),
            true => models.iter().all(|it| self.gained_nothing(*it)),
            false => self.computes() && !models.iter().any(|it| self.has_all(*it)),
        }
    }

    fn pairs(&self) -> Option<Probe> {
        let two = self.two();
        if two < 2 || self.sequential.has_no_choice(self.situation) {
            return None;
        }
        let mut models = self.paired();
        if models.is_empty() {
            return None;
        }
        let start = match () {
            () if self.waits() => Start::OtherThatWaits,
            () if self.computes() && models.iter().any(|it| self.gains(*it)) => Start::AsWell,
            () => Start::OtherModel,
        };
        models.retain(|it| self.tried(*it, two) > 0 || self.affords((*it, two), start));
        // Attempts that wait are as long one time as another; the time is better spent on more of them at once.
        let even = self.waits() && !self.sequential.has_heavy_tail();
        let again = || {
            let lanes = models.iter().map(|it| (*it, two));
            let lanes = lanes.chain([(Model::Sequential, 1)]);
            let start = match self.is_brief() {
                true => Start::AsWell,
                false => Start::OtherModel,
            };
            self.allowance.affords_all(self.slices, lanes, start)
        };
        let rounds = match self.situation.thorough {
            true if !even => PAIRS,
            false if self.is_doubtful(&models) && again() => PAIRS,
            _ => 1,
        };
        for round in 0..rounds {
            // A first input often has more to do than the others, so one input at a time is measured again.
            if round > 0 && self.tried(Model::Sequential, 1) <= round {
                return self.probe(Model::Sequential, 1);
            }
            for place in 0..models.len() {
                let model = models[(place + round) % models.len()];
                if self.tried(model, two) <= round {
                    return self.probe(model, two);
                }
            }
        }
        None
    }

    /// Whether these lanes are worth their start.
    fn affords(&self, setting: (Model, usize), start: Start) -> bool {
        stand_ready(self.situation, self.slices, setting)
            || self.allowance.affords(self.slices, setting, start)
    }

    /// The best settings and one input at a time, once more and in turn, for the intervals; of brief inputs also where there is no
    /// time for these, for earlier looks at them were rough.
    fn finals(&self) -> Option<Probe> {
        if Setting::all(self.slices).len() < 2 {
            return None;
        }
        // What is compared does not change while it is, and the machine may have become quicker since earlier looks.
        let begun = self.slices.iter().position(|slice| slice.in_turn);
        let (before, turns) = self.slices.split_at(begun.unwrap_or(self.slices.len()));
        let thorough = self.situation.thorough;
        let in_turn = thorough || begun.is_some() || self.compares_rivals(before);
        let (finalists, wanted, looks) = match in_turn {
            true if thorough => (self.finalists(before), FINALS, turns),
            true => (self.rivals(before), FINALS, turns),
            false if self.is_brief() => (self.finalists(before), SECOND_LOOK, self.slices),
            false => return None,
        };
        let tried = |it: &(Model, usize)| looks.iter().filter(|look| look.is_of(*it)).count();
        let missing = |it: &(Model, usize)| vec![*it; wanted.saturating_sub(tried(it))];
        let all: Vec<_> = finalists.iter().flat_map(missing).collect();
        if all.is_empty() {
            return None;
        }
        let next = finalists.into_iter().min_by_key(tried)?;
        let share_s = self.allowance.share_s(self.slices, &all);
        let probe = self.probe_of(next, self.left() / all.len() as u64, share_s)?;
        Some(Probe { in_turn, ..probe })
    }

    /// Whether there is no time left for anything but that.
    fn must_compare(&self) -> bool {
        !self.situation.thorough && self.allowance.is_half_over && self.compares_rivals(self.slices)
    }

    /// Whether a job that is to be done has time to compare what may do the rest of it: brief inputs, on lanes that start at once.
    fn compares_rivals(&self, before: &[Slice]) -> bool {
        let looks = || self.rivals(before).into_iter().flat_map(|it| [it; FINALS]);
        self.is_brief() && self.allowance.affords_all(before, looks(), Start::AsWell)
    }

    /// The settings that may be the best of a job that is to be done, as far as these slices tell, after one input at a time, unless
    /// that is far behind; the best comes last, for its lanes may go on.
    fn rivals(&self, slices: &[Slice]) -> Vec<(Model, usize)> {
        let inputs = inputs_of(self.situation);
        let mut settings = Setting::all(slices);
        settings.retain(Setting::is_sound);
        settings.sort_by(|one, other| one.total(inputs).total_cmp(&other.total(inputs)));
        let least = settings.first().map_or(0.0, |it| it.total(inputs));
        let (mut alone, mut others): (Vec<_>, Vec<_>) = settings
            .into_iter()
            .partition(|it| it.model == Model::Sequential);
        alone.retain(|it| it.total(inputs) <= FAR * least);
        others.retain(|it| it.total(inputs) <= NEAR * least);
        others.truncate(RIVALS);
        let rivals = alone.iter().chain(others.iter().rev());
        rivals.map(|it| (it.model, it.concurrency)).collect()
    }

    /// Of each model the setting that may be the best, as far as these slices tell.
    fn finalists(&self, slices: &[Slice]) -> Vec<(Model, usize)> {
        let settings = Setting::all(slices);
        let inputs = inputs_of(self.situation);
        let best = Model::PLAIN
            .into_iter()
            .filter_map(|model| smallest_nearly_best(&settings, model));
        let mut finalists: Vec<&Setting<'_>> = best.collect();
        let totals = finalists.iter().map(|it| it.total(inputs));
        let least = totals.fold(f64::INFINITY, f64::min);
        let near = |it: &&Setting<'_>| it.total(inputs) <= NEAR * least;
        match self.situation.thorough {
            true => finalists.retain(|it| it.model == Model::Sequential || near(it)),
            // Nothing is to be told apart where one is far ahead.
            false => finalists.retain(near),
        }
        if !self.situation.thorough {
            // The best comes last, for its lanes may go on.
            finalists.sort_by(|one, other| other.total(inputs).total_cmp(&one.total(inputs)));
        }
        let named = finalists.iter().map(|it| (it.model, it.concurrency));
        named
            .filter(|it| self.affords(*it, Start::OtherModel))
            .collect()
    }

    /// A probe of this setting, if there are inputs and time for it.
    fn probe(&self, model: Model, concurrency: usize) -> Option<Probe> {
        let parts = match self.situation.thorough {
            true => PARTS,
            false => QUICK_PARTS,
        };
        let part = self.situation.inputs.map_or(u64::MAX, |all| all / parts);
        let seconds = self.allowance.probe_s;
        self.probe_of((model, concurrency), part.min(self.left() / 4), seconds)
    }

    /// The same with so many inputs at most, if that is enough for all lanes, for so many seconds.
    fn probe_of(
        &self,
        (model, concurrency): (Model, usize),
        most: u64,
        seconds: f64,
    ) -> Option<Probe> {
        let left = self.left();
        let lanes = u64::try_from(concurrency).unwrap_or(u64::MAX);
        if left < lanes {
            return None;
        }
        let run = self.sequential.run().max(1e-7);
        // Some inputs a lane, so that the first and the last do not decide; one where there are few.
        let waves = match self.sequential.has_heavy_tail() {
            _ if self.is_long() && !self.situation.thorough => 1,
            true => HEAVY_WAVES,
            false => WAVES,
        };
        let waves = waves.min(left / lanes.saturating_mul(4)).max(1);
        let factor = if self.situation.thorough {
            1.0
        } else {
            TO_SPARE
        };
        let expected = factor * self.expected_rate(model, concurrency) * seconds;
        let most = most.max(lanes * waves);
        let inputs = (expected.ceil().clamp(1.0, 1e9) as u64).clamp(lanes * waves, most);
        // Each lane is to have its inputs, also where it is their start that takes the time: if more lanes do no more, those are done
        // as soon as with fewer.
        let all = inputs_f64(lanes * waves) / self.best_rate(model);
        let longest = seconds
            .max(inputs_f64(waves) * run)
            .max(all.min(LONGEST_START_S));
        (longest <= 2.0 * self.allowance.left_s).then_some(Probe {
            model,
            concurrency,
            in_turn: false,
            room: room(self.situation, &self.sequential, (model, concurrency)),
            inputs: inputs.min(left),
            seconds: longest,
        })
    }

    /// The most that this model did a second; without end, where it was not tried.
    fn best_rate(&self, model: Model) -> f64 {
        let settings = Setting::all(self.slices);
        let same = settings
            .iter()
            .filter(|it| it.model == model && it.is_sound());
        same.map(Setting::rate)
            .reduce(f64::max)
            .unwrap_or(f64::INFINITY)
    }

    /// What a setting does a second, if all goes well.
    fn expected_rate(&self, model: Model, concurrency: usize) -> f64 {
        if let Some(known) = Setting::of(self.slices, model, concurrency) {
            return known.rate();
        }
        let lanes = ratio(concurrency, 1);
        let processors = ratio(self.situation.cpus, 1);
        let side_by_side = match self.waits() {
            true => lanes,
            false => lanes.min(processors),
        };
        self.sequential.rate() * side_by_side
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a ratio needs no more digits than a float has"
)]
fn ratio(one: usize, other: usize) -> f64 {
    one as f64 / other.max(1) as f64
}
