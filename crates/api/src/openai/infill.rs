//! `/infill`: what belongs between two pieces of code, as editors ask llama.cpp.

use axum::extract::{Extension, State};
use axum::response::Response;
use serde_json::{Value, json};
use turn::{Account, Demand, Event, Fault, Finish, Prompt, Times, Wishes};

use super::{error, models, settings};
use crate::fields::Fields;
use crate::gate::Principal;
use crate::plan::Plan;
use crate::refused::Refused;
use crate::reply::{Received, Way, decode as decoded, reply};
use crate::said::Said;
use crate::server::Shared;
use crate::sse::{KEEP_ALIVE, frame};
use crate::stream::Encode;
use crate::{Asked, Manner, Refusal};

/// Hints: for the cache, for the order of the same filters, for how long an editor would wait, and
/// for what it looks at of the reply.
const HINTS: [&str; 8] = [
    "cache_prompt",
    "id_slot",
    "samplers",
    "n_indent",
    "t_max_prompt_ms",
    "t_max_predict_ms",
    "response_fields",
    "timings_per_token",
];

/// Decodes a body. Without a name of a model, that of the reply is empty.
///
/// # Errors
/// The first field that is wrong, unknown or not served.
pub fn decode(body: &[u8]) -> Result<Asked, Refusal> {
    let mut fields = Fields::of_body(body)?;
    let model = models::named(&mut fields)?.unwrap_or_default();
    let mut ignored = Vec::new();
    for name in HINTS {
        fields.ignore(name, &mut ignored);
    }
    let prompt = gap(&mut fields, &mut ignored)?;
    let tokens = fields.whole("n_predict", -1..=i64::MAX)?;
    let tokens = tokens.and_then(|tokens| usize::try_from(tokens).ok());
    let repetition_penalty = fields.number("repeat_penalty", 0.01..=100.0)?;
    let wishes = settings::wishes(&mut fields)?;
    let asked = Asked {
        model,
        prompts: vec![prompt],
        copies: 1,
        wishes: Wishes {
            repetition_penalty: repetition_penalty.or(wishes.repetition_penalty),
            // A seed of -1 is any seed.
            seed: wishes.seed.filter(|seed| *seed != u64::MAX),
            ..wishes
        },
        limits: settings::limits(&mut fields, tokens)?,
        demand: Demand::default(),
        keep: settings::keep(&mut fields)?,
        manner: Manner { streamed: fields.flag("stream")?.unwrap_or(false), ..Manner::default() },
        ignored,
    };
    fields.finish()?;
    Ok(asked)
}

/// What editors show of other files stands before all, each under its name. `prompt` is what
/// stands between the prefix and the gap.
fn gap(fields: &mut Fields, ignored: &mut Vec<String>) -> Result<Prompt, Refusal> {
    let (mut before, time) = (String::new(), "input_extra.time");
    for (path, value) in fields.list("input_extra")?.unwrap_or_default() {
        let mut extra = Fields::of_value(path, value)?;
        if let Some(name) = extra.string("filename")? {
            before += &format!("{name}\n");
        }
        let text = extra.string("text")?;
        before += &extra.need("text", text)?;
        before += "\n\n";
        // When the editor has cut it out.
        if extra.take("time").is_some() && !ignored.iter().any(|name| name == time) {
            ignored.push(time.to_owned());
        }
        extra.finish()?;
    }
    let prefix = fields.string("input_prefix")?;
    before += &fields.need("input_prefix", prefix)?;
    before += &fields.string("prompt")?.unwrap_or_default();
    let suffix = fields.string("input_suffix")?;
    Ok(Prompt::Gap { before, after: fields.need("input_suffix", suffix)? })
}

/// Fills a gap.
pub async fn answer(
    State(server): State<Shared>,
    Extension(principal): Extension<Principal>,
    body: Received,
) -> Result<Response, Refused> {
    let mut asked = decoded(body?, decode).await?;
    let named = Some(asked.model).filter(|name| !name.is_empty());
    asked.model = models::asked(&server, named)?.id;
    reply(&server, principal, asked, Infill).await
}

/// What belongs into a gap.
struct Infill;

impl Way for Infill {
    type Stream = Stream;

    fn decode(body: &[u8]) -> Result<(Asked, Infill), Refusal> {
        Ok((decode(body)?, Infill))
    }

    fn stream(self, plan: Plan) -> Stream {
        Stream { plan }
    }

    fn whole(self, plan: Plan, said: Vec<Said>) -> String {
        let said = said.into_iter().next().unwrap_or_default();
        last(&plan, &(said.reasoning + &said.text), said.account.as_ref()).to_string()
    }
}

/// Writes a stream, which ends without a mark: its last piece says so.
pub struct Stream {
    plan: Plan,
}

impl Encode for Stream {
    fn event(&mut self, _: usize, event: Event, out: &mut String) {
        match event {
            Event::Text(more) | Event::Reasoning(more) => {
                frame(&json!({ "content": more, "stop": false }), out);
            }
            Event::End(account) => frame(&last(&self.plan, "", Some(&account)), out),
            Event::Begun(_) | Event::Read(_) | Event::Token(_) | Event::Failed(_) => {}
            // No tools are offered.
            Event::Call(_) | Event::Arguments(_) => {}
        }
    }

