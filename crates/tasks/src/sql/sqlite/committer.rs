//! One thread that writes for all lanes of a process, so that rows share a commit.
//!
//! A group is what was handed in while the commit before was on its way to the disk: nobody waits for a clock, and the
//! slower the disk, the larger the groups. Each row is answered when its commit is done. It is also how SQLite, which
//! has no interface that awaits anything, serves async lanes.

use std::{
    path::PathBuf,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;
use triway_core::{Context, Failure, FailureKind};

use super::connected::Connected;
use crate::sql::{
    answer::Answer, durability::Durability, kinds, row::Input, row::Row, statement::Statement,
    turn::Turn,
};

/// Whoever hands rows in.
#[derive(Debug)]
pub(crate) struct Committer(Sender<Ask>);

/// How a committer works.
#[derive(Debug, Clone)]
pub(crate) struct Orders {
    pub(crate) path: PathBuf,
    pub(crate) durability: Durability,
    pub(crate) job: Option<String>,
    pub(crate) statement: Statement,
    /// How many rows may share a commit.
    pub(crate) most: usize,
}

type Answered = Result<Answer, Failure>;

#[derive(Debug)]
struct Ask {
    row: Row,
    index: u64,
    deadline: Option<Instant>,
    reply: oneshot::Sender<Answered>,
}

impl Committer {
    /// Starts the thread; it ends with the last of those that hand rows in.
    ///
    /// # Errors
    /// The machine gave no thread.
    pub(crate) fn start(orders: Orders) -> Result<Self, Failure> {
        let (asks, asked) = channel();
        thread::Builder::new()
            .name("triway-committer".to_owned())
            .spawn(move || work(&orders, &asked))
            .map_err(|error| {
                Failure::new(
                    FailureKind::LOCAL_LIMIT,
                    format!("no thread could be started to write with: {error}"),
                )
            })?;
        Ok(Self(asks))
    }

    /// Hands a row in.
    pub(crate) fn ask(&self, row: &Row, context: &Context<'_>) -> Reply {
        let (reply, answer) = oneshot::channel();
        let ask = Ask {
            row: row.clone(),
            index: context.index(),
            deadline: context.deadline(),
            reply,
        };
        // Where nobody works any more, the reply is dropped, and whoever waits for it is told so.
        let _handed_in = self.0.send(ask);
        Reply(answer)
    }
}

impl Ask {
    fn input(&self) -> Input<'_> {
        Input {
            row: &self.row,
            index: self.index,
        }
    }
}

/// What becomes of a row.
#[derive(Debug)]
pub(crate) struct Reply(oneshot::Receiver<Answered>);

impl Reply {
    /// Blocks until it is there. Not longer than about the deadline, since SQLite's own waiting looks at it.
    pub(crate) fn wait(self) -> Answered {
        self.0.blocking_recv().unwrap_or_else(|_| Err(gone()))
    }

    /// Waits until it is there.
    pub(crate) async fn awaited(self) -> Answered {
        self.0.await.unwrap_or_else(|_| Err(gone()))
    }
}

fn gone() -> Failure {
    Failure::permanent(
        kinds::DATABASE,
        "the thread that writes to the database has ended, which is a bug of this program",
    )
}

fn work(orders: &Orders, asked: &Receiver<Ask>) {
    let mut connected = None;
    // Nobody else of this process writes.
    let turn = Turn::default();
    let mut last = Last::default();
    while let Ok(first) = asked.recv() {
        let mut group = last.gather(first, asked, orders.most);
        // Who does not wait any more gets nothing written.
        group.retain(|ask| !ask.reply.is_closed());
        if let Err(failure) = connect(&mut connected, orders) {
            for ask in group {
                let _told = ask.reply.send(Err(failure.clone()));
            }
            continue;
        }
        let Some(connected) = &mut connected else {
            continue;
        };
        let inputs: Vec<Input<'_>> = group.iter().map(Ask::input).collect();
        let deadline = latest(&group);
        let begun = Instant::now();
        let answers = connected.together(&orders.statement, &inputs, deadline, &turn);
        last = Last {
            rows: inputs.len(),
            took: begun.elapsed(),
        };
        for (ask, answer) in group.into_iter().zip(answers) {
            let _told = ask.reply.send(answer);
        }
    }
}

/// The last group: how many rows it had, and what its commit took.
#[derive(Debug, Default)]
struct Last {
    rows: usize,
    took: Duration,
}

impl Last {
    /// What is there, and what comes soon: those that were told of the last commit are about to ask again, and without
    /// them groups would be small and large in turn. Not longer than half of what a commit takes, or nothing is won.
    fn gather(&self, first: Ask, asked: &Receiver<Ask>, most: usize) -> Vec<Ask> {
        let mut group = vec![first];
        let until = Instant::now() + self.took / 2;
        loop {
            group.extend(asked.try_iter().take(most.saturating_sub(group.len())));
            let expected = self.rows.min(most);
            if group.len() >= expected || Instant::now() >= until {
                return group;
            }
            thread::yield_now();
        }
    }
}

fn connect(connected: &mut Option<Connected>, orders: &Orders) -> Result<(), Failure> {
    if connected.is_none() {
        *connected = Some(Connected::open(
            &orders.path,
            orders.durability,
            orders.job.as_deref(),
        )?);
    }
    Ok(())
}

/// The deadline of the group: the last one; `None` if somebody waits for ever.
fn latest(group: &[Ask]) -> Option<Instant> {
    let mut deadlines = group.iter().map(|ask| ask.deadline);
    deadlines.try_fold(None, |latest: Option<Instant>, deadline| {
        deadline.map(|deadline| Some(latest.map_or(deadline, |latest| latest.max(deadline))))
    })?
}
