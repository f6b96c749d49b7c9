//! How many threads and processes the system lets this user have.

use std::fs;

use rustix::process::{Resource, getrlimit, getuid};

/// The smallest of the limits that apply, as far as the system tells.
pub(super) fn threads_and_processes() -> Option<u64> {
    let of_file = |path: &str| fs::read_to_string(path).ok()?.trim().parse().ok();
    let kernel = ["/proc/sys/kernel/threads-max", "/proc/sys/kernel/pid_max"];
    let all = kernel.into_iter().map(of_file);
    all.chain([of_file(&group()), of_user()]).flatten().min()
}

/// The file with the limit of this process's control group.
fn group() -> String {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let path = own.lines().find_map(|line| line.strip_prefix("0::"));
    format!(
        "/sys/fs/cgroup{}/pids.max",
        path.unwrap_or("").trim_end_matches('/')
    )
}

/// The limit of the user, which does not hold for the first of them.
fn of_user() -> Option<u64> {
    match getuid().is_root() {
        true => None,
        false => getrlimit(Resource::Nproc).current,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_system_has_a_limit() {
        assert!(super::threads_and_processes().is_none_or(|most| most > 10));
    }
}
