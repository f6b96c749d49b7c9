//! What answers should be, for all URLs or for those that match a pattern.

use std::{borrow::Cow, time::Duration};

use hyper::header::HeaderName;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use url::Url;
use wildmatch::WildMatch;

use super::path::Expected;
use crate::{command::excerpt, http::Accept};

/// Rules in the order in which they were written. For what can be said once, the last that matches counts; what can be
/// said several times adds up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rules(Vec<Rule>);

/// What answers should be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Rule {
    /// For which URLs: `*` stands for any text, `?` for any character; all URLs where it is not there.
    #[serde(rename = "match")]
    pub pattern: Option<String>,
    /// The right statuses.
    pub accept: Option<Accept>,
    /// The longest time from the look-up of the name to the end of the body.
    #[serde(with = "written_time")]
    pub max_latency: Option<Duration>,
    /// Texts that the body should contain.
    pub contains: Vec<String>,
    /// Headers that should be there, `NAME` or `NAME=VALUE`; `*` in a value stands for any text.
    #[serde(deserialize_with = "headers")]
    pub header: Vec<String>,
    /// What the body, a JSON document, should say.
    pub json: Vec<Expected>,
    /// For how many days the certificate should still be valid.
    pub cert_days: Option<u32>,
}

/// Rules that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RuleError(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    rule: Vec<Rule>,
}

impl Rules {
    /// The rules of a TOML document: tables `[[rule]]` with the fields of [`Rule`].
    ///
    /// # Errors
    /// What cannot be read, and on which line it stands.
    pub fn from_toml(text: &str) -> Result<Self, RuleError> {
        let document: Document =
            toml::from_str(text).map_err(|error| RuleError(error.to_string()))?;
        Ok(Self(document.rule))
    }

    /// One more rule, which goes before those that are there in what can be said once.
    pub fn push(&mut self, rule: Rule) {
        self.0.push(rule);
    }

    /// All that holds for a URL; `accept` where no rule says which statuses are right.
    pub(super) fn of(&self, url: &Url, accept: &Accept) -> Applied<'_> {
        let mut applied = Applied {
            accept: Cow::Owned(accept.clone()),
            ..Applied::default()
        };
        for rule in self.0.iter().filter(|rule| rule.is_for(url)) {
            if let Some(accept) = &rule.accept {
                applied.accept = Cow::Borrowed(accept);
            }
            applied.max_latency = rule.max_latency.or(applied.max_latency);
            applied.cert_days = rule.cert_days.or(applied.cert_days);
            applied
                .contains
                .extend(rule.contains.iter().map(String::as_str));
            applied
                .header
                .extend(rule.header.iter().map(String::as_str));
            applied.json.extend(&rule.json);
        }
        applied
    }
}

impl Rule {
    /// A header that answers can be asked for, as [`Rule::header`] has it.
    ///
    /// # Errors
    /// No header can have its name.
    pub fn header(text: &str) -> Result<String, RuleError> {
        let name = text.split_once('=').map_or(text, |(name, _)| name).trim();
        match HeaderName::from_bytes(name.as_bytes()) {
            Ok(_) => Ok(text.to_owned()),
            Err(_) => Err(RuleError(format!(
                "no header can have the name `{}`; write NAME or NAME=VALUE",
                excerpt(name)
            ))),
        }
    }

    fn is_for(&self, url: &Url) -> bool {
        match &self.pattern {
            None => true,
            Some(pattern) => WildMatch::new(pattern).matches(bare(url).as_str()),
        }
    }
}

/// A URL without credentials: nobody writes those into a pattern.
fn bare(url: &Url) -> Cow<'_, Url> {
    if url.username().is_empty() && url.password().is_none() {
        return Cow::Borrowed(url);
    }
    let mut bare = url.clone();
    // Neither fails for a URL with a host, and others are refused before anything is asked.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    Cow::Owned(bare)
}

/// What holds for one URL.
#[derive(Debug, Default)]
pub(super) struct Applied<'a> {
    pub(super) accept: Cow<'a, Accept>,
    pub(super) max_latency: Option<Duration>,
    pub(super) contains: Vec<&'a str>,
    pub(super) header: Vec<&'a str>,
    pub(super) json: Vec<&'a Expected>,
    pub(super) cert_days: Option<u32>,
}

impl Applied<'_> {
    /// Whether the body itself is to be looked into.
    pub(super) fn needs_body(&self) -> bool {
        !self.contains.is_empty() || !self.json.is_empty()
    }
}

fn headers<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let written = Vec::<String>::deserialize(from)?;
    let checked = written.iter().map(|text| Rule::header(text));
    checked.collect::<Result<_, _>>().map_err(D::Error::custom)
}

/// A time as people write it.
mod written_time {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};

    #[expect(clippy::ref_option, reason = "serde gives it so")]
    pub(super) fn serialize<S: Serializer>(
        time: &Option<Duration>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let written = time.map(|time| humantime::format_duration(time).to_string());
        written.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        let written = Option::<String>::deserialize(from)?;
        written
            .map(|text| humantime::parse_duration(&text))
            .transpose()
            .map_err(|error| D::Error::custom(format!("{error}; write a time such as \"800ms\"")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_read_as_the_documentation_writes_them() {
        let rules = Rules::from_toml(
            r#"
            [[rule]]
            max-latency = "800ms"
            contains = ["</html>"]

            [[rule]]
            match = "https://api.test/*"
            accept = "200,404"
            max-latency = "2s"
            contains = ["ok"]
            header = ["Content-Type=application/json*"]
            json = ["state==ready"]
            cert-days = 14
            "#,
        )
        .unwrap();
        let accept = Accept::default();
        let page = "http://page.test/".parse().unwrap();
        let page = rules.of(&page, &accept);
        assert_eq!(page.max_latency, Some(Duration::from_millis(800)));
        assert_eq!((page.accept.contains(301), page.cert_days), (true, None));
        let api = "https://user:secret@api.test/x".parse().unwrap();
        let api = rules.of(&api, &accept);
        assert_eq!(api.max_latency, Some(Duration::from_secs(2)));
        assert_eq!(api.contains, ["</html>", "ok"]);
        assert_eq!(
            (api.accept.contains(404), api.accept.contains(301)),
            (true, false)
        );
        assert_eq!(
            (api.json.len(), api.header.len(), api.cert_days),
            (1, 1, Some(14))
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        for (text, says) in [
            ("[[rule]]\nmax-latency = \"soon\"", "line 2"),
            ("[[rule]]\naccept = \"1000\"", "line 2"),
            ("[[rule]]\ncontain = [\"x\"]", "contain"),
            ("[[rule]]\nheader = [\"a:b=c\"]", "line 2"),
            ("[[rule]]\nheader = [\"\"]", "no header can have"),
            ("rules = 5", "rules"),
        ] {
            let error = Rules::from_toml(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn rules_travel_between_processes() {
        let rules = Rules::from_toml("[[rule]]\nmax-latency = \"1s\"\njson = [\"a==1\"]").unwrap();
        let bytes = postcard::to_stdvec(&rules).unwrap();
        assert_eq!(postcard::from_bytes::<Rules>(&bytes).unwrap(), rules);
    }
}
