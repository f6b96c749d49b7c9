//! What a task's arguments mean: the task itself and its inputs, the embedded example where none are given.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs as _},
    num::NonZeroU32,
};

use anyhow::anyhow;
use triway_core::{Model, Plan};
use triway_exec::journal::Journal;
use triway_tasks::{
    catalog::Named,
    check::{Check, Rules},
    columns::Columns,
    command::CommandTask as _,
    cpu::{self, Cpu, MAX_MEBIBYTES, MAX_MILLIS, MAX_NUMBER},
    echo::Echo,
    http::{Accept, Http, Policy},
    py::Py,
    sh::Sh,
    sql::{Durability, Sql},
};

use crate::{
    arguments::{
        CheckArguments, ColumnsArguments, CpuArguments, EchoArguments, ExampleUrls, HttpArguments,
        JobArguments, PyArguments, ShArguments, SqlArguments, Survives, TaskArguments, TimeLimit,
        Work,
    },
    around::Around,
    commands::{self, Commands, commands},
    database::{Statements, statements},
    descriptors,
    example::{Kept, TestServer},
    exit::Fault,
    inputs::Inputs,
    output::Usual,
    people::figures,
    python::{self, Functions, functions},
    requests::{self, policy},
    rules::rules,
    servers::Servers,
    tables::{Tables, tables},
};

/// A task and what it is applied to.
pub(crate) struct Prepared {
    /// The task.
    pub(crate) task: Configuration,
    /// Its inputs.
    pub(crate) inputs: Inputs,
    /// What to tell about them beforehand.
    pub(crate) note: Option<String>,
    /// What is written where nobody says it.
    pub(crate) usual: Usual,
    /// What is to be done before a run and after it.
    pub(crate) around: Around,
    /// What must live as long as the job.
    pub(crate) kept: Kept,
}

/// How a task is configured; a job takes its task away, so that whoever shows its outcomes needs another.
#[derive(Debug, Clone)]
pub(crate) enum Configuration {
    /// `http`.
    Http(Box<Policy>),
    /// `check`.
    Check(Box<(Policy, Rules)>),
    /// `echo`.
    Echo(Echo),
    /// `cpu`.
    Cpu(Cpu),
    /// `columns`.
    Columns(Box<Columns>),
    /// `py`.
    Py(Box<Py>),
    /// `sh`.
    Sh(Box<Sh>),
    /// `sql`.
    Sql(Box<Sql>),
}

impl Configuration {
    /// Refuses models under which this task could not be what was asked for.
    pub(crate) fn check_models(
        &self,
        models: impl IntoIterator<Item = Model>,
    ) -> Result<(), Fault> {
        let policy = match self {
            Self::Http(policy) => policy,
            Self::Check(check) => &check.0,
            Self::Echo(_)
            | Self::Cpu(_)
            | Self::Columns(_)
            | Self::Py(_)
            | Self::Sh(_)
            | Self::Sql(_) => {
                return Ok(());
            }
        };
        models
            .into_iter()
            .try_for_each(|model| requests::check_model(policy, model))
    }

    /// Hands limits to a task that keeps them itself, and refuses what the others do not know.
    pub(crate) fn limit(&mut self, job: &JobArguments, plan: &mut Plan) -> Result<(), Fault> {
        match (self, job.timeout) {
            (Self::Sh(sh), timeout) => {
                commands::limit(sh, timeout, plan);
                Ok(())
            }
            (_, Some(TimeLimit::Percent(percent))) => Err(Fault::usage(anyhow!(
                "--timeout {percent}%: a share of the median is for sh; write a time such as 5s"
            ))),
            _ => Ok(()),
        }
    }

    /// Whether it has data of its own that must survive.
    pub(crate) fn changes_data(&self) -> bool {
        matches!(self, Self::Sql(_))
    }

    /// Whether a rate is a schedule for it, and not only a limit.
    pub(crate) fn keeps_schedule(&self) -> bool {
        matches!(self, Self::Echo(_))
    }

    /// The task as it measures what would slow timed trials down, where it can.
    pub(crate) fn probing(&self) -> Option<Named> {
        match self {
            Self::Py(py) => Some(Named::new((**py).clone().probing())),
            _ => None,
        }
    }

