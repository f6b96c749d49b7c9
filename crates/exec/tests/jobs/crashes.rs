//! Workers that crash under load: who is charged, what runs again, what is kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    num::NonZeroU64,
    path::PathBuf,
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use triway_core::{FailureKind, Inner, Model, Outcome, Plan, Status};
use triway_exec::Job;

use crate::{
    Test,
    models::lanes,
    processes::{self, is_running, workers_of},
    tasks::{Act, Script, ended, within},
};

pub(crate) const TESTS: &[Test] = &[
    (
        "crashes::a_poisonous_input_is_charged_alone",
        a_poisonous_input_is_charged_alone,
    ),
    (
        "crashes::one_that_recovers_succeeds",
        one_that_recovers_succeeds,
    ),
    (
        "crashes::innocent_neighbours_are_acquitted",
        innocent_neighbours_are_acquitted,
    ),
    ("crashes::at_most_once_is_kept", at_most_once_is_kept),
    ("crashes::last_words_are_told", last_words_are_told),
    ("crashes::memory_is_limited", memory_is_limited),
    ("crashes::workers_are_recycled", workers_are_recycled),
    (
        "crashes::random_kills_lose_nothing",
        random_kills_lose_nothing,
    ),
    (
        "crashes::nothing_waits_behind_a_slow_one",
        nothing_waits_behind_a_slow_one,
    ),
    (
        "crashes::large_inputs_survive_the_journey",
        large_inputs_survive_the_journey,
    ),
    (
        "crashes::a_time_limit_spares_the_others",
        a_time_limit_spares_the_others,
    ),
    (
        "crashes::what_a_worker_started_goes_with_it",
        what_a_worker_started_goes_with_it,
    ),
];

/// A pool of this shape; retries of crashes as they are by default.
fn plan(processes: usize, slots: usize, inner: Inner) -> Plan {
    let model = match slots {
        1 => Model::Processes,
        _ => Model::Hybrid,
    };
    let mut plan = Plan::new(model, lanes(processes * slots));
    plan.pool.processes = Some(lanes(processes));
    plan.pool.inner = Some(inner);
    plan.grace = Duration::from_millis(300);
    plan
}

/// One slot, several threads, several async tasks.
fn shapes() -> [Plan; 3] {
    [
        plan(2, 1, Inner::Threads),
        plan(2, 4, Inner::Threads),
        plan(2, 4, Inner::Async),
    ]
}

/// Where each execution is noted, independently of the books.
struct Ledger(PathBuf);

impl Ledger {
    fn new(name: &str) -> Self {
        let file = format!("triway-ledger-{}-{name}", process::id());
        let path = std::env::temp_dir().join(file);
        let _absent = fs::remove_file(&path);
        Self(path)
    }

    fn task(&self) -> Script {
        Script {
            ledger: Some(self.0.clone()),
        }
    }

    /// How often each input was executed.
    fn executions(&self) -> BTreeMap<u64, usize> {
        let mut counts = BTreeMap::new();
        for line in fs::read_to_string(&self.0).unwrap().lines() {
            let index = line.split(' ').next().unwrap().parse().unwrap();
            *counts.entry(index).or_default() += 1;
        }
        counts
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        let _absent = fs::remove_file(&self.0);
    }
}

fn each_once(outcomes: &[Outcome<Act, u64>], count: u64) {
    let indexes: BTreeSet<u64> = outcomes.iter().map(|outcome| outcome.index).collect();
    assert_eq!(outcomes.len() as u64, count, "one outcome for each input");
    assert_eq!(indexes, (0..count).collect());
}

fn a_poisonous_input_is_charged_alone() {
    for (plan, name) in shapes().into_iter().zip(["one", "threads", "async"]) {
        let ledger = Ledger::new(name);
        let mut inputs = vec![Act::Sleep(5); 60];
        inputs[20] = Act::Abort;
        let done = ended(Job::new(ledger.task(), inputs).plan(plan.clone()).run());
        each_once(&done.sink, 60);
        assert_eq!(
            (done.summary.succeeded, done.summary.failed),
            (59, 1),
            "{name}"
        );
        let lost = done.sink.iter().find(|outcome| !outcome.is_ok()).unwrap();
        assert_eq!((lost.index, lost.status), (20, Status::WorkerLost));
        assert_eq!(
            (lost.attempts, lost.tried.len()),
            (3, 2),
            "two crash retries"
        );
        let error = lost.error.as_ref().unwrap();
        assert_eq!(error.kind, FailureKind::WORKER_LOST);
        assert!(error.message.contains("SIGABRT"), "{error}");
        let executions = ledger.executions();
        // Each death may cost each slot of its worker one execution more.
        let slots = plan.concurrency.get() / 2;
        let total: usize = executions.values().sum();
        let deaths = executions[&20];
        assert!(
            total <= 60 + deaths * slots,
            "{name}: {total} executions, {deaths} deaths"
        );
        if slots == 1 {
            assert_eq!((total, deaths), (62, 3), "no innocent one runs twice");
        }
    }
}

