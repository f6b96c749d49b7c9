//! More lanes: which models are tried with them, how many, and where it ends.

use triway_core::Model;

use super::{Probe, View, ratio};
use crate::advise::{
    allowance::Start,
    durations::{GAIN, WORTHWHILE},
    setting::{Setting, inputs_of, smallest_nearly_best},
    slice::Slice,
};

/// Where there is no time for all, what gains less from each doubling of its lanes has had enough of them.
const QUICK_GAIN: f64 = 1.15;
/// How far behind the best of two lanes a model may be and still be tried with more, where there is no time for all.
const PROMISING: f64 = 0.8;
/// Threads that do this much of what processes do.
const NEARLY_AS_GOOD: f64 = 0.9;
/// Where handing inputs over counts, two lanes tell little about more, as long as they do not much less than one.
const NOT_MUCH_LESS: f64 = 0.8;

impl View<'_> {
    /// More lanes for the models that gain by them.
    pub(super) fn climb(&self) -> Option<Probe> {
        if self.situation.fixed_concurrency.is_some() {
            return None;
        }
        let promising = self.promising();
        promising.into_iter().find_map(|model| {
            let again = self.second_look(model);
            let again = again.filter(|it| self.affords((model, *it), Start::Again));
            let again = again.filter(|_| !self.is_far_behind(model));
            if let Some(again) = again {
                return self.probe(model, again);
            }
            let rung = self.rung(model)?;
            let rung = self.that_begins(model, rung)?;
            let most = self.slices.iter().filter(|it| it.model == Some(model));
            let start = match most.map(|it| it.concurrency).max() {
                Some(most) if most > rung => Start::Fewer,
                _ => self.more(),
            };
            let affords = self.affords((model, rung), start);
            (affords && self.tried(model, rung) == 0)
                .then(|| self.probe(model, rung))
                .flatten()
        })
    }

    /// Models that with two lanes did more than one lane; the best first. What is behind with two lanes may be ahead with
    /// many, so none is left out where there is time.
    pub(super) fn promising(&self) -> Vec<Model> {
        let two = self.two();
        let rate = |model| Setting::of(self.slices, model, two).map(|it| (model, it.rate()));
        let all = [Model::Async, Model::Threads, Model::Processes];
        let mut rates: Vec<_> = all.into_iter().filter_map(rate).collect();
        let best = rates.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
        let alone = self.sequential.rate();
        let does_both = !self.waits() && !self.computes();
        let (floor, most) = match self.situation.thorough {
            true if self.is_tiny() => (NOT_MUCH_LESS * alone, 3),
            true => (GAIN * alone, 3),
            false if self.is_tiny() => (NOT_MUCH_LESS * alone, 3),
            false if does_both => (WORTHWHILE * alone, 3),
            false => ((PROMISING * best).max(WORTHWHILE * alone), 1),
        };
        // Two brief async tasks show least of what many do.
        let brief = does_both && self.is_brief();
        let floor_of = |model| match model {
            Model::Async if brief => PROMISING * floor,
            _ => floor,
        };
        rates.retain(|(model, rate)| *rate >= floor_of(*model));
        // Of what waits, processes are tried with more lanes only where nothing else gains: each costs a lot.
        if self.waits() && rates.iter().any(|(model, _)| *model != Model::Processes) {
            rates.retain(|(model, _)| *model != Model::Processes);
        }
        match self.situation.thorough {
            true => rates.sort_by(|(_, one), (_, other)| other.total_cmp(one)),
            false => favour_cheap_lanes(&mut rates),
        }
        rates
            .into_iter()
            .take(most)
            .map(|(model, _)| model)
            .collect()
    }

    /// The last rung and the one before once more, in turn, where the last gained nothing and a moment is many inputs: a machine
    /// that pauses for some milliseconds at the wrong time, or was quicker a moment before, would end the climb.
    fn second_look(&self, model: Model) -> Option<usize> {
        let settings = Setting::all(self.slices);
        let rungs: Vec<&Setting<'_>> = settings.iter().filter(|it| it.model == model).collect();
        let [before @ .., last] = &*rungs else {
            return None;
        };
        let best = before.iter().map(|it| it.rate()).reduce(f64::max)?;
        let fewer = before.last()?;
        let times = ratio(last.concurrency, fewer.concurrency);
        let stops = last.rate() < self.gain(times) * best && !last.is_refused();
        let once = |it: &Setting<'_>| self.tried(model, it.concurrency) == 1;
        if !self.is_brief() || !stops || !once(last) {
            return None;
        }
        let again = if once(fewer) { fewer } else { last };
        Some(again.concurrency)
    }

    /// The next concurrency to try under a model.
    fn rung(&self, model: Model) -> Option<usize> {
        let settings = Setting::all(self.slices);
        let rungs: Vec<&Setting<'_>> = settings.iter().filter(|it| it.model == model).collect();
        let (last, before) = rungs.split_last()?;
        let best_before = before.iter().map(|it| it.rate()).reduce(f64::max);
        let best_before = best_before.unwrap_or(self.sequential.rate());
        let fewer = before.last().map_or(1, |it| it.concurrency);
        let times = ratio(last.concurrency, fewer);
        let gains = last.rate() >= self.gain(times) * best_before && !last.is_refused();
        let untold = before.is_empty() && self.is_tiny();
        if gains || untold {
            let processors = self.situation.cpus;
            let computes = last.computes() && !self.is_tiny();
            if last.concurrency < processors || !computes {
                return self.higher(last, before.last().copied());
            }
        }
        if self.is_far_behind(model) {
            return None;
        }
        let knee = smallest_nearly_best(&settings, model)?;
        // What is refused here may not be halfway down.
        let mut refused = rungs.iter().filter(|it| it.is_refused());
        if let Some(first) = refused.find(|it| it.concurrency > knee.concurrency)
            && first.concurrency / 2 > knee.concurrency
        {
            return Some(first.concurrency / 2);
        }
        // There is nothing more above; perhaps a smaller one is as good as the best.
        let below = rungs
            .iter()
            .rev()
            .find(|it| it.concurrency < knee.concurrency)
            .map_or(1, |it| it.concurrency);
        let between = knee.concurrency / 2;
        (between > below).then_some(between)
    }

    /// This rung, or half of a lower one that did not begin, where that is more than what did.
    fn that_begins(&self, model: Model, rung: usize) -> Option<usize> {
        let same = self.slices.iter().filter(|it| it.model == Some(model));
        let (began, failed): (Vec<&Slice>, Vec<_>) = same.partition(|it| it.counts());
        let most = began.iter().map(|it| it.concurrency).max().unwrap_or(1);
        match failed.iter().map(|it| it.concurrency).min() {
            Some(least) if least <= rung => (least / 2 > most).then_some(least / 2),
            _ => Some(rung),
        }
    }

    /// Whether another model does so much more that it is of no use to know which number of this one's lanes does most.
    fn is_far_behind(&self, model: Model) -> bool {
        let settings = Setting::all(self.slices);
        let inputs = inputs_of(self.situation);
        let least = |of: &dyn Fn(Model) -> bool| {
            let sound = settings.iter().filter(|it| it.is_sound() && of(it.model));
            sound
                .map(|it| it.total(inputs))
                .fold(f64::INFINITY, f64::min)
        };
        let others = least(&|other| other != model);
        !self.situation.thorough && PROMISING * least(&|one| one == model) > others
    }

    /// A rung above this one: far above as long as each lane did as much as before.
    fn higher(&self, last: &Setting<'_>, before: Option<&Setting<'_>>) -> Option<usize> {
        let before = before.unwrap_or(&self.sequential);
        let lanes = ratio(last.concurrency, before.concurrency);
        let steep = last.rate() / before.rate() >= 0.75 * lanes;
        let times = match self.situation.thorough {
            true if !steep => 2,
            // Each look waits for the slowest of its inputs.
            false if self.waits() && self.sequential.has_heavy_tail() => 16,
            // A short look is rough: what twice as many gain would be lost in it.
            _ => 4,
        };
        let processors = match last.computes() && !self.is_tiny() {
            true => self.situation.cpus,
            false => usize::MAX,
        };
        let most = self.situation.most_concurrency.min(processors);
        let next = (times * last.concurrency).min(most);
        let spare = self.left() / self.situation.one_part_in(self.waits());
        match usize::try_from(spare).unwrap_or(usize::MAX) {
            enough if next <= enough => (next > last.concurrency).then_some(next),
            _ if !self.situation.thorough && !self.waits() => None,
            fewer => (fewer >= last.concurrency + last.concurrency / 2).then_some(fewer),
        }
    }

    fn more(&self) -> Start {
        match () {
            () if self.waits() => Start::MoreThatWait,
            () if self.computes() => Start::MoreThatCompute,
            () => Start::MoreThatDoBoth,
        }
    }

    /// What a model has to gain from so many times as many lanes to be tried with more.
    fn gain(&self, times: f64) -> f64 {
        match self.situation.thorough {
            true => GAIN,
            false => QUICK_GAIN.powf(times.log2()),
        }
    }
}

/// Where not all models can be tried with many lanes: async tasks cost least when there are many, and two of them do not show
/// it; and processes cost most, so they are not for what threads do as well.
fn favour_cheap_lanes(rates: &mut [(Model, f64)]) {
    rates.sort_by(|(one, one_rate), (other, other_rate)| {
        let cost = |model: &Model| match model {
            Model::Async => PROMISING,
            Model::Processes => 1.0 / NEARLY_AS_GOOD,
            _ => 1.0,
        };
        let one = one_rate / cost(one);
        (other_rate / cost(other)).total_cmp(&one)
    });
}
