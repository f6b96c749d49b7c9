//! Steers a job through its probes, and on under the model that is advised.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use triway_core::{Model, Plan};
use triway_exec::{
    restart::own_peak_bytes,
    stretch::{Asked, Course, Ran, Stretch},
};

use super::{
    advice::{Advice, Advised, Character},
    detail,
    observe::View,
    progress::{Progress, Tell},
    recommend::recommend,
    setting::Setting,
    slice::{Situation, Slice},
    strategy::{self, Probe, Step},
    watch::{FAILURES_S, Work},
};
use crate::meter::Meter;

/// What is said where inputs come too slowly.
const TOO_SLOW_TO_MEASURE: &str =
    "the first inputs come more slowly than one lane takes them, so there is nothing to measure.";
const TOO_SLOW_FOR_MORE: &str =
    "inputs come more slowly than they are worked off, so it is not known how many are enough.";
/// How often a job is measured anew.
const MOST_RENEWALS: u32 = 3;
/// What takes so many seconds one input after the other, and computes, is measured once more before all of it is done like that.
const WORTH_MEASURING_ANEW_S: f64 = 10.0;

/// All that a probed job leaves to be looked at. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Gathered(Arc<Mutex<Pile>>);

#[derive(Debug, Default)]
struct Pile {
    slices: Vec<Slice>,
    closely: Vec<detail::Seen>,
}

impl Gathered {
    /// What was measured so far.
    #[must_use]
    pub fn slices(&self) -> Vec<Slice> {
        self.pile().slices.clone()
    }

    /// What this advice is to show of the settings that it speaks of; nothing unless somebody wanted to look closely.
    #[must_use]
    pub fn details(&self, advice: &Advice) -> Vec<detail::Detail> {
        detail::of(&advice.shown(), &self.pile().closely)
    }

    fn pile(&self) -> MutexGuard<'_, Pile> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What becomes of a job once it is known how it runs best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// It ends.
    End,
    /// It goes on so.
    GoOn,
}

/// Decides about the stretches of a job.
pub(super) struct Steers {
    situation: Situation,
    base: Plan,
    then: Then,
    view: View,
    gathered: Gathered,
    tell: Tell,
    began: Option<Instant>,
    now: Doing,
    /// How often it fell behind, and was measured anew for that.
    renewals: u32,
    renewed: u32,
    /// What was advised could not begin.
    fell_back: bool,
    /// What the job went on under last, if that was advised.
    before: Option<Advice>,
    /// Inputs that came to their end, of all that there are.
    done: u64,
    all: Option<u64>,
}

enum Doing {
    Nothing,
    Probing(Box<Probing>),
    Working(Box<Work>),
}

struct Probing {
    probe: Probe,
    meter: Option<Meter>,
    /// The seconds that its lanes took to start, where they are those of the probe before.
    lanes_of_before: Option<f64>,
}

impl Probing {
    /// How many were at work, and whether some of them may have been started meanwhile.
    fn lanes(&self) -> (usize, bool) {
        let starts = self.lanes_of_before.is_some() && self.probe.model == Model::Threads;
        (self.probe.concurrency, starts)
    }
}

impl Steers {
    pub(super) fn new(
        (situation, base): (Situation, Plan),
        then: Then,
        (view, gathered): (View, Gathered),
        tell: Tell,
    ) -> Self {
        Self {
            all: situation.inputs,
            situation,
            base,
            then,
            view,
            gathered,
            tell,
            began: None,
            now: Doing::Nothing,
            renewals: 0,
            renewed: 0,
            fell_back: false,
            before: None,
            done: 0,
        }
    }

    pub(super) fn answer(&mut self, asked: Asked<'_>) -> Course {
        match asked {
            Asked::Watching { starved } => self.watch(starved),
            Asked::Idle(ran) => self.keep_lanes(ran),
            Asked::Ended(ran) => self.ended(ran),
            _ => self.go_on(),
        }
    }

    fn ended(&mut self, ran: &Ran) -> Course {
        let probed = matches!(self.now, Doing::Probing(_));
        self.note(ran);
        // Who stopped it knows, and wants to be told nothing.
        if ran.stopped {
            return Course::End;
        }
        if ran.exhausted {
            if probed {
                (self.tell)(Progress::Exhausted);
            }
            return Course::End;
        }
        match &ran.refused {
            Some(why) if !probed => self.fall_back(why),
            _ => self.go_on(),
        }
    }

