//! `tools` and `tool_choice` as messages have them.

use std::collections::BTreeSet;

use turn::Form;

use crate::Refusal;
use crate::fields::Fields;
use crate::offer::{self, Choice, Offer, Offered};

/// They cannot change an answer: hints for caches and for how a stream is cut.
const IDLE: [&str; 3] = ["cache_control", "eager_input_streaming", "allowed_callers"];

/// Reads `tools` and `tool_choice`; the answer may have a form as well.
pub fn offer(
    fields: &mut Fields,
    answer: Option<Form>,
    ignored: &mut Vec<String>,
) -> Result<Offer, Refusal> {
    let mut unused: BTreeSet<&str> = BTreeSet::new();
    let tools = offer::tools(fields, |mut tool| {
        let offered = offered(&mut tool)?;
        unused.extend(IDLE.iter().filter(|name| tool.take(name).is_some()));
        tool.finish()?;
        Ok(Some(offered))
    })?;
    ignored.extend(unused.into_iter().map(|name| format!("tools[].{name}")));
    let (choice, several) = choice(fields)?;
    offer::offer(fields, tools, choice, (several, answer))
}

fn offered(tool: &mut Fields) -> Result<Offered, Refusal> {
    match tool.string("type")?.as_deref() {
        None | Some("custom") => {}
        Some(_) => return Err(tool.refusal("type", "must be custom: this server has no tools")),
    }
    let offered = Offered::read(tool, "input_schema")?;
    match offered.parameters {
        Some(_) => Ok(offered),
        None => Err(tool.refusal("input_schema", "is missing")),
    }
}

/// Who may be called, and whether several may be at once.
fn choice(fields: &mut Fields) -> Result<(Choice, Option<bool>), Refusal> {
    let Some(mut choice) = fields.object("tool_choice")? else { return Ok((Choice::Auto, None)) };
    let one = choice.flag("disable_parallel_tool_use")?;
    let chosen = match choice.string("type")?.as_deref() {
        Some("auto") => Choice::Auto,
        Some("any") => Choice::Required,
        Some("none") => Choice::None,
        Some("tool") => {
            let name = choice.string("name")?;
            Choice::Named(choice.need("name", name)?)
        }
        _ => return Err(choice.refusal("type", "must be auto, any, tool or none")),
    };
    choice.finish()?;
    Ok((chosen, one.map(|one| !one)))
}
