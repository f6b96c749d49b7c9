//! All of it in one sentence.

use super::{
    report::{Figure, Pays, Work},
    told::{time, told},
};

/// The sentence.
pub(super) fn sentence(figures: &[Figure], pays: &[Pays], python: bool) -> String {
    let of = |id: &str| told(figures.iter().find(|figure| figure.id == id));
    let mut text = format!(
        "A thread costs {} to start and end, this program as a process {}, an async task {}; in a long job {}",
        of("start.thread"),
        of("start.again"),
        of("start.task"),
        from(pays, ["threads", "processes", "async"]),
    );
    if python {
        text += &format!(
            "; in Python a thread costs {}, a forked process {}, a spawned one {}, and {}",
            of("python.start.thread"),
            of("python.start.fork"),
            of("python.start.spawn"),
            from(pays, ["python-threads", "python-processes", "python-async"]),
        );
    }
    text + "."
}

/// From when on threads and processes pay for what computes, and async for what waits.
fn from(pays: &[Pays], [threads, processes, tasks]: [&str; 3]) -> String {
    format!(
        "inputs must compute for {} to be worth threads and for {} to be worth processes, or wait for {} to be worth async",
        least(pays, threads, Work::Computes),
        least(pays, processes, Work::Computes),
        least(pays, tasks, Work::Waits),
    )
}

fn least(pays: &[Pays], row: &str, work: Work) -> String {
    let mut all = pays.iter();
    let own = all.find(|pays| pays.row == row && pays.work == work);
    match own {
        Some(Pays {
            long_job_s: Some(least),
            ..
        }) => time(*least),
        Some(Pays {
            times: Some(times), ..
        }) => format!("ever so long (never: lanes are {times:.2} times as fast as one)"),
        _ => "(not measured)".to_owned(),
    }
}
