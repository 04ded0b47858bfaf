//! One file per command.

mod ask;
mod bench;
mod chat;
mod classify;
mod config;
mod demo;
mod extract;
mod greet;
mod import;
mod key;
mod list;
mod logits;
mod pull;
mod rm;
mod run;
mod serve;
mod show;
mod update;
mod verify;

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
        Some(Command::Pull(flags)) => pull::pull(&flags),
        Some(Command::Update(flags)) => update::update(&flags),
        Some(Command::List { all: true, .. }) => pull::list_known(),
        Some(Command::List { elsewhere: true, .. }) => list::elsewhere(),
        Some(Command::List { json, .. }) => list::list(json),
        Some(Command::Rm(flags)) => rm::rm(&flags),
        Some(Command::Verify(flags)) => verify::verify(&flags),
        Some(Command::Import(flags)) => import::import(&flags),
        Some(Command::Ask(flags)) => ask::ask(&flags),
        Some(Command::Extract(flags)) => extract::extract(&flags),
        Some(Command::Classify(flags)) => classify::classify(&flags),
        Some(Command::Demo(flags)) => demo::demo(&flags),
        Some(Command::Show(flags)) => show::show(&flags),
        Some(Command::Logits(flags)) => logits::logits(&flags),
        Some(Command::Bench(flags)) => bench::bench(&flags),
    }
}
