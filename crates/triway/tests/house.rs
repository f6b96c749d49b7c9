//! The rules of the house that no compiler keeps, each as a test over the sources.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Which of our crates each crate may depend on: nothing reaches up a floor.
const FLOORS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("memory", &[]),
    ("wait", &[]),
    ("exec", &["core", "memory"]),
    ("tasks", &["core", "memory", "wait"]),
    ("serve", &["core", "exec", "memory", "wait"]),
    ("measure", &["core", "exec", "memory"]),
    ("triway", &["core", "exec", "measure", "tasks"]),
    (
        "cli",
        &[
            "core", "exec", "measure", "memory", "serve", "tasks", "triway",
        ],
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

/// What tests may use besides, because nothing is built on a test.
const FOR_TESTS: &[(&str, &str)] = &[("tasks", "serve")];

/// The lines of a manifest that name dependencies, on whatever target, and whether tests alone have them.
fn dependencies(manifest: &str) -> Vec<(bool, &str)> {
    let mut found = Vec::new();
    let mut heading = "";
    for line in manifest.lines() {
        if let Some(opened) = line.strip_prefix('[') {
            heading = opened.trim_end_matches(']');
            // `[dependencies.NAME]` is a heading and a name in one.
            let name = heading.split_once("dependencies.").map(|(_, name)| name);
            found.extend(name.map(|name| (heading.contains("dev-"), name)));
        } else if heading.ends_with("dependencies") && !line.is_empty() {
            found.push((heading.contains("dev-"), line));
        }
    }
    found
}

#[test]
fn every_kind_of_dependency_is_seen() {
    let manifest = "
[package]
name = 'x'
[dependencies]
a = '1'
[dev-dependencies]
b.workspace = true
[target.'cfg(unix)'.dependencies]
c = { path = 'c' }
[build-dependencies.d]
version = '1'
[lints]
e = true";
    let expected = [
        (false, "a = '1'"),
        (true, "b.workspace = true"),
        (false, "c = { path = 'c' }"),
        (false, "d"),
    ];
    assert_eq!(dependencies(manifest), expected);
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
        for (for_tests, line) in dependencies(&manifest) {
            let word = line.split(['.', ' ', '=']).next().unwrap_or("");
            let ours = if word == "triway" {
                Some("triway")
            } else {
                word.strip_prefix("triway-")
            };
            if let Some(ours) = ours {
                let allowed = allowed.contains(&ours)
                    || (for_tests && FOR_TESTS.contains(&(name.as_str(), ours)));
                assert!(allowed, "{name} must not depend on {ours}");
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

/// Only the command line prints, reads arguments and exits. One exception serves processes that were started again; the
/// other passes on what they write to their error output.
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
            let excepted = [
                "restart/mod.rs",
                "restart/program.rs",
                "processes/stderr.rs",
            ];
            let excepted = excepted.iter().any(|file| path.ends_with(file));
            for line in production(&text)
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
            {
                let found = words.iter().find(|word| line.contains(**word));
                assert!(found.is_none() || excepted, "{}: {line}", path.display());
            }
        }
    }
}

#[test]
fn unsafe_code_is_forbidden_but_in_two_modules() {
    for (name, folder) in crate_folders() {
        let main = if name == "cli" {
            "src/main.rs"
        } else {
            "src/lib.rs"
        };
        let text = fs::read_to_string(folder.join(main)).expect("a crate has a root");
        let forbidden = text.contains("#![forbid(unsafe_code)]");
        let excepted = ["measure", "memory"].contains(&name.as_str());
        assert_eq!(forbidden, !excepted, "{name}");
        for (path, text) in sources(&folder.join("src")) {
            let has = text
                .lines()
                .any(|line| line.contains("unsafe {") || line.contains("unsafe fn"));
            assert!(
                !has || path.ends_with("rusage.rs") || path.ends_with("mapped.rs"),
                "{} has unsafe code",
                path.display()
            );
        }
    }
}

/// A module by the way to it from its crate's root: `["http", "journey"]`.
type Module = Vec<String>;
type Graph = BTreeMap<Module, BTreeSet<Module>>;

/// The modules of a crate, but for its root, and which of them each uses.
fn uses(folder: &Path) -> Graph {
    let src = folder.join("src");
    let modules: BTreeMap<Module, String> = sources(&src)
        .into_iter()
        .map(|(path, text)| {
            let inside = path.strip_prefix(&src).expect("sources are below src");
            (module_of(inside), text)
        })
        .filter(|(module, _)| !module.is_empty() && module.last().is_some_and(|m| m != "tests"))
        .collect();
    let used_by = |module: &Module, text: &str| {
        let paths = paths(&code(production(text)));
        let used = paths
            .iter()
            .filter_map(|path| resolve(module, path, &modules));
        used.filter(|used| used != module).collect()
    };
    modules
        .iter()
        .map(|(module, text)| (module.clone(), used_by(module, text)))
        .collect()
}

fn module_of(file: &Path) -> Module {
    let file = file.with_extension("");
    let words = file.iter().map(|word| word.to_string_lossy().into_owned());
    words
        .filter(|word| !["lib", "main", "mod"].contains(&word.as_str()))
        .collect()
}

/// The deepest module that a path in `module` leads to, if it is one of the same crate.
fn resolve(
    module: &[String],
    path: &[String],
    modules: &BTreeMap<Module, String>,
) -> Option<Module> {
    let supers = path.iter().take_while(|word| *word == "super").count();
    let mut full = match path.first()?.as_str() {
        "crate" => path[1..].to_vec(),
        "self" => [module, &path[1..]].concat(),
        "super" => [
            &module[..module.len().saturating_sub(supers)],
            &path[supers..],
        ]
        .concat(),
        child if modules.contains_key(&[module, &[child.to_owned()]].concat()) => {
            [module, path].concat()
        }
        _ => return None,
    };
    while !full.is_empty() && !modules.contains_key(&full) {
        full.pop();
    }
    (!full.is_empty()).then_some(full)
}

/// A text without its comments.
fn code(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or(""));
    lines.collect::<Vec<_>>().join("\n")
}

