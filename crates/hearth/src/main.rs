//! The binary: reads flags, calls a command, and says in one sentence what went wrong.
//!
//! Holds no logic of its own. Exit codes stand in [`failure`].

mod about;
mod access;
mod commands;
mod config;
mod documents;
mod failure;
mod fit;
mod flags;
mod getting;
mod home;
mod house;
mod interrupt;
mod jobs;
mod keys;
mod kindling;
mod load;
mod log;
mod memory;
mod models;
mod named;
mod output;
mod recommended;
mod tls;
mod unfinished;

use std::process::ExitCode;

fn main() -> ExitCode {
    failure::announce_panics();
    let called = config::command_line().and_then(|(flags, given)| {
        // What was given matters to `hearth config` alone.
        commands::call(flags.command, &given)
    });
    match called {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
