//! `--report`: a page that a real browser shows, and in which it runs nothing.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::tempdir;

use crate::{
    browser::Browser,
    program::{run, start, triway},
    serving::server,
};

/// What must not run; it would be seen in the document.
const EVIL: &str = "<script>alert(1);document.title='it ran'</script>";

/// Measures and gives the page.
#[track_caller]
pub(crate) fn reported(
    folder: &Path,
    name: &str,
    comparison: &str,
    more: &[&str],
    code: i32,
) -> PathBuf {
    let page = folder.join(name);
    let mut command = triway(comparison);
    command
        .arg("--report")
        .arg(&page)
        .arg("-o")
        .arg(folder.join("found.json"));
    let ended = start(command.args(more).stdin(Stdio::null())).end();
    assert_eq!(ended.code, code, "{ended:?}");
    let said = format!("the report is in {}", page.display());
    assert!(ended.err.contains(&said), "{ended:?}");
    page
}

/// The figures in a page, by the command that it tells.
pub(crate) fn figures(page: &Path) -> Value {
    let text = fs::read_to_string(page).unwrap();
    let (_, command) = text.split_once("<code>").unwrap();
    let (command, _) = command.split_once("</code>").unwrap();
    let command = command.replace("&lt;", "<").replace("&gt;", ">");
    let command = command.replace("&quot;", "\"");
    let command = command.replace("report.html", &page.display().to_string());
    let out = Command::new("sh").args(["-c", &command]).output().unwrap();
    serde_json::from_slice(&out.stdout).unwrap_or_else(|error| panic!("{error}: {out:?}"))
}

#[test]
fn a_page_has_the_figures_that_the_comparison_has() {
    let folder = tempdir().unwrap();
    let page = reported(
        folder.path(),
        "page.html",
        "compare http --rounds 2 --sample 12",
        &[],
        0,
    );
    let found = fs::read_to_string(folder.path().join("found.json")).unwrap();
    let figures = figures(&page);
    assert_eq!(figures, serde_json::from_str::<Value>(&found).unwrap());
    for arm in figures["models"].as_array().unwrap() {
        let steps = arm["latency_distribution"].as_array().unwrap();
        let counted: u64 = steps
            .iter()
            .map(|step| step["count"].as_u64().unwrap())
            .sum();
        assert_eq!(counted, 2 * 12, "{arm}");
        let timeline = &arm["timeline"];
        assert_eq!(timeline["attempts"], 12, "{arm}");
        let spans = timeline["spans"].as_array().unwrap();
        let mut indexes: Vec<u64> = spans
            .iter()
            .map(|span| span["index"].as_u64().unwrap())
            .collect();
        indexes.sort_unstable();
        // The sample is spread over all 50.
        assert!(
            indexes.windows(2).all(|pair| pair[0] < pair[1]) && indexes[11] > 40,
            "{indexes:?}"
        );
        let startup = timeline["startup_s"].as_f64().unwrap();
        assert!(
            spans
                .iter()
                .all(|span| span["started_s"].as_f64().unwrap() >= startup * 0.99),
            "{arm}"
        );
    }
}

#[test]
fn nothing_is_recorded_that_nobody_asked_for() {
    let ended = run("compare cpu --n 1000 --inputs 4 --rounds 1 --format json");
    assert!(
        !ended.out.contains("timeline") && !ended.out.contains("latency_distribution"),
        "{ended:?}"
    );
}

#[test]
fn a_browser_shows_the_verdict_the_bars_and_who_ran_when() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let folder = tempdir().unwrap();
    let page = reported(
        folder.path(),
        "report.html",
        "compare http --rounds 3 -c 10",
        &[],
        0,
    );
    let figures = figures(&page);
    let document = browser.document(&page);
    let verdict = figures["verdict"].as_str().unwrap();
    assert!(
        document.contains(&format!("<h1>{verdict}</h1>")),
        "{document}"
    );
    assert!(
        document.contains("<title>compare http – Triway</title>"),
        "{document}"
    );
    for says in [
        "Start-up and work",
        "How long an input took",
        "Who ran what when",
        "How it was measured",
    ] {
        assert!(document.contains(says), "no {says}: {document}");
    }
    for arm in ["sequential", "threads", "processes", "async"] {
        assert!(
            document.contains(&format!("<span class=\"label\">{arm}</span>")),
            "no {arm}"
        );
        assert!(
            document.contains(&format!("<h3>{arm}</h3>")),
            "no timeline of {arm}"
        );
    }
    assert!(
        !document.contains("NaN") && !document.contains("inf"),
        "{document}"
    );
    let light = browser.picture(&page, "light.png", (1100, 2600), &[]);
    assert_eq!((light.width, light.height), (1100, 2600));
    assert!(light.colours() > 50, "{} colours", light.colours());
    assert!(light.light() > 0.6, "{}", light.light());
    let dark = browser.picture(&page, "dark.png", (1100, 2600), &["--force-dark-mode"]);
    assert!(dark.colours() > 50, "{} colours", dark.colours());
    assert!(dark.light() < 0.2, "{}", dark.light());
    on_a_phone(&browser, &page);
}

