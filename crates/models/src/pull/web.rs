//! A single file of the web.

use super::document::refusal;
use super::session::{Reply, watched};
use super::{Address, Client, Error, Found, Manner, Place, Role, Source, Wanted, Watch, names};

pub fn find(client: &Client, address: &Address, watch: Watch) -> Result<Found, Error> {
    let mut wanted = Wanted {
        name: name(address)?,
        role: Role::Weights,
        place: Place::Web(address.clone()),
        size: None,
        digest: None,
        git: None,
        manner: Manner::Web,
    };
    let ask = wanted.ask(address, Some((0, 0)));
    let reply = watched(client, address.origin(), watch, |session| session.get(ask))?;
    if !matches!(reply.status, 200 | 206 | 416) {
        return Err(refusal(Manner::Web, &reply, &address.to_string()));
    }
    wanted.size = length(&reply);
    let source = Source::Web(address.clone());
    Ok(Found { source, revision: None, files: vec![wanted], licence: None })
}

/// How long the whole file is, of which some bytes were asked for.
pub fn length(reply: &Reply) -> Option<u64> {
    match reply.status {
        200 => reply.number("content-length"),
        _ => reply.header("content-range")?.rsplit_once('/')?.1.parse().ok(),
    }
}

fn name(address: &Address) -> Result<String, Error> {
    let last = address.path().rsplit('/').next().unwrap_or_default();
    let name = decoded(last).ok_or_else(|| Error::Name {
        name: address.to_string(),
        why: "its last part is no text".to_owned(),
    })?;
    if !name.to_lowercase().ends_with(".gguf") {
        let why = "its last part does not end with `.gguf`".to_owned();
        return Err(Error::Name { name: address.to_string(), why });
    }
    names::check(&name)?;
    if name.contains('/') {
        let why = "it has a slash";
        return Err(Error::FileName { name, why });
    }
    Ok(name)
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut parts = text.split('%');
    bytes.extend(parts.next()?.bytes());
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend(part[2..].bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_last_part() {
        let of = |text: &str| name(&Address::parse(text).unwrap());
        assert_eq!(of("https://a.example/b/c%20d.gguf?x=y").unwrap(), "c d.gguf");
        for text in ["", "x.zip", "..%2Fx.gguf", "%00.gguf", "%ff.gguf", "%.gguf", "a%2Fb.gguf"] {
            assert!(of(&format!("https://a.example/{text}")).is_err(), "{text}");
        }
    }
}
