//! `/v1/embeddings`: texts become vectors.

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use turn::{Embed, Embedded, Prompt};

use super::{prompts, settings};
use crate::embed::{check_width, embed, numbers};
use crate::fields::Fields;
use crate::gate::Principal;
use crate::refused::Refused;
use crate::reply::{Received, beside, decode as decoded, name_ignored};
use crate::server::{Shared, json as reply};
use crate::{Refusal, base64};

/// Texts of a request, as the reference has it.
const TEXTS: usize = 2048;

/// What was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub embed: Embed,
    /// Numbers of a vector, where the client says how many it takes them for.
    pub dimensions: Option<usize>,
    /// Vectors are written as the base64 of their bytes, not as lists.
    pub base64: bool,
    pub ignored: Vec<String>,
}

/// Decodes a body.
///
/// # Errors
/// The first field that is wrong, unknown or not served.
pub fn decode(body: &[u8]) -> Result<Wanted, Refusal> {
    let mut fields = Fields::of_body(body)?;
    let model = crate::settings::model(&mut fields)?;
    let ignored = settings::idle(&mut fields);
    let texts = prompts::prompts(&mut fields, "input")?;
    if texts.len() > TEXTS {
        return Err(fields.refusal("input", &format!("has more than {TEXTS} texts")));
    }
    if texts.iter().any(|text| matches!(text, Prompt::Text(text) if text.is_empty())) {
        return Err(fields.refusal("input", "has a text that is empty"));
    }
    let base64 = match fields.string("encoding_format")?.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => return Err(fields.refusal("encoding_format", "must be `float` or `base64`")),
    };
    let dimensions = fields.count("dimensions", 1..=i64::MAX)?;
    let keep = settings::keep(&mut fields)?;
    fields.finish()?;
    Ok(Wanted { embed: Embed { model, texts, cut: false, keep }, dimensions, base64, ignored })
}

/// Embeds the texts of a request.
pub async fn answer(
    State(server): State<Shared>,
    Extension(principal): Extension<Principal>,
    body: Received,
) -> Result<Response, Refused> {
    let wanted = decoded(body?, decode).await?;
    check_width(&server, &wanted.embed.model, wanted.dimensions)?;
    let Wanted { embed: texts, base64, ignored, .. } = wanted;
    let model = texts.model.clone();
    let embedded = embed(&server, principal, texts).await?;
    let text = beside(move || whole(&model, &embedded, base64)).await?;
    let mut response = reply(StatusCode::OK, text);
    name_ignored(&mut response, &ignored);
    Ok(response)
}

/// A reply may have millions of numbers, so they are written without a tree of values.
fn whole(model: &str, embedded: &Embedded, base64: bool) -> String {
    let rows = embedded.vectors.iter().enumerate().map(|(at, vector)| {
        let vector = match base64 {
            true => format!("\"{}\"", coded(vector)),
            false => numbers(vector),
        };
        format!(r#"{{"object":"embedding","index":{at},"embedding":{vector}}}"#)
    });
    let rows = rows.collect::<Vec<_>>().join(",");
    let tokens: usize = embedded.tokens.iter().sum();
    let usage = json!({ "prompt_tokens": tokens, "total_tokens": tokens });
    let model = json!(model);
    format!(r#"{{"object":"list","data":[{rows}],"model":{model},"usage":{usage}}}"#)
}

fn coded(vector: &[f32]) -> String {
    base64::encode(&vector.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn wanted(more: &Value) -> Result<Wanted, Refusal> {
        let mut body = json!({ "model": "m", "input": "a" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        decode(body.to_string().as_bytes())
    }

    #[test]
    fn texts_and_tokens_are_taken() {
        let plain = wanted(&json!({ "encoding_format": null, "dimensions": null })).unwrap();
        assert_eq!(plain.embed.texts, [Prompt::Text("a".to_owned())]);
        assert_eq!((plain.dimensions, plain.base64, plain.embed.cut), (None, false, false));
        let two = json!({ "input": [[68, 69], [70]], "encoding_format": "base64", "user": "u" });
        let two = wanted(&two).unwrap();
        assert_eq!(two.embed.texts, [vec![68, 69], vec![70]].map(Prompt::Tokens));
        assert_eq!((two.base64, &two.ignored[..]), (true, &["user".to_owned()][..]));
        let one = wanted(&json!({ "input": [68, 69, 70] })).unwrap();
        assert_eq!(one.embed.texts, [Prompt::Tokens(vec![68, 69, 70])]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (field, more) in [
            ("input", json!({ "input": [] })),
            ("input", json!({ "input": null })),
            ("input", json!({ "input": ["a", ""] })),
            ("input", json!({ "input": [["a"]] })),
            ("input", json!({ "input": vec!["a"; TEXTS + 1] })),
            ("encoding_format", json!({ "encoding_format": "hex" })),
            ("dimensions", json!({ "dimensions": 0 })),
            ("input_type", json!({ "input_type": "query" })),
        ] {
            assert_eq!(wanted(&more).unwrap_err().field.as_deref(), Some(field), "{more}");
        }
    }

    #[test]
    fn a_reply_byte_for_byte() {
        let embedded =
            Embedded { vectors: vec![vec![0.1, -1.0], vec![0.0, 1.0]], tokens: vec![2, 3] };
        let expected = concat!(
            r#"{"object":"list","data":["#,
            r#"{"object":"embedding","index":0,"embedding":[0.1,-1.0]},"#,
            r#"{"object":"embedding","index":1,"embedding":[0.0,1.0]}],"#,
            r#""model":"a\"b","usage":{"prompt_tokens":5,"total_tokens":5}}"#,
        );
        assert_eq!(whole("a\"b", &embedded, false), expected);
        let coded: Value = whole("m", &embedded, true).parse().unwrap();
        // The bytes 00 00 00 00 and 00 00 80 3f.
        assert_eq!(coded["data"][1]["embedding"], "AAAAAAAAgD8=");
    }
}
