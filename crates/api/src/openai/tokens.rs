//! `/tokenize` and `/detokenize`, as clients of vLLM and of llama.cpp ask them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use turn::{Chat, Fault, Prompt, Tool};

use super::{chat, messages, models, prompts, tools};
use crate::fields::Fields;
use crate::refused::Refused;
use crate::reply::{Received, beside, decode, language, name_ignored};
use crate::server::{Shared, json as reply};
use crate::{Language, Refusal, TextOptions};

/// What is to be made tokens of.
#[derive(Clone, Debug, PartialEq)]
pub struct Spelled {
    /// The one model, if none is named.
    pub model: Option<String>,
    pub what: What,
    /// Whether the tokens are spelled out, too.
    pub with_pieces: bool,
    pub ignored: Vec<String>,
}

/// A text, or a conversation as the model's template writes it.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Text(String, TextOptions),
    Chat(Prompt, Vec<Tool>),
}

/// Tokens to be made a text of.
#[derive(Clone, Debug, PartialEq)]
pub struct Tokens {
    pub model: Option<String>,
    pub tokens: Vec<u32>,
}

/// Decodes a body of `/tokenize`.
///
/// # Errors
/// The first field that is wrong, unknown or not served.
pub fn decode_text(body: &[u8]) -> Result<Spelled, Refusal> {
    let mut fields = Fields::of_body(body)?;
    let (model, mut ignored) = (models::named(&mut fields)?, Vec::new());
    let what = match fields.has("messages") {
        true => conversation(&mut fields, &mut ignored)?,
        false => text(&mut fields)?,
    };
    let with_pieces = fields.flag("return_token_strs")?.unwrap_or(false);
    fields.finish()?;
    Ok(Spelled { model, what, with_pieces, ignored })
}

/// The text goes by several names. vLLM's `prompt` is a whole prompt where nothing else is said,
/// the `content` of llama.cpp a piece of one.
fn text(fields: &mut Fields) -> Result<What, Refusal> {
    let mut found: Option<(&str, String)> = None;
    for name in ["content", "text", "prompt"] {
        match (fields.string(name)?, &found) {
            (Some(text), Some((first, known))) if text != *known => {
                let what = format!("and `{first}` are both given, and differ");
                return Err(fields.refusal(name, &what));
            }
            (Some(text), None) => found = Some((name, text)),
            _ => {}
        }
    }
    let (name, text) = fields.need("prompt", found)?;
    let special = match fields.flag("add_special_tokens")? {
        None => fields.flag("add_special")?,
        stated => stated,
    };
    let special = special.unwrap_or(name == "prompt");
    let markup = fields.flag("parse_special")?.unwrap_or(true);
    Ok(What::Text(text, TextOptions { markup, special }))
}

fn conversation(fields: &mut Fields, ignored: &mut Vec<String>) -> Result<What, Refusal> {
    if fields.flag("add_generation_prompt")? == Some(false) {
        let what = "cannot be false: a conversation is read for its reply";
        return Err(fields.refusal("add_generation_prompt", what));
    }
    let offer = tools::offer(fields, &tools::NESTED, None, ignored)?;
    let messages = messages::messages(fields, ignored)?;
    let effort = chat::stated_effort(fields)?;
    let variables = chat::variables(fields, effort.as_deref())?;
    let chat = Chat { messages, tools: offer.shown, variables };
    // The template writes what belongs before and after.
    fields.ignore("add_special_tokens", ignored);
    Ok(What::Chat(Prompt::Chat(chat), offer.demand.tools))
}

/// Decodes a body of `/detokenize`.
///
/// # Errors
/// The first field that is wrong, unknown or not served.
pub fn decode_tokens(body: &[u8]) -> Result<Tokens, Refusal> {
    let mut fields = Fields::of_body(body)?;
    let model = models::named(&mut fields)?;
    let given = fields.take("tokens");
    let tokens = match fields.need("tokens", given)? {
        Value::Array(items) if items.is_empty() => Some(Vec::new()),
        Value::Array(items) => prompts::tokens(&items),
        _ => None,
    };
    let tokens = tokens.ok_or_else(|| fields.refusal("tokens", "must be a list of token ids"))?;
    fields.finish()?;
    Ok(Tokens { model, tokens })
}