    /// What was advised cannot begin now, although it could before; one lane is what is left to be tried, once.
    fn fall_back(&mut self, why: &str) -> Course {
        if std::mem::replace(&mut self.fell_back, true) {
            return Course::End;
        }
        (self.tell)(Progress::Refused(why.to_owned()));
        Course::Next(Box::new(Stretch::new(self.plan(Model::Sequential, 1))))
    }

    /// The job goes on with the lanes of the last probe where they are wanted by the next one, or are what is advised: interpreters
    /// may take seconds to start.
    fn keep_lanes(&mut self, ran: &Ran) -> Course {
        let Doing::Probing(probing) = &self.now else {
            return Course::Stay;
        };
        if self.then == Then::End || ran.stopped || ran.exhausted {
            return Course::Stay;
        }
        let seen = self.view.look(ran, probing.lanes());
        let slice = self.of_probe(seen, probing, ran);
        let Probe {
            model,
            room,
            concurrency: at_work,
            ..
        } = probing.probe;
        let startup_s = slice.startup_s;
        let mut slices = self.gathered.slices();
        slices.push(slice);
        let elapsed = self
            .began
            .map_or(0.0, |began| began.elapsed().as_secs_f64());
        match strategy::next(&self.situation, &slices, elapsed) {
            // Lanes that had more at work may still hold what those took, such as connections: others are started for fewer.
            Step::Probe(next)
                if (next.model, next.room) == (model, room) && next.concurrency >= at_work =>
            {
                self.note(ran);
                self.probe(next, Some(startup_s))
            }
            Step::Done if self.wants_lanes(&slices, (model, at_work, room)) => {
                self.note(ran);
                self.work(&slices, Some(room))
            }
            _ => Course::Stay,
        }
    }

    /// Whether as many at work as there are is what is advised, and these lanes are no more, or others are not worth their start.
    fn wants_lanes(&self, slices: &[Slice], (model, at_work, room): (Model, usize, usize)) -> bool {
        let Some(advised) = self.advice(slices).recommendation else {
            return false;
        };
        let (wanted, lanes) = (advised.model, advised.concurrency);
        let others = || strategy::others_pay(&self.situation, slices, (wanted, lanes));
        (wanted, lanes) == (model, at_work) && (lanes == room || !others())
    }

    /// What was seen of a probe, with what only this side knows. Workers that are still there have told nothing of themselves, and
    /// what they tell in the end is not of this probe alone where it was not their first.
    fn of_probe(&self, seen: Slice, probing: &Probing, ran: &Ran) -> Slice {
        let Probing {
            probe,
            meter,
            lanes_of_before,
        } = probing;
        let outside = probe.model == Model::Processes || self.situation.interpreter.is_some();
        let told = ran.worker_peak_memory_bytes.is_some() && lanes_of_before.is_none();
        let whole = !outside || told;
        // Of lanes that have just started and stay, the start would count as well.
        let cost = meter
            .as_ref()
            .filter(|_| whole || lanes_of_before.is_some());
        let cost = cost.and_then(|it| it.read().ok());
        let workers = ran.worker_peak_memory_bytes.unwrap_or(0);
        let memory = own_peak_bytes().filter(|_| whole);
        let fewer = ran.started > 0 && ran.at_once < probe.concurrency;
        let fewer =
            fewer.then(|| format!("this machine gives no more than {} at once", ran.at_once));
        let own = match whole {
            true => seen,
            false => seen.without_what_workers_tell(),
        };
        Slice {
            model: Some(probe.model),
            refused: own.refused.clone().or(fewer),
            startup_s: lanes_of_before.unwrap_or(own.startup_s),
            on_same_lanes: lanes_of_before.is_some(),
            in_turn: probe.in_turn,
            cpu_s: cost.map(|cost| cost.cpu.as_secs_f64()),
            peak_memory_bytes: memory.map(|own| own + workers),
            ..own
        }
    }

