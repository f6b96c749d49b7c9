//! The options of `echo`, and of its server.

use std::{net::IpAddr, num::NonZeroUsize, time::Duration};

use clap::{Args, ValueEnum};

use super::{
    inputs::InputArguments,
    values::{positive, some_bytes, time},
};

/// Options of the task `echo`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Task")]
pub(crate) struct EchoArguments {
    #[command(flatten)]
    pub(crate) inputs: InputArguments,

    /// The server, such as one that `triway serve echo` has started [default: an embedded one]
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) to: Option<String>,

    /// To compare servers: how one of them serves its connections; may be repeated, each is an arm
    #[arg(
        long,
        value_enum,
        value_name = "MODEL",
        value_delimiter = ',',
        conflicts_with = "to"
    )]
    pub(crate) server: Vec<EchoModel>,

    /// To compare servers: at how many connections each, such as 10,100,1000 [default: the concurrency]
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = positive::<NonZeroUsize>, requires = "server")]
    pub(crate) connections: Vec<NonZeroUsize>,

    /// How long embedded servers work on a message: a wait, as for a database [default: 0s]
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "to")]
    pub(crate) delay: Option<Duration>,

    /// With no inputs given: how many messages there are [default: 1000; where servers are compared 20000, and ten for each connection]
    #[arg(long, value_name = "N", value_parser = positive::<u64>, conflicts_with_all = ["files", "values"])]
    pub(crate) messages: Option<u64>,
}

/// `triway serve echo`.
#[derive(Debug, Args)]
pub(crate) struct ServeEchoArguments {
    /// How connections are served: as async tasks, by a thread each, or by worker processes
    #[arg(short, long, value_enum, default_value_t = EchoModel::Async)]
    pub(crate) model: EchoModel,

    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 7777, allow_negative_numbers = true)]
    pub(crate) port: u16,

    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) bind: IpAddr,

    /// How long each message is worked on: a wait, as for a database
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = time)]
    pub(crate) delay: Duration,

    /// How many connections there may be; further ones wait in the kernel's queue
    #[arg(long, value_name = "N", default_value = "10000", value_parser = positive::<NonZeroUsize>)]
    pub(crate) max_connections: NonZeroUsize,

    /// How long a message may be; a longer one is answered with an error, and its connection closed
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 10, value_parser = some_bytes)]
    pub(crate) max_message_bytes: u64,

    /// How long the next message may take to be there whole, and its answer to be taken
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time)]
    pub(crate) idle: Duration,

    /// How long a connection may last [default: as long as it is used]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) max_age: Option<Duration>,

    /// How long connections may take to end once the server was told to
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time)]
    pub(crate) drain: Duration,

    /// With --model processes: how many workers [default: one a processor]
    #[arg(long, value_name = "N", value_parser = positive::<NonZeroUsize>)]
    pub(crate) workers: Option<NonZeroUsize>,

    /// End when standard input does, as the embedded example wants it
    #[arg(long, hide = true)]
    pub(crate) until_stdin_closes: bool,
}

/// How an echo server serves its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EchoModel {
    /// As async tasks
    Async,
    /// By a thread each
    Threads,
    /// By worker processes on one port, each with many connections
    Processes,
}
