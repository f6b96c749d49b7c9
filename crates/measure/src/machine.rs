//! What a comparison ran on, so that its figures are not read as those of another machine.

use std::{fs, thread};

use crate::report::Machine;

/// This machine, as far as it tells: processors this process may use, their name, memory, operating system.
#[must_use]
pub fn describe() -> Machine {
    let read = |path| fs::read_to_string(path).ok();
    Machine {
        cpus: cpus(),
        cpu_model: read("/proc/cpuinfo").and_then(|text| cpu_model(&text)),
        memory_bytes: read("/proc/meminfo").and_then(|text| memory_bytes(&text)),
        os: read("/etc/os-release").and_then(|text| os_name(&text)),
    }
}

/// How many processors this process may use (limits of a container count); 1 where nothing tells.
#[must_use]
pub fn cpus() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// How many processes were running or waiting for a processor in the last minute, as the system tells.
pub(crate) fn load_average() -> Option<f64> {
    first_word(&fs::read_to_string("/proc/loadavg").ok()?)
}

fn first_word(loadavg: &str) -> Option<f64> {
    loadavg.split_whitespace().next()?.parse().ok()
}

/// The processor's name; ARM kernels give none, only numbers.
fn cpu_model(cpuinfo: &str) -> Option<String> {
    value(cpuinfo, "model name", ':').map(str::to_owned)
}

fn memory_bytes(meminfo: &str) -> Option<u64> {
    let kibibytes = value(meminfo, "MemTotal", ':')?.strip_suffix("kB")?;
    Some(kibibytes.trim().parse::<u64>().ok()? * 1024)
}

fn os_name(release: &str) -> Option<String> {
    let name = value(release, "PRETTY_NAME", '=')?;
    Some(name.trim_matches(['"', '\'']).to_owned())
}

/// The value of the first line `name SEPARATOR value`.
fn value<'a>(text: &'a str, name: &str, separator: char) -> Option<&'a str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(separator));
    let (_, value) = pairs.find(|(key, _)| key.trim() == name)?;
    Some(value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_linux_machine_read() {
        let cpuinfo =
            "processor\t: 0\nmodel name\t: Some CPU @ 2.0GHz\nprocessor\t: 1\nmodel name\t: Other";
        assert_eq!(cpu_model(cpuinfo).as_deref(), Some("Some CPU @ 2.0GHz"));
        assert_eq!(cpu_model("processor\t: 0\nBogoMIPS\t: 50.00"), None);
        assert_eq!(
            memory_bytes("MemTotal:        4 kB\nMemFree: 1 kB"),
            Some(4096)
        );
        assert_eq!(memory_bytes("MemTotal: lots"), None);
        assert_eq!(first_word("0.52 0.58 0.59 1/467 12345"), Some(0.52));
        assert_eq!(first_word("busy"), None);
        let release = "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"";
        assert_eq!(
            os_name(release).as_deref(),
            Some("Debian GNU/Linux 12 (bookworm)")
        );
    }

    #[test]
    fn this_machine_has_a_processor() {
        assert!(describe().cpus >= 1);
    }
}
