//! `hearth.toml`: keys that are settings, and a table of models.

use std::path::{Path, PathBuf};

use models::store::check_name;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::setting::{Kind, Setting};
use crate::failure::Failure;
use crate::kindling;

/// A file of settings, in which nothing is wrong.
pub struct ConfigFile {
    pub path: PathBuf,
    pub entries: Vec<Entry>,
}

/// A setting that a file states.
pub struct Entry {
    pub key: String,
    pub line: usize,
    /// As the command line would have them.
    pub values: Vec<String>,
}

/// What is wrong, and at which byte.
type Wrong = (usize, String);

impl ConfigFile {
    /// Reads a file, whose relative paths are relative to it.
    pub fn read(path: &Path) -> Result<ConfigFile, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::Request(format!("cannot read settings from {}: {error}", path.display()))
        })?;
        let entries =
            entries(&text, path.parent().unwrap_or(Path::new(""))).map_err(|(at, what)| {
                let place = format!("{}:{}", path.display(), line(&text, at));
                Failure::Request(format!("{place}: {what}"))
            })?;
        Ok(ConfigFile { path: path.to_owned(), entries })
    }
}

fn line(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

fn entries(text: &str, folder: &Path) -> Result<Vec<Entry>, Wrong> {
    let table = DeTable::parse(text)
        .map_err(|error| (error.span().map_or(0, |span| span.start), error.message().to_owned()))?;
    let settings = Setting::all();
    let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue>)| {
        let name: &str = AsRef::<str>::as_ref(key.get_ref());
        let at = key.span().start;
        let setting = settings.iter().find(|setting| setting.key == name);
        let setting = setting.ok_or_else(|| (at, unknown(name, &settings)))?;
        let values = match value.get_ref() {
            DeValue::Table(table) if setting.is_models() => models(table, folder)?,
            _ if setting.is_models() => return Err((at, mistaken(setting, value.get_ref()))),
            DeValue::Array(values) if setting.is_list => {
                let read = |value| self::value(setting, value, folder);
                values.iter().map(read).collect::<Result<_, _>>()?
            }
            _ => vec![self::value(setting, value, folder)?],
        };
        Ok(Entry { key: name.to_owned(), line: line(text, at), values })
    };
    table.get_ref().iter().map(entry).collect()
}

/// A value as the command line would have it.
fn value(setting: &Setting, value: &Spanned<DeValue>, folder: &Path) -> Result<String, Wrong> {
    let at = value.span().start;
    let text = match (value.get_ref(), &setting.kind) {
        (DeValue::Integer(number), Kind::Whole | Kind::Number) => {
            let number = i64::from_str_radix(number.as_str(), number.radix());
            number.map_err(|error| (at, format!("`{}`: {error}", setting.key)))?.to_string()
        }
        (DeValue::Float(number), Kind::Number) => number.as_str().to_owned(),
        (DeValue::Boolean(value), Kind::Switch) => value.to_string(),
        (DeValue::String(text), Kind::Path) => folder.join(&**text).display().to_string(),
        (DeValue::String(text), Kind::Text | Kind::Choice(_)) => text.to_string(),
        (other, _) => return Err((at, mistaken(setting, other))),
    };
    setting.check(&text).map_err(|what| (at, format!("`{}`: {what}", setting.key)))?;
    Ok(text)
}

/// The models in the order of the file, each as NAME=PATH.
fn models(table: &DeTable, folder: &Path) -> Result<Vec<String>, Wrong> {
    let mut rows: Vec<_> = table.iter().collect();
    rows.sort_by_key(|(name, _)| name.span().start);
    let model = |(name, path): (&Spanned<_>, &Spanned<DeValue>)| {
        let (at, name): (usize, &str) = (name.span().start, AsRef::<str>::as_ref(name.get_ref()));
        if name.is_empty() || name.contains(['/', '=']) {
            return Err((at, format!("a model cannot be called {name:?}: no /, no =")));
        }
        let path = path.get_ref().as_str();
        let path = path.ok_or_else(|| (at, format!("the path of {name:?} must be a text")))?;
        if path.is_empty() {
            return Err((at, format!("the path of {name:?} is empty")));
        }
        // What has a name lies in no folder of this file's.
        let named = kindling::is(Path::new(path)) || is_name(path, folder);
        let path = if named { PathBuf::from(path) } else { folder.join(path) };
        Ok(format!("{name}={}", path.display()))
    };
    rows.into_iter().map(model).collect()
}

