//! `hearth config`: the settings of `hearth serve`, where they come from, and what they mean.

use std::io::{Write, stdout};

use serde_json::{Value, json};

use crate::config::{From, Given, Kind, Setting};
use crate::failure::Failure;
use crate::flags::Config as Flags;

pub fn config(flags: &Flags, given: &Given) -> Result<(), Failure> {
    let settings = Setting::all();
    let text = match (flags.explain, flags.json) {
        (true, false) => explained(&settings),
        (false, false) => shown(&settings, given),
        (true, true) => listed(settings.iter().map(described)),
        (false, true) => listed(settings.iter().map(|setting| effective(setting, given))),
    };
    Ok(stdout().write_all(text.as_bytes())?)
}

fn listed(settings: impl Iterator<Item = Value>) -> String {
    format!("{:#}\n", settings.collect::<Value>())
}

/// A table of what counts.
fn shown(settings: &[Setting], given: &Given) -> String {
    let rows = settings.iter().map(|setting| {
        let (values, from) = given.of(setting);
        let value = match (values.is_empty(), &setting.otherwise) {
            (false, _) => values.join(", "),
            (true, Some(otherwise)) => format!("({otherwise})"),
            (true, None) => "(none)".to_owned(),
        };
        let from = match from {
            From::Default => "default".to_owned(),
            From::File(place) | From::Variable(place) | From::Flag(place) => place,
        };
        [setting.key.clone(), value, from]
    });
    let rows: Vec<[String; 3]> = rows.collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let (keys, values) = (width(0).unwrap_or(0), width(1).unwrap_or(0));
    let line =
        |[key, value, from]: &[String; 3]| format!("{key:<keys$}  {value:<values$}  {from}\n");
    rows.iter().map(line).collect()
}

/// What counts, for programs.
fn effective(setting: &Setting, given: &Given) -> Value {
    let (values, from) = given.of(setting);
    let (from, place) = match from {
        From::Default => ("default", None),
        From::File(place) => ("file", Some(place)),
        From::Variable(place) => ("variable", Some(place)),
        From::Flag(place) => ("flag", Some(place)),
    };
    let value = match setting.is_list {
        true => json!(values),
        false => values.first().map_or(Value::Null, |value| typed(setting, value)),
    };
    json!({ "key": setting.key, "value": value, "from": from, "place": place })
}

/// What a setting is, for programs.
fn described(setting: &Setting) -> Value {
    json!({
        "key": setting.key,
        "about": setting.about,
        "type": setting.type_name(),
        "default": setting.default.as_ref().map(|value| typed(setting, value)),
        "otherwise": setting.otherwise,
        "variable": setting.variable,
        "flag": setting.flag,
    })
}

fn typed(setting: &Setting, value: &str) -> Value {
    match setting.kind {
        Kind::Whole | Kind::Number => value.parse().unwrap_or_default(),
        // A variable may say it in other words.
        Kind::Switch => {
            let yes = ["y", "yes", "t", "true", "on", "1"];
            yes.contains(&&*value.to_ascii_lowercase()).into()
        }
        Kind::Text | Kind::Path | Kind::Choice(_) => value.into(),
    }
}

/// What stands before all settings in a file of them.
const HEAD: &str = "\
# hearth.toml: the settings of `hearth serve`.
#
# It is read from the folder of hearth's data, or from where --config or HEARTH_CONFIG says.
# Variables count more than it, and flags more than these. Relative paths are relative to this
# file. What stands here are the defaults; a line counts once its # is gone, and a <VALUE> in it
# has given way to one.
";

/// Every setting as a file in which nothing is set: its defaults are written behind a `#`.
fn explained(settings: &[Setting]) -> String {
    let mut text = HEAD.to_owned();
    for setting in settings.iter().filter(|setting| !setting.is_models()) {
        let Setting { key, unit, .. } = setting;
        let unit_said = if unit == "N" { String::new() } else { format!(" ({unit})") };
        let how = setting.variable.iter().chain([&setting.flag]).map(|how| format!("; {how}"));
        let how: String = how.collect();
        let value = match &setting.default {
            Some(default) => typed(setting, default).to_string(),
            None if setting.is_list => "[]".to_owned(),
            None => format!("<{unit}>"),
        };
        let otherwise = setting.otherwise.iter().map(|what| format!("# Without it: {what}\n"));
        let otherwise: String = otherwise.collect();
        text += &format!(
            "\n# {}\n# {}{unit_said}{how}\n{otherwise}#{key} = {value}\n",
            setting.about,
            setting.type_name()
        );
    }
    // A table goes on to the end of the file.
    for models in settings.iter().filter(|setting| setting.is_models()) {
        let Setting { about, key, otherwise, .. } = models;
        let otherwise: String =
            otherwise.iter().map(|what| format!("# Without it: {what}\n")).collect();
        text += &format!("\n# {about}\n{otherwise}#[{key}]\n#name = \"path\"\n");
    }
    text
}
