//! Gathers what this machine charges: round after round, every probe once a round, until the budget is used up.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use triway_exec::restart::{self, LinkError, Prints};

use super::{
    answer::{Answer, PATIENCE, why},
    catalog::{self, PROBES, Probe, What},
    handing::{self, Empty},
    limits,
    other::NAME,
    pays::{FORMULA, SMALLEST_GAIN, pays_from},
    python,
    report::{Figure, Overhead, Python, Unit},
    serve::{ANSWER, PROBE, ROLE},
    table::{Found, rows},
    verdict,
};
use crate::{
    machine,
    schedule::order,
    statistics::{median, median_interval},
};

/// How long all of it may take, unless told otherwise.
pub const DEFAULT_BUDGET: Duration = Duration::from_secs(10);

/// More rounds than this would say no more.
const MOST_ROUNDS: usize = 25;

/// With fewer rounds there are no intervals.
const ROUNDS_FOR_INTERVALS: usize = 6;

/// How often a waiting parent looks whether it should stop.
const GLANCE: Duration = Duration::from_millis(50);

/// What is to be found out.
#[must_use = "nothing is measured until it is run"]
pub struct Charges {
    budget: Duration,
    python: Result<PathBuf, String>,
    stop: Arc<AtomicBool>,
}

/// What is being done, for whoever waits.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Step<'a> {
    /// The round, from 1.
    pub round: usize,
    /// What is measured now.
    pub what: &'a str,
    /// How many steps are done.
    pub done: usize,
}

/// Why there is nothing to tell.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OverheadError {
    /// The program cannot serve its own probes.
    #[error(
        "this program cannot be started again to measure; give `triway::overhead()` to `triway::init` as well, in the first line \
         of `main`"
    )]
    NotRegistered,
    /// Somebody stopped it.
    #[error("the measurement was stopped before it was done")]
    Cancelled,
    /// Nothing could be measured; why the first figure could not.
    #[error("nothing could be measured: {0}")]
    Nothing(String),
}

impl Default for Charges {
    fn default() -> Self {
        Self {
            budget: DEFAULT_BUDGET,
            python: Err("nobody asked for it".to_owned()),
            stop: Arc::default(),
        }
    }
}

impl Charges {
    /// All but Python, within [`DEFAULT_BUDGET`].
    pub fn new() -> Self {
        Self::default()
    }

    /// How long it may take. One round is made whatever it takes.
    pub fn budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// The interpreter to measure as well, or why there is none.
    pub fn python(mut self, python: Result<PathBuf, String>) -> Self {
        self.python = python;
        self
    }

    /// Ends soon after this becomes true.
    pub fn stop_on(mut self, stop: Arc<AtomicBool>) -> Self {
        self.stop = stop;
        self
    }

