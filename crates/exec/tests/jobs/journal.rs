//! Jobs with a journal: cut off anywhere, resumed, and nothing executed twice. Executions are counted by the task itself.

use std::{
    collections::BTreeMap,
    fs, iter,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use tempfile::{TempDir, tempdir};
use triway_core::{Model, Outcome, Plan, Status, StopReason};
use triway_exec::{
    Feed, Finished, Job,
    journal::{Durability, Found, Journal, JournalError, Opening, Recorded},
};

use crate::{
    Test,
    limits::plan,
    tasks::{Act, Script, ended},
};

pub(crate) const TESTS: &[Test] = &[
    (
        "journal::every_prefix_resumes_to_the_whole",
        every_prefix_resumes_to_the_whole,
    ),
    (
        "journal::a_changed_byte_is_found_wherever_it_is",
        a_changed_byte_is_found_wherever_it_is,
    ),
    (
        "journal::an_outcome_is_written_down_before_it_is_reported",
        an_outcome_is_written_down_before_it_is_reported,
    ),
    (
        "journal::a_resume_under_any_model_executes_what_is_left",
        a_resume_under_any_model_executes_what_is_left,
    ),
    (
        "journal::failed_inputs_are_executed_again_if_wanted",
        failed_inputs_are_executed_again_if_wanted,
    ),
    (
        "journal::other_inputs_are_refused_and_more_accepted",
        other_inputs_are_refused_and_more_accepted,
    ),
    (
        "journal::what_is_not_this_jobs_journal_is_refused",
        what_is_not_this_jobs_journal_is_refused,
    ),
    (
        "journal::earlier_failures_do_not_stop_a_job",
        earlier_failures_do_not_stop_a_job,
    ),
    (
        "journal::a_sink_that_fails_on_earlier_outcomes_is_told",
        a_sink_that_fails_on_earlier_outcomes_is_told,
    ),
    (
        "journal::many_inputs_resume_in_order",
        many_inputs_resume_in_order,
    ),
];

/// A folder with a journal and the list of executions.
struct Place {
    folder: TempDir,
}

type Of = Outcome<Act, u64>;

impl Place {
    fn new() -> Self {
        let folder = tempdir().unwrap();
        Self { folder }
    }

    fn journal(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    fn executions(&self) -> PathBuf {
        self.folder.path().join("executions")
    }

    /// How often each input was executed since this was asked last.
    fn executed(&self) -> BTreeMap<u64, usize> {
        let text = fs::read_to_string(self.executions()).unwrap_or_default();
        let _none = fs::remove_file(self.executions());
        let mut times = BTreeMap::new();
        for line in text.lines() {
            let index = line.split(' ').next().unwrap().parse().unwrap();
            *times.entry(index).or_insert(0) += 1;
        }
        times
    }

    fn job(&self, inputs: Vec<Act>, plan: Plan) -> Job<Script> {
        let ledger = Some(self.executions());
        Job::new(Script { ledger }, inputs).plan(plan)
    }

    /// Runs the job to its end, resuming.
    fn run(&self, inputs: Vec<Act>, plan: Plan) -> Finished<Vec<Of>> {
        let journal = open(&self.journal(), RESUME).unwrap();
        ended(self.job(inputs, plan).journal(journal).unwrap().run())
    }

    fn recorded(&self) -> Vec<Of> {
        let recorded = Recorded::open(&self.journal()).unwrap();
        sorted(recorded.map(Result::unwrap).collect())
    }
}

const RESUME: Opening = Opening {
    resume: true,
    retry_failed: false,
    durability: Durability::Flush,
};

fn open(path: &Path, opening: Opening) -> Result<Journal, JournalError> {
    Journal::open(path, "script", &"configuration", opening)
}

fn sorted(mut outcomes: Vec<Of>) -> Vec<Of> {
    outcomes.sort_by_key(|outcome| outcome.index);
    outcomes
}

fn indexes(outcomes: &[Of]) -> Vec<u64> {
    let mut indexes: Vec<_> = outcomes.iter().map(|outcome| outcome.index).collect();
    indexes.sort_unstable();
    indexes
}

/// Successes, failures of two kinds, and one that needs a second attempt.
fn mixed() -> Vec<Act> {
    let mut inputs: Vec<_> = (0..8).map(Act::Double).collect();
    inputs.extend([
        Act::Fail,
        Act::SucceedAt(2),
        Act::Reject,
        Act::FailPermanently,
    ]);
    inputs
}

fn mixed_plan(model: Model, lanes: usize) -> Plan {
    let mut plan = plan(model, lanes);
    plan.retry.retries = 1;
    plan.retry.base = std::time::Duration::from_micros(10);
    plan
}

fn every_prefix_resumes_to_the_whole() {
    let place = Place::new();
    let inputs = mixed();
    let first = place.run(inputs.clone(), mixed_plan(Model::Threads, 2));
    let (all, bytes) = (sorted(first.sink), fs::read(place.journal()).unwrap());
    assert_eq!(place.recorded(), all, "a journal tells all of an outcome");
    let mut most_done = 0;
    for cut in 0..bytes.len() {
        fs::write(place.journal(), &bytes[..cut]).unwrap();
        let kept = match Recorded::<Act, u64>::open(&place.journal()) {
            Ok(recorded) => recorded.map(|one| one.unwrap().index).collect(),
            Err(JournalError::Foreign(_)) => Vec::new(),
            Err(error) => panic!("{cut}: {error}"),
        };
        place.executed();
        let again = place.run(inputs.clone(), mixed_plan(Model::Sequential, 1));
        let executed = place.executed();
        for index in 0..inputs.len() as u64 {
            let skipped = !executed.contains_key(&index);
            assert_eq!(skipped, kept.contains(&index), "{index} after {cut}");
        }
        assert_eq!(again.summary.earlier, kept.len() as u64, "{cut}");
        let again = sorted(again.sink);
        assert_eq!(indexes(&again), (0..12).collect::<Vec<_>>(), "{cut}");
        for (one, other) in all.iter().zip(&again) {
            let of = |it: &Of| (it.status, it.output, it.input.clone(), it.attempts);
            assert_eq!(of(one), of(other), "{cut}");
        }
        assert_eq!(place.recorded(), again, "{cut}");
        most_done = most_done.max(kept.len());
    }
    assert_eq!(most_done, inputs.len());
}

fn a_changed_byte_is_found_wherever_it_is() {
    let place = Place::new();
    let inputs = mixed();
    place.run(inputs.clone(), mixed_plan(Model::Threads, 2));
    let bytes = fs::read(place.journal()).unwrap();
    let (mut damaged, mut dropped) = (0, 0);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << fastrand::u8(..8);
        fs::write(place.journal(), &changed).unwrap();
        match open(&place.journal(), RESUME).map(|journal| journal.found()) {
            Err(JournalError::Damaged { offset, .. }) => {
                damaged += 1;
                assert!(offset <= at as u64, "{offset} is told of {at}");
                assert_eq!(fs::read(place.journal()).unwrap(), changed);
            }
            Err(JournalError::Foreign(_) | JournalError::OtherVersion(_)) => {
                assert!(at < 17, "{at}");
            }
            Err(JournalError::HeaderDamaged(_)) => {
                damaged += 1;
                assert!((17..100).contains(&at), "{at}");
            }
            // The last record, which says how many inputs there were.
            Ok(found) => {
                dropped += 1;
                assert_eq!((found.outcomes, found.inputs), (12, None), "{at}");
            }
            Err(error) => panic!("{at}: {error}"),
        }
    }
    assert_eq!((dropped, damaged), (16 + 9, bytes.len() - 17 - 25));
}

fn an_outcome_is_written_down_before_it_is_reported() {
    for durability in [Durability::Flush, Durability::Full] {
        let place = Place::new();
        let opening = Opening {
            durability,
            ..RESUME
        };
        let journal = open(&place.journal(), opening).unwrap();
        let path = place.journal();
        let seen = Arc::new(Mutex::new(0));
        let count = Arc::clone(&seen);
        let job = place.job((0..300).map(Act::Double).collect(), plan(Model::Threads, 2));
        let job = job.journal(journal).unwrap().run_each(move |outcome| {
            let recorded = Recorded::<Act, u64>::open(&path).unwrap();
            let mut indexes = recorded.map(|one| one.unwrap().index);
            assert!(indexes.any(|index| index == outcome.index));
            *count.lock().unwrap() += 1;
            Ok(())
        });
        assert_eq!(ended(job).summary.succeeded, 300);
        assert_eq!(*seen.lock().unwrap(), 300);
    }
}

/// Ten inputs of twenty; the rest under each model and durability.
fn a_resume_under_any_model_executes_what_is_left() {
    let durabilities = [Durability::None, Durability::Flush, Durability::Full];
    for (model, durability) in Model::ALL.into_iter().zip(durabilities.into_iter().cycle()) {
        let place = Place::new();
        let inputs: Vec<_> = (0..20).map(Act::Double).collect();
        place.run(inputs[..10].to_vec(), plan(Model::Threads, 2));
        place.executed();
        let opening = Opening {
            durability,
            ..RESUME
        };
        let journal = open(&place.journal(), opening).unwrap();
        let found = journal.found();
        assert_eq!((found.done, found.inputs), (10, Some(10)));
        let job = place.job(inputs.clone(), plan(model, 3));
        let done = ended(job.journal(journal).unwrap().run());
        assert_eq!((done.summary.succeeded, done.summary.earlier), (20, 10));
        let expected: BTreeMap<_, _> = (10..20).zip(iter::repeat(1)).collect();
        assert_eq!(place.executed(), expected, "{model}");
        assert_eq!(place.recorded(), sorted(done.sink), "{model}");
        let third = place.run(inputs, plan(model, 1));
        assert_eq!(third.summary.earlier, 20, "{model}");
        assert!(place.executed().is_empty(), "{model}");
    }
}

fn failed_inputs_are_executed_again_if_wanted() {
    let place = Place::new();
    place.run(mixed(), plan(Model::Threads, 2));
    assert_eq!(place.executed().len(), 12);
    place.run(mixed(), mixed_plan(Model::Threads, 2));
    assert!(place.executed().is_empty(), "a failure is an end");
    let opening = Opening {
        retry_failed: true,
        ..RESUME
    };
    let journal = open(&place.journal(), opening).unwrap();
    let Found { outcomes, done, .. } = journal.found();
    assert_eq!((outcomes, done), (12, 8));
    let job = place.job(mixed(), mixed_plan(Model::Threads, 2));
    let done = ended(job.journal(journal).unwrap().run());
    let executed: Vec<_> = place.executed().into_keys().collect();
    assert_eq!(executed, [8, 9, 10, 11], "those that failed, and no other");
    assert_eq!(done.summary.succeeded, 9, "one needed two attempts");
    assert_eq!(place.recorded(), sorted(done.sink), "the latest counts");
}

fn other_inputs_are_refused_and_more_accepted() {
    let doubles = |numbers: &[u64]| numbers.iter().copied().map(Act::Double).collect::<Vec<_>>();
    for (inputs, says) in [
        (doubles(&[0, 1, 9, 3]), Some("input 3 is not")),
        (doubles(&[1, 0, 2, 3]), Some("input 1 is not")),
        (doubles(&[0, 1, 2]), Some("there are 3 inputs")),
        (doubles(&[]), Some("there are 0 inputs")),
        (doubles(&[0, 1, 2, 3]), None),
        (doubles(&[0, 1, 2, 3, 4]), None),
    ] {
        let place = Place::new();
        place.run(doubles(&[0, 1, 2, 3]), plan(Model::Threads, 2));
        place.executed();
        let before = fs::read(place.journal()).unwrap();
        let journal = open(&place.journal(), RESUME).unwrap();
        // From a source that is slow and can be read only once.
        let length = inputs.len();
        let slow = inputs.into_iter().map(|input| {
            std::thread::sleep(std::time::Duration::from_millis(2));
            Ok(input)
        });
        let ledger = Some(place.executions());
        let job = Job::from_source(Script { ledger }, Feed::new(slow, |_| 1, 1 << 20));
        let job = job.plan(plan(Model::Async, 3)).journal(journal).unwrap();
        let done = ended(job.run());
        let Some(says) = says else {
            assert_eq!(done.summary.stopped, None);
            assert_eq!(done.sink.len(), length);
            assert_eq!(place.executed().len(), length - 4);
            continue;
        };
        let Some(StopReason::OtherInputs(told)) = done.summary.stopped else {
            panic!("it was not refused: {:?}", done.summary);
        };
        assert!(told.starts_with(says), "{told}");
        assert!(place.executed().is_empty() && done.sink.is_empty());
        assert_eq!(fs::read(place.journal()).unwrap(), before);
    }
}

fn what_is_not_this_jobs_journal_is_refused() {
    let place = Place::new();
    let path = place.journal();
    place.run(vec![Act::Double(1)], plan(Model::Threads, 1));
    let fresh = Opening::default();
    let refused = |configuration: &str, task: &str, opening| {
        let opened = Journal::open(&path, task, &configuration, opening);
        opened.map(drop).unwrap_err()
    };
    for (error, says) in [
        (refused("configuration", "script", fresh), "of 1 inputs"),
        (
            refused("another", "script", RESUME),
            "another configuration",
        ),
        (refused("configuration", "http", RESUME), "task script, not"),
    ] {
        assert!(error.to_string().contains(says), "{error}");
    }
    let held = open(&path, RESUME).unwrap();
    let error = open(&path, RESUME).unwrap_err();
    assert!(matches!(error, JournalError::InUse(_)), "{error}");
    drop(held);
    drop(open(&path, RESUME).unwrap());
    fs::write(&path, "https://example.org/\n").unwrap();
    let error = open(&path, RESUME).unwrap_err();
    assert!(matches!(error, JournalError::Foreign(_)), "{error}");
    let error = open(Path::new("/dev/full"), RESUME).unwrap_err();
    assert!(matches!(error, JournalError::NotPlain(_)), "{error}");
}

fn earlier_failures_do_not_stop_a_job() {
    let place = Place::new();
    let inputs = [vec![Act::Fail; 2], vec![Act::Sleep(20); 20]].concat();
    let mut plan = plan(Model::Sequential, 1);
    plan.max_failures = Some(triway_core::FailureLimit::Count(0));
    let first = place.run(inputs.clone(), plan.clone());
    assert_eq!(first.summary.stopped, Some(StopReason::FailureLimit));
    assert!(first.sink.iter().any(|it| it.status == Status::Cancelled));
    let recorded = place.recorded();
    assert!(recorded.iter().all(|it| it.status != Status::Cancelled));
    assert!((2..22).contains(&recorded.len()));
    plan.max_failures = Some(triway_core::FailureLimit::Count(0));
    let second = place.run(inputs, plan);
    assert_eq!(second.summary.stopped, None);
    assert_eq!((second.summary.succeeded, second.summary.failed), (20, 2));
}

/// Also at the last of them, when nothing is left to execute.
fn a_sink_that_fails_on_earlier_outcomes_is_told() {
    let place = Place::new();
    let inputs = vec![Act::Double(1); 3];
    place.run(inputs.clone(), plan(Model::Threads, 1));
    let journal = open(&place.journal(), RESUME).unwrap();
    let job = place.job(inputs, plan(Model::Threads, 1));
    let full = |outcome: Of| match outcome.index {
        2 => Err(std::io::ErrorKind::StorageFull.into()),
        _ => Ok(()),
    };
    let Finished { summary, .. } = ended(job.journal(journal).unwrap().run_each(full));
    assert_eq!((summary.earlier, summary.undelivered), (3, 1));
    let stopped = summary.stopped;
    assert!(
        matches!(stopped, Some(StopReason::Undeliverable(_))),
        "{stopped:?}"
    );
}

/// More than the table holds in memory, read back in the order of the inputs.
fn many_inputs_resume_in_order() {
    const ALL: u64 = 300_000;
    let place = Place::new();
    let inputs = |range| Job::new(Script::default(), Iterator::map(range, Act::Double));
    let mut plan = Plan::new(Model::Threads, NonZeroUsize::new(4).unwrap());
    let journal = open(&place.journal(), Opening::default()).unwrap();
    let first = inputs(0..ALL).plan(plan.clone()).journal(journal).unwrap();
    let first = ended(first.run_each(|_| Ok(())));
    assert_eq!(first.summary.succeeded, ALL);
    plan.keep_order = true;
    let journal = open(&place.journal(), RESUME).unwrap();
    let second = inputs(0..ALL + 10).plan(plan).journal(journal).unwrap();
    let mut next = 0;
    let second = ended(second.run_each(move |outcome| {
        assert_eq!((outcome.index, outcome.output), (next, Some(next * 2)));
        next += 1;
        Ok(())
    }));
    assert_eq!(
        (second.summary.earlier, second.summary.succeeded),
        (ALL, ALL + 10)
    );
}
