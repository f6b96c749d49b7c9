//! Worlds that work as their rules say, probed as a job would be; and what is to be advised in each.

use triway_core::Model;

use super::{
    strategy::{Step, next},
    *,
};

/// How a world answers so many lanes of a model.
#[derive(Clone, Copy)]
struct World {
    name: &'static str,
    /// Seconds of an attempt by itself.
    run: f64,
    /// The share of it in which it has a processor.
    share: f64,
    /// How many attempts can go on at once under this model with so many lanes.
    side_by_side: fn(Model, f64) -> f64,
    /// The share of attempts that fail.
    fails: fn(f64) -> f64,
    python: Option<bool>,
    inputs: Option<u64>,
}

const CPUS: f64 = 2.0;
const INTERPRETER_S: f64 = 0.06;

impl World {
    fn situation(&self) -> Situation {
        let lacks_async = self.python == Some(false);
        let candidate = |model| Candidate {
            model,
            refused: (model == Model::Async && lacks_async).then(|| "not async def".to_owned()),
        };
        Situation {
            two_threads: Some(1.9),
            noise: 0.01,
            models: Model::PLAIN.into_iter().map(candidate).collect(),
            interpreter: self.python.map(|is_async| Interpreter {
                name: "CPython 3.13.0".to_owned(),
                has_lock: true,
                is_async,
            }),
            inputs: self.inputs,
            ..Situation::bare(2)
        }
    }

    fn startup(&self, model: Model, lanes: f64) -> f64 {
        match (model, self.python) {
            (Model::Processes, Some(_)) => INTERPRETER_S * (1.0 + lanes / CPUS),
            (_, Some(_)) => INTERPRETER_S,
            (Model::Processes, None) => 0.005 * lanes,
            _ => 1e-4,
        }
    }

    /// The slice, and how long it takes.
    fn answer(&self, model: Model, concurrency: usize, inputs: u64, seconds: f64) -> (Slice, f64) {
        let lanes = f64::from(u32::try_from(concurrency).unwrap());
        let going = (self.side_by_side)(model, lanes).max(1e-9);
        let rate = going / self.run;
        let run = lanes / rate;
        let fitting = (rate * seconds.max(run)).ceil().max(1.0) as u64;
        let inputs = inputs.min(fitting);
        let count = inputs as f64;
        let failed = (count * (self.fails)(lanes)).round();
        let wall = (count / rate).max(run);
        let startup = self.startup(model, lanes);
        let hold = (model == Model::Async && self.python.is_some()).then_some(
            if (self.side_by_side)(Model::Async, 2.0) < 1.1 {
                self.run
            } else {
                1e-5
            },
        );
        // What only computes has a processor for each lane while there are some, also while it waits for memory.
        let held = match self.share < 1.0 {
            true => 1.0,
            false => (computing(lanes) / going).max(1.0),
        };
        let slice = Slice {
            model: Some(model),
            concurrency,
            inputs,
            failed: failed as u64,
            failure: (failed > 0.0).then(|| "refused".to_owned()),
            startup_s: startup,
            wall_s: wall,
            rate_per_s: rate * (count - failed) / count,
            run_s: run,
            run_sd_s: 0.05 * run,
            run_max_s: 1.2 * run,
            cpu_s: Some(count * self.run * self.share * held),
            attempts_cpu_s: self.python.map(|_| count * self.run * self.share),
            longest_hold_s: hold,
            ..Slice::default()
        };
        (slice, startup + wall)
    }

    /// The settings that there might be.
    fn settings(&self) -> impl Iterator<Item = (Model, usize)> {
        let able = self.situation().models.into_iter();
        let able = able.filter(|it| it.refused.is_none()).map(|it| it.model);
        able.flat_map(|model| match model {
            Model::Sequential => vec![(model, 1)],
            _ => [2, 4, 8, 16, 32, 64, 128]
                .map(|lanes| (model, lanes))
                .into(),
        })
    }

    /// Seconds that its inputs take under a setting, or a million where nobody knows how many there are.
    fn total(&self, model: Model, concurrency: usize) -> f64 {
        let (slice, _) = self.answer(model, concurrency, 1_000_000, 10.0);
        let inputs = self.inputs.unwrap_or(1_000_000) as f64;
        match slice.failed {
            0 => slice.startup_s + inputs / slice.rate_per_s,
            _ => f64::INFINITY,
        }
    }