fn one_that_recovers_succeeds() {
    for plan in shapes() {
        let inputs = [Act::DieUntil(3), Act::Double(1)];
        let done = ended(Job::new(Script::default(), inputs).plan(plan.clone()).run());
        each_once(&done.sink, 2);
        assert_eq!(done.summary.succeeded, 2, "{}", plan.model);
        let died = done.sink.iter().find(|outcome| outcome.index == 0).unwrap();
        assert_eq!((died.attempts, died.tried.len()), (3, 2));
        assert_eq!(died.tried[0].failure.kind, FailureKind::WORKER_LOST);
    }
}

/// All slots of one worker are busy when one of them kills it.
fn innocent_neighbours_are_acquitted() {
    for inner in Inner::ALL {
        let mut inputs = vec![Act::Sleep(100); 8];
        inputs[7] = Act::Abort;
        let done = ended(
            Job::new(Script::default(), inputs)
                .plan(plan(1, 8, inner))
                .run(),
        );
        each_once(&done.sink, 8);
        for outcome in &done.sink {
            let expected = match outcome.index {
                7 => Status::WorkerLost,
                _ => Status::Ok,
            };
            assert_eq!(outcome.status, expected, "{inner}: input {}", outcome.index);
            assert!(outcome.index == 7 || outcome.tried.is_empty(), "acquitted");
        }
    }
}

fn at_most_once_is_kept() {
    for (mut plan, name) in shapes().into_iter().zip(["o-one", "o-threads", "o-async"]) {
        plan.at_most_once = true;
        plan.retry.retries = 5;
        let ledger = Ledger::new(name);
        let mut inputs = vec![Act::Sleep(5); 60];
        inputs[10] = Act::Abort;
        inputs[30] = Act::Fail;
        inputs[50] = Act::Abort;
        let slots = plan.concurrency.get() / 2;
        let done = ended(Job::new(ledger.task(), inputs).plan(plan).run());
        each_once(&done.sink, 60);
        let most = ledger.executions().into_values().max();
        assert_eq!(most, Some(1), "{name}: nothing ran twice");
        let lost = done.sink.iter();
        let lost = lost
            .filter(|outcome| outcome.status == Status::WorkerLost)
            .count();
        assert!((2..=2 * slots).contains(&lost), "{name}: {lost} lost");
        assert_eq!(done.summary.succeeded as usize, 60 - lost - 1, "{name}");
    }
}

fn last_words_are_told() {
    let words = "the roof is on fire";
    let inputs = [Act::Complain(words.to_owned())];
    let done = ended(
        Job::new(Script::default(), inputs)
            .plan(plan(1, 1, Inner::Threads))
            .run(),
    );
    let error = done.sink[0].error.as_ref().unwrap();
    assert!(error.message.contains(words), "{error}");
}

fn memory_is_limited() {
    let mut plan = plan(1, 1, Inner::Threads);
    plan.pool.memory_bytes = Some(128 << 20);
    plan.pool.crash_retries = 0;
    let inputs = [Act::Fill(32), Act::Fill(512), Act::Fill(32)];
    let done = ended(
        Job::new(Script::default(), inputs)
            .plan(plan)
            .keep_order()
            .run(),
    );
    let ends: Vec<Status> = done.sink.iter().map(|outcome| outcome.status).collect();
    assert_eq!(ends, [Status::Ok, Status::WorkerLost, Status::Ok]);
    let error = done.sink[1].error.as_ref().unwrap();
    assert!(error.message.contains("memory allocation of"), "{error}");
}

fn workers_are_recycled() {
    for (slots, inner) in [(1, Inner::Threads), (3, Inner::Async)] {
        let mut plan = plan(1, slots, inner);
        plan.pool.recycle = NonZeroU64::new(6);
        let done = ended(
            Job::new(Script::default(), vec![Act::Process; 60])
                .plan(plan)
                .run(),
        );
        each_once(&done.sink, 60);
        let mut uses = BTreeMap::<u64, usize>::new();
        for outcome in done.sink {
            *uses.entry(outcome.output.unwrap()).or_default() += 1;
        }
        assert_eq!(uses.values().max(), Some(&6), "{uses:?}");
        assert_eq!(uses.len(), 10, "{uses:?}");
    }
}

