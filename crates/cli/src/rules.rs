//! What the options of a check mean: rules.

use std::{fs, path::Path};

use anyhow::{Context as _, anyhow};
use triway_tasks::check::{Rule, Rules};

use crate::{arguments::RuleArguments, exit::Fault};

/// The rules that these options describe.
pub(crate) fn rules(arguments: RuleArguments) -> Result<Rules, Fault> {
    let mut rules = match &arguments.config {
        Some(path) => read(path).map_err(Fault::usage)?,
        None => Rules::default(),
    };
    let mut rule = Rule::default();
    rule.accept = arguments.accept;
    rule.max_latency = arguments.max_latency;
    rule.contains = arguments.contains;
    rule.header = arguments.header;
    rule.json = arguments.json;
    rule.cert_days = arguments.cert_days;
    rules.push(rule);
    Ok(rules)
}

fn read(path: &Path) -> anyhow::Result<Rules> {
    let shown = path.display();
    let text =
        fs::read_to_string(path).with_context(|| format!("--config: cannot read {shown}"))?;
    Rules::from_toml(&text).map_err(|error| anyhow!("--config {shown}: {error}"))
}
