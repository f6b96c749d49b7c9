//! The options of jobs that run on worker processes.

use std::num::{NonZeroU64, NonZeroUsize};

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use triway_core::{Inner, Model, Pool};

use super::values::{positive, size, whole};

/// How worker processes are used; matters to the models processes and hybrid.
#[derive(Debug, Args)]
#[command(next_help_heading = "Worker processes")]
pub(crate) struct PoolArguments {
    /// How many worker processes the model hybrid has; one a processor unless given
    #[arg(long, global = true, value_name = "P", value_parser = positive::<NonZeroUsize>, allow_negative_numbers = true)]
    processes: Option<NonZeroUsize>,

    /// What runs inside each worker process of the model hybrid; threads, if the task can, unless given
    #[arg(long, global = true, value_name = "WHAT", value_parser = inner())]
    inner: Option<Inner>,

    /// How often an input whose worker process died of it is tried again; twice unless given
    #[arg(long, global = true, value_name = "K", value_parser = whole::<u32>, allow_negative_numbers = true)]
    crash_retries: Option<u32>,

    /// Never begin an input twice, whatever becomes of it; no retries of any kind
    #[arg(long, global = true, conflicts_with = "retries")]
    pub(crate) at_most_once: bool,

    /// How much memory a worker process may hold, such as 1GiB
    #[arg(long, global = true, value_name = "BYTES", value_parser = memory)]
    worker_memory: Option<u64>,

    /// Replace a worker process by a fresh one after so many inputs
    #[arg(long, global = true, value_name = "N", value_parser = positive::<NonZeroU64>, allow_negative_numbers = true)]
    recycle: Option<NonZeroU64>,

    /// How many inputs a slot of a worker process gets at once; as many as take a few milliseconds unless given
    #[arg(long, global = true, value_name = "N", value_parser = positive::<NonZeroUsize>, allow_negative_numbers = true)]
    batch: Option<NonZeroUsize>,
}

impl PoolArguments {
    /// The same as a part of a plan.
    pub(crate) fn pool(&self) -> Pool {
        let mut pool = Pool::default();
        pool.processes = self.processes;
        pool.inner = self.inner;
        pool.crash_retries = self.crash_retries.unwrap_or(pool.crash_retries);
        pool.memory_bytes = self.worker_memory;
        pool.recycle = self.recycle;
        pool.batch = self.batch;
        pool
    }

    /// The first option that was given and means nothing to any of these models, and the models that it is for. A limit
    /// that somebody believes in and that is not there would be worse than none. A task may have worker processes under
    /// every model.
    pub(crate) fn idle(
        &self,
        models: &[Model],
        always_workers: bool,
    ) -> Option<(&'static str, &'static str)> {
        let hybrid = ("-m hybrid", &[Model::Hybrid][..]);
        let with_workers = match always_workers {
            true => &Model::ALL[..],
            false => &[Model::Processes, Model::Hybrid],
        };
        let either = ("-m processes or hybrid", with_workers);
        [
            ("--processes", self.processes.is_some(), hybrid),
            ("--inner", self.inner.is_some(), hybrid),
            ("--crash-retries", self.crash_retries.is_some(), either),
            ("--worker-memory", self.worker_memory.is_some(), either),
            ("--recycle", self.recycle.is_some(), either),
            ("--batch", self.batch.is_some(), either),
        ]
        .into_iter()
        .find(|(_, given, (_, fitting))| *given && !models.iter().any(|it| fitting.contains(it)))
        .map(|(option, _, (wanted, _))| (option, wanted))
    }
}

fn inner() -> impl TypedValueParser<Value = Inner> {
    PossibleValuesParser::new(Inner::ALL.map(Inner::name)).try_map(|name| name.parse::<Inner>())
}

/// A worker without a task holds a few MiB; with less than this it could not even begin.
const LEAST_MEMORY: u64 = 16 << 20;

fn memory(text: &str) -> Result<u64, String> {
    let bytes = size(text)?;
    if bytes < LEAST_MEMORY {
        return Err("a worker process needs 16MiB at the least".to_owned());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::memory;

    #[test]
    fn a_worker_needs_some_memory() {
        assert_eq!(memory("64MiB").ok(), Some(64 << 20));
        assert!(memory("1").is_err() && memory("much").is_err());
    }
}