    /// Measures. Blocks; calls `tell` before every step, on this thread.
    ///
    /// What cannot be measured is no error: its figure says why.
    ///
    /// # Errors
    /// The program does not serve its probes, somebody stopped it, or not one figure could be measured.
    pub fn run(self, tell: impl FnMut(Step<'_>)) -> Result<Overhead, OverheadError> {
        restart::lookup::<Empty>().map_err(|_| OverheadError::NotRegistered)?;
        // Afterwards, what was measured here would be in it.
        let load = machine::load_average();
        let (rounds, gathered) = self.gather(tell)?;
        if gathered
            .samples
            .iter()
            .all(|(_, samples)| samples.numbers.is_empty())
        {
            let mut reasons = gathered
                .samples
                .into_iter()
                .filter_map(|(_, it)| it.missing);
            return Err(OverheadError::Nothing(reasons.next().unwrap_or_default()));
        }
        Ok(self.concluded(rounds, gathered, load))
    }

    fn gather(&self, mut tell: impl FnMut(Step<'_>)) -> Result<(usize, Gathered), OverheadError> {
        let mut gathered = Gathered::new(self.python.is_ok());
        let began = Instant::now();
        let mut longest = Duration::ZERO;
        let steps = PROBES.len() + usize::from(self.python.is_ok());
        let mut rounds = 0;
        let mut python = self.python.clone();
        while rounds == 0 || (rounds < MOST_ROUNDS && began.elapsed() + longest <= self.budget) {
            let start = Instant::now();
            for (nth, place) in order(rounds, steps).enumerate() {
                if self.stop.load(Ordering::Relaxed) {
                    return Err(OverheadError::Cancelled);
                }
                tell(Step {
                    round: rounds + 1,
                    what: PROBES
                        .get(place)
                        .map_or("Python", |probe| probe.figures[0].name),
                    done: rounds * steps + nth,
                });
                match (PROBES.get(place), &python) {
                    (Some(probe), _) => gathered.add(probe, &self.answer(place)),
                    (None, Ok(path)) => {
                        let told = python::round(path, rounds, handing::lanes(), &self.stop);
                        if let Ok(told) = &told {
                            // What was asked for may be a launcher, which would look for it anew in each round.
                            python = Ok(PathBuf::from(&told.python.executable));
                        }
                        gathered.add_python(told);
                    }
                    (None, Err(_)) => {}
                }
            }
            rounds += 1;
            longest = longest.max(start.elapsed());
        }
        if self.stop.load(Ordering::Relaxed) {
            return Err(OverheadError::Cancelled);
        }
        Ok((rounds, gathered))
    }

    /// Lets a fresh process measure.
    fn answer(&self, place: usize) -> Answer {
        let failed = why("its process");
        let started = restart::start(ROLE, NAME, ROLE, Prints::ToStandardError);
        let (_child, mut link) = started.map_err(|error| failed(&error))?;
        let payload = postcard::to_stdvec(&place).map_err(|error| failed(&error))?;
        let until = Instant::now() + PATIENCE;
        let sent = link.send(PROBE, &payload, &[], Some(until));
        sent.map_err(|error| failed(&error))?;
        loop {
            match link.recv(Some(Instant::now() + GLANCE)) {
                Ok(Some(frame)) if frame.kind == ANSWER => {
                    let answer = postcard::from_bytes(&frame.payload);
                    return answer.map_err(|error| failed(&error))?;
                }
                Ok(_) => return Err("its process died".to_owned()),
                Err(LinkError::TimedOut)
                    if Instant::now() < until && !self.stop.load(Ordering::Relaxed) => {}
                Err(error) => return Err(failed(&error)),
            }
        }
    }

    fn concluded(self, rounds: usize, gathered: Gathered, load: Option<f64>) -> Overhead {
        let Gathered { samples, python } = gathered;
        let figures: Vec<Figure> = samples
            .into_iter()
            .map(|(what, samples)| figure(what, &samples))
            .collect();
        let lanes = handing::lanes();
        let pays = pays_from(&figures, [lanes, handing::WAITING], python.is_some());
        let machine = machine::describe();
        let table = rows(&Found {
            figures: &figures,
            pays: &pays,
            python: python.as_ref(),
            memory_bytes: machine.memory_bytes,
            allowed: limits::threads_and_processes(),
        });
        let no_python = no_python(self.python, python.is_some(), &figures);
        let busy = load.and_then(|load| busy(load, machine.cpus));
        let mut notes = notes(rounds, &figures, no_python);
        notes.extend(busy);
        Overhead {
            schema: 1,
            machine,
            load_average: load,
            budget_s: self.budget.as_secs_f64(),
            rounds,
            lanes,
            verdict: verdict::sentence(&figures, &pays, rounds),
            notes,
            python,
            figures,
            pays_from: pays,
            pays_from_formula: FORMULA.to_owned(),
            table,
        }
    }
}

/// Why nothing is known of Python.
fn no_python(asked: Result<PathBuf, String>, told: bool, figures: &[Figure]) -> Option<String> {
    match (asked, told) {
        (Err(why), _) => Some(why),
        (Ok(_), true) => None,
        (Ok(_), false) => {
            let mut reasons = figures.iter().filter(|figure| is_python(figure));
            reasons.find_map(|figure| figure.missing.clone())
        }
    }
}

fn is_python(figure: &Figure) -> bool {
    figure.id.starts_with("python.")
}

fn notes(rounds: usize, figures: &[Figure], no_python: Option<String>) -> Vec<String> {
    let mut notes = Vec::new();
    if rounds < ROUNDS_FOR_INTERVALS {
        let told = if rounds == 1 {
            "round was"
        } else {
            "rounds were"
        };
        notes.push(format!(
            "only {rounds} {told} made, so no figure has an interval; a larger budget makes more of them"
        ));
    }
    // Where there is no Python at all, one reason is enough.
    let all_missing = no_python.is_some();
    notes.extend(no_python.map(|why| format!("Python was not measured: {why}")));
    let told = figures
        .iter()
        .filter(|figure| !(all_missing && is_python(figure)));
    notes.extend(told.clone().filter_map(|figure| {
        let why = figure.missing.as_ref()?;
        Some(format!("{} was not measured: {why}", figure.name))
    }));
    notes.extend(told.filter_map(doubt));
    notes
}

/// On a machine that others use, lanes wait for each other's processors, and look as if they gained nothing.
#[expect(
    clippy::cast_precision_loss,
    reason = "processors are counted in thousands at most"
)]
fn busy(load: f64, cpus: usize) -> Option<String> {
    (load > cpus as f64 / 2.0).then(|| {
        format!(
            "this machine was busy: {load:.1} processes were running or waiting in the minute before (its load average), for \
             {cpus} processors; what computes side by side gains more where nothing else runs"
        )
    })
}

