//! The ledger against a model of what it promises, under random histories.

use std::{collections::HashMap, num::NonZeroUsize, time::Duration};

use proptest::prelude::*;
use triway_core::{Failure, FailureKind, Model, Plan, Retry, Status};

use super::*;

fn plan() -> Plan {
    Plan::new(Model::Threads, NonZeroUsize::MIN)
}

fn failure() -> Failure {
    Failure::new(FailureKind::ERROR, "no")
}

const NOW: Duration = Duration::ZERO;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn keyless<P>() -> KeyOf<P> {
    Box::new(|_| panic!("nobody needs a key"))
}

/// 0 has no key, the others are their own.
fn keyed() -> KeyOf<u32> {
    Box::new(|payload| (*payload != 0).then(|| payload.to_string()))
}

#[test]
fn a_success_closes_at_once() {
    let mut ledger = Ledger::new(&plan(), 1, keyless());
    ledger.admit(NOW, 7, "x");
    let start = ledger.start(NOW).unwrap();
    assert_eq!((start.index, start.attempt), (7, 1));
    let Settled::Done(closed) = ledger.settle(NOW, start, Ended::Ok) else {
        panic!("a success is final");
    };
    assert_eq!((closed.payload, closed.status), ("x", Status::Ok));
    assert_eq!(ledger.open(), 0);
    assert_eq!(ledger.settle(NOW, start, Ended::Ok), Settled::Stale);
}

#[test]
fn a_permanent_failure_is_not_tried_again() {
    let mut plan = plan();
    plan.retry = Retry::times(5);
    let mut ledger = Ledger::new(&plan, 1, keyless());
    ledger.admit(NOW, 0, ());
    let start = ledger.start(NOW).unwrap();
    let ended = Ended::Failed(Failure::bad_input("no number"));
    assert!(matches!(
        ledger.settle(NOW, start, ended),
        Settled::Done(Closed {
            status: Status::Failed,
            attempts: 1,
            ..
        })
    ));
}

#[test]
fn retries_wait_longer_each_time_and_end() {
    let mut plan = plan();
    plan.retry = Retry::times(3);
    let mut ledger = Ledger::new(&plan, 1, keyless());
    ledger.admit(NOW, 0, ());
    let mut now = NOW;
    for attempt in 1..=3u32 {
        let start = ledger.start(now).unwrap();
        let most = Retry::times(3).base * 2u32.pow(attempt - 1);
        let settled = ledger.settle(now, start, Ended::Failed(failure()));
        let Settled::Again {
            retry: Some(retry), ..
        } = settled
        else {
            panic!("attempt {attempt} is followed by another");
        };
        assert!(
            retry.delay >= most / 2 && retry.delay <= most,
            "{:?}",
            retry.delay
        );
        assert_eq!(ledger.start(now), None, "not before its time");
        assert_eq!(ledger.wake_at(), Some(now + retry.delay));
        now += retry.delay;
    }
    let start = ledger.start(now).unwrap();
    let settled = ledger.settle(now, start, Ended::TimedOut(failure()));
    assert!(matches!(
        settled,
        Settled::Done(Closed {
            status: Status::Timeout,
            attempts: 4,
            ..
        })
    ));
}

/// A schedule belongs to the inputs: one that is tried again does not move the moments of those behind it.
#[test]
fn retries_take_no_moment_of_a_schedule() {
    let mut plan = plan();
    plan.rate = Some("10/s".parse().unwrap());
    plan.keep_schedule = true;
    plan.retry = Retry::times(3);
    plan.retry.base = millis(1);
    let mut ledger = Ledger::new(&plan, 7, keyless());
    for index in 0..3 {
        ledger.admit(millis(0), index, ());
    }
    let mut planned = Vec::new();
    for now in (0..2000).map(millis) {
        while let Some(start) = ledger.start(now) {
            let ended = match start.attempt {
                1 => Ended::Failed(failure()),
                _ => Ended::Ok,
            };
            if let Settled::Done(closed) = ledger.settle(now, start, ended) {
                planned.push(closed.planned);
            }
        }
    }
    assert_eq!(planned, [0, 100, 200].map(|at| Some(millis(at))));
}

