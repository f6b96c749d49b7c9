//! What the options of `py` mean: the function, the interpreter that calls it, and its inputs.

use std::fs;

use anyhow::{Context as _, anyhow};
use clap::ValueEnum as _;
use tempfile::TempDir;
use triway_measure::advise::Interpreter;
use triway_tasks::py::{self, Described, Form, NotDescribed, Policy, Py, Target, interpreter};

use crate::{
    arguments::{Example, PyArguments, PyConvert, PyEventLoop},
    example::{Kept, TestServer},
    exit::Fault,
    inputs::Inputs,
    people::figures,
};

/// The functions of the examples.
const EXAMPLES: &str = include_str!("../../../python/examples.py");

/// A function, its inputs, and what to tell about them.
pub(crate) struct Functions {
    pub(crate) task: Py,
    pub(crate) inputs: Inputs,
    pub(crate) note: String,
    /// What a report says of the interpreter.
    pub(crate) about: String,
    pub(crate) interpreter: Interpreter,
    pub(crate) kept: Kept,
}

/// Makes of the arguments what they mean. Imports the function's module in an interpreter, to see what it is.
pub(crate) fn functions(mut arguments: PyArguments) -> Result<Functions, Fault> {
    let given = Inputs::named(std::mem::take(&mut arguments.inputs))?;
    let Some(target) = arguments.target.take() else {
        if given.is_some() {
            return Err(Fault::usage(anyhow!(
                "which function? It goes before the inputs: FILE.py:NAME"
            )));
        }
        return example(&arguments);
    };
    let Some(inputs) = given else {
        return Err(Fault::usage(anyhow!(
            "there are no inputs for {target}; name a file with one JSON value a line, `-` for standard input, or write \
             them after --"
        )));
    };
    let (task, described) = described(&arguments, target)?;
    Ok(Functions {
        note: told(&task, &described),
        about: about(&task, &described),
        interpreter: known(&described),
        task,
        inputs,
        kept: Kept::default(),
    })
}

/// The same function without what may differ between a run and its resumption.
pub(crate) fn without_limits(py: &Py) -> Py {
    let mut policy = py.policy().clone();
    policy.import_limit = std::time::Duration::ZERO;
    policy.event_loop = py::EventLoop::Asyncio;
    policy.compiled.clear();
    if policy.target.is_file() && policy.form != Form::Files {
        // Its place is known in full, and no input is a name that would be looked for from here.
        policy.folder.clear();
    }
    Py::new(policy)
}

/// The task, and what the interpreter says of its function.
fn described(arguments: &PyArguments, mut target: Target) -> Result<(Py, Described), Fault> {
    if target.is_file() {
        // Workers may be started when the working folder is another.
        let path = fs::canonicalize(target.place())
            .with_context(|| format!("{}: the file cannot be read", target.place()))
            .map_err(Fault::usage)?;
        let whole = format!("{}:{}", path.display(), target.name());
        target = whole.parse().map_err(Fault::usage)?;
    }
    let python = interpreter(arguments.python.as_deref()).map_err(|error| {
        let fault = anyhow!("{error}");
        match arguments.python {
            Some(_) => Fault::usage(fault.context("--python")),
            None => Fault::could_not_run(fault),
        }
    })?;
    let mut policy = Policy::new(python, target);
    policy.args = arguments.args;
    policy.form = match (arguments.lines, arguments.files) {
        (true, _) => Form::Lines,
        (_, true) => Form::Files,
        _ => Form::Json,
    };
    policy.share.clone_from(&arguments.share);
    for (name, path) in &policy.share {
        fs::File::open(path)
            .with_context(|| format!("--share {name}={}", path.display()))
            .map_err(Fault::usage)?;
    }
    policy.default = arguments.default.map(|convert| match convert {
        PyConvert::Str => py::Convert::Str,
        PyConvert::Repr => py::Convert::Repr,
    });
    policy.event_loop = match arguments.event_loop {
        PyEventLoop::Asyncio => py::EventLoop::Asyncio,
        PyEventLoop::Uvloop => py::EventLoop::Uvloop,
    };
    policy.import_limit = arguments.import_timeout;
    let asked = Py::new(policy.clone())
        .describe()
        .map_err(|why| match why {
            NotDescribed::Target(said) => Fault::usage(anyhow!("{said}")),
            other => Fault::could_not_run(anyhow!("{other}")),
        })?;
    policy.is_async = asked.is_async;
    policy.is_class = asked.is_class;
    policy.hooks.clone_from(&asked.hooks);
    policy.compiled.clone_from(&asked.compiled);
    // What is on the path may be a launcher that looks for the interpreter anew each time.
    policy.python.clone_from(&asked.executable);
    Ok((Py::new(policy), asked))
}

