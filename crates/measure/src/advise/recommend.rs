//! From measurements to advice: a pure function, so that it can be asked again about what was recorded.

use triway_core::Model;

use super::{
    advice::{Advice, Advised, Alternative, Character},
    alone::Alone,
    character::Traits,
    interval::{self, Undecided},
    judged::{in_turn, one_at_a_time, same_in, shown},
    rule,
    setting::{NEARLY, Setting, inputs_of},
    slice::{Situation, Slice},
    strategy::FAILS,
    widest::Widest,
    words,
};
use crate::report::Estimate;

/// What gains less than this over one input after the other is not worth its trouble.
const WORTH: f64 = 1.08;
/// What gains less than this must be told apart from it.
const LITTLE: f64 = 1.25;
/// Threads cost so little up to here that they are the simplest of what gains the same.
const FEW_THREADS: usize = 64;

/// What to run the job under, as far as these measurements carry it.
#[must_use]
pub fn recommend(situation: &Situation, slices: &[Slice]) -> Advice {
    let executed = slices.iter().map(|slice| slice.inputs).sum();
    let blank = |verdict: String| Advice {
        verdict,
        notes: words::notes(situation, slices, &[]),
        ..empty(situation, slices, executed)
    };
    let Some(sequential) = Setting::sequential(slices) else {
        return blank(words::nothing_ran(situation, slices));
    };
    if sequential.failed_share() >= FAILS {
        return blank(words::all_failed(&sequential));
    }
    let settings = Setting::all(slices);
    if settings.len() < 2 {
        return alone(situation, slices, &sequential, executed);
    }
    let turns = in_turn(situation, &settings, slices);
    // What was compared in turn is chosen from as it is where a job is to be done: the simpler may cost as much as the other.
    let strict = situation.thorough || turns.is_none();
    let judged = turns.unwrap_or_else(|| settings.clone());
    let alone = one_at_a_time(&judged).unwrap_or(&sequential);
    let best = best(situation, &judged, strict).unwrap_or(alone);
    let traits = Traits::of(situation, slices, &sequential, &judged);
    let character = traits.character(situation, (executed, sequential.inputs()));
    let gain = gain(situation, best, alone);
    let undecided = undecided(situation, &judged, best);
    let share = sequential.cpu_share().unwrap_or(0.0);
    let widest = Widest::of(situation, slices, &settings, &sequential);
    let facts = words::Facts {
        situation,
        slices,
        settings: &settings,
        sequential: &sequential,
        best,
        gain,
        undecided: &undecided,
        traits,
        character,
    };
    Advice {
        recommendation: Some(Advised {
            model: best.model,
            concurrency: best.concurrency,
        }),
        character,
        expected_gain: gain,
        throughput_per_s: finite(best.rate()),
        throughput_ci95: interval::of_rate(best, situation.noise),
        startup_s: finite(best.startup()),
        memory_bytes: best.memory(),
        rule_of_thumb: Some(rule::follow(situation, share, widest, best.model)),
        evidence: words::evidence(&facts),
        alternatives: alternatives(situation, (&settings, &judged), alone, best),
        changes: words::changes(&facts),
        notes: words::notes(situation, slices, &settings)
            .into_iter()
            .chain(words::undecided(&facts))
            .collect(),
        verdict: words::verdict(&facts),
        ..empty(situation, slices, executed)
    }
}

fn empty(situation: &Situation, slices: &[Slice], executed: u64) -> Advice {
    Advice {
        schema: 1,
        task: String::new(),
        inputs: situation.inputs,
        executed,
        machine: None,
        recommendation: None,
        character: Character::Unknown,
        expected_gain: None,
        throughput_per_s: None,
        throughput_ci95: None,
        startup_s: None,
        memory_bytes: None,
        rule_of_thumb: None,
        evidence: Vec::new(),
        alternatives: Vec::new(),
        changes: Vec::new(),
        notes: Vec::new(),
        verdict: String::new(),
        situation: Some(situation.clone()),
        probes: slices.to_vec(),
        details: Vec::new(),
    }
}

