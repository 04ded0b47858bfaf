//! A setting of `hearth serve`, as its flag describes it.

use std::any::TypeId;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Args, Command};

use crate::flags::Serve;

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Whole,
    Number,
    Text,
    Path,
    Switch,
    /// One of these.
    Choice(Vec<String>),
}

/// A setting. The models are one, too: a table of names and paths in the file.
pub struct Setting {
    /// What it is called in the file.
    pub key: String,
    pub about: String,
    pub kind: Kind,
    /// May have several values.
    pub is_list: bool,
    /// What its value stands for, such as `SECONDS`.
    pub unit: String,
    /// The value where none is given.
    pub default: Option<String>,
    /// What happens where none is given and there is no such value.
    pub otherwise: Option<String>,
    pub variable: Option<String>,
    pub flag: String,
    arg: Arg,
}

impl Setting {
    /// All of them, in the order of `hearth serve --help`.
    pub fn all() -> Vec<Setting> {
        let command = Serve::augment_args(Command::new("serve"));
        // Which file is read cannot stand in it.
        command.get_arguments().filter(|arg| arg.get_id() != "config").map(Setting::of).collect()
    }

    fn of(arg: &Arg) -> Setting {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let (about, otherwise) = match help.split_once(" [default: ") {
            Some((about, rest)) => (about.to_owned(), rest.strip_suffix(']').map(str::to_owned)),
            None => (help, None),
        };
        let unit = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
        let unit = unit.unwrap_or_default();
        let default = arg.get_default_values().first();
        Setting {
            key: arg.get_id().to_string(),
            about,
            kind: kind(arg),
            is_list: matches!(arg.get_action(), ArgAction::Append),
            default: default.map(|value| value.to_string_lossy().into_owned()),
            otherwise,
            variable: arg.get_env().map(|name| name.to_string_lossy().into_owned()),
            flag: arg.get_long().map_or_else(|| unit.clone(), |long| format!("--{long}")),
            unit,
            arg: arg.clone(),
        }
    }

    /// Whether it is what the server serves: words of the command line, a table of the file.
    pub fn is_models(&self) -> bool {
        self.arg.is_positional()
    }

    /// Reads a value as the flag would, to know what is wrong with it.
    pub fn check(&self, value: &str) -> Result<(), String> {
        // A switch has no value on the command line; its type was all there was to check.
        let Some(long) = self.arg.get_long().filter(|_| self.kind != Kind::Switch) else {
            return Ok(());
        };
        let arg = self.arg.clone().env(None);
        let read = Command::new("value").no_binary_name(true).arg(arg);
        match (read.try_get_matches_from([format!("--{long}={value}")]), &self.kind) {
            (Ok(_), _) => Ok(()),
            (Err(_), Kind::Choice(_)) => Err(format!("must be {}", self.type_name())),
            (Err(error), _) => {
                let error: &dyn std::error::Error = &error;
                Err(error
                    .source()
                    .map_or_else(|| format!("cannot be {value:?}"), ToString::to_string))
            }
        }
    }

    /// What its value is, for people.
    pub fn type_name(&self) -> String {
        match (&self.kind, self.is_list) {
            _ if self.is_models() => "a table of names and paths".to_owned(),
            (Kind::Whole, _) => "a whole number".to_owned(),
            (Kind::Number, _) => "a number".to_owned(),
            (Kind::Text, false) => "a text".to_owned(),
            (Kind::Text, true) => "a text or a list of texts".to_owned(),
            (Kind::Path, _) => "a path".to_owned(),
            (Kind::Switch, _) => "true or false".to_owned(),
            (Kind::Choice(values), _) => format!("one of {}", values.join(", ")),
        }
    }
}

fn kind(arg: &Arg) -> Kind {
    let read = arg.get_value_parser();
    let choices = read
        .possible_values()
        .map(|values| values.map(|value| value.get_name().to_owned()).collect::<Vec<_>>());
    let is = |types: &[TypeId]| types.iter().any(|known| read.type_id() == *known);
    match choices {
        _ if matches!(arg.get_action(), ArgAction::SetTrue) => Kind::Switch,
        Some(choices) => Kind::Choice(choices),
        None if is(&[TypeId::of::<u16>(), TypeId::of::<u32>()]) => Kind::Whole,
        None if is(&[TypeId::of::<u64>(), TypeId::of::<usize>()]) => Kind::Whole,
        None if is(&[TypeId::of::<f32>()]) => Kind::Number,
        None if is(&[TypeId::of::<PathBuf>()]) => Kind::Path,
        None => Kind::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_a_variable_and_a_flag_of_its_name() {
        for setting in Setting::all().iter().filter(|setting| !setting.is_models()) {
            let variable = format!("HEARTH_{}", setting.key.to_uppercase());
            assert_eq!(setting.variable.as_ref(), Some(&variable));
            assert_eq!(setting.flag, format!("--{}", setting.key.replace('_', "-")));
            assert!(!setting.about.is_empty(), "{}", setting.key);
            let is_number = ["N", "SECONDS", "GIB"].contains(&&*setting.unit);
            let said_so = matches!(setting.kind, Kind::Whole | Kind::Number);
            assert!(said_so || !is_number, "{}: {:?}", setting.key, setting.kind);
            let is_said = setting.otherwise.is_some() || setting.is_list;
            let is_switch = setting.kind == Kind::Switch;
            assert!(setting.default.is_some() != is_said || is_switch, "{}", setting.key);
        }
    }

    #[test]
    fn kinds_are_those_of_the_flags() {
        let settings = Setting::all();
        let find = |key: &str| settings.iter().find(|setting| setting.key == key).unwrap();
        assert_eq!(find("port").kind, Kind::Whole);
        assert_eq!(find("cache").kind, Kind::Number);
        assert_eq!(find("host").kind, Kind::Text);
        assert_eq!(find("keys").type_name(), "one of required, off");
        assert!(find("origin").is_list && !find("host").is_list);
        assert!(find("models").is_models());
    }
}
