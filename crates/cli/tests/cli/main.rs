//! The binary from outside: what it writes, what it says, how it ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod advising;
mod bad_input;
mod before_and_after;
mod browser;
mod checking;
mod choosing;
mod commands;
mod comparing;
mod copies;
mod echo_clients;
mod echoing;
mod formats;
mod helping;
mod journaling;
mod once;
mod overhead;
mod pages;
mod pages_of_others;
mod passwords;
mod postgres;
mod program;
mod python;
mod python_compared;
mod python_faults;
mod python_loops;
mod python_modules;
mod reports;
mod restarts;
mod retrying;
mod server_arms;
mod servers;
mod serving;
mod sitemaps;
mod statements;
mod stopping;
mod streaming;
mod sweeping;
mod tables;
mod terminal;
mod traces;
mod unharmed;
