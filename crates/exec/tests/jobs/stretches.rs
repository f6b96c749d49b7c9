//! Jobs that change their model on the way: every input keeps its one outcome, and is executed once.

use std::{
    fs,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use triway_core::{Context, Failure, Forms, Model, Outcome, Plan, StopReason, Task};
use triway_exec::{
    Job, Sink,
    journal::{Durability, Journal, Opening},
    stretch::{Asked, Course, Pilot, Ran, Stretch},
};

use crate::{
    Test,
    models::lanes,
    processes::workers_of,
    tasks::{Act, OnlyBlocking, Script, Unmakeable, ended, within},
};

pub(crate) const TESTS: &[Test] = &[
    (
        "stretches::each_input_is_executed_once_whatever_it_runs_under",
        each_input_is_executed_once_whatever_it_runs_under,
    ),
    (
        "stretches::one_that_has_no_more_time_ends",
        one_that_has_no_more_time_ends,
    ),
    (
        "stretches::one_that_has_handed_out_all_it_may_ends_in_time_as_well",
        one_that_has_handed_out_all_it_may_ends_in_time_as_well,
    ),
    (
        "stretches::a_pilot_may_end_the_job",
        a_pilot_may_end_the_job,
    ),
    (
        "stretches::what_cannot_run_is_told_and_another_asked_for",
        what_cannot_run_is_told_and_another_asked_for,
    ),
    (
        "stretches::whoever_watches_may_end_one",
        whoever_watches_may_end_one,
    ),
    (
        "stretches::retries_go_on_in_the_next_one",
        retries_go_on_in_the_next_one,
    ),
    (
        "stretches::one_may_begin_with_nothing_but_what_waits",
        one_may_begin_with_nothing_but_what_waits,
    ),
    (
        "stretches::one_that_loses_its_lanes_may_be_done_without",
        one_that_loses_its_lanes_may_be_done_without,
    ),
    (
        "stretches::lanes_go_on_where_the_next_one_has_the_same",
        lanes_go_on_where_the_next_one_has_the_same,
    ),
    (
        "stretches::more_lanes_may_stand_ready_than_are_at_work",
        more_lanes_may_stand_ready_than_are_at_work,
    ),
    ("stretches::a_stop_is_told", a_stop_is_told),
    (
        "stretches::what_has_settled_is_told_before_its_turn_comes",
        what_has_settled_is_told_before_its_turn_comes,
    ),
    (
        "stretches::a_job_awaited_changes_its_model_too",
        a_job_awaited_changes_its_model_too,
    ),
    (
        "stretches::what_async_attempts_leave_behind_lives_on",
        what_async_attempts_leave_behind_lives_on,
    ),
];

/// So many inputs under a model with two lanes, or all that are left.
fn stretch(model: Model, most_inputs: Option<u64>) -> Stretch {
    let mut stretch = Stretch::new(Plan::new(model, lanes(2)));
    stretch.most_inputs = most_inputs;
    stretch
}

type Told = Arc<Mutex<Vec<Ran>>>;

/// Goes through these and writes down what came of each.
fn through(stretches: Vec<Stretch>) -> (Pilot, Told) {
    let told = Told::default();
    let kept = Arc::clone(&told);
    let mut stretches = stretches.into_iter();
    let pilot = Box::new(move |asked: Asked<'_>| {
        match asked {
            Asked::Ended(ran) => kept.lock().unwrap().push(ran.clone()),
            Asked::Watching { .. } | Asked::Idle(_) => return Course::Stay,
            _ => {}
        }
        match stretches.next() {
            Some(stretch) => Course::Next(Box::new(stretch)),
            None => Course::End,
        }
    });
    (pilot, told)
}

fn every_model(each: u64) -> Vec<Stretch> {
    let models = Model::ALL.into_iter().chain(Model::PLAIN);
    let last = stretch(Model::Threads, None);
    let most = |model| stretch(model, Some(each));
    models.map(most).chain([last]).collect()
}

