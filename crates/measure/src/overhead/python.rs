//! One round of what Python charges: an interpreter runs `python/overhead.py`, which tells it as JSON.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _, Seek as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;

use super::{answer::why, report::Python};

const SCRIPT: &str = include_str!("../../../../python/overhead.py");

/// How long a round may take. The script sets itself an alarm for a little longer, in case that nobody is left to end it.
const LIMIT: Duration = Duration::from_secs(30);

/// How often somebody looks whether it has ended.
const GLANCE: Duration = Duration::from_millis(10);

/// What a round told.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Told {
    /// The interpreter.
    #[serde(flatten)]
    pub(super) python: Python,
    /// Numbers by the ids of their figures.
    pub(super) figures: BTreeMap<String, f64>,
    /// Why there is none, likewise.
    pub(super) missing: BTreeMap<String, String>,
}

/// Runs a round. An error is a sentence for people; so is being stopped.
pub(super) fn round(
    python: &Path,
    round: usize,
    lanes: usize,
    stop: &AtomicBool,
) -> Result<Told, String> {
    let name = python.display().to_string();
    let failed = why(&name);
    let file = || tempfile::tempfile().map_err(|error| why("no temporary file")(&error));
    let (mut said, mut complained) = (file()?, file()?);
    let copy = |file: &File| file.try_clone().map_err(|error| failed(&error));
    let child = Command::new(python)
        .args(["-c", SCRIPT, &round.to_string(), &lanes.to_string()])
        .stdin(Stdio::null())
        .stdout(copy(&said)?)
        .stderr(copy(&complained)?)
        // So that what it has started ends with it.
        .process_group(0)
        .spawn()
        .map_err(|error| failed(&error))?;
    let status = end_of(child, stop).map_err(|error| failed(&error))?;
    let text = whole(&mut said).map_err(|error| failed(&error))?;
    if status.success() {
        return parse(&text).map_err(|error| failed(&error));
    }
    let complaint = whole(&mut complained).unwrap_or_default();
    // The last line of a traceback says what it was.
    let last = complaint.lines().rfind(|line| !line.trim().is_empty());
    Err(failed(&match last {
        Some(line) => format!("{status}: {line}"),
        None => status.to_string(),
    }))
}

fn parse(text: &str) -> Result<Told, String> {
    let mut told: Told = serde_json::from_str(text).map_err(|error| error.to_string())?;
    // What is no number, or less than nothing, was not measured.
    let usable = |number: &mut f64| number.is_finite() && *number >= 0.0;
    told.figures.retain(|_, number| usable(number));
    Ok(told)
}

/// Waits for its end, or ends it with all that it has started.
fn end_of(mut child: Child, stop: &AtomicBool) -> io::Result<ExitStatus> {
    let until = Instant::now() + LIMIT;
    let late = loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if stop.load(Ordering::Relaxed) || Instant::now() >= until {
            break io::Error::from(io::ErrorKind::TimedOut);
        }
        thread::sleep(GLANCE);
    };
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // There may be nobody left.
        let _gone = kill_process_group(group, Signal::KILL);
    }
    child.wait()?;
    Err(late)
}

fn whole(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(1 << 20).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = r#"{"version":"3.12.1","implementation":"cpython","executable":"/usr/bin/python3",
        "free_threaded":false,"switch_interval_s":0.005,"start_method":"fork",
        "figures":{"python.start.thread":5e-5,"python.start.fork":-1.0},
        "missing":{"python.start.spawn":"Python said: no"}}"#;

    #[test]
    fn what_a_round_told_reads() {
        let told = parse(TOLD).unwrap();
        assert_eq!(told.python.version, "3.12.1");
        assert_eq!(told.python.start_method, "fork");
        let figures: Vec<_> = told.figures.into_iter().collect();
        assert_eq!(figures, [("python.start.thread".to_owned(), 5e-5)]);
        assert_eq!(told.missing["python.start.spawn"], "Python said: no");
        assert!(parse("").is_err());
        assert!(parse(&TOLD.replace("\"3.12.1\"", "3.12")).is_err());
    }

    #[test]
    fn an_interpreter_that_is_none_says_how_it_ended() {
        let never = AtomicBool::new(false);
        let ended = round(Path::new("/bin/false"), 0, 2, &never).unwrap_err();
        assert!(ended.starts_with("/bin/false: exit status: 1"), "{ended}");
        let missing = round(Path::new("/no/such/python"), 0, 2, &never).unwrap_err();
        assert!(missing.starts_with("/no/such/python: "), "{missing}");
        let silent = round(Path::new("/bin/true"), 0, 2, &never).unwrap_err();
        assert!(silent.contains("EOF"), "{silent}");
    }
}
