//! What an interpreter says of itself and of the function, before any worker is started.

use std::{
    io::{self, Read as _, Write as _},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::{MemfdFlags, memfd_create},
    process::{Pid, Signal, kill_process_group},
};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{
    policy::{Policy, arguments, shared},
    script::SCRIPT,
};

/// What an interpreter says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Described {
    /// Its version, such as `3.12.1`.
    pub version: String,
    /// Itself: what a launcher in front of it would have to find anew each time.
    pub executable: PathBuf,
    /// Whether a call of the function gives a coroutine.
    pub is_async: bool,
    /// Whether a class was named, of which an instance is called.
    pub is_class: bool,
    /// Which of `setup` and `teardown` its module has.
    pub hooks: Vec<String>,
    /// How long the import of the module took, in seconds.
    pub import_s: f64,
    /// How long the interpreter took to come up, in seconds.
    #[serde(skip)]
    pub start_s: f64,
    /// Whether one thread at a time runs Python code, now that the module has been imported.
    pub has_gil: bool,
    /// Whether it could have several interpreters in a process.
    pub has_subinterpreters: bool,
    /// The script of workers, in the form that this interpreter gives its programs. No other version reads it.
    #[serde(deserialize_with = "base64")]
    pub compiled: Vec<u8>,
    /// Whether it was built to do without that lock.
    pub is_free_threaded: bool,
}

/// Why an interpreter said nothing, or that the function cannot be called.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotDescribed {
    /// The function is not there, or cannot be called.
    #[error("{0}")]
    Target(String),
    /// The module cannot be imported.
    #[error("{0}")]
    Import(String),
    /// The interpreter could not be started, or did not answer.
    #[error("{0}")]
    Interpreter(String),
}

#[derive(Debug, Deserialize)]
struct Problem {
    problem: Option<String>,
    #[serde(default)]
    is_target: bool,
}

/// Imports the module in an interpreter of its own, and asks about the function. Blocks until then.
///
/// # Errors
/// See [`NotDescribed`].
pub(super) fn describe(policy: &Policy) -> Result<Described, NotDescribed> {
    let started = Instant::now();
    let mut asked = Asked::start(policy).map_err(|error| {
        interpreter(format!(
            "{} cannot be started: {error}",
            policy.python.display()
        ))
    })?;
    let answer = asked.answer(started + policy.import_limit);
    let took = started.elapsed();
    let ended = asked.end();
    let line = match answer {
        Ok(line) if !line.is_empty() => line,
        Ok(_) => return Err(asked.died(&policy.python, ended)),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(endless(policy)),
        Err(error) => return Err(interpreter(error.to_string())),
    };
    let unread =
        |error: serde_json::Error| interpreter(format!("{}: {error}", policy.python.display()));
    let told: Problem = serde_json::from_slice(&line).map_err(unread)?;
    if let Some(problem) = told.problem {
        return Err(match told.is_target {
            true => NotDescribed::Target(problem),
            false => NotDescribed::Import(problem),
        });
    }
    let mut described: Described = serde_json::from_slice(&line).map_err(unread)?;
    described.start_s = (took.as_secs_f64() - described.import_s).max(0.0);
    Ok(described)
}

/// An interpreter that was asked.
struct Asked {
    child: Child,
    said: OwnedFd,
}

impl Asked {
    fn start(policy: &Policy) -> io::Result<Self> {
        let said = memfd_create(c"triway-said", MemfdFlags::CLOEXEC)?;
        let configuration = serde_json::json!({
            "share": shared(&policy.share),
            "loop": policy.event_loop,
        });
        let mut child = Command::new(&policy.python)
            .args(arguments())
            .args(["0", "describe", policy.target.as_str()])
            .arg(configuration.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::from(said.try_clone()?))
            .process_group(0)
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // One that is too old does not read it.
            let _unread = stdin.write_all(SCRIPT.as_bytes());
        }
        Ok(Self { child, said })
    }

    /// Its one line, or nothing if it ended without.
    fn answer(&mut self, deadline: Instant) -> io::Result<Vec<u8>> {
        let mut stdout = self
            .child
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("no pipe"))?;
        let mut line = Vec::new();
        let mut chunk = [0; 4096];
        while !line.ends_with(b"\n") {
            let left = deadline.saturating_duration_since(Instant::now());
            let ready = poll(
                &mut [PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::IN)],
                Some(&timespec(left)),
            )?;
            if ready == 0 {
                return Err(io::ErrorKind::TimedOut.into());
            }
            match stdout.read(&mut chunk)? {
                0 => break,
                count => line.extend_from_slice(&chunk[..count]),
            }
        }
        Ok(line)
    }

    /// Ends it and what it has started.
    fn end(&mut self) -> Option<ExitStatus> {
        // It has answered, or is to be ended; one that has ended by itself keeps its status.
        let until = Instant::now() + Duration::from_millis(200);
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break Some(status),
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(1)),
                _ => break None,
            }
        };
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // There may be nobody left.
            let _gone = kill_process_group(group, Signal::KILL);
        }
        status.or_else(|| self.child.wait().ok())
    }

    fn died(&self, python: &Path, ended: Option<ExitStatus>) -> NotDescribed {
        let mut said = vec![0; 4096];
        let length = rustix::fs::fstat(&self.said).map_or(0, |told| told.st_size);
        let last = u64::try_from(length).unwrap_or(0).saturating_sub(4096);
        let count = rustix::io::pread(&self.said, &mut said, last).unwrap_or(0);
        said.truncate(count);
        let said = String::from_utf8_lossy(&said).trim_end().to_owned();
        let how = ended.map_or_else(
            || "in an unknown way".to_owned(),
            |status| status.to_string(),
        );
        let python = python.display();
        interpreter(match ended.and_then(|status| status.code()) {
            // So an interpreter ends that has told what went wrong.
            Some(1) if !said.is_empty() => format!("{python}: {said}"),
            _ if said.is_empty() => {
                format!("{python} ended before it had imported the module ({how})")
            }
            _ => format!(
                "{python} ended before it had imported the module ({how}); the last it wrote to its error output: {said}"
            ),
        })
    }
}

fn endless(policy: &Policy) -> NotDescribed {
    NotDescribed::Import(format!(
        "{} was still not imported after {:?} (--import-timeout). Does it work at its top level? Put what is to run only \
         as a program behind `if __name__ == \"__main__\":`",
        policy.target.place(),
        policy.import_limit
    ))
}

fn interpreter(said: String) -> NotDescribed {
    NotDescribed::Interpreter(said)
}

fn base64<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(from)?;
    STANDARD.decode(text).map_err(D::Error::custom)
}

fn timespec(time: Duration) -> rustix::event::Timespec {
    time.try_into().unwrap_or(rustix::event::Timespec {
        tv_sec: i64::MAX,
        tv_nsec: 0,
    })
}
