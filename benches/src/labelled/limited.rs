//! Commands that must end within a time limit, and whose group is ended with them if they do not.

use std::{
    error::Error,
    fs::File,
    io::{Read as _, Seek as _},
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

/// How often a command is looked at, at first; half a per cent of what it has taken later on.
const LOOK: Duration = Duration::from_millis(2);
/// How long a command that was told to end may take.
const GRACE: Duration = Duration::from_secs(5);

/// A command that has ended.
pub(super) struct Ended {
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) seconds: f64,
}

/// Runs it to its end. That inputs failed (exit code 1) is no error here.
pub(super) fn run(words: &[String], limit: Duration) -> Result<Ended, Box<dyn Error>> {
    let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let (program, arguments) = words.split_first().ok_or("no command")?;
    let began = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(stdout.try_clone()?)
        .stderr(stderr.try_clone()?)
        .process_group(0)
        .spawn()
        .map_err(|error| format!("{program}: {error}; build it first"))?;
    let status = wait(&mut child, limit)?;
    let seconds = began.elapsed().as_secs_f64();
    match status.and_then(|status| status.code()) {
        Some(0 | 1) => Ok(Ended {
            stdout: text(&mut stdout)?,
            stderr: text(&mut stderr)?,
            seconds,
        }),
        Some(code) => Err(format!(
            "{}: exit code {code}: {}",
            words.join(" "),
            text(&mut stderr)?
        )
        .into()),
        None => Err(format!("{}: ended by force after {seconds:.0} s", words.join(" ")).into()),
    }
}

/// `None` where it did not end in time.
fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>, Box<dyn Error>> {
    let began = Instant::now();
    let mut told = false;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((!told).then_some(status));
        }
        let took = began.elapsed();
        if took > limit && !told {
            told = true;
            signal(child, Signal::TERM);
        }
        if took > limit + GRACE {
            signal(child, Signal::KILL);
            child.wait()?;
            return Ok(None);
        }
        sleep(LOOK.max(took / 200));
    }
}

fn signal(child: &Child, signal: Signal) {
    // It was not waited for yet, so its number is still its own.
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, signal);
    }
}

fn text(file: &mut File) -> Result<String, std::io::Error> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
