//! What measurements say in plain words: evidence line by line, what would change the advice, and the verdict.

use triway_core::Model;

use super::{
    advice::{Character, Evidence},
    character::{SPARE, Traits, fails_by_itself},
    interval::Undecided,
    setting::{NEARLY, Setting},
    slice::{Situation, Slice},
};
use crate::{
    figures::{bytes, per_cent, time},
    report::Estimate,
};

/// All that can be said something about.
pub(super) struct Facts<'a, 'b> {
    pub(super) situation: &'b Situation,
    pub(super) slices: &'a [Slice],
    pub(super) settings: &'b [Setting<'a>],
    pub(super) sequential: &'b Setting<'a>,
    pub(super) best: &'b Setting<'a>,
    pub(super) gain: Option<Estimate>,
    pub(super) undecided: &'b [Undecided],
    pub(super) traits: Traits,
    pub(super) character: Character,
}

/// An interval whose ends are so many times apart tells of its lower end alone.
const VAGUE: f64 = 8.0;
/// So many times what lanes could do at the most was measured on other inputs.
const IMPOSSIBLE: f64 = 4.0;
/// A machine that varies by more than this is called noisy.
const NOISY: f64 = 0.05;

/// Figures, and what each means.
pub(super) fn evidence(facts: &Facts<'_, '_>) -> Vec<Evidence> {
    let sequential = facts.sequential;
    let mut lines = vec![line(
        "input-duration",
        sequential.run(),
        format!("an input takes {} by itself", time(sequential.run())),
    )];
    lines.extend(spread(sequential));
    lines.extend(sizes(sequential));
    if let Some(share) = sequential.cpu_share() {
        let meaning = format!(
            "{} of that it has a processor; the rest it waits",
            per_cent(share)
        );
        lines.push(line("cpu-share", share, meaning));
    }
    lines.extend(two_lanes(facts));
    lines.extend(inside(facts));
    let best = facts.best;
    let meaning = format!(
        "{} does {} inputs a second",
        setting(best.model, best.concurrency),
        number(best.rate())
    );
    lines.push(line("throughput", best.rate(), meaning));
    let meaning = format!("its lanes stand ready after {}", time(best.startup()));
    lines.push(line("start-up", best.startup(), meaning));
    lines.extend(limits(facts));
    if let Some(ratio) = facts.situation.two_threads {
        let meaning = format!("two processors of this machine do {ratio:.2} times as much as one");
        lines.push(line("spare-processors", ratio, meaning));
    }
    // Beside one lane that had no success, any other does infinitely much.
    lines.retain(|line| line.value.is_finite());
    lines
}

/// How evenly inputs take, over all slices of one at a time.
#[expect(
    clippy::cast_precision_loss,
    reason = "a spread needs no more digits than a float has"
)]
fn spread(sequential: &Setting<'_>) -> Option<Evidence> {
    let inputs = sequential.inputs();
    let mean = sequential.run();
    let squares = |slice: &&Slice| {
        let count = slice.inputs as f64;
        (count - 1.0) * slice.run_sd_s.powi(2) + count * (slice.run_s - mean).powi(2)
    };
    let squares: f64 = sequential.slices.iter().map(squares).sum();
    let spread = (squares / (inputs as f64 - 1.0)).sqrt() / mean;
    let longest = sequential.slices.iter().map(|slice| slice.run_max_s);
    let meaning = format!(
        "inputs differ by {}; the longest took {}",
        per_cent(spread),
        time(longest.fold(0.0, f64::max))
    );
    (spread.is_finite() && inputs > 2).then(|| line("input-spread", spread, meaning))
}

/// What would have to be handed over.
#[expect(
    clippy::cast_precision_loss,
    reason = "a size needs no more digits than a float has"
)]
fn sizes(sequential: &Setting<'_>) -> [Evidence; 2] {
    let mean = |of: fn(&Slice) -> f64| {
        let all = sequential.slices.iter();
        let sum: f64 = all.map(|slice| slice.inputs as f64 * of(slice)).sum();
        sum / sequential.inputs() as f64
    };
    let (input, output) = (mean(|it| it.input_bytes), mean(|it| it.output_bytes));
    [
        line(
            "input-size",
            input,
            format!("an input has {}", bytes(input)),
        ),
        line(
            "output-size",
            output,
            format!("its result has {}", bytes(output)),
        ),
    ]
}

