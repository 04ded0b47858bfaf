//! `/api/chat`: from a body to what was asked.

use turn::Prompt;

use super::think::Think;
use super::{ask, messages};
use crate::fields::Fields;
use crate::offer;
use crate::openai::tools::{NESTED, choice};
use crate::{Asked, Refusal};

/// Decodes a body. A conversation without messages asks for nothing but the model itself.
///
/// # Errors
/// The first field that is wrong, unknown or not served.
pub fn decode(body: &[u8]) -> Result<(Asked, Option<Think>), Refusal> {
    let mut fields = Fields::of_body(body)?;
    let (mut asked, think) = ask::asked(&mut fields)?;
    let messages = messages::messages(&mut fields)?;
    let tools = offer::tools(&mut fields, |tool| messages::tool(tool).map(Some))?;
    let answer = asked.demand.answer.take();
    let choice = choice(&mut fields, &NESTED)?;
    let offer = offer::offer(&fields, tools, choice, (None, answer))?;
    fields.finish()?;
    asked.demand = offer.demand;
    if !messages.is_empty() {
        let chat = turn::Chat { messages, tools: offer.shown, ..turn::Chat::default() };
        asked.prompts.push(Prompt::Chat(chat));
    }
    Ok((asked, think))
}