fn each_input_is_executed_once_whatever_it_runs_under() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, journal) = (folder.path().join("ledger"), folder.path().join("journal"));
    let inputs: Vec<Act> = (0..500).map(Act::Double).collect();
    let opening = Opening {
        resume: false,
        retry_failed: false,
        durability: Durability::Flush,
    };
    let journal = Journal::open(&journal, "script", &"configuration", opening).unwrap();
    let (pilot, told) = through(every_model(40));
    let task = Script {
        ledger: Some(ledger.clone()),
    };
    let done = ended(
        Job::new(task, inputs)
            .journal(journal)
            .unwrap()
            .steer(pilot)
            .run(),
    );
    let mut doubled: Vec<_> = done
        .sink
        .iter()
        .map(|one| (one.index, one.output))
        .collect();
    doubled.sort_unstable();
    let expected: Vec<_> = (0..500).map(|n| (n, Some(2 * n))).collect();
    assert_eq!(doubled, expected);
    assert_eq!((done.summary.succeeded, done.summary.admitted), (500, 500));
    assert_eq!(done.summary.stopped, None);
    let mut executed: Vec<String> = fs::read_to_string(ledger)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(executed.len(), 500);
    executed.sort_unstable();
    executed.dedup();
    assert_eq!(executed.len(), 500, "none twice");
    let told = told.lock().unwrap();
    let started: Vec<u64> = told.iter().map(|ran| ran.started).collect();
    assert_eq!(started, [40, 40, 40, 40, 40, 40, 40, 40, 40, 140]);
    let exhausted = told.iter().filter(|ran| ran.exhausted).count();
    assert_eq!(exhausted, 1, "the last alone");
    assert_eq!(workers_of(std::process::id()), [0; 0], "left over");
}

fn one_that_has_no_more_time_ends() {
    for model in Model::ALL {
        let mut first = stretch(model, None);
        first.most_time = Some(Duration::from_millis(60));
        let (pilot, told) = through(vec![first, stretch(Model::Async, None)]);
        let inputs = vec![Act::Sleep(20); 60];
        let done = ended(Job::new(Script::default(), inputs).steer(pilot).run());
        assert_eq!(done.summary.succeeded, 60, "{model}");
        let told = told.lock().unwrap();
        let [first, second] = &told[..] else {
            panic!("{model}: {told:?}");
        };
        assert!(
            first.started >= 2 && first.started < 60,
            "{model}: {first:?}"
        );
        assert_eq!(first.started + second.started, 60, "{model}");
    }
}

/// What stands ready for a lane that is still busy has not begun.
fn one_that_has_handed_out_all_it_may_ends_in_time_as_well() {
    for model in Model::ALL {
        let mut first = stretch(model, Some(2));
        first.plan.concurrency = NonZeroUsize::MIN;
        first.most_time = Some(Duration::from_millis(100));
        let (pilot, told) = through(vec![first, stretch(Model::Async, None)]);
        let inputs = vec![Act::Sleep(300); 4];
        let done = ended(Job::new(Script::default(), inputs).steer(pilot).run());
        assert_eq!(done.summary.succeeded, 4, "{model}");
        let told = told.lock().unwrap();
        let started: Vec<u64> = told.iter().map(|ran| ran.started).collect();
        assert_eq!(started, [1, 3], "{model}: {told:?}");
    }
}

fn a_pilot_may_end_the_job() {
    let (pilot, _) = through(vec![stretch(Model::Threads, Some(7))]);
    let inputs: Vec<Act> = (0..1_000_000).map(Act::Double).collect();
    let done = ended(Job::new(Script::default(), inputs).steer(pilot).run());
    assert_eq!(done.summary.stopped, Some(StopReason::Enough));
    assert_eq!(done.summary.succeeded, 7);
    assert!(done.summary.unread_from.is_some());
    let others = done.sink.iter().filter(|outcome| !outcome.is_ok());
    assert!(others.into_iter().all(|outcome| outcome.attempts == 0));
}

fn what_cannot_run_is_told_and_another_asked_for() {
    let stretches = vec![
        stretch(Model::Threads, Some(2)),
        stretch(Model::Async, Some(2)),
        stretch(Model::Threads, None),
    ];
    let (pilot, told) = through(stretches);
    let done = ended(Job::new(OnlyBlocking, 0..10).steer(pilot).run());
    assert_eq!(done.summary.succeeded, 10);
    let told = told.lock().unwrap();
    let refused: Vec<bool> = told.iter().map(|ran| ran.refused.is_some()).collect();
    assert_eq!(refused, [false, true, false]);
}

/// The watch comes while the stretch goes on, and what no lane has begun is for the next one.
fn whoever_watches_may_end_one() {
    let mut first = stretch(Model::Threads, None);
    first.watch = Some(Duration::from_millis(50));
    let mut watched = 0;
    let mut others = vec![stretch(Model::Async, None), first];
    let pilot = Box::new(move |asked: Asked<'_>| match asked {
        Asked::Watching { .. } => {
            watched += 1;
            match watched {
                3 => Course::End,
                _ => Course::Stay,
            }
        }
        Asked::Idle(_) => Course::Stay,
        _ => others
            .pop()
            .map_or(Course::End, |next| Course::Next(Box::new(next))),
    });
    let inputs = vec![Act::Sleep(20); 100];
    let done = ended(Job::new(Script::default(), inputs).steer(pilot).run());
    assert_eq!(done.summary.succeeded, 100);
    assert_eq!(done.summary.model, Model::Async);
}

