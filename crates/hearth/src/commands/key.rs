//! `hearth key`: who may ask a server of this user.

use std::io::{Write, stdout};

use api::keys::{self, Key, Quota, RANDOM, Scope};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::flags::{AddKey, Key as Flags};
use crate::keys::{KeyFile, date};
use crate::output::note;

const DAY: u64 = 24 * 60 * 60;

pub fn key(flags: Flags) -> Result<(), Failure> {
    let file = KeyFile::of_user()?;
    match flags {
        Flags::Add(flags) => add(&file, &flags),
        Flags::List { json } => list(&file.read()?, json),
        Flags::Revoke { name } => revoke(&file, &name),
    }
}

fn add(file: &KeyFile, flags: &AddKey) -> Result<(), Failure> {
    let (text, date) = (draw()?, date());
    let quota = Quota {
        requests_per_minute: flags.requests_per_minute,
        tokens_per_minute: flags.tokens_per_minute,
        concurrent: flags.concurrent,
    };
    let key = Key {
        scopes: flags.scope.iter().copied().collect(),
        quota,
        created: date,
        expires: flags.expires.map(|days| date + u64::from(days) * DAY),
        ..Key::new(&flags.name, &text)
    };
    let (may, name) = (scopes(&key), &key.name);
    let is_first = file.change(|keys| {
        if keys.iter().any(|known| known.name == key.name) {
            let way_out = format!("`hearth key revoke {name}` makes room for another");
            return Err(Failure::Request(format!("there is a key `{name}` already; {way_out}")));
        }
        keys.push(key.clone());
        Ok(keys.len() == 1)
    })?;
    // Alone on its line, so that a script can take it as it is.
    if let Err(error) = writeln!(stdout(), "{text}").and_then(|()| stdout().flush()) {
        // A key that nobody has read is good for nobody.
        file.change(|keys| {
            keys.retain(|known| known.sha256 != key.sha256);
            Ok(())
        })?;
        return Err(Failure::machine(format!("the key cannot be shown, and is not kept: {error}")));
    }
    note(&format!(
        "the key `{name}` is good for: {may}. It is shown this once; only its digest is kept"
    ));
    if is_first {
        note("from now on a server of this user answers nobody without a key, but for --keys off");
    }
    Ok(())
}

/// The text of a new key.
fn draw() -> Result<String, Failure> {
    let mut random = [0; RANDOM];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::Machine(format!("the system gives no randomness: {error}")))?;
    Ok(keys::text(&random))
}

fn revoke(file: &KeyFile, name: &str) -> Result<(), Failure> {
    let is_last = file.change(|keys| {
        let at = keys.iter().position(|key| key.name == name);
        let known: Vec<&str> = keys.iter().map(|key| &key.name[..]).collect();
        let missing = || match known.is_empty() {
            true => format!("there is no key `{name}`, and no other"),
            false => format!("there is no key `{name}`; there are: {}", known.join(", ")),
        };
        let at = at.ok_or_else(|| Failure::Request(missing()))?;
        keys.remove(at);
        Ok(keys.is_empty())
    })?;
    note(&format!("the key `{name}` is good for nothing any more"));
    if is_last {
        note("no key is left: servers answer nobody until there is one, but for --keys off");
    }
    Ok(())
}

fn list(keys: &[Key], as_json: bool) -> Result<(), Failure> {
    let (mut out, date) = (stdout(), date());
    if as_json {
        let keys: Vec<Value> = keys.iter().map(|key| shown(key, date)).collect();
        return Ok(writeln!(out, "{:#}", Value::from(keys))?);
    }
    if keys.is_empty() {
        note("there are no keys; `hearth key add NAME` makes one");
        return Ok(());
    }
    let head = ["name", "key", "may", "limits", "made", "expires"].map(str::to_owned);
    let rows: Vec<[String; 6]> =
        std::iter::once(head).chain(keys.iter().map(|key| row(key, date))).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; 6] = std::array::from_fn(|column| width(column).unwrap_or(0));
    for row in rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// A key for people.
fn row(key: &Key, date: u64) -> [String; 6] {
    let (start, made) = (format!("{}…", key.start), ago(date.saturating_sub(key.created)));
    [key.name.clone(), start, scopes(key), limits(&key.quota), made, expires(key, date)]
}

/// A key for programs: what the file has of it, but for the digest.
fn shown(key: &Key, date: u64) -> Value {
    json!({
        "name": key.name,
        "start": key.start,
        "scopes": key.scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>(),
        "requests_per_minute": key.quota.requests_per_minute,
        "tokens_per_minute": key.quota.tokens_per_minute,
        "concurrent": key.quota.concurrent,
        "created": key.created,
        "expires": key.expires,
        "has_expired": key.has_expired(date),
    })
}

fn scopes(key: &Key) -> String {
    key.scopes.iter().map(|scope| Scope::name(*scope)).collect::<Vec<_>>().join(", ")
}

fn limits(quota: &Quota) -> String {
    let parts = [
        quota.requests_per_minute.map(|n| format!("{n} requests/min")),
        quota.tokens_per_minute.map(|n| format!("{n} tokens/min")),
        quota.concurrent.map(|n| format!("{n} at once")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

fn ago(seconds: u64) -> String {
    match seconds / DAY {
        0 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        days => format!("{days} days ago"),
    }
}

fn expires(key: &Key, date: u64) -> String {
    match key.expires.map(|expires| expires.saturating_sub(date)) {
        None => "never".to_owned(),
        Some(0) => "has expired".to_owned(),
        Some(left) if left <= DAY => "within a day".to_owned(),
        Some(left) => format!("in {} days", left.div_ceil(DAY)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_all_about_a_key() {
        let quota = Quota { concurrent: 2.try_into().ok(), ..Quota::default() };
        let key = Key { quota, created: DAY, ..Key::new("laptop", "hearth-01234567-secret") };
        let until = |expires: u64| row(&Key { expires: Some(expires), ..key.clone() }, 3 * DAY);
        let [name, start, may, limits, made, expires] = until(5 * DAY + 1);
        assert_eq!([&name, &start, &may], ["laptop", "hearth-01234567…", "list, ask"]);
        assert_eq!([&limits, &made, &expires], ["2 at once", "2 days ago", "in 3 days"]);
        assert_eq!(
            (&until(4 * DAY)[5][..], &until(3 * DAY)[5][..]),
            ("within a day", "has expired")
        );
        assert!(!shown(&key, 0).to_string().contains(&String::from(key.sha256)));
    }
}