#[test]
fn what_was_never_begun_costs_no_attempt() {
    let mut ledger = Ledger::new(&plan(), 1, keyless());
    ledger.admit(NOW, 0, ());
    let start = ledger.start(NOW).unwrap();
    let settled = ledger.settle(NOW, start, Ended::NotStarted);
    assert_eq!(
        settled,
        Settled::Again {
            index: 0,
            retry: None
        }
    );
    assert_eq!(ledger.start(NOW).unwrap().attempt, 1);
}

#[test]
fn a_wait_that_is_too_long_costs_that_input_alone() {
    let mut plan = plan();
    plan.retry = Retry::times(5);
    let mut ledger = Ledger::new(&plan, 1, keyed());
    for (index, payload) in [(0, 7), (1, 7), (2, 8)] {
        ledger.admit(NOW, index, payload);
    }
    let start = ledger.start(NOW).unwrap();
    let busy = failure().with_retry_after(Duration::MAX);
    let Settled::Done(closed) = ledger.settle(NOW, start, Ended::Failed(busy)) else {
        panic!("nobody waits for so long");
    };
    let told = closed.failure.unwrap();
    assert!(told.message.contains("longer than the 300s"), "{told}");
    assert!(!told.retryable);
    for index in [1, 2] {
        assert_eq!(ledger.start(NOW).unwrap().index, index);
    }
}

#[test]
fn without_a_key_only_the_input_itself_waits() {
    let mut plan = plan();
    plan.retry = Retry::times(1);
    let mut ledger = Ledger::new(&plan, 1, keyed());
    ledger.admit(NOW, 0, 0);
    ledger.admit(NOW, 1, 0);
    let start = ledger.start(NOW).unwrap();
    let busy = failure().with_retry_after(Duration::from_secs(60));
    ledger.settle(NOW, start, Ended::Failed(busy));
    assert!(!ledger.is_metered());
    assert_eq!(ledger.start(NOW).unwrap().index, 1);
    assert_eq!(ledger.start(Duration::from_secs(59)), None);
    assert_eq!(ledger.start(Duration::from_secs(60)).unwrap().index, 0);
}

#[test]
fn keys_are_forgotten_when_their_time_has_passed() {
    let mut plan = plan();
    plan.key_interval = Some(millis(10));
    let mut ledger = Ledger::new(&plan, 1, keyed());
    for index in 0..1000 {
        let now = millis(index);
        ledger.admit(now, index, u32::try_from(index).unwrap() + 1);
        let start = ledger.start(now).unwrap();
        ledger.settle(now, start, Ended::Ok);
        let remembered = ledger.keys.as_ref().unwrap().remembered();
        assert!(remembered <= 10, "{remembered} keys");
    }
    assert_eq!(ledger.start(millis(2000)), None);
    assert_eq!(ledger.keys.as_ref().unwrap().remembered(), 0);
    assert_eq!(ledger.wake_at(), None);
}

/// One step of a random history.
#[derive(Debug, Clone)]
enum Step {
    Admit { key: u32 },
    Start,
    Settle { which: usize, ended: Ended },
    Stale { which: usize },
    Pass { millis: u64 },
    Stop,
}

fn ends() -> impl Strategy<Value = Ended> {
    prop_oneof![
        4 => Just(Ended::Ok),
        3 => Just(Ended::Failed(failure())),
        2 => busy().prop_map(|wait| Ended::Failed(failure().with_retry_after(wait))),
        1 => busy().prop_map(|wait| Ended::Failed(Failure::bad_input("x").with_retry_after(wait))),
        1 => Just(Ended::Failed(Failure::bad_input("x"))),
        2 => Just(Ended::TimedOut(failure())),
        2 => Just(Ended::WorkerLost(failure())),
        1 => Just(Ended::Cancelled),
        2 => Just(Ended::NotStarted),
    ]
}

/// How long the other side wants to be left alone: now and then longer than anybody may wait.
fn busy() -> impl Strategy<Value = Duration> {
    prop_oneof![6 => (0u64..600).prop_map(millis), 1 => Just(LONGEST + millis(1)), 1 => Just(Duration::MAX)]
}

const LONGEST: Duration = Duration::from_secs(2);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        30 => (0u32..4).prop_map(|key| Step::Admit { key }),
        40 => Just(Step::Start),
        30 => (any::<usize>(), ends()).prop_map(|(which, ended)| Step::Settle { which, ended }),
        3 => any::<usize>().prop_map(|which| Step::Stale { which }),
        20 => (0u64..400).prop_map(|millis| Step::Pass { millis }),
        1 => Just(Step::Stop),
    ];
    proptest::collection::vec(step, 1..200)
}