fn two_lanes(facts: &Facts<'_, '_>) -> Vec<Evidence> {
    let traits = facts.traits;
    let told = [
        (Model::Threads, traits.threads, "threads"),
        (Model::Processes, traits.processes, "worker processes"),
        (Model::Async, traits.tasks, "async tasks"),
    ];
    let one = |(model, gain, what): (Model, Option<f64>, &str)| {
        let gain = gain?;
        let mut fewest = facts.settings.iter();
        let lanes = fewest
            .find(|it| it.model == model && it.concurrency > 1)?
            .concurrency;
        let meaning = match gain > IMPOSSIBLE * f64::from(u32::try_from(lanes).unwrap_or(1)) {
            false => format!("{lanes} {what} do {gain:.2} times as much as one lane"),
            true => format!(
                "{lanes} {what} met quicker inputs than one lane did, so that the two cannot be compared"
            ),
        };
        Some(line(&format!("{model}-{lanes}"), gain, meaning))
    };
    told.into_iter().filter_map(one).collect()
}

/// What interpreters measured inside themselves.
fn inside(facts: &Facts<'_, '_>) -> Vec<Evidence> {
    let mut lines = Vec::new();
    let slices = facts.slices;
    let of_model = |model| move |slice: &&Slice| slice.model == Some(model) && slice.counts();
    if let Some(slice) = slices
        .iter()
        .filter(of_model(Model::Threads))
        .max_by(|one, other| {
            let of = |slice: &Slice| slice.run_queue_s.unwrap_or(0.0) / slice.wall_s;
            of(one).total_cmp(&of(other))
        })
        && let Some(waited) = slice.run_queue_s
        && waited > 0.01 * slice.wall_s
    {
        let meaning = format!(
            "its {} threads, added up, were ready and had no processor for {} in {}",
            slice.concurrency,
            time(waited),
            time(slice.wall_s)
        );
        lines.push(line("run-queue", waited, meaning));
    }
    lines.extend(serialising(facts.sequential));
    if let Some(holds) = facts.traits.holds {
        let held = holds * facts.traits.run;
        let meaning = format!(
            "a coroutine held its event loop for {} at a stretch, {} of an input's time",
            time(held),
            per_cent(holds.min(1.0))
        );
        lines.push(line("loop-hold", held, meaning));
    }
    lines
}

/// What interpreters spend on values, of the time that the same slices took.
fn serialising(sequential: &Setting<'_>) -> Option<Evidence> {
    let told = || {
        let slices = sequential.slices.iter();
        slices.filter_map(|slice| Some((slice.serialising_s?, slice.wall_s)))
    };
    told().next()?;
    let share = told().map(|it| it.0).sum::<f64>() / told().map(|it| it.1).sum::<f64>();
    let meaning = format!(
        "reading inputs and writing results takes {} of the time",
        per_cent(share)
    );
    share
        .is_finite()
        .then(|| line("serialising", share, meaning))
}

/// Where the other side had enough.
fn limits(facts: &Facts<'_, '_>) -> Vec<Evidence> {
    let refused = facts.settings.iter().filter(|it| it.is_refused());
    let mut lines: Vec<_> = refused
        .map(|it| {
            let kind = it.slices.iter().find_map(|slice| slice.failure.clone());
            let meaning = format!(
                "{} fails {} of its attempts ({})",
                setting(it.model, it.concurrency),
                per_cent(it.failed_share()),
                kind.unwrap_or_default()
            );
            line("failures", it.failed_share(), meaning)
        })
        .collect();
    // What has all processors it can use is not kept from more by anybody else.
    let computes = matches!(
        facts.character,
        Character::Cpu | Character::InterpreterLock | Character::Memory | Character::Tiny
    );
    if facts.traits.capped && !computes {
        let best = facts.best;
        let used = best.processors().unwrap_or(0.0);
        let meaning = format!(
            "more at once do no more, with {used:.1} of {} processors in use: the other side is the limit",
            facts.situation.cpus
        );
        lines.push(line("capped-at", best.rate(), meaning));
    }
    lines
}

/// What would lead to other advice.
pub(super) fn changes(facts: &Facts<'_, '_>) -> Vec<String> {
    let locked = facts
        .situation
        .interpreter
        .as_ref()
        .is_some_and(|it| it.has_lock);
    let has_async = facts
        .situation
        .models
        .iter()
        .any(|it| it.model == Model::Async && it.refused.is_none());
    let settings = facts.settings;
    let threads_fail = settings
        .iter()
        .any(|it| it.model == Model::Threads && fails_by_itself(it, settings));
    let on_processes = facts.best.model == Model::Processes;
    let change = match facts.character {
        Character::InterpreterLock if threads_fail => {
            "a free-threaded build of Python, and a function that does not fail under threads"
        }
        Character::InterpreterLock => {
            "a free-threaded build of Python, where threads compute side by side, or code that lets go of the lock"
        }
        Character::Cpu | Character::Mixed | Character::Waiting if on_processes && threads_fail => {
            "a function that does not fail under threads, which cost less than processes"
        }
        Character::Cpu if on_processes && locked => {
            "a free-threaded build of Python, where threads need no pickling"
        }
        Character::FakeAsync => "awaiting where the function now blocks its event loop",
        Character::Waiting if !has_async => {
            "an async version, if several hundred are to wait at once: tasks cost less than threads"
        }
        Character::Tiny => "larger inputs: several of them in one, so that a hand-over is worth it",
        Character::ExternalLimit
            if facts.best.model == Model::Sequential && !facts.traits.told_to_wait =>
        {
            "a lock that is held for less of an input's time, or a larger limit on the other side"
        }
        Character::ExternalLimit => "a larger limit on the other side",
        Character::Memory => "data that fits into the processors' caches, or is looked at once",
        Character::Cpu | Character::Mixed => "more processors",
        _ => return Vec::new(),
    };
    vec![change.to_owned()]
}

