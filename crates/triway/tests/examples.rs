//! Runs each example and looks at what it says.

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

fn example(name: &str) -> String {
    example_with(name, "")
}

/// Examples are built beside the tests.
fn example_with(name: &str, input: &str) -> String {
    let mut path: PathBuf = std::env::current_exe().expect("this test has a path");
    path.pop();
    path.set_file_name("examples");
    let mut child = Command::new(path.join(name))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the example was built");
    let mut stdin = child.stdin.take().expect("it has a pipe");
    // Most of them read nothing.
    let _unread = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("examples print text")
}

#[test]
fn one_word_changes_the_model() {
    let expected: Vec<String> = ["sequential", "threads", "processes", "async", "hybrid"]
        .iter()
        .map(|model| format!("{model}: [Some(6), Some(7), None, Some(5)]"))
        .collect();
    assert_eq!(example("one_word").lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_job_is_awaited_and_cancelled() {
    assert_eq!(example("awaited"), "20 of 20 succeeded\n4 of 4 cancelled\n");
}

#[test]
fn outcomes_stream_in_order() {
    assert_eq!(
        example("streaming"),
        "10 inputs were retried\n1000000 succeeded, in order\n"
    );
}

#[test]
fn a_job_goes_on_from_its_journal() {
    assert_eq!(
        example("resumed"),
        "threads: [0, 1, 4, 9, 16], 0 of them from the journal\n\
         async: [0, 1, 4, 9, 16, 25, 36, 49], 5 of them from the journal\n"
    );
}

/// On processes, which needs more than a model and a number.
#[test]
fn the_program_that_advice_gives_runs() {
    let said = example_with("advised", "one\ntwo\nthree\n");
    assert_eq!(said, "3 succeeded\n");
}

/// Waiting overlaps on threads and async, so both must beat sequential by far, whatever the machine.
#[test]
fn a_comparison_has_a_verdict() {
    let said = example("comparing");
    let times = |arm: &str| -> f64 {
        let line = said
            .lines()
            .find(|line| line.starts_with(arm))
            .expect("every arm has a line");
        line.split(' ')
            .nth(1)
            .and_then(|n| n.parse().ok())
            .expect("a number")
    };
    assert!(times("threads@8:") > 2.0, "{said}");
    assert!(times("async@8:") > 2.0, "{said}");
    assert!(said.contains("equal results: true"), "{said}");
}
