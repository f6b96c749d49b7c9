//! Echo servers as the arms of a comparison: the same clients speak to each, and what it spends is part of the figures.

use std::{net::SocketAddr, num::NonZeroUsize, time::Duration};

use anyhow::{Context as _, anyhow};
use clap::ValueEnum as _;
use triway_core::Model;
use triway_measure::{
    Arm, arms,
    stage::{Left, Remains, Stage, Stages},
};
use triway_tasks::{catalog::Named, echo::Echo};

use crate::{arguments::EchoModel, example::TestServer, exit::Fault};

/// Which servers are compared, and how.
#[derive(Debug)]
pub(crate) struct Servers {
    /// How each of them serves its connections.
    pub(crate) models: Vec<EchoModel>,
    /// At how many connections; if at none in particular, at the job's concurrency.
    pub(crate) connections: Vec<NonZeroUsize>,
    /// How long they work on a message.
    pub(crate) delay: Duration,
}

impl Servers {
    /// An arm for each server at each number of connections, which `clients` is asked for if there is one: a model alone.
    ///
    /// # Errors
    /// `clients` is something else.
    pub(crate) fn arms(
        &self,
        clients: Option<&str>,
        concurrency: NonZeroUsize,
    ) -> Result<Vec<Arm>, Fault> {
        let clients = match clients {
            None => Model::Async,
            Some(list) => client(list)?,
        };
        let connections = match &*self.connections {
            [] => &[concurrency],
            some => some,
        };
        let arms = connections.iter().flat_map(|connections| {
            self.models.iter().map(move |server| {
                let mut arm = Arm::new(clients, *connections);
                arm.id = format!("{}-server@{}", name(*server), arm.concurrency);
                arm
            })
        });
        let mut arms: Vec<Arm> = arms.collect();
        arms::number(&mut arms);
        Ok(arms)
    }

    /// A server for each trial, which tells what it spent when its clients have gone.
    pub(crate) fn stages(self, ignored: &[String]) -> Stages<Named> {
        let ignored = ignored.to_vec();
        Box::new(move |arm| {
            let server = self.start(arm)?;
            let address: SocketAddr = server
                .authority()
                .parse()
                .map_err(|error| format!("the server's address {}: {error}", server.authority()))?;
            Ok(Stage {
                task: Named::new(Echo::new(vec![address])).with_digests(ignored.clone()),
                remains: Remains::new(move || server.spent().map(Left::Spent)),
            })
        })
    }

    fn start(&self, arm: &Arm) -> Result<TestServer, String> {
        let named = |model: &&EchoModel| arm.id.starts_with(&format!("{}-server@", name(**model)));
        let model = self.models.iter().find(named);
        let model = model.ok_or_else(|| format!("{} is no server", arm.id))?;
        // One that has just ended may still be counted when the next one comes.
        let connections = 2 * arm.concurrency.get();
        let started = TestServer::start(&[
            "echo",
            "--model",
            &name(*model),
            "--delay",
            &format!("{}us", self.delay.as_micros()),
            "--max-connections",
            &connections.to_string(),
        ]);
        started.map_err(|fault| format!("{:#}", fault.cause))
    }
}

/// The model of the clients.
fn client(list: &str) -> Result<Model, Fault> {
    let arms = arms::parse(list, NonZeroUsize::MIN)
        .context("--models")
        .map_err(Fault::usage)?;
    match &*arms {
        [arm] if arm.id == arm.model.name() => Ok(arm.model),
        _ => Err(Fault::usage(anyhow!(
            "--models {list}: where servers are compared this is the model of their clients, one without @N; \
             --connections says how many"
        ))),
    }
}

fn name(model: EchoModel) -> String {
    let named = model.to_possible_value();
    named.map_or_else(String::new, |value| value.get_name().to_owned())
}
