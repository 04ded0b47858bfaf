//! The binary: reads flags, calls a command, and says in one sentence what went wrong.
//!
//! Holds no logic of its own. Exit codes stand in [`failure`].

mod about;
mod access;
mod commands;
mod failure;
mod flags;
mod home;
mod house;
mod interrupt;
mod keys;
mod load;
mod memory;
mod models;
mod output;
mod unfinished;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    failure::announce_panics();
    let flags = flags::Flags::parse();
    match commands::call(flags.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
