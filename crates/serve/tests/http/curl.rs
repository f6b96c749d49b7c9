//! curl as a client that nobody here wrote.

use std::process::Command;

/// What curl printed and how it ended.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    arguments: Vec<String>,
}

/// Runs curl with `arguments`, separated by spaces; `&` before or after which no `=` stands is a space in one of them.
pub(crate) fn curl(arguments: &str) -> Answer {
    run(arguments
        .split_whitespace()
        .map(|argument| match argument.starts_with("http") {
            true => argument.to_owned(),
            false => argument.replace('&', " "),
        })
        .collect())
}

fn run(arguments: Vec<String>) -> Answer {
    let output = Command::new("curl")
        .args(["-sS", "--max-time", "20", "--noproxy", "*"])
        .args(&arguments)
        .output()
        .expect("curl is installed");
    Answer {
        code: output.status.code().unwrap(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        arguments,
    }
}

impl Answer {
    /// The same once more, but for the body, of which `variables` (see `curl --write-out`) are told.
    pub(crate) fn written(&self, variables: &str) -> String {
        let mut arguments = self.arguments.clone();
        arguments
            .extend(["-o", "/dev/null", "-o", "/dev/null", "-w", variables].map(str::to_owned));
        run(arguments).out
    }
}