    /// The task `sql`, if it is that.
    pub(crate) fn sql(&self) -> Option<&Sql> {
        match self {
            Self::Sql(sql) => Some(sql),
            _ => None,
        }
    }

    /// Tells a task that changes data what must survive.
    pub(crate) fn survive(&mut self, survives: Option<Survives>) {
        if let Self::Sql(sql) = self {
            let durability = match survives {
                None | Some(Survives::Full) => Durability::Full,
                Some(Survives::None | Survives::Flush) => Durability::Normal,
            };
            **sql = (**sql).clone().with_durability(durability);
        }
    }

    /// Tells a task that changes data which job that can be resumed it is part of.
    pub(crate) fn recorded(&mut self, journal: &Journal) {
        if let Self::Sql(sql) = self {
            **sql = (**sql).clone().of_job(Some(journal.job()));
        }
    }

    /// Whether its inputs start programs, which must not outlive whoever waits for them.
    pub(crate) fn starts_programs(&self) -> bool {
        matches!(self, Self::Sh(_))
    }

    /// The same but for limits and for what depends on the model: what may differ between a run and its resumption.
    pub(crate) fn without_limits(&self) -> Self {
        let usual = Policy::default();
        let mut other = self.clone();
        let policy = match &mut other {
            Self::Http(policy) => &mut **policy,
            Self::Check(check) => &mut check.0,
            Self::Echo(_) | Self::Cpu(_) | Self::Columns(_) => return other,
            Self::Py(py) => {
                **py = python::without_limits(py);
                return other;
            }
            Self::Sql(_) => {
                other.survive(None);
                return other;
            }
            Self::Sh(sh) => {
                commands::without_limits(sh);
                return other;
            }
        };
        policy.connect_limit = usual.connect_limit;
        policy.first_byte_limit = usual.first_byte_limit;
        policy.reuse = usual.reuse;
        policy.http2 = usual.http2;
        other
    }

    /// The task.
    pub(crate) fn task(&self) -> Named {
        match self {
            Self::Http(policy) => Named::new(Http::new((**policy).clone())),
            Self::Check(check) => {
                let (policy, rules) = (**check).clone();
                Named::new(Check::new(policy, rules))
            }
            Self::Echo(echo) => Named::new(echo.clone()),
            Self::Cpu(cpu) => Named::new(*cpu),
            Self::Columns(columns) => Named::new((**columns).clone()),
            Self::Py(py) => Named::new((**py).clone()),
            Self::Sh(sh) => Named::new((**sh).clone()),
            Self::Sql(sql) => Named::new((**sql).clone()),
        }
    }
}

/// Makes of the arguments what they mean.
pub(crate) fn prepare(arguments: TaskArguments, job: &JobArguments) -> Result<Prepared, Fault> {
    match arguments {
        TaskArguments::Http(http) => prepare_http(*http),
        TaskArguments::Check(check) => prepare_check(*check, job),
        TaskArguments::Echo(echo) => prepare_echo(echo),
        TaskArguments::Cpu(cpu) => prepare_cpu(cpu),
        TaskArguments::Columns(columns) => prepare_columns(*columns),
        TaskArguments::Py(py) => prepare_py(*py),
        TaskArguments::Sh(sh) => prepare_sh(sh),
        TaskArguments::Sql(sql) => prepare_sql(*sql),
    }
}

fn prepare_http(arguments: HttpArguments) -> Result<Prepared, Fault> {
    let policy = policy(arguments.request, arguments.accept)?;
    let inputs = Inputs::named(arguments.inputs)?;
    prepare_urls(
        Configuration::Http(Box::new(policy)),
        inputs,
        &arguments.example,
    )
}

fn prepare_check(arguments: CheckArguments, job: &JobArguments) -> Result<Prepared, Fault> {
    let rules = rules(arguments.rules)?;
    let policy = policy(arguments.request, Accept::default())?;
    let retries = job.retries.unwrap_or(Check::preferred().retries);
    let inputs = Inputs::listed(arguments.inputs, arguments.listed, &policy, retries)?;
    let task = Configuration::Check(Box::new((policy, rules)));
    prepare_urls(task, inputs, &ExampleUrls::default())
}

