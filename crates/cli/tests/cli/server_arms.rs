//! `compare echo --server`: servers as the arms of a comparison.

use serde_json::Value;

use crate::program::run;

#[test]
fn servers_can_be_the_arms() {
    let ended = run(
        "compare echo --server async --server threads,processes --connections 5,40 --messages 2000 --rounds 2 \
         --format json",
    );
    assert_eq!(ended.code, 0, "{ended:?}");
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(report["results_equal"], true, "{report}");
    let arms = report["models"].as_array().unwrap();
    let mut ids: Vec<&str> = arms.iter().map(|arm| arm["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    let all = ["async", "processes", "threads"]
        .map(|model| [5, 40].map(|n| format!("{model}-server@{n}")));
    let mut all = all.concat();
    all.sort_unstable();
    assert_eq!(ids, all);
    for arm in arms {
        let server = &arm["server"];
        let figure = |name: &str| server[name].as_f64().unwrap();
        assert_eq!(server["connections"], arm["concurrency"], "{arm}");
        assert_eq!(server["messages"], 2000, "{arm}");
        let cpu = figure("cpu_per_message_s");
        assert!((1e-7..1e-2).contains(&cpu), "{arm}");
        assert!((cpu * 2000.0 / figure("cpu_s") - 1.0).abs() < 1e-6, "{arm}");
        assert!(figure("memory_per_connection_bytes") < 1e6, "{arm}");
    }
    // A server's peak need not grow for five connections: it may have been higher when the server came up.
    let memory = arms
        .iter()
        .map(|arm| &arm["server"]["memory_per_connection_bytes"]);
    let most = memory.filter_map(Value::as_f64).fold(0.0, f64::max);
    assert!(most > 100.0, "{report}");
    let notes = report["notes"].to_string();
    assert!(
        notes.contains("at 5: ") && notes.contains("at 40: "),
        "{notes}"
    );
}

#[test]
fn servers_are_arms_of_one_kind_of_clients() {
    for (options, said) in [
        (
            "compare echo --server async --models threads@5",
            "--connections says how many",
        ),
        (
            "compare echo --server async --models threads,async",
            "--connections says how many",
        ),
        (
            "compare echo --server async --to 127.0.0.1:1",
            "cannot be used with",
        ),
        ("compare echo --connections 5", "--server"),
        ("compare echo --server async --connections 0", "from 1"),
        ("run echo --server threads", "triway compare echo"),
    ] {
        let ended = run(options);
        assert_eq!(ended.code, 2, "{options}: {ended:?}");
        assert!(ended.err.contains(said), "{options}: {}", ended.err);
    }
    let ended = run(
        "compare echo --server threads --models threads -c 3 --messages 100 --rounds 1 --format md",
    );
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.out.contains("| threads-server@3 |") && ended.out.contains("memory a connection"),
        "{}",
        ended.out
    );
}
