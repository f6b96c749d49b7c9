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
            cpu_s: Some(count * self.run * self.share),
            attempts_cpu_s: self.python.map(|_| count * self.run * self.share),
            longest_hold_s: hold,
            ..Slice::default()
        };
        (slice, startup + wall)
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
            let (slice, took) =
                self.answer(probe.model, probe.concurrency, probe.inputs, probe.seconds);
            slices.push(slice);
            elapsed += took;
        }
        panic!("{}: probing does not end: {slices:#?}", self.name);
    }
}

const NEVER: fn(f64) -> f64 = |_| 0.0;

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
        let executed: u64 = advice.probes.iter().map(|slice| slice.inputs).sum();
        assert!(
            world.inputs.is_none_or(|inputs| executed <= inputs),
            "{name}: {executed} inputs"
        );
    }
}

/// A job that is to be done loses little time to probing, and goes on nearly as well as it can.
#[test]
fn a_quick_look_finds_what_is_nearly_as_good() {
    for Case { world, .. } in CASES {
        let (advice, elapsed) = world.probed(false);
        let name = world.name;
        let advised = advice.recommendation;
        let advised = advised.unwrap_or_else(|| panic!("{name}: {advice:#?}"));
        let rate = |model, concurrency| {
            let (slice, _) = world.answer(model, concurrency, 1_000_000, 10.0);
            if slice.failed > 0 {
                0.0
            } else {
                slice.rate_per_s
            }
        };
        let best = Model::PLAIN
            .into_iter()
            .flat_map(|model| [1, 2, 4, 8, 16, 32, 64, 128].map(|lanes| (model, lanes)))
            .filter(|(model, lanes)| *model != Model::Sequential || *lanes == 1)
            .filter(|(model, _)| {
                let situation = world.situation();
                let candidate = situation.models.iter().find(|it| it.model == *model);
                candidate.is_some_and(|it| it.refused.is_none())
            })
            .map(|(model, lanes)| rate(model, lanes))
            .fold(0.0, f64::max);
        let found = rate(advised.model, advised.concurrency);
        let few = world.inputs.is_some_and(|inputs| inputs <= 20_000);
        assert!(
            found >= 0.8 * best || few,
            "{name}: {advised:?} {found} of {best}"
        );
        assert!(elapsed < 3.0, "{name} took {elapsed} s");
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

/// The simplest of what is nearly as good as the best, not the simplest of what is nearly as good as that.
#[test]
fn what_is_advised_is_nearly_as_good_as_the_best_of_all() {
    let slice = |model, concurrency, rate_per_s| Slice {
        model: Some(model),
        concurrency,
        inputs: 100,
        wall_s: 100.0 / rate_per_s,
        rate_per_s,
        run_s: 0.1,
        cpu_s: Some(0.1),
        ..Slice::default()
    };
    let slices = [
        slice(Model::Sequential, 1, 10.0),
        slice(Model::Threads, 64, 95.2),
        slice(Model::Async, 128, 100.0),
        slice(Model::Async, 256, 105.0),
    ];
    let advised = recommend(&Situation::bare(2), &slices).recommendation;
    let advised = advised.map(|it| (it.model, it.concurrency));
    assert_eq!(advised, Some((Model::Async, 128)));
}

#[test]
fn too_little_to_tell_is_said() {
    for (inputs, failed, expected) in [
        (0, 0, "no inputs"),
        (1, 0, "cannot tell"),
        (2, 0, "cannot tell"),
    ] {
        let world = World {
            name: "one",
            run: 0.05,
            share: 0.01,
            side_by_side: |_, lanes| lanes,
            fails: NEVER,
            python: None,
            inputs: Some(inputs),
        };
        let (advice, _) = world.probed(true);
        assert_eq!(advice.recommendation, None, "{inputs} {failed}");
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