/// What a reader should know besides, whatever is advised.
pub(super) fn notes(
    situation: &Situation,
    slices: &[Slice],
    settings: &[Setting<'_>],
) -> Vec<String> {
    let mut notes = Vec::new();
    if situation.noise > NOISY {
        notes.push(format!(
            "this machine is noisy: the same work took {} longer or shorter from one time to the next, and the interval \
             is that much wider",
            per_cent(situation.noise)
        ));
    }
    if let Some(ratio) = situation
        .two_threads
        .filter(|ratio| situation.cpus > 1 && *ratio < SPARE)
    {
        notes.push(format!(
            "two threads that only compute did {ratio:.2} times as much as one before the first probe: other programs use the \
             processors, or these share a core; while that is so, work that computes gains no more by any model"
        ));
    }
    if situation.cpus == 1 {
        notes.push(
            "this machine has one processor: nothing that computes gains by any model".to_owned(),
        );
    }
    let told_to_wait: u64 = slices.iter().map(|slice| slice.told_to_wait).sum();
    if told_to_wait > 0 {
        notes.push(format!(
            "the other side asked to be left alone for a while, {told_to_wait} times: it allows so much in a time and no more, \
             and that decides about a long job; --rate keeps within it"
        ));
    }
    if slices.iter().any(|slice| slice.starved) {
        notes.push("the inputs came more slowly than they were worked off".to_owned());
    }
    let refused = situation.models.iter().filter_map(|it| {
        let why = it.refused.as_ref()?;
        Some(format!("{} was left out: {why}", it.model))
    });
    notes.extend(refused);
    notes.extend(failing_models(settings));
    let few = settings.iter().all(|it| it.slices.len() < 2);
    if few && !settings.is_empty() && situation.thorough {
        notes.push(
            "there was time or there were inputs for one look at each setting; a larger budget or more inputs make the \
             interval narrower"
                .to_owned(),
        );
    }
    notes
}

/// The models that fail inputs by themselves, each with the fewest lanes that do.
fn failing_models(settings: &[Setting<'_>]) -> impl Iterator<Item = String> {
    Model::PLAIN.into_iter().filter_map(|model| {
        let fails = |it: &&Setting<'_>| it.model == model && fails_by_itself(it, settings);
        let fewest = settings.iter().find(fails)?;
        Some(format!(
            "{} fails inputs that others with as many at once or more do not: that is no limit of the other side",
            setting(model, fewest.concurrency)
        ))
    })
}

/// Other models that may be as quick as the advised one.
pub(super) fn undecided(facts: &Facts<'_, '_>) -> Vec<String> {
    let best = setting(facts.best.model, facts.best.concurrency);
    let one = |it: &Undecided| {
        let [low, high] = it.interval;
        let range = match high > VAGUE * low {
            true => "it may be far quicker or far slower".to_owned(),
            false => format!("it is {low:.2} to {high:.2} times as quick"),
        };
        format!(
            "the figures do not tell {best} and {} apart: {range}; {} was taken",
            setting(it.model, it.concurrency),
            match it.is_simpler {
                true => "the simpler",
                false => "the one that was quicker here",
            }
        )
    };
    facts.undecided.iter().map(one).collect()
}

/// How a setting stands beside the advised one.
pub(super) struct Beside {
    /// How many times as long the whole job takes under it.
    pub(super) times: f64,
    pub(super) asks_for_more: bool,
    /// Whether it was among those that the advised one was chosen from.
    pub(super) was_compared: bool,
    /// Whether it gains too little to be worth its trouble.
    pub(super) gains_little: bool,
}

/// Why a setting is not advised, where that is not that it is slower.
pub(super) fn why_not(it: &Setting<'_>, beside: &Beside) -> Option<String> {
    let quicker = beside.times < NEARLY;
    let why = match () {
        () if it.is_refused() => "it fails inputs",
        () if beside.times * NEARLY > 1.0 => return None,
        () if quicker && !beside.was_compared => "seemed quicker, but was not compared in turn",
        () if quicker && beside.gains_little => "quicker by too little to be worth it",
        () if quicker => "seemed quicker, which may be chance",
        () if beside.asks_for_more => "as quick within 5 %, and asks for more",
        () if !beside.was_compared => "as quick within 5 %, but was not compared in turn",
        () => return None,
    };
    Some(why.to_owned())
}

/// One sentence.
pub(super) fn verdict(facts: &Facts<'_, '_>) -> String {
    let best = facts.best;
    let what = setting(best.model, best.concurrency);
    let gain = facts.gain;
    if best.model == Model::Sequential {
        return format!("Nothing helps: {}.", nothing_helps(facts));
    }
    let because = because(facts);
    let Some(gain) = gain else {
        return format!("{what}: {because}. How much that gains could not be measured.");
    };
    let times = gain.median;
    match gain.ci95 {
        Some([low, high]) if high > VAGUE * low && low < 1.0 => format!(
            "I cannot tell {what} and one input after the other apart: the few inputs that were seen differ so much that it may \
             be quicker or slower; {because}."
        ),
        Some([low, high]) if high > VAGUE * low => format!(
            "{what}, at least {low:.2} times as quick as one input after the other: inputs differ so much that a few slow ones \
             decide, and I cannot tell how much it gains; {because}."
        ),
        Some([low, high]) if low < 1.0 => format!(
            "I cannot tell {what} and one input after the other apart: {times:.2} times as quick ({low:.2} to {high:.2}); {because}."
        ),
        Some([low, high]) => format!(
            "{what}, {times:.2} times as quick as one input after the other ({low:.2} to {high:.2}): {because}."
        ),
        None if facts.situation.thorough => format!(
            "I cannot tell {what} and one input after the other apart: {times:.2} times as quick; {because}."
        ),
        None => format!(
            "{what}, about {} times as quick as one input after the other: {because}.",
            number(times)
        ),
    }
}

fn nothing_helps(facts: &Facts<'_, '_>) -> &'static str {
    match facts.character {
        Character::Tiny => {
            "an input is done in less time than it takes to hand it over, so one after the other it is"
        }
        Character::ExternalLimit if facts.traits.told_to_wait => {
            "the other side allows so much in a time and no more, so one after the other it is"
        }
        Character::ExternalLimit => {
            "something outside lets through one at a time, so one after the other it is"
        }
        Character::Memory => {
            "memory is what it waits for, so one after the other is as quick as any model"
        }
        _ => {
            "no model was quicker than one input after the other by as much as it takes to be worth it"
        }
    }
}

fn because(facts: &Facts<'_, '_>) -> &'static str {
    match facts.character {
        Character::Waiting => "it waits, and waits overlap",
        Character::Cpu => "it computes, and more processors do more of it",
        Character::InterpreterLock => {
            "it computes while it holds the interpreter's lock, so threads take turns and processes do not"
        }
        Character::Memory => "memory limits it more than processors do",
        Character::ExternalLimit => {
            "the other side is the limit, and no more at once gain anything"
        }
        Character::FakeAsync => {
            "it is async in name alone: it holds its event loop, so only other models let it overlap"
        }
        Character::Tiny => "inputs are small, and little is gained",
        Character::Mixed => "it computes and waits",
        Character::Unknown => "too few inputs were seen to say why",
    }
}

