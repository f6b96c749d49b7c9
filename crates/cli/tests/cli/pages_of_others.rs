//! `--report` of the verbs besides `compare`: what a real browser shows of advice, a sweep, and what the machine charges.

use std::{fs, path::Path};

use serde_json::Value;
use tempfile::tempdir;

use crate::{
    browser::Browser,
    pages::{figures, on_a_phone, reported},
};

const MODULE: &str = "\
import time

def nap(seconds):
    time.sleep(seconds)
    return seconds
";

/// What all pages have, as the browser shows it; gives the document and the figures.
#[track_caller]
fn shown(browser: &Browser, page: &Path, title: &str) -> (String, Value) {
    let figures = figures(page);
    let document = browser.document(page);
    let verdict = figures["verdict"].as_str().unwrap();
    assert!(
        document.contains(&format!("<h1>{verdict}</h1>")),
        "{document}"
    );
    assert!(
        document.contains(&format!("<title>{title} – Triway</title>")),
        "{document}"
    );
    for says in ["How it was measured", "<dt>Machine</dt>", "<dt>Triway</dt>"] {
        assert!(document.contains(says), "no {says}: {document}");
    }
    assert!(
        !document.contains("NaN") && !document.contains("inf<") && !document.contains("inf "),
        "{document}"
    );
    assert_eq!(document.matches("<script").count(), 1, "{document}");
    let light = browser.picture(page, "light.png", (1100, 2600), &[]);
    assert!(light.colours() > 50, "{} colours", light.colours());
    assert!(light.light() > 0.6, "{}", light.light());
    let dark = browser.picture(page, "dark.png", (1100, 2600), &["--force-dark-mode"]);
    assert!(dark.light() < 0.25, "{}", dark.light());
    on_a_phone(browser, page);
    (document, figures)
}

/// The value that a page tells of how it was measured.
#[track_caller]
fn told(document: &str, name: &str) -> String {
    let (_, rest) = document
        .split_once(&format!("<dt>{name}</dt><dd>"))
        .unwrap_or_else(|| panic!("no {name}: {document}"));
    rest.split_once("</dd>").unwrap().0.to_owned()
}

/// How long inputs took and what lanes did is shown of each of these.
#[track_caller]
fn lanes_are_shown(document: &str, names: &[String]) {
    let (_, spread) = document
        .split_once("How long an input took")
        .unwrap_or_else(|| panic!("no distributions: {document}"));
    let (spreads, lanes) = spread
        .split_once("Who ran what when")
        .unwrap_or_else(|| panic!("no timelines: {document}"));
    for name in names {
        assert!(spreads.contains(&label(name)), "{name}: {spreads}");
        let heading = format!("<h3>{name}</h3>");
        assert!(lanes.contains(&heading), "{name}: {lanes}");
    }
}

fn label(name: &str) -> String {
    format!("<span class=\"label\">{name}</span>")
}