/// The URLs that are given, or those of an embedded server.
fn prepare_urls(
    task: Configuration,
    given: Option<Inputs>,
    example: &ExampleUrls,
) -> Result<Prepared, Fault> {
    if let Some(inputs) = given {
        let left_out = inputs.relative();
        let note = (left_out > 0).then(|| {
            let links = figures::counted(left_out, "relative link", "relative links");
            format!("{links} left out; --base says what they start from")
        });
        return Ok(Prepared {
            note,
            ..Prepared::of(task, inputs)
        });
    }
    let server = TestServer::start(&["http"])?;
    let urls = server.urls_as(example.urls.map(NonZeroU32::get), example.delay);
    let count = figures::counted(urls.len() as u64, "URL", "URLs");
    let urls = Inputs::values(urls);
    let inputs = match example.urls {
        Some(_) => urls,
        None => urls.repeatable(),
    };
    Ok(Prepared {
        note: Some(format!(
            "no inputs given: {count} on an embedded server (name a file, or - for standard input)"
        )),
        kept: Kept::server(server),
        ..Prepared::of(task, inputs)
    })
}

fn prepare_echo(arguments: EchoArguments) -> Result<Prepared, Fault> {
    let count = messages(&arguments);
    // As many as there may be. Without --connections, what is too few is told when connections fail.
    let most = arguments.connections.iter().max().copied();
    let few = descriptors::raise(most.map_or(0, |most| most.get() as u64));
    let delay = arguments.delay.unwrap_or_default();
    let servers = (!arguments.server.is_empty()).then_some(Servers {
        models: arguments.server,
        connections: arguments.connections,
        delay,
    });
    let (addresses, server) = match (&arguments.to, &servers) {
        (Some(to), _) => (addresses(to)?, None),
        // Each trial has its own.
        (None, Some(_)) => (Vec::new(), None),
        (None, None) => {
            let delay = format!("{}us", delay.as_micros());
            let mut server = vec!["echo", "--delay", &delay];
            // As many as any client asks for.
            server.extend(["--max-connections", "1000000"]);
            let server = TestServer::start(&server)?;
            (addresses(server.authority())?, Some(server))
        }
    };
    let task = Configuration::Echo(Echo::new(addresses));
    let (inputs, told) = match Inputs::named(arguments.inputs)? {
        Some(inputs) => (inputs, None),
        None => {
            let messages = (1..=count).map(|n| format!("message {n}"));
            let told = arguments.messages.is_none().then_some(count);
            (Inputs::values(messages.collect()).repeatable(), told)
        }
    };
    let note = match (told, &server) {
        (Some(count), Some(_)) => Some(format!(
            "nothing given: {count} messages to an embedded server"
        )),
        (Some(count), None) => Some(format!("no inputs given: {count} messages")),
        (None, Some(_)) => Some("no --to given: an embedded server".to_owned()),
        (None, None) => None,
    };
    let idle = servers
        .as_ref()
        .and(most)
        .filter(|most| (most.get() as u64) > count);
    let idle = idle.map(|most| {
        format!("{count} messages leave some of {most} connections without any; ask for more with --messages")
    });
    let notes: Vec<String> = note.into_iter().chain(few).chain(idle).collect();
    Ok(Prepared {
        note: (!notes.is_empty()).then(|| notes.join("; ")),
        kept: Kept {
            server,
            ..Kept::default()
        },
        around: Around {
            servers,
            ..Around::default()
        },
        ..Prepared::of(task, inputs)
    })
}

/// How many messages there are where none are given. A server that is measured needs some time, and each connection some
/// messages.
fn messages(arguments: &EchoArguments) -> u64 {
    let most = arguments.connections.iter().max();
    let usual = match (&*arguments.server, most) {
        ([], _) => 1000,
        (_, None) => 20_000,
        (_, Some(most)) => 20_000.max(10 * most.get() as u64),
    };
    arguments.messages.unwrap_or(usual)
}

/// Where a server is.
fn addresses(to: &str) -> Result<Vec<SocketAddr>, Fault> {
    let found = to.to_socket_addrs().map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => Fault::usage(anyhow!(
            "--to {to}: write HOST:PORT, such as 127.0.0.1:7777"
        )),
        _ => Fault::usage(anyhow!("--to {to}: {error}")),
    })?;
    Ok(found.collect())
}