/// The same at each run, unless somebody soaks.
fn seed() -> u64 {
    let given = std::env::var("TRIWAY_SOAK_SEED");
    given.ok().and_then(|seed| seed.parse().ok()).unwrap_or(7)
}

/// Real kills at random moments, as many as happen while the job runs.
fn random_kills_lose_nothing() {
    for (plan, name) in shapes().into_iter().zip(["k-one", "k-threads", "k-async"]) {
        let ledger = Ledger::new(name);
        let mut plan = plan;
        // What is killed over and over from outside is not to blame.
        plan.pool.crash_retries = 1000;
        let slots = plan.concurrency.get() / 2;
        let count = 1500;
        let job = Job::new(ledger.task(), vec![Act::Sleep(1); count]).plan(plan);
        let over = Arc::new(AtomicBool::new(false));
        let killer = {
            let over = Arc::clone(&over);
            let mut random = fastrand::Rng::with_seed(seed());
            thread::spawn(move || {
                let mut kills = 0;
                while !over.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(random.u64(5..40)));
                    let workers = workers_of(process::id());
                    if let Some(worker) = random.choice(workers) {
                        kills += usize::from(processes::kill(worker));
                    }
                }
                kills
            })
        };
        let done = within(Duration::from_secs(60), || job.run().wait().unwrap());
        over.store(true, Ordering::Relaxed);
        let kills = killer.join().unwrap();
        each_once(&done.sink, count as u64);
        assert_eq!(done.summary.succeeded as usize, count, "{name}");
        let total: usize = ledger.executions().values().sum();
        assert!(kills >= 5, "{name}: only {kills} kills");
        assert!(
            total <= count + kills * slots,
            "{name}: {total} executions, {kills} kills"
        );
    }
}

/// Thousands of quick inputs make the batches large; then one of a batch is slow.
fn nothing_waits_behind_a_slow_one() {
    let mut inputs: Vec<Act> = (0..40_000).map(Act::Double).collect();
    inputs[20_000] = Act::Sleep(1_000);
    let done = ended(
        Job::new(Script::default(), inputs)
            .plan(plan(2, 1, Inner::Threads))
            .run(),
    );
    each_once(&done.sink, 40_000);
    let slow = done
        .sink
        .iter()
        .find(|outcome| outcome.index == 20_000)
        .unwrap();
    let later = done.sink.iter().filter(|outcome| outcome.index > 20_000);
    let behind = later
        .filter(|outcome| outcome.started >= slow.started + slow.run)
        .count();
    assert_eq!(behind, 0, "they waited although another worker was idle");
}

fn large_inputs_survive_the_journey() {
    for plan in shapes() {
        let sizes = [0, 1, 65_530, 65_536, 65_540, 131_072, 5 << 20];
        let inputs = sizes.map(|size| Act::Measure("x".repeat(size)));
        let done = ended(
            Job::new(Script::default(), inputs)
                .plan(plan)
                .keep_order()
                .run(),
        );
        let measured: Vec<u64> = done
            .sink
            .iter()
            .map(|outcome| outcome.output.unwrap())
            .collect();
        assert_eq!(measured, sizes.map(|size| size as u64));
    }
}

/// One slot of several never returns; the others' inputs succeed, in this worker or in another.
fn a_time_limit_spares_the_others() {
    for inner in Inner::ALL {
        let mut plan = plan(1, 4, inner);
        plan.timeout = Some(Duration::from_millis(400));
        let mut inputs = vec![Act::Sleep(20); 40];
        inputs[5] = Act::Hold(60_000);
        let done = ended(Job::new(Script::default(), inputs).plan(plan).run());
        each_once(&done.sink, 40);
        let ends: Vec<u64> = done
            .sink
            .iter()
            .filter(|outcome| !outcome.is_ok())
            .map(|outcome| outcome.index)
            .collect();
        assert_eq!(ends, [5], "{inner}: {:?}", done.sink);
        assert_eq!(done.summary.failed, 1);
        assert_eq!(workers_of(process::id()), [0; 0], "left over");
    }
}

fn what_a_worker_started_goes_with_it() {
    let inputs = [Act::LeaveBehind, Act::LeaveBehind, Act::Abort];
    let mut plan = plan(1, 1, Inner::Threads);
    plan.pool.crash_retries = 0;
    let done = ended(
        Job::new(Script::default(), inputs)
            .plan(plan)
            .keep_order()
            .run(),
    );
    for outcome in &done.sink[..2] {
        let child = outcome.output.unwrap();
        let waited = (0..100).any(|_| {
            thread::sleep(Duration::from_millis(10));
            !is_running(u32::try_from(child).unwrap())
        });
        assert!(waited, "process {child} outlives its worker");
    }
}
