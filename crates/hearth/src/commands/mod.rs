//! One file per command.

mod bench;
mod chat;
mod config;
mod greet;
mod import;
mod key;
mod logits;
mod run;
mod serve;
mod show;

use crate::config::Given;
use crate::failure::Failure;
use crate::flags::Command;

/// Does what the command line asks for; without a command, greets.
pub fn call(command: Option<Command>, given: &Given) -> Result<(), Failure> {
    match command {
        None => greet::greet(),
        Some(Command::Run(flags)) => run::run(&flags),
        Some(Command::Serve(flags)) => serve::serve(&flags),
        Some(Command::Config(flags)) => config::config(&flags, given),
        Some(Command::Key(flags)) => key::key(flags),
        Some(Command::Import(flags)) => import::import(&flags),
        Some(Command::Show(flags)) => show::show(&flags),
        Some(Command::Logits(flags)) => logits::logits(&flags),
        Some(Command::Bench(flags)) => bench::bench(&flags),
    }
}
