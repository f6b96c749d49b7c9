//! Tasks by name: what they read, what they write, and what survives the way to a worker process.

use triway_core::{FailureKind, Forms, Model, Task};
use triway_tasks::{
    catalog::{INPUT_TOO_LARGE, Named, RawInput, RawOutput, TASKS},
    cpu::{Cpu, Work},
    http::{Http, Policy, kinds},
};

use crate::{both::both, servers::good};

fn run(task: &Named, input: &RawInput) -> RawOutput {
    let [(_, blocking), (_, nonblocking)] = both(task, input, None);
    let (blocking, nonblocking) = (blocking.unwrap(), nonblocking.unwrap());
    assert_eq!(task.digest(&blocking), task.digest(&nonblocking));
    assert_eq!(blocking.rejected, nonblocking.rejected);
    nonblocking
}

#[test]
fn outputs_are_compact_json() {
    for (work, input, json) in [
        (Work::None, "7", r#"{"n":7}"#),
        (Work::Sqrt, " 2\r\n", r#"{"sum":1.0}"#),
        (Work::Spin, "0.5", r#"{"spun_ms":0.5}"#),
    ] {
        let output = run(&Named::new(Cpu::new(work)), &input.into());
        assert_eq!(output.json, json);
        assert_eq!((output.digest, output.rejected), (0, None));
    }
}

#[test]
fn an_http_output_has_the_documented_fields() {
    let url = format!("http://{}/bytes/5", good());
    let output = run(&Named::new(Http::default()), &url.as_str().into());
    let output: serde_json::Value = serde_json::from_str(&output.json).unwrap();
    let fields: Vec<&str> = output
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let documented = [
        "body_s",
        "bytes",
        "connect_s",
        "decoded_bytes",
        "dns_s",
        "first_byte_s",
        "hops",
        "not_after",
        "protocol",
        "queue_s",
        "remote",
        "retry_after_s",
        "status",
        "tls_s",
        "url",
    ];
    assert_eq!(fields, documented);
    assert_eq!(output["bytes"], 5);
    assert!(output["url"].is_null());
}

#[test]
fn inputs_that_no_task_can_take_say_why() {
    let http = || Named::new(Http::default());
    let cpu = |work| Named::new(Cpu::new(work));
    for (task, input, message) in [
        (http(), &b""[..], "the input is empty"),
        (http(), b"\xff", "the input is not UTF-8: byte 0 is 0xff"),
        (
            http(),
            b"host/x",
            "`host/x` is no URL; begin it with http:// or https://",
        ),
        (http(), b"http://", "`http://` is no URL: empty host"),
        (
            http(),
            b"localhost:80",
            "localhost:80: the scheme must be http or https, not `localhost`",
        ),
        (
            http(),
            b"http://u:p@:1",
            "`http://***@:1` is no URL: empty host",
        ),
        (
            cpu(Work::Sqrt),
            b"-1",
            "`-1` is no whole number from 0 to 18446744073709551615",
        ),
        (
            cpu(Work::Spin),
            b"x",
            "`x` is no number of milliseconds, such as 0.5",
        ),
        (
            cpu(Work::Spin),
            b"inf",
            "`inf` is no number of milliseconds from 0 to 86400000",
        ),
    ] {
        for (form, ended) in both(&task, &RawInput::new(input), None) {
            let failure = ended.unwrap_err();
            assert_eq!(failure.message, message, "{form}");
            assert_eq!(failure.kind, FailureKind::BAD_INPUT);
            assert!(!failure.retryable);
        }
    }
    let long = RawInput::oversized(*b"http://", 1 << 30, 1 << 20);
    for (_, ended) in both(&http(), &long, None) {
        assert_eq!(ended.unwrap_err().kind, INPUT_TOO_LARGE);
    }
}

#[test]
fn a_verdict_travels_with_the_output() {
    let task = Named::new(Http::default());
    let url = format!("http://{}/status/404", good());
    let output = run(&task, &url.as_str().into());
    assert!(output.json.contains(r#""status":404"#));
    let failure = task.judge(&output).unwrap_err();
    assert_eq!(failure.kind, kinds::HTTP_STATUS);
    assert_eq!(failure.message, "status 404 is not among 200..=399");
}

#[test]
fn digests_leave_out_what_varies_and_what_is_ignored() {
    let at = |path: &str| RawInput::from(format!("http://{}{path}", good()).as_str());
    let plain = Named::new(Http::default());
    assert_eq!(plain.digest(&run(&plain, &at("/bytes/1"))), None);
    let strict = Named::new(Http::default()).with_digests(vec![]);
    let sizes = ["bytes", "decoded_bytes"].map(str::to_owned);
    let loose = Named::new(Http::default()).with_digests(sizes.to_vec());
    let of = |task: &Named, path| task.digest(&run(task, &at(path))).unwrap();
    assert_eq!(of(&strict, "/bytes/1"), of(&strict, "/bytes/1"));
    assert_ne!(of(&strict, "/bytes/1"), of(&strict, "/bytes/2"));
    assert_eq!(of(&loose, "/bytes/1"), of(&loose, "/bytes/2"));
    let shown = |task: &Named| task.compared(&run(task, &at("/bytes/1")));
    assert_eq!(shown(&plain), None);
    let rest = r#""hops":0,"not_after":null,"protocol":"HTTP/1.1","status":200,"url":null}"#;
    let expected = format!(r#"{{"bytes":1,"decoded_bytes":1,{rest}"#);
    assert_eq!(shown(&strict), Some(expected));
    let expected = format!("{{{rest}");
    assert_eq!(shown(&loose), Some(expected));
}

#[test]
fn a_configuration_survives_the_wire() {
    let mut policy = Policy::default();
    policy.accept = "404".parse().unwrap();
    let task = Named::new(Http::new(policy)).with_digests(vec!["bytes".to_owned()]);
    let wire = postcard::to_allocvec(&task).unwrap();
    let task: Named = postcard::from_bytes(&wire).unwrap();
    assert_eq!(task.name(), "http");
    let url = format!("http://{}/status/404", good());
    let output = run(&task, &url.as_str().into());
    assert_eq!(task.judge(&output), Ok(()));
    let wire = postcard::to_allocvec(&output).unwrap();
    assert_eq!(postcard::from_bytes::<RawOutput>(&wire), Ok(output));
}

#[test]
fn every_task_says_how_it_is_run_and_shown() {
    let names: Vec<&str> = TASKS.iter().map(|task| task.name).collect();
    let mut expected = vec!["http", "echo", "cpu", "py", "sh"];
    if cfg!(feature = "columns") {
        expected.insert(3, "columns");
    }
    if cfg!(feature = "sql") {
        expected.push("sql");
    }
    assert_eq!(names, expected);
    let http = Named::new(Http::default());
    assert_eq!(http.forms(), Forms::Both);
    assert_eq!(http.preferred().model, Model::Async);
    assert_eq!(http.preferred().concurrency(Model::Async).get(), 50);
    assert_eq!(http.show("http://u:p@host/"), "http://***@host/");
    let key = |url: &str| http.key(&url.into());
    assert_eq!(key("https://Host/x").as_deref(), Some("host:443"));
    assert_eq!(key("http://[::1]:81/").as_deref(), Some("[::1]:81"));
    assert_eq!(key("nonsense"), None);
    let cpu = Named::new(Cpu::default());
    assert_eq!(cpu.preferred().model, Model::Threads);
    assert_eq!(cpu.show("7"), "7");
    assert_eq!(cpu.key(&"7".into()), None);
}