fn retries_go_on_in_the_next_one() {
    let mut plan = Plan::new(Model::Threads, NonZeroUsize::MIN);
    plan.retry = triway_core::Retry::times(3);
    plan.retry.base = Duration::from_millis(50);
    let (pilot, _) = through(vec![
        stretch(Model::Threads, Some(1)),
        stretch(Model::Async, None),
    ]);
    let job = Job::new(Script::default(), vec![Act::Fail; 2]).plan(plan);
    let done = ended(job.steer(pilot).run());
    let attempts: Vec<u32> = done.sink.iter().map(|outcome| outcome.attempts).collect();
    assert_eq!(attempts, [4, 4]);
}

/// No lane is there yet that asks whether the time to try again has come.
fn one_may_begin_with_nothing_but_what_waits() {
    for model in Model::ALL {
        let mut plan = Plan::new(Model::Threads, NonZeroUsize::MIN);
        plan.retry = triway_core::Retry::times(1);
        let (pilot, _) = through(vec![stretch(Model::Threads, Some(1)), stretch(model, None)]);
        let ask = Act::Ask {
            host: 0,
            ready_at: 2,
            wait: 100,
        };
        let job = Job::new(Script::default(), vec![ask]).plan(plan);
        let done = within(Duration::from_secs(10), || ended(job.steer(pilot).run()));
        assert_eq!(done.summary.succeeded, 1, "{model}");
    }
}

fn one_that_loses_its_lanes_may_be_done_without() {
    let mut first = stretch(Model::Processes, Some(4));
    first.dispensable = true;
    let (pilot, told) = through(vec![first, stretch(Model::Threads, None)]);
    let done = ended(Job::new(Unmakeable, 0..10).steer(pilot).run());
    // It has nothing to do for an input, but it is asked.
    assert_eq!((done.summary.failed, done.summary.stopped), (10, None));
    assert_eq!(done.summary.model, Model::Threads);
    let told = told.lock().unwrap();
    let refused: Vec<bool> = told.iter().map(|ran| ran.refused.is_some()).collect();
    assert_eq!(refused, [true, false]);
}

/// And all attempts end in the processes that have begun.
fn lanes_go_on_where_the_next_one_has_the_same() {
    for (second, kept) in [(Model::Processes, true), (Model::Hybrid, false)] {
        let mut first = Some(stretch(Model::Processes, Some(20)));
        let told = Told::default();
        let ended_ones = Arc::clone(&told);
        let pilot = Box::new(move |asked: Asked<'_>| match asked {
            Asked::Watching { .. } => Course::Stay,
            Asked::Ended(ran) => {
                ended_ones.lock().unwrap().push(ran.clone());
                Course::Next(Box::new(stretch(Model::Processes, None)))
            }
            _ => {
                let mut next = first.take().unwrap_or_else(|| stretch(second, None));
                next.watch = Some(Duration::from_millis(5));
                Course::Next(Box::new(next))
            }
        });
        let inputs = vec![Act::Process; 200];
        let done = ended(Job::new(Script::default(), inputs).steer(pilot).run());
        assert_eq!(done.summary.succeeded, 200);
        let mut processes: Vec<_> = done.sink.iter().map(|it| it.output.unwrap()).collect();
        processes.sort_unstable();
        processes.dedup();
        let told = told.lock().unwrap();
        assert_eq!(told.len(), if kept { 1 } else { 2 }, "{told:?}");
        assert!(!kept || processes.len() <= 2, "{processes:?}");
        let started = told.last().map(|ran| ran.started);
        assert_eq!(started, Some(180), "{told:?}");
    }
}

/// A later stretch has them at work, and none has to be started for that.
fn more_lanes_may_stand_ready_than_are_at_work() {
    for model in [Model::Threads, Model::Async, Model::Hybrid] {
        let of = |at_once, most_inputs| {
            let mut stretch = Stretch::new(Plan::new(model, lanes(6)));
            stretch.plan.pool.processes = NonZeroUsize::new(1);
            stretch.at_once = NonZeroUsize::new(at_once);
            stretch.most_inputs = most_inputs;
            Course::Next(Box::new(stretch))
        };
        let mut courses = [of(1, Some(20)), of(3, Some(30)), of(0, None)].into_iter();
        let told = Told::default();
        let ended_ones = Arc::clone(&told);
        let pilot = Box::new(move |asked: Asked<'_>| match asked {
            Asked::Watching { .. } => Course::Stay,
            Asked::Ended(ran) => {
                ended_ones.lock().unwrap().push(ran.clone());
                Course::End
            }
            _ => courses.next().unwrap_or(Course::End),
        });
        let job = Job::new(Script::default(), vec![Act::Sleep(4); 200]);
        let done = ended(job.steer(pilot).run());
        assert_eq!(done.summary.succeeded, 200, "{model}");
        assert_eq!(told.lock().unwrap().len(), 1, "{model}: {told:?}");
        let mut ran: Vec<_> = done.sink.iter().map(|it| (it.started, it.run)).collect();
        ran.sort_unstable();
        for (from, until, most) in [(0, 20, 1), (20, 50, 3), (50, 200, 6)] {
            let here = &ran[from..until];
            let beside = |at: &Duration| {
                let runs =
                    |(began, run): &&(Duration, Duration)| began <= at && *at < *began + *run;
                here.iter().filter(runs).count()
            };
            let found = here.iter().map(|(began, _)| beside(began)).max();
            assert_eq!(found, Some(most), "{model}");
        }
    }
}

