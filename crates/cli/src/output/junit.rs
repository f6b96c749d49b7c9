//! JUnit XML, as CI systems read it: one suite a job, one case an input.
//!
//! The suite says neither how many cases it has nor how many failed or how long all took. That would have to stand
//! before the first case, so that all cases would wait in memory for the last, and an outcome would count as written that
//! stands nowhere. Jenkins, GitLab and the reporters for GitHub Actions count the cases themselves.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};
use triway_core::{Failure, Status};

use super::{format::Format, jsonl::seconds, record::Record};

/// JUnit XML.
#[derive(Default)]
pub(super) struct Junit {
    /// The name of the task.
    task: String,
}

const SUITES: &str = "testsuites";
const SUITE: &str = "testsuite";

impl Format for Junit {
    fn begin(&mut self, task: &str, to: &mut dyn Write) -> io::Result<()> {
        task.clone_into(&mut self.task);
        let suite = BytesStart::new(SUITE).with_attributes([("name", task)]);
        lines(
            [
                Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)),
                Event::Start(BytesStart::new(SUITES)),
                Event::Start(suite),
            ],
            to,
        )
    }

    fn outcome(&mut self, record: &Record<'_>, to: &mut dyn Write) -> io::Result<()> {
        let outcome = record.outcome;
        let mut time = Vec::new();
        seconds("", outcome.run, &mut time)?;
        let time = String::from_utf8_lossy(&time);
        let place = record.places.line(outcome.index);
        let mut case = BytesStart::new("testcase");
        case.push_attribute(("name", name(record).as_str()));
        case.push_attribute(("classname", &*self.task));
        if let Some((file, line)) = place {
            case.push_attribute(("file", &*permitted(&file)));
            case.push_attribute(("line", &*line.to_string()));
        }
        case.push_attribute(("time", &*time));
        match &outcome.error {
            None => lines([Event::Empty(case)], to),
            Some(failure) => {
                let end = case.to_end().into_owned();
                Writer::new(&mut *to).write_event(Event::Start(case))?;
                fault(
                    outcome.status,
                    failure,
                    &record.message_beside_input(failure),
                    to,
                )?;
                lines([Event::End(end)], to)
            }
        }
    }

    fn end(&mut self, to: &mut dyn Write) -> io::Result<()> {
        let ends = [BytesEnd::new(SUITE), BytesEnd::new(SUITES)];
        lines(ends.map(Event::End), to)
    }
}

/// Each in a line of its own.
fn lines<'a>(events: impl IntoIterator<Item = Event<'a>>, to: &mut dyn Write) -> io::Result<()> {
    for event in events {
        Writer::new(&mut *to).write_event(event)?;
        to.write_all(b"\n")?;
    }
    Ok(())
}

/// What a case is called: its input, and by its place where that is nothing to read.
fn name(record: &Record<'_>) -> String {
    let input = record.input.lossy();
    match permitted(&input) {
        name if name.trim().is_empty() => {
            permitted(&record.places.name(record.outcome.index)).into_owned()
        }
        name => name.into_owned(),
    }
}

/// Why a case did not succeed: a failure is of the input, an error of what ran it. Some readers show the message, others
/// the text.
fn fault(status: Status, failure: &Failure, message: &str, to: &mut dyn Write) -> io::Result<()> {
    let element = match status {
        Status::Timeout | Status::WorkerLost => "error",
        Status::Cancelled => "skipped",
        _ => "failure",
    };
    let message = permitted(message);
    let kind = permitted(failure.kind.as_str());
    let text = format!("{kind}: {message}");
    let element = BytesStart::new(element);
    let end = element.to_end().into_owned();
    let mut writer = Writer::new(&mut *to);
    let attributes = [("type", &*kind), ("message", &*message)];
    writer.write_event(Event::Start(element.with_attributes(attributes)))?;
    writer.write_event(Event::Text(BytesText::new(&text)))?;
    writer.write_event(Event::End(end))
}

/// The text without what XML 1.0 forbids in whatever form, and without the control characters that it merely advises
/// against, which a terminal would obey.
fn permitted(text: &str) -> Cow<'_, str> {
    let forbidden = |c: char| {
        (c.is_control() && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    if text.contains(forbidden) {
        Cow::Owned(text.replace(forbidden, ""))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_forbids_is_left_out() {
        for (text, expected) in [
            ("plain <&> \"text\"\r\n\t", "plain <&> \"text\"\r\n\t"),
            ("\x1b[31mred\0\u{b}", "[31mred"),
            ("a\u{fffe}\u{ffff}b\u{fffd}\u{9b}\u{7f}", "ab\u{fffd}"),
        ] {
            assert_eq!(permitted(text), expected);
        }
    }

    #[test]
    fn each_status_has_its_element() {
        let failure = Failure::new(triway_core::FailureKind::ERROR, "a \"b\" <c>\n&\0");
        for (status, element) in [
            (Status::Failed, "failure"),
            (Status::Timeout, "error"),
            (Status::WorkerLost, "error"),
            (Status::Cancelled, "skipped"),
        ] {
            let mut written = Vec::new();
            fault(status, &failure, &failure.message, &mut written).unwrap();
            let written = String::from_utf8(written).unwrap();
            let expected = format!(
                "<{element} type=\"error\" message=\"a &quot;b&quot; &lt;c&gt;&#10;&amp;\">error: a &quot;b&quot; \
                 &lt;c&gt;\n&amp;</{element}>"
            );
            assert_eq!(written, expected);
        }
    }
}
