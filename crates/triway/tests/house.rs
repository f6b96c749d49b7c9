//! The rules of the house that no compiler keeps, each as a test over the sources.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Which of our crates each crate may depend on: nothing reaches up a floor.
const FLOORS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("exec", &["core"]),
    ("tasks", &["core"]),
    ("serve", &["core", "exec"]),
    ("measure", &["core", "exec"]),
    ("triway", &["core", "exec", "measure", "tasks"]),
    (
        "cli",
        &["core", "exec", "measure", "serve", "tasks", "triway"],
    ),
];

const LONGEST_FILE: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every Rust file below a folder, with its text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).expect("sources are text");
            found.push((path, text));
        }
    }
    found
}

/// The part of a source file that is not its unit tests.
fn production(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

fn crate_folders() -> Vec<(String, PathBuf)> {
    fs::read_dir(root().join("crates"))
        .expect("there are crates")
        .map(|entry| entry.expect("crates can be listed"))
        .map(|entry| {
            (
                entry.file_name().to_string_lossy().into_owned(),
                entry.path(),
            )
        })
        .collect()
}

#[test]
fn nothing_reaches_up_a_floor() {
    let floors: BTreeMap<&str, &[&str]> = FLOORS.iter().copied().collect();
    for (name, folder) in crate_folders() {
        let allowed = floors
            .get(name.as_str())
            .unwrap_or_else(|| panic!("crate {name} has no floor"));
        let manifest =
            fs::read_to_string(folder.join("Cargo.toml")).expect("a crate has a manifest");
        let after = manifest
            .split("\n[dependencies]")
            .nth(1)
            .expect("a crate has dependencies");
        let dependencies = after.split("\n[").next().unwrap_or(after);
        for line in dependencies.lines() {
            let word = line.split(['.', ' ', '=']).next().unwrap_or("");
            let ours = if word == "triway" {
                Some("triway")
            } else {
                word.strip_prefix("triway-")
            };
            if let Some(ours) = ours {
                assert!(allowed.contains(&ours), "{name} must not depend on {ours}");
            }
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for folder in ["crates", "benches"] {
        for (path, text) in sources(&root().join(folder)) {
            assert!(
                text.starts_with("//! "),
                "{} does not open with `//!`",
                path.display()
            );
            let lines = text.lines().count();
            assert!(
                lines <= LONGEST_FILE,
                "{} has {lines} lines",
                path.display()
            );
        }
    }
}

/// Only the command line prints, reads arguments and exits. The one exception serves processes that were started again.
#[test]
fn only_the_command_line_prints_reads_arguments_or_exits() {
    let words = [
        "println!",
        "eprintln!",
        "print!(",
        "process::exit",
        "env::args",
        "io::stdout",
        "io::stderr",
    ];
    for (name, folder) in crate_folders() {
        if name == "cli" {
            continue;
        }
        for (path, text) in sources(&folder.join("src")) {
            let restart = path.ends_with("restart/mod.rs");
            for line in production(&text)
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
            {
                let found = words.iter().find(|word| line.contains(**word));
                assert!(found.is_none() || restart, "{}: {line}", path.display());
            }
        }
    }
}

#[test]
fn unsafe_code_is_forbidden_but_in_one_module() {
    for (name, folder) in crate_folders() {
        let main = if name == "cli" {
            "src/main.rs"
        } else {
            "src/lib.rs"
        };
        let text = fs::read_to_string(folder.join(main)).expect("a crate has a root");
        let forbidden = text.contains("#![forbid(unsafe_code)]");
        assert_eq!(forbidden, name != "measure", "{name}");
        for (path, text) in sources(&folder.join("src")) {
            let has = text
                .lines()
                .any(|line| line.contains("unsafe {") || line.contains("unsafe fn"));
            assert!(
                !has || path.ends_with("rusage.rs"),
                "{} has unsafe code",
                path.display()
            );
        }
    }
}

/// Modules of the first level in a crate, and which of them each uses.
fn uses(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let src = folder.join("src");
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in sources(&src) {
        let inside = path.strip_prefix(&src).expect("sources are below src");
        let module = inside
            .components()
            .next()
            .expect("a file has a name")
            .as_os_str()
            .to_string_lossy();
        let module = module.trim_end_matches(".rs").to_owned();
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let text = production(&text);
        graph.entry(module).or_default().extend(used_modules(text));
    }
    let known: BTreeSet<String> = graph.keys().cloned().collect();
    for (module, used) in &mut graph {
        used.retain(|other| known.contains(other) && other != module);
    }
    graph
}

/// The first words after each `crate::`, also inside `crate::{…}`.
fn used_modules(text: &str) -> Vec<String> {
    let word = |text: &str| {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.push(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut fresh = true;
        for (place, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => fresh = true,
                c if c.is_alphanumeric() && fresh => {
                    found.push(word(&group[place..]));
                    fresh = false;
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn no_crate_has_an_import_cycle() {
    for (name, folder) in crate_folders() {
        let mut graph = uses(&folder);
        // What uses nothing that is left cannot be in a cycle; whatever cannot be taken away so is one.
        while let Some(leaf) = graph
            .iter()
            .find(|(_, used)| used.is_empty())
            .map(|(module, _)| module.clone())
        {
            graph.remove(&leaf);
            for used in graph.values_mut() {
                used.remove(&leaf);
            }
        }
        assert!(
            graph.is_empty(),
            "{name} has an import cycle among {graph:?}"
        );
    }
}
