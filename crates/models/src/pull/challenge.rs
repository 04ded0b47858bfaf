//! What a container registry wants to see first: a token of its own, which somebody else gives.

use std::sync::PoisonError;

use super::document;
use super::session::{Ask, Fault, Reply, Session};
use super::{Address, Error, Token};

/// Gets the token that a registry asks for with a 401. `false` when it asks for none of this kind.
pub fn answer(session: &Session, asked: Ask, reply: &Reply) -> Result<bool, Fault> {
    let registry = asked.at;
    let Some(challenge) = reply.header("www-authenticate").and_then(read) else {
        return Ok(false);
    };
    let malformed = |why: String| Error::Malformed {
        what: format!("what {} says of its tokens", registry.origin()),
        why,
    };
    let realm = challenge.address().map_err(malformed)?;
    if !realm.origin().secure && realm.origin() != registry.origin() {
        let why = "a registry must not send for tokens by `http:`".to_owned();
        return Err(Error::Address { address: realm.to_string(), why }.into());
    }
    let ask = Ask::of(&realm, "application/json");
    let until = Some(document::deadline(session));
    let reply = session.try_get(Ask { until: asked.until.or(until), ..ask })?;
    if reply.status != 200 {
        return Ok(false);
    }
    let bytes = document::read(reply)?;
    let answer: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))?;
    let given = ["token", "access_token"].iter().find_map(|key| answer.get(key)?.as_str());
    let token = given.ok_or_else(|| malformed("there is no token in it".to_owned()));
    let token = Token::new(token?).map_err(malformed)?;
    let mut bearers = session.bearers.lock().unwrap_or_else(PoisonError::into_inner);
    bearers.retain(|(origin, _)| origin != registry.origin());
    bearers.push((registry.origin().clone(), token));
    Ok(true)
}

#[derive(Debug, Default, PartialEq)]
struct Challenge {
    realm: String,
    service: Option<String>,
    scope: Option<String>,
}

impl Challenge {
    fn address(&self) -> Result<Address, String> {
        let mut text = self.realm.clone();
        for (key, value) in [("service", &self.service), ("scope", &self.scope)] {
            let Some(value) = value else { continue };
            let mark = if text.contains('?') { '&' } else { '?' };
            let value = super::address::encoded(value);
            text.push_str(&format!("{mark}{key}={value}"));
        }
        Address::parse(&text)
    }
}

/// `Bearer realm="…",service="…",scope="…"`, in any order.
fn read(header: &str) -> Option<Challenge> {
    let (scheme, mut rest) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let mut challenge = Challenge::default();
    while let Some((key, after)) = rest.split_once('=') {
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        match key.trim_matches([',', ' ']).to_ascii_lowercase().as_str() {
            "realm" => challenge.realm = value.to_owned(),
            "service" => challenge.service = Some(value.to_owned()),
            "scope" => challenge.scope = Some(value.to_owned()),
            _ => {}
        }
        rest = after;
    }
    (!challenge.realm.is_empty()).then_some(challenge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_read_and_asked() {
        let header = "Bearer realm=\"https://auth.example/token\",service=\"r.example\",\
                      scope=\"repository:a/b:pull\"";
        let address = read(header).unwrap().address().unwrap();
        assert!(
            address
                .uri()
                .to_string()
                .ends_with("/token?service=r.example&scope=repository%3Aa/b%3Apull")
        );
        assert_eq!(read("Basic realm=\"x\""), None);
        for damaged in ["", "Bearer", "Bearer ", "Bearer realm", "Bearer realm=\"", "Bearer =,="] {
            assert_eq!(read(damaged), None, "{damaged}");
        }
    }
}