/// Which interpreter it is, and what its start costs.
fn told(task: &Py, described: &Described) -> String {
    format!(
        "{}; start-up: interpreter {}, import {}",
        named(task, described),
        figures::time(described.start_s),
        figures::time(described.import_s)
    )
}

/// What a report says of the interpreter.
fn about(task: &Py, described: &Described) -> String {
    let named = named(task, described);
    match described.has_subinterpreters {
        true => format!("{named}; it has subinterpreters, which are not yet supported"),
        false => named,
    }
}

/// What decides over models.
fn known(described: &Described) -> Interpreter {
    let name = format!("Python {}", described.version);
    Interpreter::new(name, described.has_gil, described.is_async)
}

fn named(task: &Py, described: &Described) -> String {
    let lock = match (described.is_free_threaded, described.has_gil) {
        (false, _) => "",
        (true, true) => ", free-threaded, but with its lock switched on by a module",
        (true, false) => ", free-threaded: its threads run side by side",
    };
    format!(
        "Python {}{lock} ({})",
        described.version,
        task.policy().python.display()
    )
}

// The examples.

fn example(arguments: &PyArguments) -> Result<Functions, Fault> {
    let example = arguments.example.unwrap_or(Example::Sqrt);
    let folder = folder().map_err(Fault::could_not_run)?;
    let mut kept = Kept::default();
    if example == Example::Fetch {
        kept.server = Some(TestServer::start(&["http"])?);
    }
    let inputs = inputs(example, &folder, kept.server.as_ref());
    let function = match example {
        Example::FakeAsync => "fake_async",
        Example::Sqrt => "sqrt",
        Example::Fetch => "fetch",
        Example::Batches => "batches",
        Example::Insert => "insert",
        Example::Digest => "digest",
        Example::Tiny => "tiny",
        Example::Locked => "locked",
    };
    let target = format!("{}/examples.py:{function}", folder.path().display());
    let (task, described) = described(arguments, target.parse().map_err(Fault::usage)?)?;
    kept.folder = Some(folder);
    let name = example.to_possible_value();
    let name = name.map_or_else(String::new, |value| value.get_name().to_owned());
    Ok(Functions {
        note: format!(
            "no function given: the example {name}, {}; {}",
            figures::counted(inputs.len() as u64, "input", "inputs"),
            told(&task, &described)
        ),
        about: about(&task, &described),
        interpreter: known(&described),
        task,
        inputs: match example {
            // Those are large.
            Example::Batches => Inputs::values(inputs),
            _ => Inputs::values(inputs).repeatable(),
        },
        kept,
    })
}

/// A folder with the examples' module.
fn folder() -> anyhow::Result<TempDir> {
    let folder = tempfile::Builder::new()
        .prefix("triway-py-")
        .tempdir()
        .context("the embedded example")?;
    fs::write(folder.path().join("examples.py"), EXAMPLES).context("the embedded example")?;
    Ok(folder)
}

/// The inputs of an example, as JSON.
fn inputs(example: Example, folder: &TempDir, server: Option<&TestServer>) -> Vec<String> {
    let file = |name: &str| folder.path().join(name).display().to_string();
    let numbers = |count: u64, each: &dyn Fn(u64) -> String| (0..count).map(each).collect();
    match example {
        Example::Sqrt => numbers(8, &|_| "1000000".to_owned()),
        Example::Fetch => {
            let urls = server.map_or_else(Vec::new, TestServer::urls);
            urls.iter().map(|url| format!("{url:?}")).collect()
        }
        Example::Batches => numbers(8, &|n| batch(n)),
        Example::Insert => numbers(200, &|n| format!("[{:?},{n}]", file("rows.db"))),
        Example::Digest => numbers(120, &|n| (n + 1).to_string()),
        Example::Tiny => numbers(20_000, &|n| n.to_string()),
        Example::FakeAsync => numbers(16, &|_| "0.05".to_owned()),
        Example::Locked => numbers(40, &|_| format!("{:?}", file("lock"))),
    }
}

/// A list of a million numbers.
fn batch(seed: u64) -> String {
    let mut list = String::with_capacity(5 << 20);
    list.push('[');
    for n in 0..1_000_000u64 {
        if n > 0 {
            list.push(',');
        }
        list.push_str(&((n * 7919 + seed) % 1000).to_string());
    }
    list.push(']');
    list
}