    /// Whether a job that is probed for so long and goes on as advised takes little longer than the best would all along:
    /// no more than 15 %, or two seconds, however many inputs there are.
    fn is_worth_probing(
        &self,
        advice: &Advice,
        (advised, best_s): (Advised, f64),
        elapsed: f64,
    ) -> bool {
        let Some(inputs) = self.inputs else {
            return elapsed < 6.0;
        };
        let whole = self.total(advised.model, advised.concurrency);
        let rest = (inputs - advice.executed) as f64 / inputs as f64 * whole;
        elapsed + rest < (1.15 * best_s).max(best_s + 2.0)
    }

    /// Probes it as a job would be; gives the advice and how long it took.
    fn probed(&self, thorough: bool) -> (Advice, f64) {
        let mut situation = self.situation();
        situation.thorough = thorough;
        if !thorough {
            situation.budget_s = 2.0;
        }
        let (mut slices, mut elapsed) = (Vec::new(), 0.0);
        for _ in 0..200 {
            let Step::Probe(probe) = next(&situation, &slices, elapsed) else {
                return (recommend(&situation, &slices), elapsed);
            };
            let executed: u64 = slices.iter().map(|slice: &Slice| slice.inputs).sum();
            let left = self.inputs.map_or(u64::MAX, |all| all - executed);
            let inputs = probe.inputs.min(left);
            let (slice, took) = self.answer(probe.model, probe.concurrency, inputs, probe.seconds);
            slices.push(Slice {
                in_turn: probe.in_turn,
                ..slice
            });
            elapsed += took;
        }
        panic!("{}: probing does not end: {slices:#?}", self.name);
    }
}

const NEVER: fn(f64) -> f64 = |_| 0.0;
const ALWAYS: fn(f64) -> f64 = |_| 1.0;

/// What computes gets processors, whatever holds them.
fn computing(lanes: f64) -> f64 {
    lanes.min(CPUS)
}

/// A world, and what is to be said of it.
struct Case {
    world: World,
    character: Character,
    models: &'static [Model],
    concurrency: std::ops::RangeInclusive<usize>,
}

type SideBySide = fn(Model, f64) -> f64;

const COMPUTES: SideBySide = |_, lanes| computing(lanes);
const WAITS: SideBySide = |model, lanes| match model {
    Model::Sequential => 1.0,
    _ => lanes,
};
const LOCKED: SideBySide = |model, lanes| match model {
    Model::Processes => computing(lanes),
    _ => 0.97,
};
const EIGHT_SLOTS: SideBySide = |model, lanes| WAITS(model, lanes).min(8.0);
const FAKE_ASYNC: SideBySide = |model, lanes| match model {
    Model::Async => 1.0,
    _ => WAITS(model, lanes),
};
const TINY: SideBySide = |model, lanes| match model {
    Model::Sequential => 1.0,
    Model::Processes => computing(lanes).min(1.2),
    _ => 0.6,
};
const HALF: SideBySide = |model, lanes| WAITS(model, lanes).min(CPUS / 0.5);

const fn world(name: &'static str, (run, share): (f64, f64), side_by_side: SideBySide) -> World {
    World {
        name,
        run,
        share,
        side_by_side,
        fails: NEVER,
        python: None,
        inputs: None,
    }
}

const fn of(inputs: u64, world: World) -> World {
    World {
        inputs: Some(inputs),
        ..world
    }
}

const fn python(is_async: bool, world: World) -> World {
    World {
        python: Some(is_async),
        ..world
    }
}

const fn case(
    world: World,
    character: Character,
    models: &'static [Model],
    (least, most): (usize, usize),
) -> Case {
    Case {
        world,
        character,
        models,
        concurrency: least..=most,
    }
}

const ONE: &[Model] = &[Model::Sequential];
const THREADS: &[Model] = &[Model::Threads];
const WAITERS: &[Model] = &[Model::Threads, Model::Async];

