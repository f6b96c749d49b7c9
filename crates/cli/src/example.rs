//! The embedded examples of `http` and `echo`: a server as a process of its own, and URLs on it.

use std::{
    io::{self, BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use tempfile::TempDir;
use triway_measure::report::ServerReport;

use crate::exit::Fault;

/// How many URLs there are unless somebody says it.
const URLS: u32 = 50;

/// Every so many is answered late.
const LATE_EVERY: u32 = 5;

/// What the server says before its address.
pub(crate) const LISTENING: &str = "listening on ";

/// What an example keeps as long as its job runs.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// A server to speak to.
    pub(crate) server: Option<TestServer>,
    /// A folder with its files.
    pub(crate) folder: Option<TempDir>,
}

impl Kept {
    /// This server, and no files.
    pub(crate) fn server(server: TestServer) -> Self {
        Self {
            server: Some(server),
            folder: None,
        }
    }
}

/// A test server, this program started again. It ends with this process at the latest, because then its standard input
/// closes.
#[derive(Debug)]
pub(crate) struct TestServer {
    process: Child,
    says: BufReader<ChildStdout>,
    address: String,
}

impl TestServer {
    /// Starts it and waits until it listens.
    pub(crate) fn start(which: &[&str]) -> Result<Self, Fault> {
        let mut process = Command::new("/proc/self/exe")
            .arg0("triway")
            .arg("serve")
            .args(which)
            .args(["--port", "0", "--until-stdin-closes"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A terminal's Ctrl-C is for the job; what is in flight still needs its server.
            .process_group(0)
            .spawn()
            .context("the embedded test server could not be started")
            .map_err(Fault::could_not_run)?;
        match address(&mut process) {
            Ok((says, address)) => Ok(Self {
                process,
                says,
                address,
            }),
            Err(error) => {
                end(&mut process);
                Err(Fault::could_not_run(error.context(
                    "the embedded test server did not say where it listens",
                )))
            }
        }
    }

    /// Its host and port.
    pub(crate) fn authority(&self) -> &str {
        let scheme = self.address.find("://");
        scheme.map_or(&self.address, |end| &self.address[end + 3..])
    }

    /// How it ended, if it did although nobody told it to.
    pub(crate) fn ended(&mut self) -> Option<String> {
        let status = self.process.try_wait().ok().flatten()?;
        Some(format!(
            "the embedded test server ended before the last input did ({status})"
        ))
    }

    /// Lets it come to its end, and gives what it spent, if it is a server that tells. Blocks until then.
    ///
    /// # Errors
    /// It did not tell; a sentence for people.
    pub(crate) fn spent(mut self) -> Result<ServerReport, String> {
        drop(self.process.stdin.take());
        let mut line = String::new();
        let told = self.says.read_line(&mut line).map_err(|e| e.to_string());
        let told = told.and_then(|_| serde_json::from_str(&line).map_err(|e| e.to_string()));
        told.map_err(|error| format!("its server did not say what it spent: {error}"))
    }

    /// The example's inputs: most are answered at once, every fifth after a tenth of a second.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.urls_as(None, None)
    }

    /// The same, but so many of them, each answered after this time.
    pub(crate) fn urls_as(&self, count: Option<u32>, delay: Option<Duration>) -> Vec<String> {
        let url = |n| match delay {
            Some(delay) => format!("{}/delay/{}", self.address, delay.as_secs_f64()),
            None if n % LATE_EVERY == LATE_EVERY - 1 => format!("{}/delay/0.1", self.address),
            None => format!("{}/bytes/1024", self.address),
        };
        (0..count.unwrap_or(URLS)).map(url).collect()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

fn address(process: &mut Child) -> anyhow::Result<(BufReader<ChildStdout>, String)> {
    let stdout = process.stdout.take().ok_or_else(|| anyhow!("no pipe"))?;
    let mut line = String::new();
    let mut says = BufReader::new(stdout);
    says.read_line(&mut line)?;
    let address = line.trim_end().strip_prefix(LISTENING);
    let address = address.ok_or_else(|| io::Error::other(format!("it said `{line}`")))?;
    Ok((says, address.to_owned()))
}

fn end(process: &mut Child) {
    // Both fail only if it has ended already, which is what is wanted.
    let _killed = process.kill();
    let _reaped = process.wait();
}