    fn fault(&mut self, fault: &Fault, out: &mut String) {
        frame(&error::fault(fault), out);
    }

    fn idle(&mut self, out: &mut String) {
        out.push_str(KEEP_ALIVE);
    }
}

/// The end of a reply, or all of it.
fn last(plan: &Plan, content: &str, account: Option<&Account>) -> Value {
    let mut piece = json!({ "content": content, "stop": true, "model": plan.model });
    let Some(account) = account else { return piece };
    let usage = account.usage;
    piece["tokens_evaluated"] = usage.prompt_tokens.into();
    piece["tokens_cached"] = usage.cached_tokens.into();
    piece["tokens_predicted"] = usage.generated_tokens.into();
    piece["truncated"] = false.into();
    piece["stop_type"] = match account.finish {
        Finish::End => "eos",
        Finish::Stop => "word",
        _ => "limit",
    }
    .into();
    piece["stopping_word"] = account.stop.clone().unwrap_or_default().into();
    piece["timings"] = timings(account);
    piece
}

/// Editors show them.
fn timings(account: &Account) -> Value {
    let Times { begun, first, over, .. } = account.times;
    let begun = begun.unwrap_or(over);
    let first = first.unwrap_or(over);
    let read = account.usage.prompt_tokens - account.usage.cached_tokens;
    let written = account.usage.generated_tokens;
    let mut timings = json!({});
    for (part, count, time) in [
        ("prompt", read, first.saturating_sub(begun)),
        ("predicted", written, over.saturating_sub(first)),
    ] {
        let ms = time.as_secs_f64() * 1000.0;
        let rate = |over: f64, of: f64| if over > 0.0 { of / over } else { 0.0 };
        timings[format!("{part}_n")] = count.into();
        timings[format!("{part}_ms")] = ms.into();
        timings[format!("{part}_per_token_ms")] = rate(count as f64, ms).into();
        timings[format!("{part}_per_second")] = rate(ms, count as f64 * 1000.0).into();
    }
    timings
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use turn::{Limits, Sampling, Usage};

    use super::*;

    fn asked(body: &Value) -> Result<Asked, Refusal> {
        decode(body.to_string().as_bytes())
    }

    #[test]
    fn what_editors_send_becomes_a_gap() {
        let asked = asked(&json!({
            "input_prefix": "fn f() {\n", "prompt": "    let ", "input_suffix": "}\n",
            "input_extra": [{ "filename": "a.rs", "text": "fn g();", "time": 3 }, { "text": "x" }],
            "n_predict": 0, "n_indent": 4, "seed": -1, "repeat_penalty": 1.1, "top_k": 40,
            "samplers": ["top_k", "infill"], "t_max_predict_ms": 500, "stop": "\n",
        }));
        let asked = asked.unwrap();
        let before = "a.rs\nfn g();\n\nx\n\nfn f() {\n    let ".to_owned();
        assert_eq!(asked.prompts, [Prompt::Gap { before, after: "}\n".to_owned() }]);
        assert_eq!((asked.limits.tokens, asked.limits.stop.len()), (Some(0), 1));
        assert_eq!((asked.wishes.seed, asked.wishes.repetition_penalty), (None, Some(1.1)));
        let ignored = ["samplers", "n_indent", "t_max_predict_ms", "input_extra.time"];
        assert_eq!(
            (asked.model.as_str(), &asked.ignored[..]),
            ("", &ignored.map(str::to_owned)[..])
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let body = |more: &Value| {
            let mut body = json!({ "input_prefix": "a", "input_suffix": "b" });
            let fields = body.as_object_mut().unwrap();
            fields.extend(more.as_object().unwrap().clone());
            body
        };
        for (field, more) in [
            ("input_prefix", json!({ "input_prefix": null })),
            ("n_predict", json!({ "n_predict": -2 })),
            ("input_extra[0].text", json!({ "input_extra": [{}] })),
            ("n_probs", json!({ "n_probs": 1 })),
        ] {
            assert_eq!(asked(&body(&more)).unwrap_err().field.as_deref(), Some(field), "{more}");
        }
        assert_eq!(asked(&body(&json!({ "n_predict": -1 }))).unwrap().limits.tokens, None);
    }

    #[test]
    fn a_reply_says_what_it_took() {
        let account = Account::new(Vec::new(), Sampling::default(), Limits::default());
        let usage = Usage { prompt_tokens: 10, cached_tokens: 6, generated_tokens: 8 };
        let [begun, first, over] = [1, 3, 5].map(Duration::from_secs);
        let (begun, first) = (Some(begun), Some(first));
        let times = Times { begun, first, over, ..Times::default() };
        let account = Account { finish: Finish::Stop, usage, times, ..account };
        let timings = timings(&account);
        assert_eq!((&timings["prompt_n"], &timings["prompt_ms"]), (&json!(4), &json!(2000.0)));
        assert_eq!(timings["predicted_per_second"], 4.0);
        assert_eq!(timings["predicted_per_token_ms"], 250.0);
    }
}