fn a_stop_is_told() {
    let (pilot, told) = through(vec![
        stretch(Model::Threads, Some(3)),
        stretch(Model::Threads, None),
    ]);
    let mut plan = Plan::new(Model::Threads, NonZeroUsize::MIN);
    plan.max_failures = Some(triway_core::FailureLimit::Count(5));
    let job = Job::new(Script::default(), vec![Act::FailPermanently; 100]).plan(plan);
    let done = ended(job.steer(pilot).run());
    assert_eq!(done.summary.stopped, Some(StopReason::FailureLimit));
    let told = told.lock().unwrap();
    let stopped: Vec<bool> = told.iter().map(|ran| ran.stopped).collect();
    assert_eq!(stopped, [false, true]);
}

/// Writes down in which order inputs settle, and in which order their outcomes are passed on.
#[derive(Default)]
struct Turns {
    settled: Vec<u64>,
    passed: Vec<u64>,
}

impl Sink<Script> for Turns {
    fn outcome(&mut self, outcome: Outcome<Act, u64>) -> std::io::Result<()> {
        self.passed.push(outcome.index);
        Ok(())
    }

    fn settled(&mut self, outcome: &Outcome<Act, u64>) {
        self.settled.push(outcome.index);
    }
}

fn what_has_settled_is_told_before_its_turn_comes() {
    let mut plan = Plan::new(Model::Threads, lanes(2));
    plan.keep_order = true;
    let inputs = vec![Act::Sleep(200), Act::Double(1), Act::Double(2)];
    let job = Job::new(Script::default(), inputs).plan(plan);
    let done = ended(job.run_into(Turns::default()));
    assert_eq!(done.sink.settled.len(), 3);
    assert_eq!(done.sink.settled.last(), Some(&0));
    assert_eq!(done.sink.passed, [0, 1, 2]);
}

fn a_job_awaited_changes_its_model_too() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let inputs: Vec<Act> = (0..500).map(Act::Double).collect();
    let (pilot, _) = through(every_model(40));
    let done = runtime.block_on(async {
        let job = Job::new(Script::default(), inputs).steer(pilot).run();
        tokio::time::timeout(Duration::from_secs(60), job).await
    });
    assert_eq!(done.unwrap().unwrap().summary.succeeded, 500);
}

/// The first attempt leaves a coroutine behind, as a client leaves one for its open connection.
#[derive(Debug, Default)]
struct Leaving {
    beats: Arc<AtomicU64>,
}

impl Task for Leaving {
    type Input = u64;
    /// How often the coroutine was polled while an attempt lasted.
    type Output = u64;
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Both
    }

    fn run_blocking(&self, (): &mut (), _: &u64, _: &Context<'_>) -> Result<u64, Failure> {
        Ok(0)
    }

    async fn run_async(&self, (): &mut (), input: &u64, _: &Context<'_>) -> Result<u64, Failure> {
        if *input == 0 {
            let beats = Arc::clone(&self.beats);
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    beats.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let before = self.beats.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok(self.beats.load(Ordering::Relaxed) - before)
    }
}

fn what_async_attempts_leave_behind_lives_on() {
    let one = |model| {
        let mut one = stretch(model, Some(1));
        one.plan = Plan::new(model, lanes(1));
        one
    };
    let models = [Model::Async, Model::Threads, Model::Async];
    let (pilot, told) = through(models.map(one).to_vec());
    let job = Job::new(Leaving::default(), vec![0, 1, 2]);
    let done = ended(job.steer(pilot).run());
    assert_eq!(told.lock().unwrap().len(), 3);
    let beats: Vec<_> = done.sink.iter().map(|it| it.output.unwrap()).collect();
    assert!(beats[0] > 0 && beats[1] == 0, "{beats:?}");
    assert!(
        beats[2] > 0,
        "it was gone in the second async stretch: {beats:?}"
    );
}
