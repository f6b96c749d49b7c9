//! Answers that depend on how many others ask.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use hyper::{
    StatusCode,
    header::{HeaderValue, RETRY_AFTER},
};
use serde_json::json;
use tokio::sync::Semaphore;

use super::{
    replies::{Reply, json, refusal, text, with},
    shaped::{MAX_DELAY, parameter, seconds},
};

/// How many limits of a kind there may be.
const MOST_LIMITS: usize = 1000;
/// The largest limit.
const MOST: u32 = 1_000_000;
const SECOND: Duration = Duration::from_secs(1);

/// What the requests of all clients share.
#[derive(Debug, Default)]
pub(super) struct Limits {
    rates: Mutex<HashMap<u32, Rate>>,
    slots: Mutex<HashMap<u32, Arc<Semaphore>>>,
}

/// A second, and how many were answered in it.
#[derive(Debug)]
struct Rate {
    began: Instant,
    answered: u32,
}

impl Limits {
    /// 200 for so many a second, 429 for those beyond.
    pub(super) fn rate(&self, most: &str) -> Reply {
        let Some(most) = limit(most) else {
            return wrong();
        };
        let now = Instant::now();
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        if rates.len() >= MOST_LIMITS {
            rates.retain(|_, rate| now - rate.began < SECOND);
        }
        let rate = rates.entry(most).or_insert(Rate {
            began: now,
            answered: 0,
        });
        if now - rate.began >= SECOND {
            *rate = Rate {
                began: now,
                answered: 0,
            };
        }
        if rate.answered >= most {
            let reply = text(StatusCode::TOO_MANY_REQUESTS, "too many in this second\n");
            return with(reply, RETRY_AFTER, HeaderValue::from_static("1"));
        }
        rate.answered += 1;
        json(&json!({ "rate": most }))
    }

    /// So many at once; those beyond wait.
    pub(super) async fn slots(&self, most: &str, query: &str) -> Reply {
        let Some(most) = limit(most) else {
            return wrong();
        };
        let hold = match parameter(query, "seconds") {
            None => Some(Duration::from_millis(10)),
            Some(text) => seconds(&text),
        };
        let Some(hold) = hold else {
            return refusal(format!(
                "seconds are a number from 0 to {}\n",
                MAX_DELAY.as_secs()
            ));
        };
        let Some(slots) = self.slots_of(most) else {
            return refusal(format!("there are {MOST_LIMITS} kinds of slots already\n"));
        };
        // Nobody closes the semaphore.
        let _held = slots.acquire().await.ok();
        tokio::time::sleep(hold).await;
        json(&json!({ "slots": most }))
    }

    /// 503 in so many per cent of all cases.
    pub(super) fn flaky(&self, share: &str) -> Reply {
        match share.parse::<f64>() {
            Ok(share) if (0.0..=100.0).contains(&share) => {
                if fastrand::f64() * 100.0 < share {
                    return text(StatusCode::SERVICE_UNAVAILABLE, "not this time\n");
                }
                json(&json!({ "flaky": share }))
            }
            _ => refusal("flaky takes a number of per cent from 0 to 100\n"),
        }
    }

    fn slots_of(&self, most: u32) -> Option<Arc<Semaphore>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MOST_LIMITS && !slots.contains_key(&most) {
            return None;
        }
        let new = || Arc::new(Semaphore::new(most as usize));
        Some(Arc::clone(slots.entry(most).or_insert_with(new)))
    }
}

fn limit(text: &str) -> Option<u32> {
    text.parse().ok().filter(|most| (1..=MOST).contains(most))
}

fn wrong() -> Reply {
    refusal(format!("a limit is a number from 1 to {MOST}\n"))
}