/// Only one input at a time was measured.
fn alone(
    situation: &Situation,
    slices: &[Slice],
    sequential: &Setting<'_>,
    executed: u64,
) -> Advice {
    let alone = Alone::of(situation, slices, sequential, executed);
    Advice {
        recommendation: alone.is_advice().then_some(Advised {
            model: Model::Sequential,
            concurrency: 1,
        }),
        throughput_per_s: finite(sequential.rate()),
        throughput_ci95: interval::of_rate(sequential, situation.noise),
        startup_s: finite(sequential.startup()),
        memory_bytes: sequential.memory(),
        notes: words::notes(situation, slices, &[]),
        verdict: alone.verdict(situation, sequential, executed),
        ..empty(situation, slices, executed)
    }
}

/// The quickest for the whole job, start included; of all that are nearly as quick the simplest, and one input after the other where
/// that is among them and nothing gains enough by it. Where it is strict, also where that may be as quick by chance.
fn best<'a, 'b>(
    situation: &Situation,
    settings: &'b [Setting<'a>],
    strict: bool,
) -> Option<&'b Setting<'a>> {
    let inputs = inputs_of(situation);
    let alone = one_at_a_time(settings);
    let sound = settings.iter().filter(|it| it.is_sound());
    let least = sound
        .clone()
        .map(|it| it.total(inputs))
        .fold(f64::INFINITY, f64::min);
    if let Some(alone) = alone.filter(|it| it.total(inputs) < WORTH * least) {
        return Some(alone);
    }
    let best = sound
        .filter(|it| it.total(inputs) * NEARLY <= least)
        .min_by_key(|it| plainness(it));
    let by_chance = |best| alone.filter(|alone| is_little_by_chance(situation, best, alone));
    match strict {
        true => best.and_then(by_chance).or(best),
        false => best,
    }
}

/// Whether it gains so little that one input after the other may be as quick.
fn is_little_by_chance(
    situation: &Situation,
    best: &Setting<'_>,
    sequential: &Setting<'_>,
) -> bool {
    let basis = (inputs_of(situation), situation.noise);
    let gain = interval::of_ratio(best, sequential, basis);
    let gain = gain.and_then(|gain| Some((gain.median, gain.ci95?)));
    gain.is_some_and(|(gain, [low, _])| gain < LITTLE && low < 1.0)
}

/// How much a setting asks of a machine and of whoever looks after it.
fn plainness(setting: &Setting<'_>) -> (u8, usize) {
    let rank = match setting.model {
        Model::Sequential => 0,
        Model::Threads if setting.concurrency <= FEW_THREADS => 1,
        Model::Async => 2,
        Model::Threads => 3,
        _ => 4,
    };
    (rank, setting.concurrency)
}

/// How many times as quick as one input after the other, for the whole job, with an interval; `None` where that has no
/// rate to be compared with.
fn gain(situation: &Situation, best: &Setting<'_>, sequential: &Setting<'_>) -> Option<Estimate> {
    if best.model == sequential.model {
        return Some(Estimate::new(1.0, Some([1.0, 1.0])));
    }
    let basis = (inputs_of(situation), situation.noise);
    let gain = interval::of_ratio(best, sequential, basis)?;
    // Where nobody looked at the machine's noise, one look at each does not tell by what another one would differ.
    let looks = best.slices.len().min(sequential.slices.len());
    match looks < 2 && !situation.thorough {
        true => Some(Estimate::new(gain.median, None)),
        false => Some(gain),
    }
}

/// Of each other model the quickest setting, as far as the figures do not tell it and the advised one apart: how many times as
/// quick the advised one is, and whether it is the simpler.
fn undecided(
    situation: &Situation,
    settings: &[Setting<'_>],
    best: &Setting<'_>,
) -> Vec<Undecided> {
    let inputs = inputs_of(situation);
    let rival = |model: Model| {
        let sound = settings.iter().filter(|it| it.is_sound());
        let of_model = sound.filter(|it| it.model == model);
        of_model.min_by(|one, other| one.total(inputs).total_cmp(&other.total(inputs)))
    };
    let told = |rival: &Setting<'_>| {
        let ratio = interval::of_ratio(best, rival, (inputs, situation.noise))?;
        let [low, high] = ratio.ci95?;
        (low <= 1.0 && high >= 1.0).then(|| Undecided {
            model: rival.model,
            concurrency: rival.concurrency,
            interval: [low, high],
            is_simpler: plainness(best) < plainness(rival),
        })
    };
    let others = Model::PLAIN
        .into_iter()
        .filter(|it| ![best.model, Model::Sequential].contains(it));
    // Where nothing helps, only what seemed to is worth a word.
    let worth = |it: &&Setting<'_>| {
        best.model != Model::Sequential || it.total(inputs) * WORTH <= best.total(inputs)
    };
    let rivals = others.filter_map(rival).filter(worth);
    rivals.filter_map(told).collect()
}

