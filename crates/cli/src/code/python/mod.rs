//! A program that calls a function on each line of its standard input, with nothing but Python's standard library.
//!
//! A worker makes a value of a line and a line of a result, as it is measured: a program that did that in one place would
//! not be what was advised.

mod names;

use std::path::Path;

use triway_core::Model;
use triway_measure::advise::Advised;
use triway_tasks::py::{Convert, EventLoop, Form, Policy};

/// The program.
pub(super) fn pool(policy: &Policy, advised: Advised) -> String {
    let found = Found::of(policy);
    let (head, main) = (head(policy, advised, &found), main(policy, advised));
    let (found, work) = (found.code, work(policy, advised.model));
    format!("{head}\n{found}\n\n{work}\n\n{main}")
}

/// How the function is found.
struct Found {
    /// Modules that this needs.
    imports: &'static [&'static str],
    code: String,
}

impl Found {
    fn of(policy: &Policy) -> Self {
        let target = &policy.target;
        let place = target.place();
        if target.is_file() {
            return match stem(place) {
                stem if names::is_plain(&stem) && !names::is_standard(&stem) => {
                    Self::imported(policy, &stem, &folder(place))
                }
                stem => Self::loaded(policy, &stem),
            };
        }
        match place.split('.').all(names::is_plain) {
            true => Self::imported(policy, place, ""),
            false => Self {
                imports: &["importlib", "sys"],
                code: format!(
                    "# Here a module is looked for first, as `python -m` does.\nsys.path.insert(0, \"\")\n\
                     task = importlib.import_module({}).{}{}\n",
                    text(place),
                    target.name(),
                    made(policy)
                ),
            },
        }
    }

    /// A module that an `import` can name.
    fn imported(policy: &Policy, module: &str, folder: &str) -> Self {
        let (first, rest) = match policy.target.name().split_once('.') {
            Some((first, rest)) => (first, format!(".{rest}")),
            None => (policy.target.name(), String::new()),
        };
        let made = made(policy);
        let named = match (rest.is_empty(), made) {
            (true, "") => format!("from {module} import {first} as task\n"),
            _ => format!("from {module} import {first} as found\n\ntask = found{rest}{made}\n"),
        };
        Self {
            imports: &["sys"],
            code: format!("sys.path.insert(0, {})\n{named}", text(folder)),
        }
    }

    /// A file that no `import` can name, or would find another module for. It is known by its name all the same, so that
    /// what it makes can go from one process to another.
    fn loaded(policy: &Policy, name: &str) -> Self {
        let place = policy.target.place();
        Self {
            imports: &["importlib.util", "sys"],
            code: format!(
                "\ndef load(name, path):\n    \
                     spec = importlib.util.spec_from_file_location(name, path)\n    \
                     module = importlib.util.module_from_spec(spec)\n    \
                     sys.modules.setdefault(name, module)\n    \
                     spec.loader.exec_module(module)\n    \
                     return module\n\n\n\
                 # Last, because the name of a file there may be that of another module.\n\
                 sys.path.append({})\n\
                 task = load({}, {}).{}{}\n",
                text(&folder(place)),
                text(name),
                text(place),
                policy.target.name(),
                made(policy)
            ),
        }
    }
}

/// Of a class an instance is called.
fn made(policy: &Policy) -> &'static str {
    if policy.is_class { "()" } else { "" }
}

/// What it is, what it lacks, and what it imports.
fn head(policy: &Policy, advised: Advised, found: &Found) -> String {
    let is_async = policy.is_async;
    let mut imports = vec!["json", "sys"];
    if is_async {
        imports.push("asyncio");
    }
    imports.extend(found.imports);
    imports.sort_unstable();
    imports.dedup();
    let imports: String = imports.iter().map(|it| format!("import {it}\n")).collect();
    let pool = match advised.model {
        Model::Threads => "from concurrent.futures import ThreadPoolExecutor\n",
        Model::Processes => "from concurrent.futures import ProcessPoolExecutor\n",
        _ => "",
    };
    let lacks: String = lacks(policy).iter().map(|it| format!("# {it}\n")).collect();
    format!(
        "\"\"\"Calls {} on each line of standard input: {} with {} at once.\n\n\
         It has no time limits, no retries and no journal, and the first exception ends it.\n\"\"\"\n{imports}{pool}\n{lacks}",
        policy.target.name(),
        advised.model,
        advised.concurrency
    )
}

