//! The forms that CI systems read.

use std::{collections::BTreeMap, fs, path::Path};

use quick_xml::{Reader, XmlVersion, events::Event};
use tempfile::tempdir;

use crate::program::{run, run_with};

/// The inputs: one that is right, and some that are wrong in ways that a form must survive.
const LIST: &[u8] = b"3\nno <number> & \x1b\"%,:\n\n\xff\n::error::x";

/// An element, its attributes and the text right in it.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    text: String,
}

impl Element {
    #[track_caller]
    fn has(&self, name: &str, value: &str) {
        assert_eq!(
            self.attributes.get(name).map(String::as_str),
            Some(value),
            "{self:?}"
        );
    }
}

/// The elements of a document in the order of their beginnings, after a look at whether each is closed.
fn elements(document: &str) -> Vec<Element> {
    let mut reader = Reader::from_str(document);
    reader.config_mut().expand_empty_elements = true;
    let mut found: Vec<Element> = Vec::new();
    let mut open = 0;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => {
                open += 1;
                let attribute =
                    |attribute: Result<quick_xml::events::attributes::Attribute<'_>, _>| {
                        let attribute = attribute.unwrap();
                        let value = attribute.normalized_value(XmlVersion::Explicit1_0).unwrap();
                        (attribute.key.as_ref().to_owned(), value.into_owned())
                    };
                found.push(Element {
                    name: tag.name().as_ref().to_owned(),
                    attributes: tag.attributes().map(attribute).collect(),
                    text: String::new(),
                });
            }
            Event::Text(text) => put(&mut found, &text.xml10_content()),
            Event::GeneralRef(entity) => {
                let name = entity.xml10_content();
                put(
                    &mut found,
                    quick_xml::escape::resolve_xml_entity(&name).unwrap(),
                );
            }
            Event::End(_) => open -= 1,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(open, 0, "{document}");
    found
}

fn put(found: &mut [Element], text: &str) {
    if let Some(last) = found.last_mut() {
        last.text.push_str(text);
    }
}

fn write_list(folder: &Path) -> String {
    let list = folder.join("list,1.txt");
    fs::write(&list, LIST).unwrap();
    list.display().to_string()
}

#[test]
fn junit_has_a_case_an_input_that_any_parser_reads() {
    let folder = tempdir().unwrap();
    let list = write_list(folder.path());
    let ended = run(&format!("run cpu {list} --keep-order --format junit"));
    assert_eq!(ended.code, 1, "{}", ended.err);
    let elements = elements(&ended.out);
    let names: Vec<_> = elements.iter().map(|element| &*element.name).collect();
    let case = ["testcase", "failure"];
    let expected = [
        &["testsuites", "testsuite", "testcase"][..],
        &case,
        &case,
        &case,
        &case,
    ];
    assert_eq!(names, expected.concat());
    elements[1].has("name", "cpu");
    let cases: Vec<_> = elements
        .iter()
        .filter(|one| one.name == "testcase")
        .collect();
    let place = format!("{list}:3");
    let names = ["3", "no <number> & \"%,:", &place, "\u{fffd}", "::error::x"];
    for (line, (case, name)) in (1..).zip(cases.iter().zip(names)) {
        case.has("name", name);
        case.has("classname", "cpu");
        case.has("file", &list);
        case.has("line", &format!("{line}"));
        assert!(case.attributes["time"].parse::<f64>().unwrap() < 10.0);
    }
    let failure = &elements[4];
    failure.has("type", "bad-input");
    let message = &failure.attributes["message"];
    assert!(
        message.starts_with(&format!("{list}:2: `no <number> & ")),
        "{message}"
    );
    assert_eq!(failure.text.trim(), format!("bad-input: {message}"));
}

#[test]
fn junit_tells_a_slow_input_from_a_wrong_one() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("report.xml");
    let slow = "run cpu --work spin --n 20000 --inputs 1 -m processes --timeout 50ms";
    let ended = run(&format!("{slow} -o {}", path.display()));
    assert_eq!((ended.code, &*ended.out), (1, ""), "{}", ended.err);
    let elements = elements(&fs::read_to_string(path).unwrap());
    let [_, _, case, error] = elements.as_slice() else {
        panic!("{elements:?}");
    };
    assert!(!case.attributes.contains_key("file"), "{case:?}");
    assert_eq!(error.name, "error");
    error.has("type", "timeout");
}

#[test]
fn a_report_of_nothing_is_one_as_well() {
    let ended = run_with("run cpu - --format junit", b"");
    let names: Vec<_> = elements(&ended.out)
        .into_iter()
        .map(|one| one.name)
        .collect();
    assert_eq!(names, ["testsuites", "testsuite"]);
    let ended = run_with("run cpu - --format github", b"");
    assert_eq!(ended.out, "");
}

#[test]
fn github_gets_a_command_where_an_input_failed() {
    let folder = tempdir().unwrap();
    let list = write_list(folder.path());
    let ended = run(&format!("run cpu {list} --keep-order --format github"));
    assert_eq!(ended.code, 1, "{}", ended.err);
    let lines: Vec<_> = ended.out.lines().collect();
    let file = list.replace(',', "%2C");
    assert_eq!(lines.len(), 4, "{}", ended.out);
    for (number, (line, says)) in (2..).zip(lines.iter().zip([
        "no <number> & \\u{1b}\"%25,:: `no <number>",
        "the input is empty",
        "\u{fffd}: ",
        "::error::x: `::error::x`",
    ])) {
        let begins = format!("::error file={file},line={number},title=bad-input::{says}");
        assert!(line.starts_with(&begins), "{line} does not begin {begins}");
    }
    assert!(!ended.out.contains('\x1b'));
    assert!(ended.err.contains("1 of 5 succeeded"), "{}", ended.err);
}

#[test]
fn github_gets_no_file_where_there_is_none_and_nothing_of_what_succeeded() {
    let ended = run_with("run cpu - --format github", b"3\nx\n");
    let begins = "::error title=bad-input::x: standard input:2: `x`";
    assert!(ended.out.starts_with(begins), "{}", ended.out);
    assert_eq!(ended.out.lines().count(), 1, "{}", ended.out);
    let ended = run("run cpu --work none --inputs 1000 --format github");
    assert_eq!((ended.code, &*ended.out), (0, ""));
    assert!(
        ended.err.contains("1000 of 1000 succeeded"),
        "{}",
        ended.err
    );
}
