//! What work is like, read off the settings it was measured under.

use triway_core::Model;

use super::{
    advice::Character,
    durations::{CLEARLY_MORE, HAND_OVER_COUNTS_S, WORTHWHILE},
    judged::{one_at_a_time, same_in},
    setting::{Setting, WAITS, smallest_nearly_best},
    slice::{Situation, Slice},
};
use crate::statistics::median;

/// Attempts that have a processor for a larger share of their time compute.
const COMPUTES: f64 = 0.7;
/// Two threads on a machine with a spare processor do this many times as much as one, of work that needs nothing else. Where others
/// use the processors it may be 1.5.
pub(super) const SPARE: f64 = 1.7;
/// What two lanes do at least where memory is what both wait for.
const AS_WELL: f64 = 0.9;
/// Two lanes that wait for memory both have a processor meanwhile; two that compute by turns have fewer than this.
const BY_TURNS: f64 = 1.5;
/// Two lanes that are ready and have no processor for so many seconds a second are kept from it by others.
const CROWDED: f64 = 0.3;
/// Attempts of less than this may be too small to be handed over.
const SMALL_S: f64 = 1e-4;
/// What gains this many times the number of processors does not only compute.
const MORE: f64 = 1.25;
/// A coroutine that holds its loop for such a share of an attempt does not await.
const HOLDS: f64 = 0.5;
/// A machine whose processors were busy for such a share of the time is itself the limit.
const BUSY: f64 = 0.75;

/// The figures that tell kinds of work apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traits {
    /// The share of an attempt's time in which it has a processor.
    pub(super) share: Option<f64>,
    /// What two lanes did, as times of one: on threads, on processes, as async tasks.
    pub(super) threads: Option<f64>,
    pub(super) processes: Option<f64>,
    pub(super) tasks: Option<f64>,
    /// The most that any setting did, as times of one lane.
    pub(super) best: f64,
    /// The most processors that two lanes computed on, where nothing but the work itself kept them from it.
    pub(super) used: Option<f64>,
    /// Whether two lanes were ready for long and had no processor, so that others had it.
    pub(super) crowded: bool,
    /// Seconds of an attempt by itself.
    pub(super) run: f64,
    /// The longest hold of an event loop, as a share of an attempt.
    pub(super) holds: Option<f64>,
    /// Whether throughput stopped rising although the processors had time left, below the most lanes there might be.
    pub(super) capped: bool,
    /// Whether more lanes failed inputs that fewer did not, and no others were as many without that.
    pub(super) refused: bool,
    /// Whether the other side asked to be left alone.
    pub(super) told_to_wait: bool,
}

impl Traits {
    /// Gains are those that settings are judged by, beside one input at a time where that is judged as well.
    pub(super) fn of(
        situation: &Situation,
        slices: &[Slice],
        sequential: &Setting<'_>,
        judged: &[Setting<'_>],
    ) -> Self {
        let settings = Setting::all(slices);
        let alone = one_at_a_time(judged).unwrap_or(sequential);
        let gain = |it: &Setting<'_>| match same_in(judged, it) {
            Some(it) => it.rate() / alone.rate(),
            None => it.rate() / sequential.rate(),
        };
        let two = |model| {
            let mut settings = settings.iter();
            let first = settings.find(|it| it.model == model && it.concurrency > 1)?;
            Some(gain(first))
        };
        let best = settings
            .iter()
            .filter(|it| !it.is_refused())
            .map(gain)
            .fold(1.0, f64::max);
        let held = settings
            .iter()
            .filter(|it| it.model == Model::Async)
            .filter_map(Setting::longest_hold)
            .reduce(f64::max);
        Self {
            share: sequential.cpu_share(),
            threads: two(Model::Threads),
            processes: two(Model::Processes),
            tasks: two(Model::Async),
            best,
            used: of_two(situation, &settings, computed),
            crowded: of_two(situation, &settings, |slice| slice.run_queue_s) >= Some(CROWDED),
            run: sequential.run(),
            holds: held.map(|held| held / sequential.run()),
            capped: is_capped(situation, &settings),
            told_to_wait: slices.iter().any(|slice| slice.told_to_wait > 0),
            refused: settings
                .iter()
                .any(|it| it.is_refused() && !fails_by_itself(it, &settings)),
        }
    }

