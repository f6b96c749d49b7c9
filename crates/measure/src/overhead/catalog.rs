//! Everything that is measured: its name, what was done, and by which probe.

use super::{
    answer::Answer,
    handing, locks, memory,
    report::Unit::{self, Bytes, Seconds, Times},
    starts, switches,
};

/// One figure.
pub(super) struct What {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) unit: Unit,
    pub(super) how: &'static str,
}

/// What is measured in one process.
pub(super) struct Probe {
    /// Its figures, in the order of its answer.
    pub(super) figures: &'static [What],
    pub(super) measure: fn() -> Answer,
}

const fn what(id: &'static str, name: &'static str, unit: Unit, how: &'static str) -> What {
    What {
        id,
        name,
        unit,
        how,
    }
}

macro_rules! probe {
    ($measure:path: $($what:expr),+ $(,)?) => {
        Probe { figures: &[$($what),+], measure: $measure }
    };
}

const WHOLE: &str = "from its start to its end; the middle of many within a round";
const FRESH: &str =
    "a program that does nothing, from its start to its end, started by a small process";
const OWN: &str =
    "memory that nobody shares with it, from smaps_rollup; the kernel's own is not in it";
const ONE_CPU: &str = "a byte through a pipe there and back, halved, both on one processor; the pipe's system calls are \
                       in it";
const HANDED: &str = "a job of inputs that do nothing: its steady time, divided by their number";
const READY: &str = "until the lanes of such a job stood ready";
const COMPUTED: &str = "inputs of 2 ms that compute: as many lanes as processors (2 to 16) against one, the fastest of \
                        three turns each";

/// The probes, each of which runs in a process of its own.
pub(super) const PROBES: &[Probe] = &[
    probe!(starts::of_thread: what("start.thread", "start of a thread", Seconds, WHOLE)),
    probe!(starts::of_this_program: what(
        "start.again", "start of this program again", Seconds,
        "from its start, through the moment where it says that it is there, to its end",
    )),
    probe!(starts::by_vfork: what("start.vfork", "start of a process, vfork", Seconds, FRESH)),
    probe!(starts::by_fork: what("start.fork", "start of a process, fork", Seconds, FRESH)),
    probe!(starts::of_task: what(
        "start.task", "start of an async task", Seconds,
        "from its start to its end, one after the other on one thread",
    )),
    probe!(memory::of_thread: what("memory.thread", "memory of a thread", Bytes, OWN)),
    probe!(memory::of_process: what("memory.process", "memory of a process", Bytes, OWN)),
    probe!(memory::of_task: what("memory.task", "memory of an async task", Bytes, OWN)),
    probe!(handing::to_nobody: what("hand.sequential", "an input, sequential", Seconds, HANDED)),
    probe!(handing::to_threads:
        what("hand.threads", "hand-over to threads", Seconds, HANDED),
        what("ready.threads", "threads ready", Seconds, READY),
    ),
    probe!(handing::to_many_threads:
        what("hand.threads_100", "hand-over to 100 threads", Seconds, HANDED),
        what("ready.threads_100", "100 threads ready", Seconds, READY),
    ),
    probe!(handing::to_processes:
        what("hand.processes", "hand-over to processes", Seconds, HANDED),
        what("ready.processes", "processes ready", Seconds, READY),
    ),
    probe!(handing::to_tasks:
        what("hand.async", "hand-over to 100 async tasks", Seconds, HANDED),
        what("ready.async", "100 async tasks ready", Seconds, READY),
    ),
    probe!(handing::side_by_side:
        what("parallel.threads", "threads that compute", Times, COMPUTED),
        what("parallel.processes", "processes that compute", Times, COMPUTED),
        what("parallel.async", "async tasks that compute", Times, COMPUTED),
    ),
    probe!(switches::of_threads: what("switch.thread", "switch to another thread", Seconds, ONE_CPU)),
    probe!(switches::of_processes: what("switch.process", "switch to another process", Seconds, ONE_CPU)),
    probe!(switches::of_tasks: what(
        "switch.task", "switch to another async task", Seconds,
        "two tasks on one thread that do nothing but let each other go on",
    )),
    probe!(locks::of_all:
        what("lock.free", "a lock that is free", Seconds, "one thread that does nothing but take it"),
        what("lock.two", "a lock that two threads want", Seconds, "from one taking to the next, by either"),
        what("lock.many", "a lock that many threads want", Seconds,
             "the same with twice as many threads as processors"),
    ),
    probe!(starts::of_serialised: what(
        "share.serialised", "a million integers for another process", Seconds,
        "serialised and read back, as worker processes get their inputs",
    )),
];

