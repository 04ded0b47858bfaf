//! Settings from where they may stand: built in, `hearth.toml`, `HEARTH_*` variables, flags; each
//! counts more than the one before.
//!
//! The flags of `hearth serve` are the only table of settings. A key of the file is a long flag,
//! and what the file says becomes that flag's default before the command line is read. So whatever
//! stands anywhere is read, checked and explained in one way.

mod file;
mod setting;

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches};

use crate::failure::Failure;
use crate::flags::{self, Flags};
use crate::output::note;
use crate::{home, kindling};

pub use file::ConfigFile;
pub use setting::{Kind, Setting};

/// What the file in the folder of hearth's data is called.
const NAME: &str = "hearth.toml";

/// Where the settings of a command were given.
pub struct Given {
    matches: ArgMatches,
    file: Option<ConfigFile>,
}

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    Default,
    /// The file and the line.
    File(String),
    /// The name of a variable.
    Variable(String),
    /// A flag, or words of the command line without one.
    Flag(String),
}

/// Reads the command line, over what the file says where the command has one.
pub fn command_line() -> Result<(Flags, Given), Failure> {
    let mut command = without_empty(Flags::command());
    let mut matches = read(&command);
    let mut file = None;
    if let Some((name @ ("serve" | "config"), given)) = matches.subcommand() {
        file = find(given.get_one("config"))?;
        command = over(command, name, file.as_ref());
        matches = read(&command);
    }
    let mut flags = Flags::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if let Some(flags::Command::Serve(serve)) = &mut flags.command
        && serve.models.is_empty()
    {
        // The parser cannot know that the file has none either.
        serve.models.push(kindling::NAME.to_owned());
    }
    Ok((flags, Given { matches, file }))
}

/// Reads the command line, or ends as clap does; a value that a variable gave is told as its.
fn read(command: &Command) -> ArgMatches {
    command.clone().try_get_matches().unwrap_or_else(|error| {
        let Some(variable) = variable_of(command, &error) else { error.exit() };
        // Where nobody reads, nobody is told.
        let _ = error.print();
        note(&format!("the value is that of the variable {variable}"));
        std::process::exit(error.exit_code())
    })
}

/// The variable from which a wrong value comes.
fn variable_of(command: &Command, error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(wrong)) = error.get(ContextKind::InvalidArg) else { return None };
    let is_given = |arg: &clap::Arg| {
        std::env::args_os().any(|word| {
            let word = word.to_string_lossy();
            let long = word.strip_prefix("--").map(|word| word.split('=').next());
            let short = word.strip_prefix('-').and_then(|word| word.chars().next());
            long.is_some_and(|long| long == arg.get_long())
                || (short.is_some() && short == arg.get_short())
        })
    };
    // It is told as `--port <N>`.
    let wrong = wrong.strip_prefix("--")?.split([' ', '=']).next();
    let own = command.get_arguments().find_map(|arg| {
        let variable = arg.get_env().filter(|name| std::env::var_os(name).is_some())?;
        let from_it = arg.get_long() == wrong && !is_given(arg);
        from_it.then(|| variable.to_string_lossy().into_owned())
    });
    own.or_else(|| command.get_subcommands().find_map(|inner| variable_of(inner, error)))
}

/// The file that was named, which must be there, else that of this user if it is there.
fn find(named: Option<&PathBuf>) -> Result<Option<ConfigFile>, Failure> {
    match (named, home::folder()) {
        (Some(path), _) => ConfigFile::read(path).map(Some),
        (None, Ok(home)) => {
            let path = home.join(NAME);
            // What is there and cannot be read, such as a link to nowhere, was meant to count.
            match fs::symlink_metadata(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                _ => ConfigFile::read(&path).map(Some),
            }
        }
        (None, Err(_)) => Ok(None),
    }
}

/// A command for which empty variables are not there: who starts containers often has no other way
/// to leave one out.
fn without_empty(command: Command) -> Command {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let command = command.mut_args(|arg| match arg.get_env().is_some_and(is_empty) {
        true => arg.env(Resettable::Reset),
        false => arg,
    });
    command.mut_subcommands(without_empty)
}

/// A command whose defaults are what a file says.
fn over(command: Command, name: &str, file: Option<&ConfigFile>) -> Command {
    let entries = file.map(|file| &file.entries[..]).unwrap_or_default();
    let entries = entries.iter().filter(|entry| !entry.values.is_empty());
    entries.fold(command, |command, entry| {
        command.mut_subcommand(name, |command| {
            command.mut_arg(&entry.key, |arg| arg.default_values(entry.values.clone()))
        })
    })
}

impl Given {
    /// The values of a setting, as texts, and where they come from.
    pub fn of(&self, setting: &Setting) -> (Vec<String>, From) {
        let Some((_, given)) = self.matches.subcommand() else { return (vec![], From::Default) };
        let raw = given.get_raw(&setting.key).into_iter().flatten();
        let values = raw.map(|value| value.to_string_lossy().into_owned()).collect();
        let from = match given.value_source(&setting.key) {
            Some(ValueSource::CommandLine) => From::Flag(setting.flag.clone()),
            Some(ValueSource::EnvVariable) => {
                From::Variable(setting.variable.clone().unwrap_or_default())
            }
            _ => self.in_file(&setting.key).map_or(From::Default, From::File),
        };
        (values, from)
    }

    /// Where the file states this key, if it does.
    fn in_file(&self, key: &str) -> Option<String> {
        let file = self.file.as_ref()?;
        let entry = file.entries.iter().find(|entry| entry.key == key)?;
        Some(format!("{}:{}", file.path.display(), entry.line))
    }
}