/// Makes tokens of a text or a conversation.
pub async fn tokenize(State(server): State<Shared>, body: Received) -> Result<Response, Refused> {
    let Spelled { model, what, with_pieces, ignored } = decode(body?, decode_text).await?;
    let card = models::asked(&server, model)?;
    let language = language(&server, &card.id).await?;
    let body = move || {
        let tokens = match &what {
            What::Text(text, options) => language.tokens_of(text, *options),
            What::Chat(prompt, tools) => language.read(prompt, tools)?,
        };
        Ok::<_, Fault>(spelled(&*language, &tokens, (card.context, with_pieces)))
    };
    let mut response = reply(StatusCode::OK, beside(body).await??);
    name_ignored(&mut response, &ignored);
    Ok(response)
}

/// There may be millions of tokens, so they are written without a tree of values.
fn spelled(
    language: &dyn Language,
    tokens: &[u32],
    (context, with_pieces): (usize, bool),
) -> String {
    let ids = serde_json::to_string(tokens).unwrap_or_default();
    let mut body =
        format!(r#"{{"tokens":{ids},"count":{},"max_model_len":{context}"#, tokens.len());
    if with_pieces {
        let pieces: Vec<&str> = tokens.iter().map(|token| language.piece(*token)).collect();
        body.push_str(",\"token_strs\":");
        body.push_str(&serde_json::to_string(&pieces).unwrap_or_default());
    }
    body.push('}');
    body
}

/// Makes a text of tokens, markup and all, under the names that both clients look for.
pub async fn detokenize(State(server): State<Shared>, body: Received) -> Result<Response, Refused> {
    let Tokens { model, tokens } = decode(body?, decode_tokens).await?;
    let card = models::asked(&server, model)?;
    let language = language(&server, &card.id).await?;
    if let Some(unknown) = tokens.iter().find(|token| language.piece(**token).is_empty()) {
        let what = format!("has {unknown}, which this model does not have");
        return Err(Refusal::of("tokens", &what).into());
    }
    let text = beside(move || language.text_of(&tokens)).await?;
    Ok(reply(StatusCode::OK, json!({ "prompt": text, "content": text }).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &Value) -> Result<What, Refusal> {
        decode_text(body.to_string().as_bytes()).map(|spelled| spelled.what)
    }

    fn spelled(text: &str, markup: bool, special: bool) -> What {
        What::Text(text.to_owned(), TextOptions { markup, special })
    }

    #[test]
    fn texts_are_spelled_as_each_client_means_it() {
        assert_eq!(text(&json!({ "prompt": "a" })), Ok(spelled("a", true, true)));
        assert_eq!(text(&json!({ "content": "a" })), Ok(spelled("a", true, false)));
        let stated = json!({ "prompt": "a", "add_special_tokens": false, "parse_special": false });
        assert_eq!(text(&stated), Ok(spelled("a", false, false)));
        let both = json!({ "prompt": "a", "content": "a", "add_special": true });
        assert_eq!(text(&both), Ok(spelled("a", true, true)));
        for (field, body) in [
            ("prompt", json!({ "prompt": "a", "content": "b" })),
            ("prompt", json!({})),
            ("with_pieces", json!({ "content": "a", "with_pieces": true })),
            ("add_generation_prompt", json!({ "messages": [], "add_generation_prompt": false })),
        ] {
            assert_eq!(text(&body).unwrap_err().field.as_deref(), Some(field), "{body}");
        }
    }

    #[test]
    fn conversations_keep_their_tools() {
        let function = json!({ "name": "f", "parameters": { "type": "object" } });
        let body = json!({
            "messages": [{ "role": "user", "content": "hi" }],
            "tools": [{ "type": "function", "function": function }],
        });
        let Ok(What::Chat(Prompt::Chat(chat), _)) = text(&body) else { panic!("a conversation") };
        assert_eq!((chat.messages.len(), chat.tools.len()), (1, 1));
    }

    #[test]
    fn tokens_are_numbers() {
        let tokens = |body: Value| decode_tokens(body.to_string().as_bytes());
        assert_eq!(tokens(json!({ "tokens": [1, 2] })).unwrap().tokens, [1, 2]);
        assert!(tokens(json!({ "tokens": [] })).unwrap().tokens.is_empty());
        for wrong in [json!([-1]), json!(["a"]), json!("a"), json!(null)] {
            assert!(tokens(json!({ "tokens": wrong })).is_err());
        }
    }
}