#[test]
fn advice_shows_its_settings_with_their_intervals() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("app.py"), MODULE).unwrap();
    let naps = folder.path().join("naps.jsonl");
    fs::write(&naps, "0.005\n".repeat(3000)).unwrap();
    let advise = format!(
        "advise py {}/app.py:nap {} --budget 3s --max-concurrency 16",
        folder.path().display(),
        naps.display()
    );
    let page = reported(folder.path(), "report.html", &advise, &[], 0);
    let (document, figures) = shown(&browser, &page, "advise py");
    let name = |one: &Value| match one["model"].as_str().unwrap() {
        "sequential" => "sequential".to_owned(),
        model => format!("{model}@{}", one["concurrency"]),
    };
    let advised = &figures["recommendation"];
    let others = figures["alternatives"].as_array().unwrap();
    for one in others.iter().chain([advised]) {
        assert!(document.contains(&label(&name(one))), "no {}", name(one));
    }
    let mut intervals = vec![&figures["throughput_ci95"]];
    intervals.extend(others.iter().map(|one| &one["throughput_ci95"]));
    let intervals = intervals.iter().filter(|it| it.is_array()).count();
    // One at a time is measured again and again.
    assert!(intervals > 0, "{figures:#}");
    assert_eq!(
        document.matches("class=\"whisker\"").count(),
        3 * intervals,
        "a line and two ends each: {document}"
    );
    assert_eq!(
        document.matches("<circle").count(),
        1 + others.len(),
        "a dot a setting: {document}"
    );
    for line in figures["evidence"].as_array().unwrap() {
        assert!(
            document.contains(line["figure"].as_str().unwrap()),
            "{line}"
        );
    }
    let details = figures["details"].as_array().unwrap();
    assert!(details.len() > 1, "{figures:#}");
    let detailed: Vec<String> = details.iter().map(name).collect();
    lanes_are_shown(&document, &detailed);
    let attempts = |detail: &Value| detail["timeline"]["attempts"].as_u64().unwrap();
    assert!(details.iter().all(|it| attempts(it) > 0), "{figures:#}");
    let options = told(&document, "Options");
    assert!(
        options.contains("budget 3.00 s") && options.contains("max concurrency 16"),
        "{options}"
    );
    let interpreter = told(&document, "Interpreter");
    assert!(interpreter.starts_with("Python 3."), "{interpreter}");
    assert!(told(&document, "Inputs").starts_with("3000, of which "));
}

#[test]
fn a_sweep_shows_throughput_and_latency_at_each_point() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let folder = tempdir().unwrap();
    let sweep =
        "sweep cpu --work spin --n 1 --inputs 40 -m threads -c 1,2,4 --rounds 2 --timeout 30s";
    let page = reported(folder.path(), "report.html", sweep, &[], 0);
    let (document, figures) = shown(&browser, &page, "sweep cpu");
    for says in [
        "Throughput against concurrency",
        "Latency against concurrency",
        ">threads</span>",
        ">p50</span>",
        ">p99</span>",
    ] {
        assert!(document.contains(says), "no {says}: {document}");
    }
    let points = figures["points"].as_array().unwrap();
    assert_eq!(points.len(), 3);
    assert_eq!(document.matches("<circle").count(), 3 * points.len());
    for point in points {
        let title = format!("threads, inputs at once {}: ", point["concurrency"]);
        assert!(document.contains(&title), "no {title}: {document}");
    }
    let names = points
        .iter()
        .map(|it| format!("threads@{}", it["concurrency"]));
    lanes_are_shown(&document, &names.collect::<Vec<_>>());
    let intervals = points
        .iter()
        .filter(|it| it["throughput_per_s"]["ci95"].is_array());
    assert_eq!(
        document.matches("class=\"whisker\"").count(),
        3 * intervals.count(),
        "a line and two ends each: {document}"
    );
    assert!(told(&document, "Rounds").starts_with("2 counted rounds"));
    assert_eq!(told(&document, "Model"), "threads");
    assert!(told(&document, "Options").contains("timeout 30.0 s"));
}

#[test]
fn what_the_machine_charges_is_shown_as_bars_and_tables() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let folder = tempdir().unwrap();
    let page = reported(
        folder.path(),
        "report.html",
        "overhead --budget 1ms",
        &[],
        0,
    );
    let (document, found) = shown(&browser, &page, "overhead");
    for says in [
        "Start and end of one, seconds",
        "Hand-over of an input, seconds",
        "Memory of one more",
        "What this machine charges",
        "From which duration of an input a model pays",
        "The models",
    ] {
        assert!(document.contains(says), "no {says}: {document}");
    }
    for figure in found["figures"].as_array().unwrap() {
        let id = figure["id"].as_str().unwrap();
        let drawn = ["start.", "hand.", "memory."]
            .iter()
            .any(|it| id.contains(it));
        let name = label(figure["name"].as_str().unwrap());
        assert_eq!(document.contains(&name), drawn, "{id}: {document}");
    }
    let version = found["python"]["version"].as_str().unwrap();
    assert!(told(&document, "Interpreter").contains(version));
    assert!(told(&document, "Rounds").starts_with("1 round,"));
}
