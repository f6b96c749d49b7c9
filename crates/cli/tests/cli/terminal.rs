//! What a terminal is sent, looked at through one that `script` makes.

use std::process::{Command, Stdio};

use crate::program::start;

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