pub(super) fn nothing_ran(situation: &Situation, slices: &[Slice]) -> String {
    let refused = slices.iter().find_map(|slice| slice.refused.as_ref());
    match (situation.inputs, refused) {
        (Some(0), _) => "There are no inputs, so there is nothing to advise.".to_owned(),
        (_, Some(why)) => format!("Nothing could be run: {why}."),
        _ => "Not one input came to its end, so there is nothing to advise.".to_owned(),
    }
}

pub(super) fn all_failed(sequential: &Setting<'_>) -> String {
    let kind = sequential.slices.iter().find_map(|it| it.failure.clone());
    format!(
        "{} of the attempts failed ({}), and what fails says nothing about what succeeds: mend that first.",
        per_cent(sequential.failed_share()),
        kind.unwrap_or_default()
    )
}

fn line(figure: &str, value: f64, meaning: String) -> Evidence {
    Evidence {
        figure: figure.to_owned(),
        value,
        meaning,
    }
}

/// A model at a concurrency, as people say it.
fn setting(model: Model, concurrency: usize) -> String {
    match model {
        Model::Sequential => "one input after the other".to_owned(),
        model => format!("{model} with {concurrency} at once"),
    }
}

fn number(value: f64) -> String {
    match value {
        large if large >= 9.5e5 => format!("{:.2} million", value / 1e6),
        whole if whole >= 100.0 => format!("{value:.0}"),
        _ => format!("{value:.1}"),
    }
}
