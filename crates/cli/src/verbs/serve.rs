//! `triway serve`: servers to try tasks on.

use super::{serve_echo, serve_http};
use crate::{
    arguments::{ServeArguments, Server},
    exit::{Exit, Fault},
};

/// Serves until a signal, or the end of standard input where that was asked for.
pub(crate) fn run(arguments: &ServeArguments) -> Result<Exit, Fault> {
    let served = match &arguments.server {
        Server::Http(http) => serve_http::run(http),
        Server::Echo(echo) => serve_echo::run(echo),
    };
    served.map_err(Fault::could_not_run)
}
