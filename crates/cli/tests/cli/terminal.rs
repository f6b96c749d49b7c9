//! What a terminal is sent, looked at through one that `script` makes.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::program::{run, start};

#[test]
fn the_bar_leaves_the_cursor_on_its_line() {
    let program = env!("CARGO_BIN_EXE_triway");
    let line = format!("{program} run cpu --work spin --n 300 --inputs 3 -c 1");
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]);
    let ended = start(script.stdin(Stdio::null())).end();
    assert_eq!(ended.code, 0, "{ended:?}");
    for says in ["cpu threads@1 [", "0/3, 0 a second, ? left", "1/3, "] {
        assert!(ended.out.contains(says), "no {says}: {ended:?}");
    }
    // Filled with spaces to the edge, it would have what is typed appear on the next line.
    assert!(!ended.out.contains("left   "), "{ended:?}");
}

#[test]
fn a_narrow_terminal_shows_figures_and_no_bar() {
    let program = env!("CARGO_BIN_EXE_triway");
    let line =
        format!("stty rows 24 cols 70; {program} run cpu --work spin --n 300 --inputs 3000 -c 1");
    let line = format!("{line} & sleep 1; kill -TERM $!; kill -TERM $!; wait");
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]);
    let ended = start(script.stdin(Stdio::null())).end();
    assert!(ended.out.contains("cpu threads@1 "), "{ended:?}");
    assert!(!ended.out.contains("threads@1 ["), "{ended:?}");
    assert!(ended.out.contains(" left"), "{ended:?}");
}

#[test]
fn a_job_that_stops_counts_what_was_done_and_foretells_nothing() {
    let program = env!("CARGO_BIN_EXE_triway");
    let file = "/dev/null";
    let line =
        format!("{program} run cpu --work spin --n 1500 --inputs 50 -c 1 --format jsonl -o {file}");
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]);
    let mut started = start(script.stdin(Stdio::piped()));
    let mut keys = started.stdin();
    thread::sleep(Duration::from_millis(700));
    // Ctrl-C, as the terminal passes it on.
    keys.write_all(b"\x03").unwrap();
    let ended = started.end();
    drop(keys);
    assert_eq!(ended.code, 130, "{ended:?}");
    let (_, after) = ended.out.split_once(" 0 done, stopping").unwrap();
    assert!(after.contains(" 1 done, stopping"), "{ended:?}");
    assert!(!after.contains(" left"), "{ended:?}");
    for counted in ["2 done", "3 done", "9 done"] {
        assert!(
            !after.contains(counted),
            "cancelled inputs count: {ended:?}"
        );
    }
}

#[test]
fn a_comparison_has_bars_on_a_terminal_and_nowhere_else() {
    let program = env!("CARGO_BIN_EXE_triway");
    let compare = "compare cpu --n 200000 --inputs 4 --rounds 2 --models sequential,threads";
    let line = format!("{program} {compare}");
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]);
    let watched = start(script.stdin(Stdio::null()).env("NO_COLOR", "1")).end();
    assert_eq!(watched.code, 0, "{watched:?}");
    let bars = |text: &str| {
        let lines = text.lines();
        lines
            .filter(|line| line.contains('█') || line.contains('▓'))
            .count()
    };
    assert_eq!(bars(&watched.out), 2, "{watched:?}");
    assert!(!watched.out.contains("\x1b[3"), "{watched:?}");
    let table = run(&format!("{compare} --format table"));
    assert!(table.out.contains("sequential"), "{table:?}");
    assert_eq!(bars(&table.out), 0, "{table:?}");
}