const PYTHON_OWN: &str = "memory that nobody shares with it, from smaps_rollup";
const POOL: &str = "abs() of numbers through the standard library's pool, divided by their number";
const POOL_READY: &str = "until each worker of that pool has run something";
const ADDED: &str = "sum() of ranges on the standard library's pool against a loop, the fastest of three turns each";

/// What a round of `python/overhead.py` measures.
pub(super) const PYTHON: &[What] = &[
    what(
        "python.start.thread",
        "Python: start of a thread",
        Seconds,
        WHOLE,
    ),
    what(
        "python.start.fork",
        "Python: start of a process, fork",
        Seconds,
        "os.fork to the end of the child, which does nothing",
    ),
    what(
        "python.start.spawn",
        "Python: start of a process, spawn",
        Seconds,
        "multiprocessing's spawn, from the start to the end of a process that does nothing",
    ),
    what(
        "python.start.coroutine",
        "Python: a coroutine",
        Seconds,
        "made and awaited, one after the other",
    ),
    what(
        "python.start.task",
        "Python: start of a task of asyncio",
        Seconds,
        "from its start to its end, one after the other",
    ),
    what(
        "python.memory.thread",
        "Python: memory of a thread",
        Bytes,
        PYTHON_OWN,
    ),
    what(
        "python.memory.fork",
        "Python: memory of a forked process",
        Bytes,
        "memory that its parent does not share with it right after the fork",
    ),
    what(
        "python.memory.spawn",
        "Python: memory of a spawned process",
        Bytes,
        PYTHON_OWN,
    ),
    what(
        "python.memory.task",
        "Python: memory of a task of asyncio",
        Bytes,
        PYTHON_OWN,
    ),
    what(
        "python.hand.sequential",
        "Python: an input, in a loop",
        Seconds,
        "abs() of numbers in a loop",
    ),
    what(
        "python.hand.threads",
        "Python: hand-over to threads",
        Seconds,
        POOL,
    ),
    what(
        "python.ready.threads",
        "Python: threads ready",
        Seconds,
        POOL_READY,
    ),
    what(
        "python.hand.threads_100",
        "Python: hand-over to 100 threads",
        Seconds,
        POOL,
    ),
    what(
        "python.ready.threads_100",
        "Python: 100 threads ready",
        Seconds,
        POOL_READY,
    ),
    what(
        "python.hand.processes",
        "Python: hand-over to processes",
        Seconds,
        POOL,
    ),
    what(
        "python.ready.processes",
        "Python: processes ready",
        Seconds,
        POOL_READY,
    ),
    what(
        "python.hand.async",
        "Python: hand-over to 100 coroutines",
        Seconds,
        "asyncio.gather behind a semaphore of 100, divided by their number",
    ),
    what(
        "python.ready.async",
        "Python: an event loop ready",
        Seconds,
        "asyncio.run of nothing",
    ),
    what(
        "python.parallel.threads",
        "Python: threads that compute",
        Times,
        ADDED,
    ),
    what(
        "python.parallel.processes",
        "Python: processes that compute",
        Times,
        ADDED,
    ),
    what(
        "python.switch.task",
        "Python: switch to another coroutine",
        Seconds,
        "two coroutines that do nothing but let each other go on",
    ),
    what(
        "python.lock.free",
        "Python: a thread wakes up late, alone",
        Seconds,
        "how late a sleep of 1 ms ends while no other thread computes",
    ),
    what(
        "python.lock.contended",
        "Python: a thread wakes up late, one computes",
        Seconds,
        "how late a sleep of 1 ms ends while another thread computes and holds the interpreter's lock",
    ),
    what(
        "python.share.pickled",
        "Python: a million integers for another process",
        Seconds,
        "pickled and unpickled",
    ),
];

/// Every figure, in the order of the report; where there is an interpreter, with its own.
pub(super) fn figures(python: bool) -> impl Iterator<Item = &'static What> {
    let rust = PROBES.iter().flat_map(|probe| probe.figures);
    rust.chain(PYTHON.iter().filter(move |_| python))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_figure_has_a_name_of_its_own() {
        let ids: BTreeSet<_> = figures(true).map(|what| what.id).collect();
        let names: BTreeSet<_> = figures(true).map(|what| what.name).collect();
        assert_eq!(ids.len(), figures(true).count());
        assert_eq!(names.len(), ids.len());
    }

    #[test]
    fn the_script_measures_what_the_catalog_says() {
        let script = include_str!("../../../../python/overhead.py");
        for what in PYTHON {
            assert!(script.contains(&format!("\"{}\"", what.id)), "{}", what.id);
        }
    }
}