/// Lanes that gained something in some rounds and nothing in others: the machine had other things to do.
fn doubt(figure: &Figure) -> Option<String> {
    let [low, high] = figure.ci95.or(figure.range)?;
    let unsure = figure.unit == Unit::Times && low < SMALLEST_GAIN && high > SMALLEST_GAIN;
    unsure.then(|| {
        format!(
            "{} were {low:.2} to {high:.2} times as fast as one lane, which does not tell whether they gain anything; \
             the machine may have been busy",
            figure.name
        )
    })
}

/// The numbers of a figure, one a round, and why the last round without one had none.
#[derive(Default)]
struct Samples {
    numbers: Vec<f64>,
    missing: Option<String>,
}

/// All that the rounds gave.
struct Gathered {
    samples: Vec<(&'static What, Samples)>,
    python: Option<Python>,
}

impl Gathered {
    fn new(python: bool) -> Self {
        let all = catalog::figures(python);
        Self {
            samples: all.map(|what| (what, Samples::default())).collect(),
            python: None,
        }
    }

    fn add(&mut self, probe: &Probe, answer: &Answer) {
        for (place, what) in probe.figures.iter().enumerate() {
            let number = match answer {
                Ok(numbers) => numbers
                    .get(place)
                    .copied()
                    .filter(|number| number.is_finite())
                    .ok_or_else(|| "its probe gave no number".to_owned()),
                Err(why) => Err(why.clone()),
            };
            self.note(what.id, number);
        }
    }

    fn add_python(&mut self, told: Result<python::Told, String>) {
        for what in catalog::PYTHON {
            let number = match &told {
                Ok(told) => told.figures.get(what.id).copied().ok_or_else(|| {
                    let why = told.missing.get(what.id).cloned();
                    why.unwrap_or_else(|| "Python did not tell".to_owned())
                }),
                Err(why) => Err(why.clone()),
            };
            self.note(what.id, number);
        }
        if let Ok(told) = told {
            self.python = Some(told.python);
        }
    }