    /// Whether the task is async in name alone.
    fn is_fake_async(&self, situation: &Situation) -> bool {
        let named_async = situation.interpreter.as_ref().is_some_and(|it| it.is_async);
        let gains_nothing = self.tasks.is_some_and(|it| it < WORTHWHILE);
        let others_gain = [self.threads, self.processes]
            .into_iter()
            .flatten()
            .any(|it| it >= CLEARLY_MORE);
        let waits = self.share.is_some_and(|share| share < COMPUTES);
        named_async && gains_nothing && waits && (others_gain || self.holds >= Some(HOLDS))
    }

    /// What work is like of which so many inputs were executed, of these so many one at a time: with fewer than three of them that is
    /// said only where the others gain.
    pub(super) fn character(
        &self,
        situation: &Situation,
        (inputs, alone): (u64, u64),
    ) -> Character {
        let enough = alone >= 3 || (inputs >= 3 && self.best >= CLEARLY_MORE);
        let Some(share) = self.share.filter(|_| enough) else {
            return Character::Unknown;
        };
        if self.told_to_wait {
            return Character::ExternalLimit;
        }
        let gained = self.best >= WORTHWHILE;
        if self.is_fake_async(situation) {
            return Character::FakeAsync;
        }
        let small = self.run < SMALL_S && self.best < CLEARLY_MORE;
        let tiny = self.run < HAND_OVER_COUNTS_S && self.threads.is_none_or(|it| it < CLEARLY_MORE);
        if share >= WAITS && (small || tiny) {
            return Character::Tiny;
        }
        let processors = f64::from(u32::try_from(situation.cpus).unwrap_or(u32::MAX));
        let more_than_processors = self.best > MORE * processors;
        if share >= COMPUTES && !more_than_processors {
            return self.computing(situation);
        }
        match () {
            () if !gained || self.capped || self.refused => Character::ExternalLimit,
            () if share < WAITS => Character::Waiting,
            () => Character::Mixed,
        }
    }

    fn computing(&self, situation: &Situation) -> Character {
        let locked = is_locked(situation);
        let threads_gain = self.threads.is_some_and(|it| it >= CLEARLY_MORE);
        let processes_gain = self.processes.is_some_and(|it| it >= CLEARLY_MORE);
        let spare = situation.two_threads.is_some_and(|it| it >= SPARE);
        // What does clearly less than one lane lacks something else than memory.
        let as_well = [self.threads, self.processes].into_iter().flatten();
        let spare = spare && !self.crowded && as_well.fold(0.0, f64::max) >= AS_WELL;
        let tried = self.processes.is_some() || (self.threads.is_some() && !locked);
        let by_turns = self.used.is_some_and(|it| it < BY_TURNS) && self.best < CLEARLY_MORE;
        match (threads_gain, processes_gain) {
            (true, _) => Character::Cpu,
            (false, true) if locked => Character::InterpreterLock,
            (false, true) => Character::Cpu,
            (false, false) if spare && tried && by_turns => Character::ExternalLimit,
            (false, false) if spare && tried => Character::Memory,
            (false, false) => Character::Cpu,
        }
    }
}

/// Whether one thread of the interpreter at a time computes.
fn is_locked(situation: &Situation) -> bool {
    situation.interpreter.as_ref().is_some_and(|it| it.has_lock)
}

/// What two lanes had a second, under the model where that was most; under an interpreter's lock threads take turns anyway.
fn of_two(
    situation: &Situation,
    settings: &[Setting<'_>],
    had: fn(&Slice) -> Option<f64>,
) -> Option<f64> {
    let models = match is_locked(situation) {
        true => &[Model::Processes][..],
        false => &[Model::Threads, Model::Processes],
    };
    let two = |model: &Model| {
        let mut settings = settings.iter();
        settings.find(|it| it.model == *model && it.concurrency > 1)
    };
    let a_second = |setting: &Setting<'_>| {
        let of = |slice: &&Slice| Some(had(slice)? / slice.wall_s).filter(|it| it.is_finite());
        median(&setting.slices.iter().filter_map(of).collect::<Vec<_>>())
    };
    let found = models.iter().filter_map(two).filter_map(a_second);
    found.reduce(f64::max)
}

