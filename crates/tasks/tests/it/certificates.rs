//! What `check` says of certificates, whether they are believed or not.

use std::time::Duration;

use triway_core::Task as _;
use triway_tasks::{
    check::{Check, Rule, Rules, kinds},
    http::{Policy, Trust, Url},
};

use crate::{
    authority::{Fault, secured},
    both::both,
};

#[test]
fn how_long_a_certificate_is_valid_is_looked_at_though_it_is_not_believed() {
    let mut policy = Policy::default();
    policy.trust = Trust::Anybody;
    let check = |days| {
        let (mut rule, mut rules) = (Rule::default(), Rules::default());
        rule.cert_days = Some(days);
        rules.push(rule);
        Check::new(policy.clone(), rules)
    };
    for (fault, days, says) in [
        (
            Fault::Expired,
            14,
            Some("the certificate expired at 2002-01-01T00:00:00Z"),
        ),
        (Fault::Expired, 0, Some("expired")),
        (Fault::None, 14, None),
        (
            Fault::None,
            u32::MAX,
            Some("the certificate is valid for another "),
        ),
    ] {
        let url: Url = format!("https://{}/", secured(fault)).parse().unwrap();
        let task = check(days);
        for (form, ended) in both(&task, &url, Some(Duration::from_secs(20))) {
            let judged = task.judge(&ended.unwrap());
            let told = judged.err();
            assert_eq!(told.is_some(), says.is_some(), "{form} {fault:?}: {told:?}");
            if let (Some(told), Some(says)) = (told, says) {
                assert_eq!(told.kind, kinds::CERTIFICATE);
                assert!(told.message.contains(says), "{form} {fault:?}: {told}");
            }
        }
    }
}