    fn note(&mut self, id: &str, number: Result<f64, String>) {
        let mut all = self.samples.iter_mut();
        if let Some((_, samples)) = all.find(|(what, _)| what.id == id) {
            match number {
                Ok(number) => samples.numbers.push(number),
                Err(why) => samples.missing = Some(why),
            }
        }
    }
}

fn figure(what: &What, samples: &Samples) -> Figure {
    let Samples { numbers, missing } = samples;
    let least = numbers.iter().copied().reduce(f64::min);
    let most = numbers.iter().copied().reduce(f64::max);
    let median = median(numbers);
    Figure {
        id: what.id.to_owned(),
        name: what.name.to_owned(),
        unit: what.unit,
        median,
        ci95: median_interval(numbers),
        range: least.zip(most).map(<[f64; 2]>::from),
        rounds: numbers.len(),
        how: what.how.to_owned(),
        missing: missing.clone().filter(|_| median.is_none()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHAT: &What = &catalog::PYTHON[0];

    #[test]
    fn a_figure_is_the_middle_of_its_rounds() {
        let mut samples = Samples {
            numbers: vec![3.0, 1.0, 2.0],
            missing: Some("once".to_owned()),
        };
        let few = figure(WHAT, &samples);
        assert_eq!((few.median, few.ci95), (Some(2.0), None));
        assert_eq!((few.range, few.rounds), (Some([1.0, 3.0]), 3));
        assert_eq!(
            few.missing, None,
            "a round that failed is no missing figure"
        );
        samples.numbers.extend([1.5, 2.5, 2.0]);
        assert_eq!(figure(WHAT, &samples).ci95, Some([1.0, 3.0]));
        samples.numbers.clear();
        let none = figure(WHAT, &samples);
        assert_eq!((none.median, none.range), (None, None));
        assert_eq!(none.missing.as_deref(), Some("once"));
    }

    #[test]
    fn an_answer_too_short_leaves_its_figures_missing() {
        let probe = PROBES
            .iter()
            .find(|probe| probe.figures.len() == 3)
            .unwrap();
        let mut gathered = Gathered::new(false);
        gathered.add(probe, &Ok(vec![1.0, f64::NAN]));
        let of = |place: usize| {
            let id = probe.figures[place].id;
            let mut all = gathered.samples.iter();
            all.find(|(what, _)| what.id == id)
                .map(|(_, it)| it)
                .unwrap()
        };
        assert_eq!(of(0).numbers, [1.0]);
        for place in [1, 2] {
            assert!(of(place).numbers.is_empty());
            assert!(of(place).missing.is_some());
        }
    }

    #[test]
    fn a_reader_is_told_what_is_missing() {
        let none = figure(
            WHAT,
            &Samples {
                numbers: vec![],
                missing: Some("no".to_owned()),
            },
        );
        let no_python = no_python(Ok(PathBuf::new()), false, std::slice::from_ref(&none));
        assert_eq!(no_python.as_deref(), Some("no"));
        let one = notes(6, std::slice::from_ref(&none), no_python);
        assert_eq!(one, ["Python was not measured: no"], "once is enough");
        let notes = notes(1, &[none], None);
        assert!(notes[0].starts_with("only 1 round was made"), "{notes:?}");
        assert!(notes[1].ends_with("was not measured: no"), "{notes:?}");
        assert!(super::notes(6, &[], None).is_empty());
    }

    #[test]
    fn a_busy_machine_is_told_of() {
        let of = |numbers: &[f64]| {
            let parallel = catalog::PYTHON.iter().find(|what| what.unit == Unit::Times);
            let samples = Samples {
                numbers: numbers.to_vec(),
                missing: None,
            };
            doubt(&figure(parallel.unwrap(), &samples))
        };
        let told = of(&[0.9, 1.5, 2.0]).unwrap();
        assert!(told.contains("were 0.90 to 2.00 times"), "{told}");
        assert_eq!(of(&[1.7, 1.9]), None);
        assert_eq!(busy(0.9, 2), None);
        let told = busy(5.9, 2).unwrap();
        assert!(
            told.contains("5.9 processes were running or waiting"),
            "{told}"
        );
        assert_eq!(of(&[0.9, 1.01]), None);
        assert_eq!(of(&[0.9, 1.8, 1.8, 1.8, 1.8, 1.8, 1.8, 1.8, 1.9]), None);
    }
}
