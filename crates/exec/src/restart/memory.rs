//! How much memory a process has held at most.

use rustix::process::Pid;

/// The peak of resident memory of this process, in bytes; `None` where the system does not tell.
///
/// Taken from `VmHWM`, which begins with the program. The maximum that `getrusage` gives is no use here: it is
/// inherited from the parent when a process is started, so a small worker of a large parent would look large.
#[must_use]
pub fn own_peak_bytes() -> Option<u64> {
    peak_bytes_in("/proc/self/status")
}

/// The same of another process, which must still run: once it has ended, its memory and this figure are gone.
pub(crate) fn peak_bytes_of(process: Pid) -> Option<u64> {
    peak_bytes_in(&format!("/proc/{process}/status"))
}

fn peak_bytes_in(path: &str) -> Option<u64> {
    let status = std::fs::read_to_string(path).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_peak_follows_what_was_touched() {
        let before = super::own_peak_bytes().unwrap();
        let block = vec![1u8; 64 << 20];
        let after = super::own_peak_bytes().unwrap();
        assert!(
            after >= before.max(block.len() as u64),
            "{before} then {after}"
        );
    }
}
