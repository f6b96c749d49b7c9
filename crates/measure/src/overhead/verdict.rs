//! All of it in one sentence.

use super::{
    report::{Figure, Pays, Work},
    told::{time, told},
};

/// The sentence, after so many rounds.
pub(super) fn sentence(figures: &[Figure], pays: &[Pays], rounds: usize) -> String {
    let of = |id: &str| told(figures.iter().find(|figure| figure.id == id));
    let mut text = format!(
        "A thread costs {} to start and end, this program as a process {}, an async task {}; in a long job {}",
        of("start.thread"),
        of("start.again"),
        of("start.task"),
        pay(pays, ["threads", "processes", "async"]),
    );
    if pays.iter().any(|pays| pays.row == "python-threads") {
        text += &format!(
            "; in Python a thread costs {}, a forked process {}, a spawned one {}, and {}",
            of("python.start.thread"),
            of("python.start.fork"),
            of("python.start.spawn"),
            pay(pays, ["python-threads", "python-processes", "python-async"]),
        );
    }
    text + match rounds {
        0 | 1 => "; all of this from one round, which may be chance.",
        _ => ".",
    }
}

/// From when on threads and processes pay for what computes, and async for what waits.
fn pay(pays: &[Pays], [threads, processes, tasks]: [&str; 3]) -> String {
    format!(
        "threads pay for what computes {}, processes {}, async for what waits {}",
        least(pays, threads, Work::Computes),
        least(pays, processes, Work::Computes),
        least(pays, tasks, Work::Waits),
    )
}

fn least(pays: &[Pays], row: &str, work: Work) -> String {
    let mut all = pays.iter();
    let own = all.find(|pays| pays.row == row && pays.work == work);
    match own.map(|own| (own.long_job_s, own.times)) {
        Some((Some(0.0), _)) => "however short an input is".to_owned(),
        Some((Some(least), _)) => format!("from {} an input", time(least)),
        Some((None, Some(times))) => format!("never ({times:.2} times as fast)"),
        _ => "(not measured)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_sentence_whatever_is_known() {
        let pays = |row: &str, work, times, long_job_s| Pays {
            row: row.to_owned(),
            name: row.to_owned(),
            work,
            lanes: 2,
            times,
            long_job_s,
            hundred_inputs_s: None,
            why_not: None,
        };
        let pays = [
            pays("threads", Work::Computes, Some(1.9), Some(4e-6)),
            pays("processes", Work::Computes, Some(1.01), None),
            pays("async", Work::Waits, Some(100.0), Some(0.0)),
        ];
        let expected = "A thread costs (not measured) to start and end, this program as a process (not measured), an async \
                        task (not measured); in a long job threads pay for what computes from 4.0 µs an input, processes \
                        never (1.01 times as fast), async for what waits however short an input is.";
        assert_eq!(sentence(&[], &pays, 3), expected);
        assert!(sentence(&[], &pays, 1).ends_with("from one round, which may be chance."));
        assert!(sentence(&[], &[], 3).contains("computes (not measured), processes (not"));
    }
}
