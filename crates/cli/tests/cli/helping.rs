//! Help, version, completions, manual pages.

use tempfile::tempdir;

use crate::program::run;

#[test]
fn every_verb_has_examples() {
    for verb in [
        "",
        "run",
        "compare",
        "overhead",
        "journal",
        "journal show",
        "serve",
        "serve http",
        "run http",
        "compare cpu",
        "sweep",
        "sweep http",
        "run sh",
        "completions",
        "man",
    ] {
        let ended = run(&format!("{verb} --help"));
        assert_eq!(ended.code, 0, "{verb}");
        assert!(
            ended.out.contains("Examples:\n  triway "),
            "{verb}: {}",
            ended.out
        );
        let widest = ended
            .out
            .lines()
            .map(|line| line.chars().count())
            .max()
            .unwrap();
        assert!(widest <= 100, "{verb} is {widest} columns wide");
    }
}

#[test]
fn the_version_is_told() {
    let ended = run("--version");
    assert_eq!(
        ended.out,
        concat!("triway ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn completions_and_manual_pages_can_be_had() {
    for shell in ["bash", "zsh", "fish"] {
        let ended = run(&format!("completions {shell}"));
        assert!(
            ended.code == 0 && ended.out.contains("max-failures"),
            "{shell}"
        );
        assert!(
            !ended.out.contains("until-stdin-closes"),
            "{shell} completes what no help shows"
        );
    }
    assert!(run("man").out.contains(".TH triway"));
    let folder = tempdir().unwrap();
    let pages = folder.path().join("man1");
    assert_eq!(run(&format!("man {}", pages.display())).code, 0);
    for page in ["triway.1", "triway-run.1", "triway-compare-http.1"] {
        assert!(pages.join(page).exists(), "{page}");
    }
}