/// All paths of more than one word in a text; the groups of `use` written out.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for piece in code.split(';') {
        let (rest, import) = match piece.rsplit_once("use ") {
            Some((rest, import)) if is_import(import) => (rest, import),
            _ => (piece, ""),
        };
        write_out(&[], import, &mut found);
        let words = rest.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
        for path in words.filter(|word| word.contains("::")) {
            found.push(split(path));
        }
    }
    found
}

fn is_import(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_alphanumeric() || c.is_whitespace() || "_:{},*".contains(c))
}

fn split(path: &str) -> Vec<String> {
    path.split("::")
        .filter(|word| !word.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

/// `a::{b, c::{d}}` as `a::b` and `a::c::d`.
fn write_out(prefix: &[String], group: &str, found: &mut Vec<Vec<String>>) {
    let mut depth = 0;
    let parts = group.split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
        if let Some((head, inner)) = part.split_once('{') {
            let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
            write_out(&[prefix, &split(head)].concat(), inner, found);
        } else {
            let name = part.split(" as ").next().unwrap_or(part);
            found.push([prefix, &split(name)].concat());
        }
    }
}

/// What is left of a graph when everything that cannot be in a circle was taken away.
fn circles(mut graph: Graph) -> Graph {
    let leaf = |graph: &Graph| {
        graph
            .iter()
            .find(|(_, used)| used.is_empty())
            .map(|(module, _)| module.clone())
    };
    while let Some(leaf) = leaf(&graph) {
        graph.remove(&leaf);
        for used in graph.values_mut() {
            used.remove(&leaf);
        }
    }
    graph
}

/// The same graph for the modules of the first level alone.
fn first_level(graph: &Graph) -> Graph {
    let mut coarse = Graph::new();
    for (module, used) in graph {
        let used = used.iter().map(|used| used[..1].to_vec());
        let used = used.filter(|used| *used != module[..1]);
        coarse.entry(module[..1].to_vec()).or_default().extend(used);
    }
    coarse
}

#[test]
fn no_crate_has_an_import_cycle() {
    for (name, folder) in crate_folders() {
        let graph = uses(&folder);
        let coarse = circles(first_level(&graph));
        assert!(
            coarse.is_empty(),
            "{name} has an import cycle among {coarse:?}"
        );
        let fine = circles(graph);
        assert!(fine.is_empty(), "{name} has an import cycle among {fine:?}");
    }
}

#[test]
fn paths_are_found_however_they_are_written() {
    let text = "
        use super::{journey::{self, Origin}, kinds as sorts};
        pub(crate) use crate::http::Http; // not::this
        fn f() -> wire::Wire { super::super::cpu::sum(1) }
    ";
    let mut found: Vec<String> = paths(&code(text))
        .iter()
        .map(|path| path.join("::"))
        .collect();
    found.sort();
    let expected = [
        "crate::http::Http",
        "super::journey::Origin",
        "super::journey::self",
        "super::kinds",
        "super::super::cpu::sum",
        "wire::Wire",
    ];
    assert_eq!(found, expected);
}