/// What was measured with and is not in the program.
fn lacks(policy: &Policy) -> Vec<String> {
    let mut lacks = vec![format!("Measured with {}.", one_line(&policy.python))];
    lacks.extend(policy.share.iter().map(|(name, path)| {
        format!(
            "LEFT OUT: --share {name}={}; the module has to map that file into memory itself, as `{name}`.",
            one_line(path)
        )
    }));
    if policy.default.is_none() {
        lacks.push(
            "A result must be what JSON can hold; one of bytes, say, has to be decoded by the function."
                .to_owned(),
        );
    }
    if !policy.hooks.is_empty() {
        let hooks: Vec<String> = policy.hooks.iter().map(|it| format!("{it}()")).collect();
        lacks.push(format!(
            "LEFT OUT: {} of the module, once in each worker; call it where it is needed.",
            hooks.join(" and ")
        ));
    }
    if policy.event_loop == EventLoop::Uvloop && policy.is_async {
        lacks.push(
            "LEFT OUT: --loop uvloop; coroutines are awaited by the standard library's event loop."
                .to_owned(),
        );
    }
    lacks
}

/// What a worker does with a line.
fn work(policy: &Policy, model: Model) -> String {
    let (read, value) = match policy.form {
        Form::Lines => ("", "line"),
        Form::Files => (
            "    with open(line, \"rb\") as file:\n        content = file.read()\n",
            "content",
        ),
        _ if policy.args => ("    item = json.loads(line)\n", "item"),
        _ => ("", "json.loads(line)"),
    };
    // In a pool, each call has an event loop of its own.
    let (define, before, after) = match (policy.is_async, model) {
        (false, _) => ("def", "task(", ")"),
        (true, Model::Threads | Model::Processes) => ("def", "asyncio.run(task(", "))"),
        (true, _) => ("async def", "await task(", ")"),
    };
    let call = match policy.args {
        true => format!(
            "    if isinstance(item, dict):\n        result = {before}**item{after}\n    else:\n        \
             result = {before}*item{after}\n"
        ),
        false => format!("    result = {before}{value}{after}\n"),
    };
    let default = match policy.default {
        None => "",
        Some(Convert::Repr) => ", default=repr",
        Some(_) => ", default=str",
    };
    format!("{define} work(line):\n{read}{call}    return json.dumps(result{default})\n")
}

/// The lines, and who works on them.
fn main(policy: &Policy, advised: Advised) -> String {
    let lanes = advised.concurrency;
    let run = match (advised.model, policy.is_async) {
        (Model::Threads, _) => format!(
            "    with ThreadPoolExecutor(max_workers={lanes}) as pool:\n        \
             for result in pool.map(work, lines):\n            print(result)\n"
        ),
        // Of few inputs every process gets some; of many, several at a time.
        (Model::Processes, _) => format!(
            "    chunk = max(1, min(16, len(lines) // {}))\n    \
             with ProcessPoolExecutor(max_workers={lanes}) as pool:\n        \
             for result in pool.map(work, lines, chunksize=chunk):\n            print(result)\n",
            4 * lanes
        ),
        (Model::Async, true) => format!(
            "    gate = asyncio.Semaphore({lanes})\n\n    \
             async def gated(line):\n        async with gate:\n            return await work(line)\n\n    \
             for result in await asyncio.gather(*map(gated, lines)):\n        print(result)\n"
        ),
        (_, true) => "    for line in lines:\n        print(await work(line))\n".to_owned(),
        (_, false) => "    for line in lines:\n        print(work(line))\n".to_owned(),
    };
    let pooled = matches!(advised.model, Model::Threads | Model::Processes);
    let (define, start) = match policy.is_async && !pooled {
        true => ("async def main():", "asyncio.run(main())"),
        false => ("def main():", "main()"),
    };
    format!(
        "{define}\n    lines = [line.rstrip(\"\\n\") for line in sys.stdin]\n{run}\n\n\
         if __name__ == \"__main__\":\n    {start}\n"
    )
}

/// The name of a file, without its ending.
fn stem(place: &str) -> String {
    let stem = Path::new(place).file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

fn folder(place: &str) -> String {
    let folder = Path::new(place).parent().unwrap_or(Path::new(""));
    folder.display().to_string()
}

/// A text as Python writes it, which is as JSON does.
fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

/// A path in a comment.
fn one_line(path: &Path) -> String {
    path.display().to_string().replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests;