/// What must hold of the ledger, kept beside it in the plainest way.
struct Witness {
    ledger: Ledger<u32>,
    now: Duration,
    admitted: u64,
    running: Vec<(Start, u32)>,
    begun: HashMap<u64, u32>,
    /// How often the worker of each input died of it.
    crashes: HashMap<u64, u32>,
    not_before: HashMap<u64, Duration>,
    /// Until when each key is left alone.
    rest: HashMap<u32, Duration>,
    last_start: HashMap<u32, Duration>,
    key_interval: Duration,
    ends: HashMap<u64, Status>,
    past: Vec<Start>,
    starts: Vec<Duration>,
    stopped: bool,
    retries: u32,
    crash_retries: u32,
    at_most_once: bool,
    per_key: Option<usize>,
}

impl Witness {
    fn step(&mut self, step: Step) {
        match step {
            Step::Admit { key } if !self.stopped => {
                self.ledger.admit(self.now, self.admitted, key);
                self.admitted += 1;
            }
            Step::Start => self.start(),
            Step::Settle { which, ended } if !self.running.is_empty() => {
                let at = which % self.running.len();
                self.settle(at, &ended);
            }
            Step::Stale { which } if !self.past.is_empty() => {
                let past = self.past[which % self.past.len()];
                if !self.running.iter().any(|&(start, _)| start == past) {
                    let settled = self.ledger.settle(self.now, past, Ended::Ok);
                    assert_eq!(settled, Settled::Stale);
                }
            }
            Step::Pass { millis } => self.now += Duration::from_millis(millis),
            Step::Stop => self.stop(),
            _ => {}
        }
        assert_eq!(self.ledger.running(), self.running.len());
        assert_eq!(
            self.ledger.open() + self.ends.len(),
            usize::try_from(self.admitted).unwrap()
        );
    }

    fn start(&mut self) {
        let Some(start) = self.ledger.start(self.now) else {
            let later = self.ledger.wake_at().is_none_or(|at| at > self.now);
            assert!(later, "it says to look again at a moment that has passed");
            return;
        };
        assert!(!self.stopped, "nothing starts after a stop");
        assert!(
            !self.ends.contains_key(&start.index),
            "an ended input starts again"
        );
        let begun = self.begun.entry(start.index).or_default();
        *begun += 1;
        assert_eq!(start.attempt, *begun);
        let crashes = self.crashes.get(&start.index).copied().unwrap_or_default();
        assert!(crashes <= self.crash_retries, "more crashes than allowed");
        assert!(
            start.attempt - crashes <= self.retries + 1,
            "more attempts than allowed"
        );
        assert!(start.attempt == 1 || !self.at_most_once, "it ran before");
        if let Some(at) = self.not_before.get(&start.index) {
            assert!(self.now >= *at, "a retry before its time");
        }
        let key = *self.ledger.payload(start.ticket).unwrap();
        self.starts.push(self.now);
        self.running.push((start, key));
        if key != 0 {
            self.look_at_key(key);
        }
    }

    fn look_at_key(&mut self, key: u32) {
        if let Some(limit) = self.per_key {
            let sharing = self.running.iter().filter(|run| run.1 == key).count();
            assert!(sharing <= limit, "{sharing} run under one key");
        }
        if let Some(until) = self.rest.get(&key) {
            assert!(self.now >= *until, "a key that rests is not left alone");
        }
        if let Some(last) = self.last_start.insert(key, self.now) {
            let apart = self.now - last;
            assert!(apart >= self.key_interval, "only {apart:?} apart");
        }
    }

