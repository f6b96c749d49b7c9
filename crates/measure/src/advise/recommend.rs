//! From measurements to advice: a pure function, so that it can be asked again about what was recorded.

use triway_core::Model;

use super::{
    advice::{Advice, Advised, Alternative, Character},
    character::Traits,
    rule,
    setting::{NEARLY, Setting, inputs_of},
    slice::{Situation, Slice},
    widest::Widest,
    words,
};
use crate::report::Estimate;

/// What gains less than this over one input after the other is not worth its trouble.
const WORTH: f64 = 1.08;
/// Standard errors from the middle of an interval that holds the true figure in 95 of 100 cases.
const REACH: f64 = 1.96;
/// Where nearly everything fails, nothing is known of what would succeed.
const FAILS: f64 = 0.9;
/// Less work than this is not worth the start of anything.
const NOTHING_TO_GAIN_S: f64 = 0.1;
/// Threads cost so little up to here that they are the simplest of what gains the same.
const FEW_THREADS: usize = 64;

/// What to run the job under, as far as these measurements carry it.
#[must_use]
pub fn recommend(situation: &Situation, slices: &[Slice]) -> Advice {
    let executed = slices.iter().map(|slice| slice.inputs).sum();
    let blank = |verdict: String| Advice {
        verdict,
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
    let best = best(situation, &settings, &sequential);
    let traits = Traits::of(situation, slices, &sequential);
    let character = traits.character(situation, sequential.inputs());
    let gain = gain(situation, best, &sequential);
    let share = sequential.cpu_share().unwrap_or(0.0);
    let widest = Widest::of(situation, slices, &settings, &sequential);
    let facts = words::Facts {
        situation,
        slices,
        settings: &settings,
        sequential: &sequential,
        best,
        gain,
        traits,
        character,
    };
    Advice {
        recommendation: Some(Advised {
            model: best.model,
            concurrency: best.concurrency,
        }),
        character,
        expected_gain: Some(gain),
        throughput_per_s: finite(best.rate()),
        startup_s: finite(best.startup()),
        memory_bytes: best.memory(),
        rule_of_thumb: Some(rule::follow(situation, share, widest, best.model)),
        evidence: words::evidence(&facts),
        alternatives: alternatives(situation, &settings, &sequential, best),
        changes: words::changes(&facts),
        notes: words::notes(&facts),
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
    }
}

/// Only one input at a time was measured: advice where so little is left to do that nothing else could pay, or where there
/// is nothing else.
fn alone(
    situation: &Situation,
    slices: &[Slice],
    sequential: &Setting<'_>,
    executed: u64,
) -> Advice {
    let able = situation
        .models
        .iter()
        .filter(|it| it.refused.is_none() && it.model != Model::Sequential);
    let rest = situation.inputs.map(|all| all.saturating_sub(executed));
    #[expect(
        clippy::cast_precision_loss,
        reason = "a time needs no more digits than a float has"
    )]
    let rest_s = rest.map(|rest| rest as f64 * sequential.run());
    // Where nobody knew how many there are, those that were executed were all.
    let rest_s = rest_s.unwrap_or(sequential.slices.iter().map(|slice| slice.wall_s).sum());
    // Inputs that come more slowly than one lane does them need no second one.
    let starved = slices.iter().any(|slice| slice.starved);
    let enough = starved || rest_s < NOTHING_TO_GAIN_S;
    let chosen = able.count() == 0 || (executed >= 3 && enough);
    Advice {
        recommendation: chosen.then_some(Advised {
            model: Model::Sequential,
            concurrency: 1,
        }),
        throughput_per_s: finite(sequential.rate()),
        startup_s: finite(sequential.startup()),
        memory_bytes: sequential.memory(),
        verdict: words::alone(sequential, executed, chosen),
        ..empty(situation, slices, executed)
    }
}

/// The quickest for the whole job, start included; of all that are nearly as quick the simplest.
fn best<'a, 'b>(
    situation: &Situation,
    settings: &'b [Setting<'a>],
    sequential: &'b Setting<'a>,
) -> &'b Setting<'a> {
    let inputs = inputs_of(situation);
    let sound = settings.iter().filter(|it| it.is_sound(sequential));
    let least = sound
        .clone()
        .map(|it| it.total(inputs))
        .fold(f64::INFINITY, f64::min);
    if sequential.total(inputs) < WORTH * least {
        return sequential;
    }
    sound
        .filter(|it| it.total(inputs) * NEARLY <= least)
        .min_by_key(|it| plainness(it))
        .unwrap_or(sequential)
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

/// How many times as quick as one input after the other, for the whole job, with an interval.
///
/// The logarithms of rates are taken to be normal; where a setting was measured several times their spread is taken from
/// that, else from the attempts' own spread. What the machine itself varies by widens both.
fn gain(situation: &Situation, best: &Setting<'_>, sequential: &Setting<'_>) -> Estimate {
    let inputs = inputs_of(situation);
    let median = sequential.total(inputs) / best.total(inputs);
    if best.model == sequential.model {
        return Estimate::new(1.0, Some([1.0, 1.0]));
    }
    let variance = variance(best, situation.noise) + variance(sequential, situation.noise);
    let reach = (REACH * variance.sqrt()).exp();
    Estimate::new(median, Some([median / reach, median * reach]))
}

/// Of the logarithm of a setting's rate.
#[expect(
    clippy::cast_precision_loss,
    reason = "a variance needs no more digits than a float has"
)]
fn variance(setting: &Setting<'_>, noise: f64) -> f64 {
    let slices = setting.slices.len() as f64;
    let logs = setting.slices.iter().map(|slice| slice.rate_per_s.ln());
    let mean = logs.clone().sum::<f64>() / slices;
    let between = logs.map(|log| (log - mean).powi(2)).sum::<f64>();
    let within = |slice: &&Slice| {
        let spread = slice.run_sd_s / slice.run_s;
        spread.powi(2) / slice.inputs as f64
    };
    let within = setting.slices.iter().map(within).sum::<f64>() / slices.powi(2);
    let between = match slices > 1.0 {
        true => between / (slices - 1.0) / slices,
        false => 0.0,
    };
    within.max(between) + noise.powi(2) / slices
}

fn alternatives(
    situation: &Situation,
    settings: &[Setting<'_>],
    sequential: &Setting<'_>,
    best: &Setting<'_>,
) -> Vec<Alternative> {
    let inputs = inputs_of(situation);
    let others = settings
        .iter()
        .filter(|it| (it.model, it.concurrency) != (best.model, best.concurrency));
    let mut alternatives: Vec<Alternative> = others
        .filter(|it| it.rate().is_finite())
        .map(|it| Alternative {
            model: it.model,
            concurrency: it.concurrency,
            throughput_per_s: it.rate(),
            gain: sequential.total(inputs) / it.total(inputs),
            remark: words::why_not(it, best, sequential, inputs),
        })
        .collect();
    alternatives.sort_by(|one, other| other.gain.total_cmp(&one.gain));
    alternatives
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