    /// Writes down what a probe has measured.
    fn note(&mut self, ran: &Ran) {
        let Doing::Probing(probing) = std::mem::replace(&mut self.now, Doing::Nothing) else {
            // What work came to the job itself says.
            self.done += self.view.take(ran, (1, false)).inputs;
            return;
        };
        let concurrency = probing.probe.concurrency;
        if let Some(closely) = self.view.take_closely() {
            let setting = (probing.probe.model, concurrency);
            closely.add_to(&mut self.gathered.pile().closely, setting, ran);
        }
        let seen = self.view.take(ran, probing.lanes());
        let slice = self.of_probe(seen, &probing, ran);
        self.done += slice.inputs;
        self.gathered.pile().slices.push(slice);
    }

    fn go_on(&mut self) -> Course {
        if self.renewals > self.renewed {
            self.renewed = self.renewals;
            *self.gathered.pile() = Pile::default();
            self.began = None;
            self.situation.inputs = self.all.map(|all| all.saturating_sub(self.done));
        }
        let elapsed = self.began.get_or_insert_with(Instant::now).elapsed();
        let slices = self.gathered.slices();
        match strategy::next(&self.situation, &slices, elapsed.as_secs_f64()) {
            Step::Probe(probe) => self.probe(probe, None),
            Step::Done => match self.then {
                Then::End => Course::End,
                Then::GoOn => self.work(&slices, None),
            },
        }
    }

    /// A probe, on the lanes of the one before if these took so many seconds to start.
    fn probe(&mut self, probe: Probe, lanes_of_before: Option<f64>) -> Course {
        (self.tell)(Progress::Probing {
            model: probe.model,
            concurrency: probe.concurrency,
        });
        let mut stretch = self.stretch((probe.model, probe.concurrency), probe.room);
        stretch.most_inputs = Some(probe.inputs);
        stretch.dispensable = true;
        // Whoever goes on afterwards may want outcomes to come more or less in order.
        stretch.shuffled = self.then == Then::End;
        stretch.most_time = Duration::try_from_secs_f64(probe.seconds).ok();
        self.now = Doing::Probing(Box::new(Probing {
            probe,
            meter: match lanes_of_before {
                Some(_) => Meter::start_with_running().ok(),
                None => Meter::start().ok(),
            },
            lanes_of_before,
        }));
        Course::Next(Box::new(stretch))
    }

    /// The rest under what is advised, on so many lanes if these stand ready.
    fn work(&mut self, slices: &[Slice], room: Option<usize>) -> Course {
        let advice = self.advice(slices).or_as_before(self.before.as_ref());
        self.before = advice.recommendation.map(|_| advice.clone());
        let chosen = advice.recommendation.unwrap_or(Advised {
            model: self.base.model,
            concurrency: self.base.concurrency.get(),
        });
        let Advised { model, concurrency } = chosen;
        let mut stretch = self.stretch((model, concurrency), room.unwrap_or(concurrency));
        // Where nothing is advised nothing is promised.
        let promised = advice.throughput_per_s;
        let promised = promised.filter(|_| advice.recommendation.is_some());
        let again = match promised {
            _ if slices.iter().any(|slice| slice.starved) => Some(Progress::Flows),
            Some(promised) if self.is_doubtful(&advice, promised) => Some(Progress::Unexplained),
            _ => None,
        };
        if self.renewals < MOST_RENEWALS && (promised.is_some() || again.is_some()) {
            let looked = self.view.counted();
            let setting = Setting::of(slices, model, concurrency);
            stretch.watch = Duration::try_from_secs_f64(FAILURES_S).ok();
            let failing = setting.map_or(0.0, |it| it.failed_share());
            let work = Work::new((promised.unwrap_or(0.0), failing), looked, slices);
            self.now = Doing::Working(Box::new(work.again(again)));
        }
        self.view.count_only();
        (self.tell)(Progress::GoesOn(Box::new(advice)));
        Course::Next(Box::new(stretch))
    }

