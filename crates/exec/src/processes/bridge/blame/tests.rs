//! Deaths and suspects under random histories: a worker with several slots, inputs that kill it, and deaths that are
//! nobody's fault, with the ledger that keeps count.

use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZeroUsize,
    time::Duration,
};

use proptest::prelude::*;
use triway_core::{Model, Plan, Status};

use super::*;
use crate::ledger::{Ended, Ledger, Settled, Start};

#[test]
fn only_what_ran_is_blamed() {
    let mut window = Window::new();
    for letter in "abcdef".chars() {
        window.push(letter);
    }
    window.take(0);
    let at = Moment(9);
    let running = [1, 3, 0].map(|place| Running {
        place,
        since: at,
        holds: true,
    });
    let fates = fates(&mut window, &running, &[3]);
    let expected = [
        ('b', Fate::Running(at)),
        ('d', Fate::Overdue(at)),
        ('f', Fate::Untouched),
        ('e', Fate::Untouched),
        ('c', Fate::Untouched),
    ];
    assert_eq!(
        fates, expected,
        "`a` has its outcome, although its slot says it runs"
    );
    assert!(window.is_empty());
}

const NOW: Duration = Duration::ZERO;

/// One worker and those that come after it.
struct Pool {
    ledger: Ledger<()>,
    slots: usize,
    batch: usize,
    at_most_once: bool,
    poison: Vec<bool>,
    /// What the worker has, by place; it works them off in their order.
    held: BTreeMap<u64, Start>,
    window: Window<Start>,
    suspects: VecDeque<Start>,
    alone: bool,
    executions: BTreeMap<u64, u32>,
    begun: Vec<u64>,
    ends: BTreeMap<u64, Status>,
}

impl Pool {
    fn supply(&mut self) {
        if let Some(suspect) = self.suspects.front().copied() {
            if self.held.is_empty() {
                self.suspects.pop_front();
                self.alone = true;
                self.give(suspect);
            }
            return;
        }
        if self.alone && !self.held.is_empty() {
            return;
        }
        self.alone = false;
        while self.held.len() < self.slots * self.batch
            && let Some(start) = self.ledger.start(NOW)
        {
            self.give(start);
        }
    }

    fn give(&mut self, start: Start) {
        self.held.insert(self.window.end(), start);
        self.window.push(start);
    }

    /// The places that the slots are at.
    fn running(&mut self) -> Vec<u64> {
        let slots = if self.alone { 1 } else { self.slots };
        let places: Vec<u64> = self.held.keys().copied().take(slots).collect();
        for place in &places {
            if !self.begun.contains(place) {
                self.begun.push(*place);
                let index = self.held[place].index;
                *self.executions.entry(index).or_default() += 1;
            }
        }
        places
    }

    /// One of those that run comes to its end, or takes its worker along.
    fn step(&mut self, which: usize, accident: bool) {
        let running = self.running();
        let place = running[which % running.len()];
        let start = self.held[&place];
        // An accident that meets one that runs alone would be charged to it, as nobody could tell the difference.
        let accident = accident && running.len() > 1;
        if self.poison[usize::try_from(start.index).unwrap()] || accident {
            return self.die(&running);
        }
        self.held.remove(&place);
        assert_eq!(self.window.take(place), Some(start));
        self.settle(start, Ended::Ok);
    }

    fn die(&mut self, running: &[u64]) {
        let since = Moment(0);
        let at = |place: &u64| Running {
            place: *place,
            since,
            holds: true,
        };
        let running: Vec<_> = running.iter().map(at).collect();
        let alone = self.alone || self.slots == 1;
        for (start, fate) in fates(&mut self.window, &running, &[]) {
            match verdict(fate, alone, self.at_most_once) {
                Verdict::NotStarted => self.settle(start, Ended::NotStarted),
                Verdict::Suspect => self.suspects.push_back(start),
                Verdict::Charged(_) => self.settle(start, Ended::WorkerLost(lost("it died"))),
                Verdict::Overdue(_) => panic!("nothing was overdue"),
            }
        }
        self.held.clear();
        self.begun.clear();
        assert!(self.window.is_empty());
    }

    fn settle(&mut self, start: Start, ended: Ended) {
        if let Settled::Done(closed) = self.ledger.settle(NOW, start, ended) {
            let before = self.ends.insert(closed.index, closed.status);
            assert_eq!(before, None, "input {} ended twice", closed.index);
        }
    }
}

proptest! {
    #[test]
    fn suspects_are_acquitted_and_culprits_charged(
        poison in proptest::collection::vec(proptest::bool::weighted(0.15), 1..30),
        slots in 1usize..5,
        batch in 1usize..5,
        crash_retries in 0u32..3,
        at_most_once: bool,
        steps in proptest::collection::vec((any::<usize>(), proptest::bool::weighted(0.1)), 2000),
    ) {
        let mut plan = Plan::new(Model::Hybrid, NonZeroUsize::MIN);
        plan.pool.crash_retries = crash_retries;
        plan.at_most_once = at_most_once;
        let mut pool = Pool {
            ledger: Ledger::new(&plan, 1, Box::new(|()| None)),
            slots,
            batch,
            at_most_once,
            poison,
            held: BTreeMap::new(),
            window: Window::new(),
            suspects: VecDeque::new(),
            alone: false,
            executions: BTreeMap::new(),
            begun: Vec::new(),
            ends: BTreeMap::new(),
        };
        for index in 0..pool.poison.len() as u64 {
            pool.ledger.admit(NOW, index, ());
        }
        let mut steps = steps.into_iter();
        while pool.ledger.open() > 0 {
            pool.supply();
            let (which, accident) = steps.next().expect("it comes to an end");
            pool.step(which, accident);
        }
        for (index, poison) in pool.poison.iter().enumerate() {
            let (index, executions) = (index as u64, pool.executions[&(index as u64)]);
            let charged = pool.ends[&index] == Status::WorkerLost;
            if at_most_once {
                prop_assert_eq!(executions, 1);
                prop_assert!(charged || !poison, "a culprit got away");
            } else {
                prop_assert_eq!(charged, *poison, "input {}", index);
            }
        }
    }
}
