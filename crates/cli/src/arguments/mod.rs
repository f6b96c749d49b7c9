//! What was typed, as clap reads it. What it means is decided elsewhere: see `job_options` and `prepared`.

mod advise;
mod check;
mod columns;
mod echo;
mod format;
mod help;
mod http;
mod inputs;
mod job;
mod journal;
mod model;
mod overhead;
mod pool;
mod py;
mod report;
mod sh;
mod sql;
mod sweep;
mod tasks;
mod trials;
mod values;

use std::{net::IpAddr, path::PathBuf};

pub(crate) use self::{
    advise::AdviseArguments,
    check::{CheckArguments, CheckVerbArguments, ListedArguments, RuleArguments},
    columns::{ColumnsArguments, Data, DataFormat, GenerateArguments, GenerateColumnsArguments},
    echo::{EchoArguments, EchoModel, ServeEchoArguments},
    format::FormatName,
    http::{ExampleUrls, Kept, RequestArguments},
    inputs::InputArguments,
    job::{JobArguments, LanesArguments, TimeLimit},
    journal::{JournalAction, JournalArguments, JournalVerbArguments, ShowArguments, Survives},
    model::{Chosen, ProbeArguments},
    overhead::OverheadArguments,
    py::{Convert as PyConvert, EventLoop as PyEventLoop, Example, PyArguments},
    report::{ReportArguments, TraceArguments},
    sh::ShArguments,
    sql::SqlArguments,
    sweep::SweepArguments,
    tasks::{CpuArguments, HttpArguments, TaskArguments, Work},
    trials::TrialArguments,
};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

/// Runs one job (a task applied to many inputs) on threads, on processes or as async tasks, and measures which wins
#[derive(Debug, Parser)]
#[command(name = "triway", version, max_term_width = 100, after_help = help::TRIWAY)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a job under one model; one outcome an input
    Run(Box<RunArguments>),
    /// Run the same job under several models, in turn, and rank them
    Compare(Box<CompareArguments>),
    /// Find out, by a few seconds of probing, which model a job should run under, and say why
    Advise(Box<AdviseArguments>),
    /// Run the job under one model at rising concurrency; says how many at once are enough
    Sweep(Box<SweepArguments>),
    /// Measure what threads, processes and async tasks cost on this machine, and in Python
    Overhead(OverheadArguments),
    /// Request URLs and examine the answers by rules; tells of those that are not healthy
    Check(Box<CheckVerbArguments>),
    /// Show what a run has written into its journal
    Journal(JournalVerbArguments),
    /// Serve something to try tasks on
    Serve(ServeArguments),
    /// Make example data
    Generate(GenerateArguments),
    /// Write a completion script for a shell to standard output
    #[command(after_help = help::COMPLETIONS)]
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Write the manual pages into a directory, or the main page to standard output
    #[command(after_help = help::MAN)]
    Man {
        /// Where to; made if it is not there
        #[arg(value_name = "DIR")]
        directory: Option<PathBuf>,
    },
}

/// `triway run`.
#[derive(Debug, Args)]
#[command(after_help = help::RUN)]
pub(crate) struct RunArguments {
    /// Concurrency model; auto, the default, measures on the first inputs and goes on with the best
    #[arg(short, long, global = true, value_parser = model::chosen(), help_heading = job::HEADING)]
    pub(crate) model: Option<Chosen>,

    #[command(flatten)]
    pub(crate) probing: ProbeArguments,

    #[command(flatten)]
    pub(crate) lanes: LanesArguments,

    #[command(flatten)]
    pub(crate) job: JobArguments,

    #[command(flatten)]
    pub(crate) journal: JournalArguments,

    #[command(flatten)]
    pub(crate) trace: TraceArguments,

    #[command(subcommand)]
    pub(crate) task: TaskArguments,
}

/// `triway compare`.
#[derive(Debug, Args)]
#[command(after_help = help::COMPARE)]
pub(crate) struct CompareArguments {
    /// What to compare: models, each with its own concurrency if wanted, such as threads,async@100; all unless given
    #[arg(long, global = true, value_name = "MODEL[@N],…", help_heading = COMPARISON)]
    pub(crate) models: Option<String>,

    #[command(flatten)]
    pub(crate) trials: TrialArguments,

    /// The arm that speedups refer to [default: sequential]
    #[arg(long, global = true, value_name = "ARM", help_heading = COMPARISON)]
    pub(crate) baseline: Option<String>,

    #[command(flatten)]
    pub(crate) lanes: LanesArguments,

    #[command(flatten)]
    pub(crate) job: JobArguments,

    #[command(flatten)]
    pub(crate) report: ReportArguments,

    #[command(flatten)]
    pub(crate) trace: TraceArguments,

    #[command(subcommand)]
    pub(crate) task: TaskArguments,
}

const COMPARISON: &str = "Comparison";

/// `triway serve`.
#[derive(Debug, Args)]
#[command(after_help = help::SERVE)]
pub(crate) struct ServeArguments {
    /// What to serve.
    #[command(subcommand)]
    pub(crate) server: Server,
}

/// The servers.
#[derive(Debug, Subcommand)]
pub(crate) enum Server {
    /// An HTTP test server in the manner of httpbin: slow, large, flaky or limited, as the path says
    Http(ServeHttpArguments),
    /// A TCP server that reads a line, waits as a database would, and answers `Echo: …`
    #[command(after_help = help::SERVE_ECHO)]
    Echo(ServeEchoArguments),
}

/// `triway serve http`.
#[derive(Debug, Args)]
#[command(after_help = help::SERVE)]
pub(crate) struct ServeHttpArguments {
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 8080, allow_negative_numbers = true)]
    pub(crate) port: u16,

    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) bind: IpAddr,

    /// Speak TLS, with a certificate made for this server alone; HTTP/2 where the client wants it
    #[arg(long)]
    pub(crate) tls: bool,

    /// Write the certificate of its authority into a file, in PEM, for clients to trust; what is no certificate stays
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub(crate) write_ca: Option<PathBuf>,

    /// A further host name or address for the certificate; localhost, 127.0.0.1, ::1 and --bind are in it
    #[arg(long, value_name = "NAME", requires = "tls")]
    pub(crate) tls_name: Vec<String>,

    /// End when standard input does, as the embedded example wants it
    #[arg(long, hide = true)]
    pub(crate) until_stdin_closes: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use triway_core::Model;

    use super::*;

    #[test]
    fn the_arguments_make_sense_to_clap() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn job_options_may_stand_before_and_after_the_task() {
        for line in [
            "triway run http urls.txt -c 50 -m async -o out.jsonl",
            "triway run -c 50 -m async http urls.txt -o out.jsonl",
        ] {
            let arguments = Arguments::try_parse_from(line.split(' ')).unwrap();
            let Verb::Run(run) = arguments.verb else {
                panic!("{line} is no run");
            };
            assert_eq!(run.model, Some(Chosen::Model(Model::Async)), "{line}");
            assert_eq!(run.lanes.concurrency.map(usize::from), Some(50), "{line}");
            assert!(run.job.output.is_some(), "{line}");
        }
    }
}
