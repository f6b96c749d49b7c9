//! Worker processes seen from outside: which there are, and signals to them.

use std::{fs, process::Command};

/// The workers that a process has started.
pub(crate) fn workers_of(parent: u32) -> Vec<u32> {
    let mut children = children_of(parent);
    children.retain(|&pid| is_worker(pid));
    children
}

/// What a process has started.
pub(crate) fn children_of(parent: u32) -> Vec<u32> {
    let listed = Command::new("ps")
        .args(["-o", "pid=", "--ppid", &parent.to_string()])
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    listed
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

/// Whether a process lives, and is no zombie.
pub(crate) fn is_running(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

pub(crate) fn is_worker(pid: u32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline"))
        .is_ok_and(|line| String::from_utf8_lossy(&line).contains("worker\0script"))
}

/// Sends a signal to one of this process's workers.
pub(crate) fn signal_a_worker(signal: &str) {
    let workers = workers_of(std::process::id());
    let worker = workers.first().expect("a worker runs").to_string();
    let sent = Command::new("kill")
        .args(["-s", signal, &worker])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// Kills a process; `false` if it has ended by itself.
pub(crate) fn kill(pid: u32) -> bool {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).is_ok()
}
