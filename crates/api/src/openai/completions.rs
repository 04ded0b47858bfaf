//! `/v1/completions`: a text goes on, without a template. From a body to what was asked.

use turn::{Demand, Prompt, Wishes};

use super::{form, prompts, settings};
use crate::fields::Fields;
use crate::{Asked, Manner, Refusal};

/// Tokens of a reply where nothing is said; the reference says so.
const TOKENS: usize = 16;
/// Alternatives that may be reported with each token.
const ALTERNATIVES: i64 = 5;
/// Replies to one request.
const REPLIES: usize = 32;

/// Decodes a body.
///
/// # Errors
/// The first field that is wrong, unknown or not served.
pub fn decode(body: &[u8]) -> Result<Asked, Refusal> {
    let mut fields = Fields::of_body(body)?;
    let model = crate::settings::model(&mut fields)?;
    let mut ignored = settings::idle(&mut fields);
    settings::unkept(&mut fields, &mut ignored)?;
    let copies = copies(&mut fields)?;
    let prompts = prompts(&mut fields)?;
    if prompts.len() * copies > REPLIES {
        let what = format!("asks for more than {REPLIES} replies");
        return Err(fields.refusal("prompt", &what));
    }
    if fields.flag("echo")? == Some(true) {
        return Err(fields.refusal("echo", "cannot be true: the prompt is not said again"));
    }
    let tokens = fields.count("max_tokens", 1..=i64::MAX)?.unwrap_or(TOKENS);
    let manner = settings::manner(&mut fields, &mut ignored)?;
    let top_logprobs = fields.count("logprobs", 0..=ALTERNATIVES)?;
    let answer = form::form(&mut fields)?;
    let asked = Asked {
        model,
        prompts,
        copies,
        wishes: Wishes { top_logprobs, ..settings::wishes(&mut fields)? },
        limits: settings::limits(&mut fields, Some(tokens))?,
        demand: Demand { answer, ..Demand::default() },
        keep: settings::keep(&mut fields)?,
        manner: Manner { logprobs: top_logprobs.is_some(), ..manner },
        ignored,
    };
    fields.finish()?;
    Ok(asked)
}

/// The best of as many as are shown are all of them.
fn copies(fields: &mut Fields) -> Result<usize, Refusal> {
    let copies = fields.count("n", 1..=settings::COPIES)?.unwrap_or(1);
    match fields.count("best_of", 1..=i64::MAX)? {
        Some(best) if best != copies => Err(fields.refusal("best_of", "must be the same as `n`")),
        _ => Ok(copies),
    }
}

/// One prompt or a list, each as a text or as tokens; with a suffix a text is a gap.
fn prompts(fields: &mut Fields) -> Result<Vec<Prompt>, Refusal> {
    let suffix = fields.string("suffix")?.filter(|suffix| !suffix.is_empty());
    let prompts = prompts::prompts(fields, "prompt")?;
    let Some(after) = suffix else { return Ok(prompts) };
    let gap = |prompt| match prompt {
        Prompt::Text(before) => Ok(Prompt::Gap { before, after: after.clone() }),
        _ => Err(fields.refusal("suffix", "needs a `prompt` that is text")),
    };
    prompts.into_iter().map(gap).collect()
}