/// The processor time that attempts took: the start of lanes is none of it, where workers can tell.
fn computed(slice: &Slice) -> Option<f64> {
    slice.attempts_cpu_s.or(slice.cpu_s)
}

/// Whether it fails inputs although others with as many lanes or more do not: then that is no limit of the other side.
pub(super) fn fails_by_itself(it: &Setting<'_>, settings: &[Setting<'_>]) -> bool {
    let as_many = |other: &Setting<'_>| other.is_sound() && other.concurrency >= it.concurrency;
    it.is_refused() && settings.iter().any(as_many)
}

/// Whether the throughput of some model stopped rising while this machine had processors to spare.
fn is_capped(situation: &Situation, settings: &[Setting<'_>]) -> bool {
    [Model::Async, Model::Threads].into_iter().any(|model| {
        let Some(knee) = smallest_nearly_best(settings, model) else {
            return false;
        };
        // None of these does more, or the knee would be higher up.
        let flat = settings
            .iter()
            .any(|it| it.model == model && it.is_sound() && it.concurrency >= 2 * knee.concurrency);
        // Under a lock on the interpreter there is one processor for it, however many the machine has.
        let cpus = match is_locked(situation) {
            true => 1,
            false => situation.cpus,
        };
        let cpus = f64::from(u32::try_from(cpus).unwrap_or(1));
        let idle = knee.processors().is_some_and(|used| used < BUSY * cpus);
        flat && idle
    })
}

#[cfg(test)]
mod tests {
    use super::{
        super::{recommend, slice::Interpreter},
        *,
    };

    /// Attempts that wait for 0.1 s, of which so many go on at once at most.
    fn slice(model: Model, concurrency: u32, most: u32, cpu_s: Option<f64>) -> Slice {
        let rate_per_s = f64::from(10 * concurrency.min(most));
        Slice {
            model: Some(model),
            concurrency: usize::try_from(concurrency).unwrap(),
            inputs: 100,
            wall_s: 100.0 / rate_per_s,
            rate_per_s,
            run_s: f64::from(concurrency) / rate_per_s,
            attempts_cpu_s: Some(0.01),
            cpu_s,
            ..Slice::default()
        }
    }

    fn traits(situation: &Situation, slices: &[Slice]) -> Traits {
        let sequential = Setting::sequential(slices).unwrap();
        Traits::of(situation, slices, &sequential, &Setting::all(slices))
    }

    /// The processor time of attempts is not all that an interpreter needs.
    #[test]
    fn who_has_no_processor_to_spare_has_met_no_limit_of_the_other_side() {
        for (most, cpu_s, expected) in [
            (8, Some(0.1), Character::ExternalLimit),
            (256, Some(0.1), Character::Waiting),
            (8, Some(2.0), Character::Waiting),
            // Nobody knows.
            (8, None, Character::Waiting),
        ] {
            let threads = |lanes| slice(Model::Threads, lanes, most, cpu_s);
            let alone = slice(Model::Sequential, 1, most, cpu_s);
            let slices = [alone, threads(2), threads(8), threads(32)];
            let traits = traits(&Situation::bare(2), &slices);
            assert_eq!(
                traits.character(&Situation::bare(2), (400, 100)),
                expected,
                "{traits:?}"
            );
        }
    }

    /// A function that is not thread-safe fails with two threads, and eight processes do not.
    #[test]
    fn what_one_model_alone_fails_is_no_limit_of_the_other_side() {
        let failing = |model, lanes| Slice {
            failed: 40,
            failure: Some("KeyError".to_owned()),
            ..slice(model, lanes, 256, Some(0.1))
        };
        let sound = |model, lanes| slice(model, lanes, 256, Some(0.1));
        let advised = |slices: [Slice; 2]| {
            let [one, other] = slices;
            let alone = sound(Model::Sequential, 1);
            recommend(&Situation::bare(2), &[alone, one, other])
        };
        let unsafe_on_threads = advised([failing(Model::Threads, 2), sound(Model::Processes, 8)]);
        assert_eq!(unsafe_on_threads.character, Character::Waiting);
        let said = |says: &str, lines: &[String]| lines.iter().any(|line| line.contains(says));
        assert!(said(
            "threads with 2 at once fails inputs",
            &unsafe_on_threads.notes
        ));
        assert!(said(
            "does not fail under threads",
            &unsafe_on_threads.changes
        ));
        let crowded = advised([sound(Model::Threads, 8), failing(Model::Processes, 16)]);
        assert_eq!(crowded.character, Character::ExternalLimit);
        assert!(said("a larger limit on the other side", &crowded.changes));
        assert!(!said("fails inputs", &crowded.notes));
    }

    /// Two lanes do as much as one: each with a processor of its own, of which both wait for memory, or one at a time.
    #[test]
    fn what_computes_under_a_lock_outside_is_not_limited_by_memory() {
        let computes = |model, lanes: u32, processors: Option<f64>| Slice {
            attempts_cpu_s: None,
            cpu_s: processors.map(|used| 10.0 * used),
            ..slice(model, lanes, 1, None)
        };
        let advised = |has_lock: Option<bool>, [threads, processes]: [Option<f64>; 2]| {
            let situation = Situation {
                two_threads: Some(1.9),
                interpreter: has_lock.map(|it| Interpreter::new("Python".to_owned(), it, false)),
                ..Situation::bare(2)
            };
            let slices = [
                computes(Model::Sequential, 1, Some(0.97)),
                computes(Model::Threads, 2, threads),
                computes(Model::Processes, 2, processes),
            ];
            recommend(&situation, &slices)
        };
        let (one, two) = (Some(1.0), Some(1.9));
        for (has_lock, processors, expected) in [
            (None, [one, one], Character::ExternalLimit),
            (None, [two, two], Character::Memory),
            (None, [None, None], Character::Memory),
            (Some(false), [one, one], Character::ExternalLimit),
            // Threads take turns under an interpreter's lock, whatever limits processes.
            (Some(true), [one, two], Character::Memory),
            (Some(true), [one, one], Character::ExternalLimit),
            (Some(true), [one, None], Character::Memory),
        ] {
            let found = advised(has_lock, processors).character;
            assert_eq!(found, expected, "{has_lock:?} {processors:?}");
        }
        // Neither a lock nor memory, but other programs.
        let crowded = |slice: Slice| Slice {
            run_queue_s: Some(0.5 * slice.wall_s),
            ..slice
        };
        let alone = computes(Model::Sequential, 1, Some(0.97));
        let two = crowded(computes(Model::Processes, 2, one));
        let busy = Situation {
            two_threads: Some(1.9),
            ..Situation::bare(2)
        };
        let found = recommend(&busy, &[alone, two]).character;
        assert_eq!(found, Character::Cpu);
        let advice = advised(None, [one, one]);
        let says = "something outside lets through one at a time";
        assert!(advice.verdict.contains(says), "{}", advice.verdict);
        assert!(advice.changes[0].contains("a lock"), "{:?}", advice.changes);
    }

    /// What more lanes do while they fail inputs is neither flat nor a rise.
    #[test]
    fn what_fails_inputs_tells_of_no_cap() {
        let threads = |lanes| slice(Model::Threads, lanes, 8, Some(0.1));
        let failing = |lanes, most| Slice {
            failed: 40,
            ..slice(Model::Threads, lanes, most, Some(0.1))
        };
        let alone = || slice(Model::Sequential, 1, 8, Some(0.1));
        let capped = |slices: &[Slice]| traits(&Situation::bare(2), slices).capped;
        assert!(capped(&[alone(), threads(8), threads(32), failing(64, 64)]));
        assert!(!capped(&[alone(), threads(8), failing(64, 8)]));
    }
}