/// Whether this is what `hearth pull` calls a model, and no file beside the settings.
fn is_name(given: &str, folder: &Path) -> bool {
    check_name(given).is_ok() && !given.ends_with(".gguf") && !folder.join(given).exists()
}

fn mistaken(setting: &Setting, value: &DeValue) -> String {
    let is = match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    format!("`{}` must be {}, and this is {is}", setting.key, setting.type_name())
}

fn unknown(name: &str, settings: &[Setting]) -> String {
    let known = settings.iter().map(|setting| &setting.key[..]);
    let nearest = known.min_by_key(|known| distance(known, name)).unwrap_or_default();
    format!(
        "there is no setting `{name}`; the nearest is `{nearest}`. \
         `hearth config --explain` tells them all"
    )
}

/// Letters to add, drop or change between two words.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.chars().enumerate() {
            let changed = before + usize::from(x != y);
            before = row[j + 1];
            row[j + 1] = changed.min(before + 1).min(row[j] + 1);
        }
    }
    row[row.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, Vec<String>)>, String> {
        let entries = entries(text, Path::new("/etc/hearth"));
        let entries = entries.map_err(|(at, what)| format!("{}: {what}", line(text, at)))?;
        Ok(entries.into_iter().map(|entry| (entry.key, entry.values)).collect())
    }

    #[test]
    fn values_become_what_the_command_line_would_have() {
        for (text, key, values) in [
            ("port = 8_080", "port", &["8080"][..]),
            ("port = 0x10", "port", &["16"]),
            ("cache = 2", "cache", &["2"]),
            ("cache = 0.5", "cache", &["0.5"]),
            ("keys = 'off'", "keys", &["off"]),
            ("name = 'lab'", "name", &["lab"]),
            ("name = ['lab', 'lab.example']", "name", &["lab", "lab.example"]),
            ("origin = []", "origin", &[]),
            ("[models]\nz = 'a.gguf'\na = '/m/b'", "models", &["z=/etc/hearth/a.gguf", "a=/m/b"]),
            ("[models]\nk = 'kindling'", "models", &["k=kindling"]),
            ("[models]\nq = 'qwen3:4b'", "models", &["q=qwen3:4b"]),
            ("[models]\nf = './qwen3'", "models", &["f=/etc/hearth/./qwen3"]),
        ] {
            let values = values.iter().map(ToString::to_string).collect();
            assert_eq!(read(text), Ok(vec![(key.to_owned(), values)]), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, parts) in [
            ("port = 1\nhots = '::1'", &["2: there is no setting `hots`", "`host`"][..]),
            ("\nkeep-alive = 1", &["2: ", "`keep_alive`"]),
            ("port = '80'", &["1: `port` must be a whole number, and this is a text"]),
            ("port = 70000", &["1: `port`: 70000 is not in 0..=65535"]),
            ("port = 1\nparallel = 0", &["2: `parallel`: 0 is not in 1..=1024"]),
            ("chunk = 1.5", &["`chunk` must be a whole number, and this is a number"]),
            ("threads = 99999999999999999999", &["`threads`"]),
            ("cache = -1", &["`cache`: must be a size in GiB"]),
            ("cache = nan", &["`cache`: must be a size in GiB"]),
            ("keys = 'on'", &["`keys`: must be one of required, off"]),
            ("host = ['::1']", &["`host` must be a text, and this is a list"]),
            ("host = 'lab.example'", &["`host`: must be an address such as"]),
            ("name = ['lab',\n 'http://lab']", &["2: `name`: must be a name such as"]),
            ("models = ['a']", &["must be a table of names and paths, and this is a list"]),
            ("[models]\n'a/b' = 'x'", &["2: a model cannot be called \"a/b\""]),
            ("[models]\na = 1", &["2: the path of \"a\" must be a text"]),
            ("[server]\nport = 1", &["1: there is no setting `server`"]),
            ("config = 'x'", &["there is no setting `config`"]),
            ("port = 1\nport = 2", &["2: duplicate key"]),
            ("port = ", &["1: "]),
        ] {
            let said = read(text).unwrap_err();
            parts.iter().for_each(|part| assert!(said.contains(part), "{text}: {said}"));
        }
    }

    #[test]
    fn distances() {
        for (a, b, letters) in [("port", "prot", 2), ("", "abc", 3), ("host", "host", 0)] {
            assert_eq!(distance(a, b), letters);
        }
    }
}