#[rustfmt::skip]
const CASES: [Case; 13] = [
    case(world("tiny, and nobody knows how many", (3e-6, 1.0), |model, _| if model == Model::Sequential { 1.0 } else { 0.6 }),
        Character::Tiny, ONE, (1, 1)),
    case(of(100_000, world("native cpu", (0.01, 1.0), COMPUTES)), Character::Cpu, THREADS, (2, 2)),
    case(of(5000, python(false, world("python cpu", (0.02, 0.99), LOCKED))),
        Character::InterpreterLock, &[Model::Processes], (2, 2)),
    case(of(5000, python(false, world("python hashing", (0.02, 0.99), COMPUTES))), Character::Cpu, THREADS, (2, 2)),
    case(world("native waits", (0.05, 0.02), WAITS), Character::Waiting, WAITERS, (128, 256)),
    case(world("eight slots", (0.05, 0.02), EIGHT_SLOTS), Character::ExternalLimit, WAITERS, (8, 8)),
    case(of(2000, python(false, world("a lock outside", (0.02, 0.01), |_, _| 1.0))),
        Character::ExternalLimit, ONE, (1, 1)),
    case(of(5000, python(true, world("fake async", (0.02, 0.01), FAKE_ASYNC))),
        Character::FakeAsync, THREADS, (16, 256)),
    case(of(20_000, python(false, world("tiny python", (3e-6, 1.0), TINY))), Character::Tiny, ONE, (1, 1)),
    case(of(10_000, world("memory", (0.01, 1.0), |_, _| 1.02)), Character::Memory, ONE, (1, 1)),
    case(World { fails: |lanes| if lanes > 20.0 { 0.4 } else { 0.0 },
        ..world("refuses more than twenty", (0.05, 0.02), WAITS) },
        Character::ExternalLimit, WAITERS, (8, 20)),
    case(of(200, python(true, world("few waits", (0.05, 0.02), WAITS))), Character::Waiting, WAITERS, (32, 200)),
    case(of(100_000, world("half computing", (0.02, 0.5), HALF)), Character::Mixed, WAITERS, (4, 4)),
];

#[test]
fn each_world_gets_the_advice_that_suits_it() {
    for case in CASES {
        let Case {
            world,
            character,
            models,
            concurrency,
        } = case;
        let (advice, elapsed) = world.probed(true);
        let name = world.name;
        assert_eq!(advice.character, character, "{name}: {advice:#?}");
        let advised = advice.recommendation.unwrap();
        assert!(models.contains(&advised.model), "{name}: {advised:?}");
        assert!(
            concurrency.contains(&advised.concurrency),
            "{name}: {advised:?}"
        );
        assert!(elapsed < 12.0, "{name} took {elapsed} s");
        // Two hundred inputs are gone before.
        let compared = if world.inputs == Some(200) { 0 } else { 3 };
        assert_eq!(turns(&advice, advised), compared, "{name}: {advised:?}");
        let executed: u64 = advice.probes.iter().map(|slice| slice.inputs).sum();
        assert!(
            world.inputs.is_none_or(|inputs| executed <= inputs),
            "{name}: {executed} inputs"
        );
    }
}

/// How often it was compared with others, in turn.
fn turns(advice: &Advice, advised: Advised) -> usize {
    let setting = (advised.model, advised.concurrency);
    let turns = advice.probes.iter().filter(|slice| slice.in_turn);
    turns.filter(|slice| slice.is_of(setting)).count()
}

/// A job that is to be done loses little time to probing, and goes on nearly as well as it can.
#[test]
fn a_quick_look_finds_what_is_nearly_as_good() {
    for Case { world, .. } in CASES {
        let (advice, elapsed) = world.probed(false);
        let name = world.name;
        let advised = advice.recommendation;
        let advised = advised.unwrap_or_else(|| panic!("{name}: {advice:#?}"));
        // What computes keeps three quarters of its inputs to go on with, so no more lanes are tried than there are other ones.
        let most = world
            .inputs
            .map_or(usize::MAX, |inputs| inputs as usize / 4);
        let tried = world.settings().filter(|(_, lanes)| *lanes <= most);
        let least = tried.map(|(model, lanes)| world.total(model, lanes));
        let least = least.fold(f64::INFINITY, f64::min);
        let found = world.total(advised.model, advised.concurrency);
        assert!(
            found <= least / 0.8,
            "{name}: {advised:?} takes {found} s, where {least} s would do"
        );
        assert!(
            world.is_worth_probing(&advice, (advised, least), elapsed),
            "{name}: {advised:?} after {elapsed} s, where all would take {least} s"
        );
    }
}

