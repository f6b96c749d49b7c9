//! Looks at an answer and says what is wrong with it.

use std::time::{Duration, SystemTime};

use hyper::{HeaderMap, header::HeaderName};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use triway_core::{Failure, FailureKind};
use wildmatch::WildMatch;

use super::rules::Applied;
use crate::{
    command::excerpt,
    http::{Answer, Fetched, kinds::HTTP_STATUS, unknown_encoding},
};

/// The kinds of problems that only a check finds.
pub mod kinds {
    use triway_core::FailureKind;

    /// The answer took too long.
    pub const SLOW: FailureKind = FailureKind::new("slow");
    /// The body does not contain what it should, or is in an encoding that nobody here knows.
    pub const CONTENT: FailureKind = FailureKind::new("content");
    /// A header is missing, or says something else.
    pub const HEADER: FailureKind = FailureKind::new("header");
    /// The body is no JSON, or says something else.
    pub const JSON: FailureKind = FailureKind::new("json");
    /// The certificate expires too soon.
    pub const CERTIFICATE: FailureKind = FailureKind::new("certificate");
}

/// An answer, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Health {
    /// The answer.
    pub answer: Answer,
    /// What is wrong with it; nothing where it is healthy.
    pub problems: Vec<Problem>,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// What sort of thing.
    pub kind: FailureKind,
    /// A sentence about it.
    pub message: String,
}

impl Health {
    /// The first problem's kind, and all problems in one message.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        let Some(first) = self.problems.first() else {
            return Ok(());
        };
        let told: Vec<_> = self.problems.iter().map(|one| &*one.message).collect();
        let failure = Failure::new(first.kind.clone(), told.join("; "));
        let may_pass = self.problems.iter().all(|problem| match &problem.kind {
            kind if *kind == HTTP_STATUS => self.answer.may_pass(),
            kind => *kind != kinds::CERTIFICATE,
        });
        Err(self.answer.blamed(failure, may_pass))
    }
}

/// Says what is wrong with an answer.
pub(super) fn examine(rule: &Applied<'_>, fetched: Fetched) -> Health {
    let Fetched {
        answer,
        headers,
        body,
    } = fetched;
    let body = body.unwrap_or_default();
    let mut problems: Vec<Problem> = Vec::new();
    problems.extend(status(rule, &answer));
    problems.extend(latency(rule, &answer));
    problems.extend(
        rule.header
            .iter()
            .filter_map(|wanted| header(wanted, &headers)),
    );
    match undecoded(rule, &answer, &headers) {
        Some(unread) => problems.push(unread),
        None => {
            problems.extend(content(rule, &body));
            problems.extend(json(rule, &body));
        }
    }
    problems.extend(certificate(rule, &answer));
    Health { answer, problems }
}

fn problem(kind: FailureKind, message: String) -> Problem {
    Problem { kind, message }
}

fn status(rule: &Applied<'_>, answer: &Answer) -> Option<Problem> {
    let wrong = !rule.accept.contains(answer.status);
    wrong.then(|| {
        let message = format!("status {} is not among {}", answer.status, rule.accept);
        problem(HTTP_STATUS, message)
    })
}

/// The time that the server and the way to it took; waiting for a turn of one's own is not their fault.
fn latency(rule: &Applied<'_>, answer: &Answer) -> Option<Problem> {
    let limit = rule.max_latency?;
    let opening = [answer.dns_s, answer.connect_s, answer.tls_s];
    let opening: f64 = opening.into_iter().flatten().sum();
    let took = Duration::from_secs_f64(opening + answer.first_byte_s + answer.body_s);
    (took > limit).then(|| {
        let message = format!(
            "it took {:.0} ms, more than {} ms",
            took.as_secs_f64() * 1e3,
            limit.as_millis()
        );
        problem(kinds::SLOW, message)
    })
}

fn header(wanted: &str, headers: &HeaderMap) -> Option<Problem> {
    let (name, value) = match wanted.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value.trim())),
        None => (wanted.trim(), None),
    };
    let found: Vec<_> = match HeaderName::from_bytes(name.as_bytes()) {
        Ok(name) => headers.get_all(name).iter().collect(),
        Err(_) => Vec::new(),
    };
    let shown = |value: &hyper::header::HeaderValue| {
        excerpt(&String::from_utf8_lossy(value.as_bytes())).into_owned()
    };
    let message = match (found.as_slice(), value) {
        ([], _) => format!("there is no header {name}"),
        (_, None) => return None,
        (found, Some(value)) => {
            let pattern = WildMatch::new(value);
            let matches = |one: &&hyper::header::HeaderValue| {
                pattern.matches(&String::from_utf8_lossy(one.as_bytes()))
            };
            if found.iter().any(matches) {
                return None;
            }
            format!("the header {name} is `{}`, not `{value}`", shown(found[0]))
        }
    };
    Some(problem(kinds::HEADER, message))
}

/// A body that nobody here can read has nothing in it to be found, nor to be missed.
fn undecoded(rule: &Applied<'_>, answer: &Answer, headers: &HeaderMap) -> Option<Problem> {
    let encoding = unknown_encoding(headers).filter(|_| rule.needs_body() && answer.bytes > 0)?;
    let message = format!(
        "the body cannot be examined: nobody here knows its encoding `{}`",
        excerpt(&encoding)
    );
    Some(problem(kinds::CONTENT, message))
}

fn content(rule: &Applied<'_>, body: &[u8]) -> Vec<Problem> {
    let missing = |text: &&&str| memchr::memmem::find(body, text.as_bytes()).is_none();
    let told = |text: &&str| {
        let message = format!("the body does not contain `{}`", excerpt(text));
        problem(kinds::CONTENT, message)
    };
    rule.contains.iter().filter(missing).map(told).collect()
}

fn json(rule: &Applied<'_>, body: &[u8]) -> Vec<Problem> {
    if rule.json.is_empty() {
        return Vec::new();
    }
    let document: Value = match serde_json::from_slice(body) {
        Ok(document) => document,
        Err(error) => {
            let message = format!("the body is no JSON: {error}");
            return vec![problem(kinds::JSON, message)];
        }
    };
    let wrong = rule
        .json
        .iter()
        .filter_map(|expected| expected.problem(&document));
    wrong.map(|message| problem(kinds::JSON, message)).collect()
}

/// Of secured connections alone.
fn certificate(rule: &Applied<'_>, answer: &Answer) -> Option<Problem> {
    let days = rule.cert_days?;
    let written = answer.not_after.as_ref()?;
    let end = humantime::parse_rfc3339(written).ok()?;
    let Ok(left) = end.duration_since(SystemTime::now()) else {
        let message = format!("the certificate expired at {written}");
        return Some(problem(kinds::CERTIFICATE, message));
    };
    let left_days = left.as_secs() / 86_400;
    (left_days < u64::from(days)).then(|| {
        let message = format!(
            "the certificate is valid for another {left_days} days (until {written}), not for {days}"
        );
        problem(kinds::CERTIFICATE, message)
    })
}