fn alternatives(
    situation: &Situation,
    (settings, judged): (&[Setting<'_>], &[Setting<'_>]),
    sequential: &Setting<'_>,
    best: &Setting<'_>,
) -> Vec<Alternative> {
    let inputs = inputs_of(situation);
    let shown = shown(settings, judged);
    let others = shown
        .iter()
        .filter(|it| (it.model, it.concurrency) != (best.model, best.concurrency));
    let mut alternatives: Vec<Alternative> = others
        .filter(|it| it.rate().is_finite())
        .map(|it| Alternative {
            model: it.model,
            concurrency: it.concurrency,
            throughput_per_s: it.rate(),
            throughput_ci95: interval::of_rate(it, situation.noise),
            gain: finite(sequential.total(inputs) / it.total(inputs)),
            remark: words::why_not(it, &beside(it, best, (judged, inputs))),
        })
        .collect();
    let by = |it: &Alternative| (it.gain.unwrap_or(0.0), it.throughput_per_s);
    alternatives.sort_by(|one, other| {
        let ((gain, rate), (other_gain, other_rate)) = (by(one), by(other));
        let rates = other_rate.total_cmp(&rate);
        other_gain.total_cmp(&gain).then(rates)
    });
    alternatives
}

fn beside(
    it: &Setting<'_>,
    best: &Setting<'_>,
    (judged, inputs): (&[Setting<'_>], f64),
) -> words::Beside {
    let times = it.total(inputs) / best.total(inputs);
    words::Beside {
        times,
        asks_for_more: plainness(it) > plainness(best),
        was_compared: same_in(judged, it).is_some(),
        gains_little: times * WORTH > 1.0,
    }
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(concurrency: usize, inputs: u64, rate_per_s: f64, in_turn: bool) -> Slice {
        Slice {
            model: Some(match concurrency {
                1 => Model::Sequential,
                _ => Model::Threads,
            }),
            concurrency,
            in_turn,
            inputs,
            wall_s: inputs as f64 / rate_per_s,
            rate_per_s,
            run_s: concurrency as f64 / rate_per_s,
            ..Slice::default()
        }
    }

    /// A machine that became nearly twice as quick while it was probed, as it was measured of insertions into SQLite.
    #[test]
    fn what_the_machine_does_meanwhile_is_no_gain() {
        let advised = |in_turn, some: u64| {
            let slices = [
                slice(1, 600, 3570.0, false),
                slice(1, 187, 3393.0, false),
                slice(8, 187, 6199.0, false),
                slice(8, some, 6480.0, in_turn),
                slice(1, 348, 6117.0, in_turn),
                slice(8, some, 6165.0, in_turn),
                slice(1, 348, 6052.0, in_turn),
            ];
            let advice = recommend(&Situation::bare(2), &slices);
            let gain = advice.expected_gain.unwrap().median;
            (advice.recommendation.unwrap().model, gain)
        };
        assert_eq!(advised(true, 348), (Model::Sequential, 1.0));
        assert_eq!(advised(false, 348).0, Model::Threads);
        // Two inputs a lane tell too little.
        assert_eq!(advised(true, 16).0, Model::Threads);
    }

    /// What is said of two lanes is what the verdict was judged by; of what was not run in turn, what was seen before.
    #[test]
    fn evidence_is_of_what_was_compared() {
        let slices = [
            slice(1, 600, 3000.0, false),
            slice(8, 200, 6300.0, false),
            slice(8, 348, 6200.0, true),
            slice(1, 348, 6100.0, true),
            slice(8, 348, 6200.0, true),
            slice(1, 348, 6100.0, true),
        ];
        let said = |slices: &[Slice], figure: &str| {
            let evidence = recommend(&Situation::bare(2), slices).evidence;
            evidence.into_iter().find(|it| it.figure == figure).unwrap()
        };
        let eight = said(&slices, "threads-8");
        assert!((eight.value - 6200.0 / 6100.0).abs() < 1e-9, "{eight:?}");
        let before = Slice {
            model: Some(Model::Processes),
            ..slice(2, 200, 3900.0, false)
        };
        let slices: Vec<Slice> = slices.into_iter().chain([before]).collect();
        let two = said(&slices, "processes-2");
        let alone = Setting::sequential(&slices).unwrap().rate();
        assert!((two.value - 3900.0 / alone).abs() < 1e-9, "{two:?}");
    }

    /// The other way round, of a job that is to be done: it became slower, and one at a time was compared or was far behind.
    #[test]
    fn what_was_compared_in_turn_is_not_compared_with_what_was_before() {
        let advised = |turns: &[(usize, f64)]| {
            let before = [(1, 520.0), (2, 660.0), (4, 1500.0)];
            let before = before.map(|(lanes, rate)| slice(lanes, 100, rate, false));
            let turns = turns.iter().map(|it| slice(it.0, 100, it.1, true));
            let slices: Vec<Slice> = before.into_iter().chain(turns).collect();
            let situation = Situation {
                thorough: false,
                ..Situation::bare(2)
            };
            let advised = recommend(&situation, &slices).recommendation.unwrap();
            (advised.model, advised.concurrency)
        };
        let gains = [(1, 380.0), (2, 430.0), (1, 500.0), (2, 560.0)];
        assert_eq!(advised(&gains), (Model::Threads, 2));
        let alike = [(1, 420.0), (2, 430.0), (1, 500.0), (2, 510.0)];
        assert_eq!(advised(&alike), (Model::Sequential, 1));
        assert_eq!(advised(&[(4, 500.0), (4, 510.0)]), (Model::Threads, 4));
        // What was looked at once in turn is left out, unless it may be the best.
        let halfway = |rate| [&gains[..], &[(4, rate)]].concat();
        assert_eq!(advised(&halfway(100.0)), (Model::Threads, 2));
        assert_eq!(advised(&halfway(1000.0)), (Model::Threads, 4));
    }

    /// What of a setting is said beside eight threads, which were compared with one at a time and it was not.
    #[test]
    fn what_was_not_compared_is_remarked_on_as_it_is() {
        let as_quick = "as quick within 5 %, ";
        for (lanes, rate, expected) in [
            (16, 3020.0, format!("{as_quick}and asks for more")),
            (4, 2980.0, format!("{as_quick}but was not compared in turn")),
            (
                4,
                6000.0,
                "seemed quicker, but was not compared in turn".into(),
            ),
            (
                16,
                6000.0,
                "seemed quicker, but was not compared in turn".into(),
            ),
            (4, 2000.0, String::new()),
        ] {
            let slices = [
                slice(lanes, 200, rate, false),
                slice(1, 200, 1000.0, true),
                slice(8, 200, 3000.0, true),
                slice(1, 200, 1010.0, true),
                slice(8, 200, 3010.0, true),
            ];
            assert_eq!(remark(&slices, (8, lanes)), expected, "{lanes} {rate}");
        }
    }

    /// What is said of eight threads beside one at a time.
    #[test]
    fn what_gains_too_little_is_remarked_on_as_it_is() {
        for (rates, expected) in [
            ([1020.0, 1030.0], "as quick within 5 %, and asks for more"),
            ([1070.0, 1080.0], "quicker by too little to be worth it"),
            ([1000.0, 1400.0], "seemed quicker, which may be chance"),
            ([500.0, 510.0], ""),
        ] {
            let slices = [
                slice(1, 200, 1000.0, true),
                slice(8, 200, rates[0], true),
                slice(1, 200, 1010.0, true),
                slice(8, 200, rates[1], true),
            ];
            assert_eq!(remark(&slices, (1, 8)), expected, "{rates:?}");
        }
    }

    fn remark(slices: &[Slice], (advised, lanes): (usize, usize)) -> String {
        let advice = recommend(&Situation::bare(2), slices);
        let found = advice.recommendation.map(|it| it.concurrency);
        assert_eq!(found, Some(advised), "{}", advice.verdict);
        let mut others = advice.alternatives.into_iter();
        let other = others.find(|it| it.concurrency == lanes).unwrap();
        other.remark.unwrap_or_default()
    }
}