    fn settle(&mut self, at: usize, ended: &Ended) {
        let (start, key) = self.running.swap_remove(at);
        let index = start.index;
        self.past.push(start);
        let settled = self.ledger.settle(self.now, start, ended.clone());
        if matches!(ended, Ended::WorkerLost(_)) {
            *self.crashes.entry(index).or_default() += 1;
        }
        let wait = match ended {
            Ended::Failed(failure) => failure.retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        if key != 0 && !wait.is_zero() && wait <= LONGEST {
            let rest = self.rest.entry(key).or_default();
            *rest = (*rest).max(self.now.saturating_add(wait));
        }
        match settled {
            Settled::Stale => panic!("a running attempt cannot be stale"),
            Settled::Again {
                index: again,
                retry,
            } => {
                assert_eq!(again, index);
                assert!(!self.stopped, "no retry after a stop");
                match retry {
                    Some(retry) => {
                        assert!(retry.delay >= wait && wait <= LONGEST);
                        self.not_before.insert(index, self.now + retry.delay);
                    }
                    None => *self.begun.get_mut(&index).unwrap() -= 1,
                }
            }
            Settled::Done(closed) => self.close(&closed, Some(ended)),
        }
    }

    fn close(&mut self, closed: &Closed<u32>, ended: Option<&Ended>) {
        assert_eq!(closed.failure.is_none(), closed.status == Status::Ok);
        if let Some(Ended::WorkerLost(_)) = ended
            && !self.stopped
        {
            let crashes = self.crashes[&closed.index];
            assert!(
                crashes > self.crash_retries || self.at_most_once,
                "given up too early"
            );
        }
        if ended == Some(&Ended::Ok) {
            assert_eq!(closed.status, Status::Ok);
        }
        let before = self.ends.insert(closed.index, closed.status);
        assert_eq!(before, None, "input {} ended twice", closed.index);
    }

    fn stop(&mut self) {
        self.ledger.stop();
        self.stopped = true;
        for closed in self.ledger.close_waiting() {
            assert_eq!(closed.status, Status::Cancelled);
            self.close(&closed, None);
        }
    }

    /// Lets everything run to its end and looks whether all is accounted for.
    fn finish(mut self) {
        for _ in 0..100_000 {
            self.start();
            if !self.running.is_empty() {
                self.settle(0, &Ended::Ok);
            } else if let Some(at) = self.ledger.wake_at() {
                self.now = self.now.max(at);
            } else {
                break;
            }
        }
        assert_eq!(
            self.ends.len(),
            usize::try_from(self.admitted).unwrap(),
            "inputs were lost"
        );
        assert_eq!(self.ledger.open(), 0);
        // Nothing is remembered of keys once their time has passed.
        self.ledger.start(Duration::MAX - millis(1));
        let remembered = self.ledger.keys.as_ref().map_or(0, Keys::remembered);
        assert!(
            self.stopped || remembered == 0,
            "{remembered} keys are left"
        );
    }
}

proptest! {
    #[test]
    fn every_input_ends_once_and_every_limit_holds(
        steps in steps(),
        retries in 0u32..4,
        per_key in proptest::option::of(1usize..3),
        key_interval in proptest::option::of(0u64..300),
        crash_retries in 0u32..3,
        at_most_once in proptest::bool::weighted(0.2),
        rate in proptest::option::of(1u32..50),
        seed: u64,
    ) {
        let mut plan = plan();
        plan.retry = Retry::times(retries);
        plan.retry.longest_wait = LONGEST;
        plan.per_key = per_key.and_then(NonZeroUsize::new);
        plan.key_interval = key_interval.map(millis);
        plan.pool.crash_retries = crash_retries;
        plan.at_most_once = at_most_once;
        plan.rate = rate.map(|rate| format!("{rate}/s").parse().unwrap());
        let mut witness = Witness {
            ledger: Ledger::new(&plan, seed, keyed()),
            now: Duration::ZERO,
            admitted: 0,
            running: Vec::new(),
            begun: HashMap::new(),
            crashes: HashMap::new(),
            not_before: HashMap::new(),
            rest: HashMap::new(),
            last_start: HashMap::new(),
            key_interval: millis(key_interval.unwrap_or_default()),
            ends: HashMap::new(),
            past: Vec::new(),
            starts: Vec::new(),
            stopped: false,
            retries,
            crash_retries,
            at_most_once,
            per_key,
        };
        for step in steps {
            witness.step(step);
        }
        if let (Some(rate), Some(last)) = (rate, witness.starts.last()) {
            let most = f64::from(rate) * (last.as_secs_f64() + 0.01) + 1.0;
            prop_assert!(witness.starts.len() as f64 <= most + 1e-6, "{} starts", witness.starts.len());
        }
        witness.finish();
    }
}
