//! What coroutines do to the event loop that others share, and what is left on it at the end.

use std::collections::BTreeSet;

use crate::python::{app, call, outputs};

#[test]
fn a_cancellation_that_is_swallowed_does_not_reach_the_next_input() {
    let source = "
import asyncio
async def f(x):
    if x == 0:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass
    # Before 3.11 nobody counts.
    return getattr(asyncio.current_task(), 'cancelling', int)()
";
    let ended = call(
        &app(source),
        "f",
        "-m async -c 1 --timeout 200ms",
        &["0", "1"],
    );
    let outcomes = ended.outcomes();
    assert_eq!(outcomes[0]["status"], "timeout", "{ended:?}");
    assert_eq!(outcomes[1]["output"], 0, "{ended:?}");
}

#[test]
fn who_cancels_all_tasks_cancels_inputs_and_not_the_interpreter() {
    let source = "
import asyncio, os
async def f(x):
    if x == 3:
        for task in asyncio.all_tasks():
            task.cancel()
    await asyncio.sleep(0.001)
    return os.getpid()
";
    let values = ["0", "1", "2", "3", "4", "5", "6", "7"];
    let ended = call(&app(source), "f", "-m async -c 3", &values);
    let all = outputs(&ended);
    let done: Vec<u64> = all.iter().filter_map(serde_json::Value::as_u64).collect();
    let interpreters: BTreeSet<u64> = done.iter().copied().collect();
    assert_eq!(interpreters.len(), 1, "{ended:?}");
    // At most those that ran beside it are cancelled with it.
    assert!(done.len() >= 5, "{ended:?}");
    assert!(!ended.err.contains("died"), "{ended:?}");
}

#[test]
fn what_was_begun_and_not_awaited_is_ended_as_asyncio_run_ends_it() {
    let source = "
import asyncio
async def later():
    try:
        await asyncio.sleep(60)
    finally:
        print('put away')
async def f(x):
    asyncio.get_running_loop().create_task(later())
    await asyncio.sleep(0.001)
    return x
async def stubborn():
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass
async def g(x):
    asyncio.get_running_loop().create_task(stubborn())
    await asyncio.sleep(0.001)
    return x
";
    let folder = app(source);
    for model in ["sequential", "threads -c 2", "async -c 2"] {
        let ended = call(&folder, "f", &format!("-m {model}"), &["1", "2"]);
        assert_eq!(ended.code, 0, "{model}: {ended:?}");
        let put_away = ended.err.matches("put away").count();
        assert_eq!(put_away, 2, "{model}: {ended:?}");
        assert!(!ended.err.contains("destroyed"), "{model}: {ended:?}");
        let ended = call(&folder, "g", &format!("-m {model}"), &["1", "2"]);
        assert_eq!(ended.code, 0, "{model}: {ended:?}");
    }
}