/// A window has a least width that is more than a phone's, a frame has none. The page is `report.html`.
pub(crate) fn on_a_phone(browser: &Browser, page: &Path) {
    let frame = page.with_file_name("phone.html");
    let markup = "<!DOCTYPE html><html><body style='margin:0'>\
        <iframe src='report.html' width=400 height=3400 style='border:0;display:block'></iframe><script>\
        onload = () => { const page = document.querySelector('iframe').contentDocument.documentElement;\
        const fit = [...page.querySelectorAll('td.words')].every(cell => cell.offsetWidth < 340);\
        document.title = 'wide ' + page.scrollWidth + ' of ' + page.clientWidth + ', words fit: ' + fit; }</script></body></html>";
    fs::write(&frame, markup).unwrap();
    // Whatever is wider than the phone is in a box that scrolls; sentences are not.
    let document = browser.document(&frame);
    assert!(
        document.contains("<title>wide 400 of 400, words fit: true</title>"),
        "{document}"
    );
    let picture = browser.picture(&frame, "phone.png", (400, 3400), &[]);
    assert_eq!((picture.width, picture.height), (400, 3400));
    assert!(picture.colours() > 50, "{} colours", picture.colours());
}

#[test]
fn a_browser_runs_nothing_that_somebody_else_wrote() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let folder = tempdir().unwrap();
    // It would be seen if something ran.
    let control = folder.path().join("control.html");
    let runs = EVIL.replace("alert(1);", "");
    fs::write(
        &control,
        format!("<!DOCTYPE html><html><title>it did not</title>{runs}</html>"),
    )
    .unwrap();
    assert!(browser.document(&control).contains("<title>it ran</title>"));
    // Each process writes a number of its own, so that results differ and are shown.
    let more = ["--", EVIL];
    let comparison = "compare sh echo$IFS{}$IFS$$ --shell --models sequential,threads --rounds 2";
    let page = reported(folder.path(), "sh.html", comparison, &more, 1);
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.contains("&lt;script&gt;a"), "{text}");
    assert_eq!(text.matches("<script").count(), 1, "{text}");
    let document = browser.document(&page);
    assert!(
        document.contains("<title>compare sh – Triway</title>"),
        "{document}"
    );
    // What stands there is the beginning of it, as an output is shown.
    assert!(figures(&page).to_string().contains("<script>alert(1)"));
}

#[test]
fn an_arm_that_fails_and_a_url_that_is_markup() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let folder = tempdir().unwrap();
    let (_server, address) = server("serve http --port 0 --until-stdin-closes");
    let urls: Vec<String> = (0..30)
        .map(|n| format!("http://user:hush@{address}/flaky/50?{n}&token=hushed&x={EVIL}"))
        .collect();
    let list = folder.path().join("urls.txt");
    fs::write(&list, urls.join("\n")).unwrap();
    let comparison = format!(
        "compare http {} --models sequential,async --rounds 3 -c 5",
        list.display()
    );
    let page = reported(folder.path(), "failing.html", &comparison, &[], 1);
    let text = fs::read_to_string(&page).unwrap();
    for secret in ["hush", "<script>alert", "hushed"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let document = browser.document(&page);
    assert!(
        document.contains("<title>compare http – Triway</title>"),
        "{document}"
    );
    assert!(document.contains("of those shown failed"), "{document}");
    assert!(document.contains("sequential (not ranked)"), "{document}");
    let picture = browser.picture(&page, "failing.png", (1100, 3600), &[]);
    let red = picture
        .pixels
        .iter()
        .filter(|[red, green, blue]| *red > 180 && *green < 90 && *blue < 110);
    assert!(red.count() > 20, "no failed attempt is to be seen");
}

#[test]
fn a_page_that_cannot_be_written_is_refused_before_anything_runs() {
    let folder = tempdir().unwrap();
    let inputs = folder.path().join("inputs.txt");
    fs::write(&inputs, "3\n").unwrap();
    let inputs = inputs.display().to_string();
    let both = folder.path().join("both").display().to_string();
    for (options, says) in [
        (
            format!("{inputs} --report /nonexistent/page.html"),
            "--report: cannot write /nonexistent/page.html".to_owned(),
        ),
        (
            format!("{inputs} --report {inputs}"),
            format!("--report: {inputs} is an input"),
        ),
        (
            format!("{inputs} --report {both} -o {both}"),
            format!("--report: {both} is written by another option"),
        ),
        (
            format!("{inputs} --trace {both} --report {both}"),
            format!("--trace: {both} is written by another option"),
        ),
    ] {
        let ended = run(&format!("compare cpu {options}"));
        assert_eq!(ended.code, 2, "{options}: {ended:?}");
        assert!(ended.err.contains(&says), "{options}: {ended:?}");
        assert!(
            !ended.err.contains("will be executed"),
            "{options}: {ended:?}"
        );
    }
    assert_eq!(fs::read_to_string(&inputs).unwrap(), "3\n");
}

#[test]
fn yesterdays_page_survives_a_comparison_that_does_not_begin() {
    let folder = tempdir().unwrap();
    let page = folder.path().join("page.html");
    fs::write(&page, "yesterday").unwrap();
    let ended = run(&format!(
        "compare cpu /dev/null --report {}",
        page.display()
    ));
    assert_eq!(ended.code, 2, "{ended:?}");
    assert_eq!(fs::read_to_string(&page).unwrap(), "yesterday");
}
