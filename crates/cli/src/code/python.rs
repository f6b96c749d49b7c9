//! A program that calls a function on each line of its standard input, with nothing but Python's standard library.

use std::path::Path;

use triway_core::Model;
use triway_measure::advise::Advised;
use triway_tasks::py::{Form, Policy};

/// The program.
pub(super) fn pool(policy: &Policy, advised: Advised) -> String {
    let imports = match (advised.model, policy.is_async) {
        (Model::Threads, false) => "from concurrent.futures import ThreadPoolExecutor\n",
        (Model::Threads, true) => {
            "import asyncio\nfrom concurrent.futures import ThreadPoolExecutor\n"
        }
        (Model::Processes, false) => "from concurrent.futures import ProcessPoolExecutor\n",
        (Model::Processes, true) => {
            "import asyncio\nfrom concurrent.futures import ProcessPoolExecutor\n"
        }
        (_, true) => "import asyncio\n",
        _ => "",
    };
    let (module, function) = (module(policy), policy.target.name());
    let name = function.split('.').next().unwrap_or(function);
    let read = match policy.form {
        Form::Lines => "line.rstrip(\"\\n\")",
        Form::Files => "open(line.rstrip(\"\\n\"), \"rb\").read()",
        _ => "json.loads(line)",
    };
    let call = match policy.args {
        true => "call(item)",
        false => "TASK(item)",
    };
    let awaited = if policy.is_async { "await " } else { "" };
    let keyword = if policy.is_async { "async " } else { "" };
    let body = body(advised, policy.is_async);
    let path = path(policy);
    let class = name.starts_with(char::is_uppercase);
    let task = match class {
        true => format!("{name}()"),
        false => name.to_owned(),
    };
    let spread = match policy.args {
        true => format!(
            "\n\n{keyword}def call(item):\n    if isinstance(item, dict):\n        return {awaited}TASK(**item)\n    return {awaited}TASK(*item)\n"
        ),
        false => String::new(),
    };
    let called = call.replace("TASK", if policy.args { "call" } else { "TASK" });
    format!(
        "\"\"\"Calls {name} on each line of standard input: {} with {} at once.\"\"\"\n\
         import json\nimport sys\n{imports}{path}\nfrom {module} import {name}\n\n\
         TASK = {task}\n{spread}\n\n\
         {keyword}def work(item):\n    return {awaited}{called}\n\n\n{}",
        advised.model,
        advised.concurrency,
        body.replace("READ", read)
            .replace("LANES", &advised.concurrency.to_string())
    )
}

fn body(advised: Advised, is_async: bool) -> String {
    let run = match (advised.model, is_async) {
        (Model::Sequential, false) => {
            "    for item in items:\n        print(json.dumps(work(item)))\n"
        }
        (Model::Sequential, true) => {
            "    for item in items:\n        print(json.dumps(asyncio.run(work(item))))\n"
        }
        (Model::Threads, _) => {
            "    with ThreadPoolExecutor(max_workers=LANES) as pool:\n        for result in pool.map(CALL, items):\n            print(json.dumps(result))\n"
        }
        (Model::Processes, _) => {
            "    with ProcessPoolExecutor(max_workers=LANES) as pool:\n        for result in pool.map(CALL, items, chunksize=16):\n            print(json.dumps(result))\n"
        }
        _ => {
            "    gate = asyncio.Semaphore(LANES)\n\n    async def gated(item):\n        async with gate:\n            return await work(item)\n\n    for result in await asyncio.gather(*map(gated, items)):\n        print(json.dumps(result))\n"
        }
    };
    let pooled_async = is_async && matches!(advised.model, Model::Threads | Model::Processes);
    let wrapper = match pooled_async {
        true => "def waited(item):\n    return asyncio.run(work(item))\n\n\n",
        false => "",
    };
    let run = run.replace("CALL", if pooled_async { "waited" } else { "work" });
    let awaits = advised.model == Model::Async;
    let (define, start) = match awaits {
        true => ("async def main():", "asyncio.run(main())"),
        false => ("def main():", "main()"),
    };
    format!(
        "{wrapper}{define}\n    items = [READ for line in sys.stdin]\n{run}\n\nif __name__ == \"__main__\":\n    {start}\n"
    )
}

/// The module as it is imported.
fn module(policy: &Policy) -> String {
    let place = policy.target.place();
    match policy.target.is_file() {
        false => place.to_owned(),
        true => Path::new(place).file_stem().map_or_else(
            || place.to_owned(),
            |stem| stem.to_string_lossy().into_owned(),
        ),
    }
}

/// What finds a module that is a file.
fn path(policy: &Policy) -> String {
    let folder = Path::new(policy.target.place()).parent();
    match folder.filter(|_| policy.target.is_file()) {
        Some(folder) => format!("\nsys.path.insert(0, {:?})\n", folder.display().to_string()),
        None => "\n".to_owned(),
    }
}