    /// Whether something else may have kept more lanes from gaining, as others do who want the processors for a moment, and so
    /// much is left that it pays to measure anew.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a duration needs no more digits than a float has"
    )]
    fn is_doubtful(&self, advice: &Advice, per_second: f64) -> bool {
        let alone = advice.recommendation.map(|it| it.model) == Some(Model::Sequential);
        let left = self.all.map(|all| all.saturating_sub(self.done));
        let long = left.is_none_or(|left| left as f64 >= WORTH_MEASURING_ANEW_S * per_second);
        self.renewals == 0 && self.situation.cpus > 1 && alone && computes(advice) && long
    }

    /// What follows. Where lanes had to wait for inputs it is not known how many at once are enough, for those that are still to come
    /// may be quicker; and nothing is where one lane had to.
    fn advice(&self, slices: &[Slice]) -> Advice {
        let advice = recommend(&self.situation, slices);
        let starved = || slices.iter().filter(|slice| slice.starved);
        let why = match () {
            () if starved().any(|it| it.model == Some(Model::Sequential)) => TOO_SLOW_TO_MEASURE,
            () if starved().next().is_some() && !computes(&advice) => TOO_SLOW_FOR_MORE,
            () => return advice,
        };
        Advice {
            recommendation: None,
            throughput_per_s: None,
            verdict: why.to_owned(),
            ..advice
        }
    }

    /// Whether the job still does what was promised.
    fn watch(&mut self, starved: bool) -> Course {
        let Doing::Working(work) = &mut self.now else {
            return Course::Stay;
        };
        let counted = self.view.counted();
        let Some(fell) = work.falls_behind(counted, starved) else {
            return Course::Stay;
        };
        (self.tell)(fell);
        self.renewals += 1;
        Course::End
    }

    /// So many at work, on so many lanes.
    fn stretch(&self, (model, concurrency): (Model, usize), room: usize) -> Stretch {
        let mut stretch = Stretch::new(self.plan(model, room));
        stretch.plan.pool.lazy_slots = self.then == Then::GoOn;
        if concurrency < room {
            stretch.at_once = std::num::NonZeroUsize::new(concurrency);
        }
        stretch
    }

    fn plan(&self, model: Model, concurrency: usize) -> Plan {
        let lanes = std::num::NonZeroUsize::new(concurrency);
        self.base
            .with_model(model, lanes.unwrap_or(std::num::NonZeroUsize::MIN))
    }
}

/// Whether it does nothing else, so that it has no use for more lanes than there are processors.
fn computes(advice: &Advice) -> bool {
    matches!(
        advice.character,
        Character::Cpu | Character::InterpreterLock
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_begin_any_more_is_tried_one_at_a_time_once() {
        let situation = Situation::bare(2);
        let base = Plan::new(Model::Async, std::num::NonZeroUsize::MIN);
        let told = Arc::<Mutex<Vec<Progress>>>::default();
        let kept = Arc::clone(&told);
        let tell: Tell = Box::new(move |progress| kept.lock().unwrap().push(progress));
        let observed = (View::default(), Gathered::default());
        let mut steers = Steers::new((situation, base), Then::GoOn, observed, tell);
        let mut ran = Ran::default();
        ran.refused = Some("no more processes".to_owned());
        let Course::Next(stretch) = steers.answer(Asked::Ended(&ran)) else {
            panic!("the job ended");
        };
        let plan = (stretch.plan.model, stretch.plan.concurrency.get());
        assert_eq!(plan, (Model::Sequential, 1));
        assert_eq!(
            *told.lock().unwrap(),
            [Progress::Refused("no more processes".to_owned())]
        );
        assert_eq!(steers.answer(Asked::Ended(&ran)), Course::End);
    }

    /// Coroutines begin when their loop lets them, which is no start.
    #[test]
    fn nothing_but_threads_is_started_meanwhile() {
        let lanes = |model, lanes_of_before| {
            let probe = Probe {
                model,
                concurrency: 8,
                in_turn: false,
                room: 64,
                inputs: 24,
                seconds: 0.1,
            };
            Probing {
                probe,
                meter: None,
                lanes_of_before,
            }
            .lanes()
        };
        assert_eq!(lanes(Model::Threads, Some(1.0)), (8, true));
        assert_eq!(lanes(Model::Threads, None), (8, false));
        assert_eq!(lanes(Model::Async, Some(1.0)), (8, false));
    }
}
