//! What one `sources.toml` says.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Key;
use super::name::{Name, Scheme};
use super::pattern::Pattern;

/// A file of rules, in which nothing is wrong.
#[derive(Clone, Debug)]
pub struct Rules {
    pub path: PathBuf,
    /// What may be pulled; without it anything.
    pub allow: Option<Vec<Pattern>>,
    /// What is asked instead of whom.
    pub mirrors: Vec<(String, String)>,
    /// Whose signature is wanted on what.
    pub keys: Vec<(Pattern, Key)>,
}

/// What is wrong, and at which byte.
type Wrong = (usize, String);

/// Whose requests can go to a mirror.
const MIRRORED: [&str; 2] = ["hf", "ollama"];

impl Rules {
    /// Reads the text of a file. Keys may lie in files of their own, beside it.
    ///
    /// # Errors
    /// A sentence on what is wrong and in which line. Nothing unknown is passed over: a misspelt
    /// word must not open a door.
    pub fn parse(path: &Path, text: &str) -> Result<Rules, String> {
        let place = |(at, what): Wrong| {
            let before = &text.as_bytes()[..at.min(text.len())];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            format!("line {line}: {what}")
        };
        let no_toml = |error: toml::de::Error| {
            (error.span().map_or(0, |span| span.start), error.message().to_owned())
        };
        let table = DeTable::parse(text).map_err(no_toml).map_err(place)?;
        let mut rules =
            Rules { path: path.to_owned(), allow: None, mirrors: Vec::new(), keys: Vec::new() };
        for (name, value) in table.get_ref() {
            rules.take(name, value).map_err(place)?;
        }
        Ok(rules)
    }

    fn take(&mut self, name: &Spanned<impl AsRef<str>>, value: &Value) -> Result<(), Wrong> {
        let at = name.span().start;
        let must = |what: &str| (at, format!("`{}` must be {what}", name.get_ref().as_ref()));
        match (name.get_ref().as_ref(), value.get_ref()) {
            ("allow", DeValue::Array(patterns)) => {
                self.allow = Some(patterns.iter().map(pattern).collect::<Result<_, _>>()?);
            }
            ("allow", _) => return Err(must("a list of sources")),
            ("mirror", DeValue::Table(table)) => self.mirrors = mirrors(table)?,
            ("mirror", _) => return Err(must("a table: [mirror]")),
            ("key", DeValue::Array(keys)) => {
                let folder = self.path.parent().unwrap_or(Path::new(""));
                self.keys =
                    keys.iter().map(|value| key(value, folder)).collect::<Result<_, _>>()?;
            }
            ("key", _) => return Err(must("a list of tables, each [[key]]")),
            (other, _) => {
                return Err((at, format!("there is no `{other}`; there is allow, mirror and key")));
            }
        }
        Ok(())
    }
}

type Value<'a> = Spanned<DeValue<'a>>;

fn text<'a>(value: &'a Value) -> Result<&'a str, Wrong> {
    value.get_ref().as_str().ok_or_else(|| (value.span().start, "this must be a text".to_owned()))
}

fn pattern(value: &Value) -> Result<Pattern, Wrong> {
    let text = text(value)?;
    Pattern::parse(text).map_err(|why| (value.span().start, format!("{text:?}: {why}")))
}

fn mirrors(table: &DeTable) -> Result<Vec<(String, String)>, Wrong> {
    let mirror = |(name, value): (&Spanned<_>, &Value)| {
        let (at, name): (usize, &str) = (name.span().start, AsRef::<str>::as_ref(name.get_ref()));
        if !MIRRORED.contains(&name) {
            let what = format!("there is no mirror of `{name}`; there is {}", MIRRORED.join(", "));
            return Err((at, what));
        }
        let url = text(value)?.trim_end_matches('/');
        check_mirror(url).map_err(|why| (at, format!("{url:?} is no mirror: {why}")))?;
        Ok((name.to_owned(), url.to_owned()))
    };
    table.iter().map(mirror).collect()
}

/// What comes over plain HTTP can be changed by whoever carries it, unless nobody does.
fn check_mirror(url: &str) -> Result<(), &'static str> {
    let name = Name::parse(&format!("{url}/x"))?;
    let bare = name.host.rsplit_once(':').filter(|_| !name.host.ends_with(']'));
    let host = bare.map_or(&name.host[..], |(host, _)| host);
    match name.scheme {
        Scheme::Https => Ok(()),
        Scheme::Http if ["127.0.0.1", "[::1]", "localhost"].contains(&host) => Ok(()),
        _ => Err("it begins with https://, or with http:// on this machine"),
    }
}

fn key(value: &Value, folder: &Path) -> Result<(Pattern, Key), Wrong> {
    let at = value.span().start;
    let wrong = |what: &str| (at, what.to_owned());
    let table = value.get_ref().as_table().ok_or(wrong("a key is a table, [[key]]"))?;
    let (mut source, mut found) = (None, None);
    for (name, value) in table {
        let at = name.span().start;
        match AsRef::<str>::as_ref(name.get_ref()) {
            "source" => source = Some(pattern(value)?),
            "minisign" | "cosign" if found.is_some() => {
                return Err(wrong("a [[key]] has `minisign` or `cosign`, and not both"));
            }
            kind @ ("minisign" | "cosign") => {
                found = Some(Key::read(kind, text(value)?, folder).map_err(|why| (at, why))?);
            }
            other => {
                let what = "a [[key]] has `source`, and `minisign` or `cosign`";
                return Err((at, format!("there is no `{other}`; {what}")));
            }
        }
    }
    let source = source.ok_or(wrong("this [[key]] has no `source`"))?;
    let key = found.ok_or(wrong("this [[key]] has neither `minisign` nor `cosign`"))?;
    Ok((source, key))
}
