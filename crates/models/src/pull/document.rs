//! The short answers of registries, read within limits, and what their statuses mean.

use std::io::Read;
use std::time::Instant;

use serde_json::Value;

use super::session::{Ask, Fault, Reply, Session, Tries, body_fault};
use super::{Address, Error, Manner};

/// No list of files is longer.
const LONGEST: u64 = 16 << 20;

/// A document with what came along.
pub struct Document {
    pub bytes: Vec<u8>,
    pub value: Value,
    /// The address of the next page, if there is one.
    pub next: Option<String>,
}

/// Gets a document of JSON, or the answer that says why not.
pub fn get(session: &Session, ask: Ask) -> Result<Result<Document, Reply>, Error> {
    let ask = Ask { until: Some(deadline(session)), ..ask };
    let mut tries = Tries::new(session, ask.at.origin());
    loop {
        let fault = match session.get(ask) {
            Ok(reply) if reply.status != 200 => return Ok(Err(reply)),
            Ok(reply) => {
                let next = reply.header("link").and_then(next_page);
                match read(reply) {
                    Ok(bytes) => {
                        return Ok(Ok(Document { value: parse(ask.at, &bytes)?, bytes, next }));
                    }
                    Err(fault) => fault,
                }
            }
            Err(error) => return Err(error),
        };
        tries.again(fault)?;
    }
}

/// When a short answer that is asked for now must be here, however slowly it comes.
pub fn deadline(session: &Session) -> Instant {
    Instant::now() + session.client.options().short_answer
}

/// The whole body of an answer, which must be short.
pub fn read(reply: Reply) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let file = reply.address.to_string();
    reply.body.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| body_fault(&error))?;
    if bytes.len() as u64 > LONGEST {
        return Err(Error::TooLong { file, limit: LONGEST }.into());
    }
    Ok(bytes)
}

/// The reader of JSON refuses what is deep.
fn parse(at: &Address, bytes: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::Malformed { what: at.to_string(), why: error.to_string() })
}

/// Of `<https://…>; rel="next"`, among others.
fn next_page(header: &str) -> Option<String> {
    let links = header.split(',').filter_map(|link| link.split_once(';'));
    let next = links.into_iter().find(|(_, about)| about.contains("rel=\"next\""));
    Some(next?.0.trim().strip_prefix('<')?.strip_suffix('>')?.to_owned())
}

/// What an answer means that is not what was asked for; `what` was.
pub fn refusal(manner: Manner, reply: &Reply, what: &str) -> Error {
    let host = reply.address.origin().to_string();
    let code = reply.header("x-error-code").unwrap_or_default();
    let missing = |what: String| Error::Missing { what };
    match (manner, reply.status, code) {
        (Manner::Hub, _, "RepoNotFound") => missing(format!(
            "repository {}; if it is a private one, set HF_TOKEN to a token that may read it",
            repository(&reply.address)
        )),
        (Manner::Hub, _, "RevisionNotFound") => missing(format!("such revision: {what}")),
        (Manner::Hub, _, "EntryNotFound") => missing(format!("such file: {what}")),
        (Manner::Hub, 401 | 403, "GatedRepo") | (Manner::Hub, 403, _) => {
            Error::Gated { terms: format!("{host}/{}", repository(&reply.address)) }
        }
        (Manner::Hub, 401, _) => Error::Denied {
            host,
            hint: "set HF_TOKEN to a token of your account (Settings, Access Tokens), or \
                   HF_TOKEN_PATH to a file of mode 0600 that holds one; a token that is set \
                   already may have ended"
                .to_owned(),
        },
        (_, 401 | 403, _) => {
            let name = host.split("://").last().unwrap_or_default();
            let hint = format!(
                "if you have the right to read it, put the line `{name} TOKEN` into a file of mode \
                 0600, and its path into HEARTH_TOKENS"
            );
            Error::Denied { host, hint }
        }
        (_, 404 | 410, _) => missing(what.to_owned()),
        (_, status, _) => Error::Status { address: reply.address.to_string(), status },
    }
}

/// `owner/repo` of an address of the hub or a mirror.
fn repository(address: &Address) -> String {
    let path = address.path();
    let path = path.split_once("/api/models/").map_or(path, |(_, rest)| rest);
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').take(2).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found() {
        let header = r#"<https://a.example/1>; rel="prev", <https://a.example/3>; rel="next""#;
        assert_eq!(next_page(header).as_deref(), Some("https://a.example/3"));
        for damaged in ["", "x", "<>", ";rel=\"next\"", "x; rel=\"next\""] {
            assert_eq!(next_page(damaged), None);
        }
    }
}
