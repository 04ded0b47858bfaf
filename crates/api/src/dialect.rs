//! Which clients ask by a path, and so how they are told what is wrong.

use axum::http::StatusCode;
use serde_json::Value;

use crate::{Refusal, anthropic, ollama, openai};

/// A dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    OpenAi,
    Anthropic,
    Ollama,
}

impl Dialect {
    /// That of a path. What belongs to none is told as OpenAI's clients read it: they are the most.
    pub fn of(path: &str) -> Dialect {
        let is_below = |root: &str| {
            path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        match () {
            () if is_below("/v1/messages") => Dialect::Anthropic,
            () if is_below("/api") || path == "/" => Dialect::Ollama,
            () => Dialect::OpenAi,
        }
    }

    /// The body of a refusal.
    pub fn refusal(self, refusal: &Refusal, status: StatusCode, id: &str) -> Value {
        match self {
            Dialect::OpenAi => openai::refusal(refusal, status),
            Dialect::Anthropic => anthropic::refusal(refusal, status, id),
            Dialect::Ollama => ollama::refusal(refusal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_dialects() {
        for (path, dialect) in [
            ("/v1/messages", Dialect::Anthropic),
            ("/v1/messages/count_tokens", Dialect::Anthropic),
            ("/v1/messagesx", Dialect::OpenAi),
            ("/api/chat", Dialect::Ollama),
            ("/api", Dialect::Ollama),
            ("/apis", Dialect::OpenAi),
            ("/", Dialect::Ollama),
            ("/v1/chat/completions", Dialect::OpenAi),
        ] {
            assert_eq!(Dialect::of(path), dialect, "{path}");
        }
    }
}
