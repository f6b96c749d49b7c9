//! Much input in little memory.

use std::{fs, io::Write, process::Stdio, thread};

use crate::program::{eventually, start, triway};

/// The most memory that a process has had, in MiB; `None` once it is gone.
fn peak_mib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

#[test]
fn a_huge_line_is_refused_alone_and_never_held() {
    let mut started = start(triway("run cpu - --work none --keep-order").stdin(Stdio::piped()));
    let process = started.pid();
    let mut stdin = started.stdin();
    let writer = thread::spawn(move || {
        let megabyte = vec![b'7'; 1 << 20];
        stdin.write_all(b"1\n").unwrap();
        for _ in 0..1024 {
            stdin.write_all(&megabyte).unwrap();
        }
        let peak = peak_mib(process);
        stdin.write_all(b"\n2\n").unwrap();
        peak
    });
    eventually(|| writer.is_finished().then_some(()));
    let peak = writer.join().unwrap().unwrap();
    assert!(peak < 80, "{peak} MiB");
    let ended = started.end();
    let outcomes = ended.outcomes();
    assert_eq!(ended.code, 1);
    assert_eq!(outcomes.len(), 3);
    assert_eq!(outcomes[1]["error"]["kind"], "input-too-large");
    let message = outcomes[1]["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("standard input:2") && message.contains("1073741824"),
        "{message}"
    );
    assert_eq!(outcomes[1]["input"].as_str().unwrap().len(), 200);
    assert_eq!(outcomes[2]["status"], "ok");
}

#[test]
fn memory_does_not_grow_with_the_number_of_inputs() {
    let peak = |inputs: usize| {
        let arguments = "run cpu - --work none -o /dev/null";
        let mut started = start(triway(arguments).stdin(Stdio::piped()));
        let process = started.pid();
        let mut stdin = started.stdin();
        let thousand = "12345\n".repeat(1000);
        for _ in 0..inputs / 1000 {
            stdin.write_all(thousand.as_bytes()).unwrap();
        }
        let peak = peak_mib(process).unwrap();
        drop(stdin);
        let ended = started.end();
        assert!(
            ended
                .err
                .contains(&format!("{inputs} of {inputs} succeeded")),
            "{}",
            ended.err
        );
        peak
    };
    let (few, many) = (peak(100_000), peak(1_000_000));
    assert!(many <= few + few / 5 + 2, "{few} MiB, then {many} MiB");
}