fn prepare_cpu(arguments: CpuArguments) -> Result<Prepared, Fault> {
    let work = arguments.work;
    let task = Configuration::Cpu(Cpu::new(load(work)));
    if let Some(inputs) = Inputs::named(arguments.inputs)? {
        return Ok(Prepared::of(task, inputs));
    }
    let given = arguments.n.is_some() || arguments.inputs_wanted.is_some();
    let n = match arguments.n {
        Some(n) => checked(n, work)?,
        None => default_n(work).to_owned(),
    };
    let times = arguments.inputs_wanted.unwrap_or(4);
    let note = (!given).then(|| format!("no inputs given: {times} times {n}"));
    let inputs = Inputs::repeated(n, times);
    let chosen = arguments.inputs_wanted.is_some();
    let inputs = if chosen { inputs } else { inputs.repeatable() };
    Ok(Prepared {
        note,
        ..Prepared::of(task, inputs)
    })
}

fn prepare_sh(arguments: ShArguments) -> Result<Prepared, Fault> {
    let tag = arguments.tag;
    let Commands { task, inputs, note } = commands(arguments)?;
    Ok(Prepared {
        note,
        usual: Usual::Plain { tag },
        ..Prepared::of(Configuration::Sh(Box::new(task)), inputs)
    })
}

fn prepare_py(arguments: PyArguments) -> Result<Prepared, Fault> {
    let probe = arguments.probe;
    let Functions {
        task,
        inputs,
        note,
        about,
        interpreter,
        kept,
    } = functions(arguments)?;
    Ok(Prepared {
        note: Some(note),
        kept,
        around: Around {
            probe,
            about: Some(about),
            interpreter: Some(interpreter),
            ..Around::default()
        },
        ..Prepared::of(Configuration::Py(Box::new(task)), inputs)
    })
}

fn prepare_columns(arguments: ColumnsArguments) -> Result<Prepared, Fault> {
    let total = arguments.total.clone();
    let Tables { task, inputs, note } = tables(arguments)?;
    Ok(Prepared {
        note,
        around: Around {
            total,
            ..Around::default()
        },
        ..Prepared::of(Configuration::Columns(Box::new(task)), inputs)
    })
}

fn prepare_sql(arguments: SqlArguments) -> Result<Prepared, Fault> {
    let Statements {
        task,
        inputs,
        note,
        database,
    } = statements(arguments)?;
    Ok(Prepared {
        note,
        around: Around {
            database: Some(database),
            ..Around::default()
        },
        ..Prepared::of(Configuration::Sql(Box::new(task)), inputs)
    })
}

impl Prepared {
    fn of(task: Configuration, inputs: Inputs) -> Self {
        Self {
            task,
            inputs,
            note: None,
            usual: Usual::Outcomes,
            around: Around::default(),
            kept: Kept::default(),
        }
    }
}

fn load(work: Work) -> cpu::Work {
    match work {
        Work::Sqrt => cpu::Work::Sqrt,
        Work::Spin => cpu::Work::Spin,
        Work::Memory => cpu::Work::Memory,
        Work::Sha256 => cpu::Work::Sha256,
        Work::None => cpu::Work::None,
    }
}

fn default_n(work: Work) -> &'static str {
    match work {
        Work::Sqrt => "100000000",
        Work::Memory => "1000",
        Work::Spin | Work::Sha256 => "100",
        Work::None => "0",
    }
}

/// An option that every input would fail for is refused once.
fn checked(n: String, work: Work) -> Result<String, Fault> {
    let (right, wanted) = match work {
        Work::Spin => (
            n.parse()
                .is_ok_and(|ms: f64| (0.0..=MAX_MILLIS).contains(&ms)),
            format!("a number of milliseconds from 0 to {MAX_MILLIS}"),
        ),
        Work::Sqrt => (
            n.parse().is_ok_and(|n: u64| n <= MAX_NUMBER),
            format!("a whole number from 0 to {MAX_NUMBER}"),
        ),
        Work::Memory | Work::Sha256 => (
            n.parse().is_ok_and(|n: u64| n <= MAX_MEBIBYTES),
            format!("a whole number of mebibytes from 0 to {MAX_MEBIBYTES}"),
        ),
        Work::None => (n.parse::<u64>().is_ok(), "a whole number".to_owned()),
    };
    if right {
        Ok(n)
    } else {
        Err(Fault::usage(anyhow!("--n {n}: write {wanted}")))
    }
}