/// Who is looked at first need not be the one that gains.
#[test]
fn a_quick_look_goes_on_to_another_model_where_the_first_gains_nothing() {
    let waits = of(
        100_000,
        python(true, world("fake async", (0.01, 0.01), FAKE_ASYNC)),
    );
    let (advice, elapsed) = waits.probed(false);
    let advised = advice.recommendation.unwrap();
    assert_eq!(advised.model, Model::Threads, "{advice:#?}");
    assert!(
        advised.concurrency >= 16 && elapsed < 3.0,
        "{advised:?} after {elapsed} s"
    );
}

/// What does both may gain most under async, although two async tasks are a little behind two threads and two processes.
#[test]
fn a_quick_look_finds_that_cheap_lanes_gain_when_there_are_many() {
    const SHORT_REQUESTS: SideBySide = |model, lanes| match model {
        Model::Sequential => 1.0,
        Model::Threads => (0.95 * lanes).min(4.2),
        Model::Processes => lanes.min(2.6),
        _ => (0.9 * lanes).min(5.8),
    };
    let requests = of(
        1_000_000,
        world("short requests", (0.0002, 0.55), SHORT_REQUESTS),
    );
    let (advice, elapsed) = requests.probed(false);
    let advised = advice.recommendation.unwrap();
    assert_eq!(advised.model, Model::Async, "{advice:#?}");
    assert!(
        advised.concurrency >= 6 && elapsed < 6.0,
        "{advised:?} after {elapsed} s"
    );
}

/// Under an interpreter's lock there is one processor, and who has it all has met no limit of the other side.
#[test]
fn a_lock_that_is_held_all_the_time_is_no_limit_of_the_other_side() {
    const SHARED: SideBySide = |model, lanes| match model {
        Model::Sequential => 1.0,
        Model::Processes => lanes.min(CPUS / 0.25),
        _ => lanes.min(1.0 / 0.25),
    };
    let parsing = of(5000, python(false, world("parsing", (0.02, 0.25), SHARED)));
    let (advice, _) = parsing.probed(true);
    assert_ne!(advice.character, Character::ExternalLimit, "{advice:#?}");
    let free = World {
        python: None,
        ..parsing
    };
    let (advice, _) = free.probed(true);
    assert_eq!(advice.character, Character::ExternalLimit, "{advice:#?}");
}

#[test]
fn too_little_to_tell_is_said() {
    for (inputs, fails, expected) in [
        (0, NEVER, "no inputs"),
        (
            1,
            NEVER,
            "cannot tell: 1 input (50.0 ms each) was executed, and none was left",
        ),
        (
            2,
            NEVER,
            "cannot tell: 2 inputs (50.0 ms each) were executed, and none was left",
        ),
        (1, ALWAYS, "100 % of the attempts failed (refused)"),
        (2, ALWAYS, "100 % of the attempts failed (refused)"),
    ] {
        let world = World {
            name: "one",
            run: 0.05,
            share: 0.01,
            side_by_side: |_, lanes| lanes,
            fails,
            python: None,
            inputs: Some(inputs),
        };
        let (advice, _) = world.probed(true);
        assert_eq!(advice.recommendation, None, "{inputs}");
        assert!(advice.verdict.contains(expected), "{}", advice.verdict);
    }
}

#[test]
fn what_always_fails_is_said() {
    let world = World {
        name: "fails",
        run: 0.05,
        share: 0.01,
        side_by_side: |_, lanes| lanes,
        fails: |_| 1.0,
        python: None,
        inputs: Some(1000),
    };
    let (advice, _) = world.probed(true);
    assert_eq!(advice.recommendation, None);
    assert!(advice.verdict.contains("refused"), "{}", advice.verdict);
}

#[test]
fn advice_reads_back() {
    for Case { world, .. } in CASES {
        let (advice, _) = world.probed(true);
        let json = serde_json::to_string(&advice).unwrap();
        let read: Advice = serde_json::from_str(&json).unwrap();
        assert_eq!(read.recommendation, advice.recommendation);
        assert_eq!(read.verdict, advice.verdict);
        assert_eq!(read.probes.len(), advice.probes.len());
        let again = recommend(&world.situation(), &read.probes);
        assert_eq!(again.verdict, advice.verdict, "from what was recorded");
    }
}
