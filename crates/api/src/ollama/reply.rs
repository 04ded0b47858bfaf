//! Replies of `/api/chat` and `/api/generate`: line by line, or whole.

use std::time::Duration;

use serde_json::{Map, Value, json};
use turn::{Account, Event, Fault, Finish, Times};

use super::error;
use crate::plan::Plan;
use crate::said::Said;
use crate::stream::Encode;
use crate::{date, json, logprobs};

/// What streams are marked as.
pub const KIND: &str = "application/x-ndjson";

/// Where the text of a reply stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// In a message.
    Chat,
    /// In `response`.
    Text,
}

/// What a line says.
#[derive(Default)]
struct Part {
    text: String,
    thinking: String,
    calls: Vec<Value>,
}

/// A line, as it is built.
type Piece = Map<String, Value>;

impl Shape {
    /// The whole reply where nothing was asked of the model itself.
    pub fn silent(self, model: &str, reason: &str) -> Value {
        let mut piece = self.piece((model, date::now().as_secs()), Part::default());
        piece.insert("done".to_owned(), true.into());
        piece.insert("done_reason".to_owned(), reason.into());
        piece.into()
    }

    fn piece(self, (model, created): (&str, u64), part: Part) -> Piece {
        let mut said = Map::new();
        let name = match self {
            Shape::Text => "response",
            Shape::Chat => {
                said.insert("role".to_owned(), "assistant".into());
                "content"
            }
        };
        said.insert(name.to_owned(), part.text.into());
        if !part.thinking.is_empty() {
            said.insert("thinking".to_owned(), part.thinking.into());
        }
        if !part.calls.is_empty() {
            said.insert("tool_calls".to_owned(), part.calls.into());
        }
        let mut piece = Map::new();
        piece.insert("model".to_owned(), model.into());
        piece.insert("created_at".to_owned(), date::rfc3339(created).into());
        match self {
            Shape::Text => piece.extend(said),
            Shape::Chat => _ = piece.insert("message".to_owned(), said.into()),
        }
        piece.insert("done".to_owned(), false.into());
        piece
    }
}

/// Writes a stream.
pub struct Lines {
    plan: Plan,
    shape: Shape,
    /// A call that may not be complete: its name and arguments. Clients want it as a whole.
    call: Option<(String, String)>,
    calls: usize,
    /// Log probabilities of tokens whose text is still to come.
    rows: Vec<Value>,
}

impl Lines {
    pub fn new(plan: Plan, shape: Shape) -> Lines {
        Lines { plan, shape, call: None, calls: 0, rows: Vec::new() }
    }

    fn piece(&mut self, part: Part) -> Piece {
        let mut piece = self.shape.piece((&self.plan.model, self.plan.created), part);
        if !self.rows.is_empty() {
            piece.insert("logprobs".to_owned(), std::mem::take(&mut self.rows).into());
        }
        piece
    }

    fn say(&mut self, part: Part, out: &mut String) {
        let piece = self.piece(part);
        line(&piece.into(), out);
    }

    /// Says the call that is complete now that something else begins.
    fn complete_call(&mut self, out: &mut String) {
        let Some(call) = self.call.take() else { return };
        let mut part = Part::default();
        part.call(&self.plan, self.calls, call);
        self.calls += 1;
        self.say(part, out);
    }
}

impl Encode for Lines {
    fn event(&mut self, _: usize, event: Event, out: &mut String) {
        if matches!(event, Event::Reasoning(_) | Event::Text(_) | Event::Call(_) | Event::End(_)) {
            self.complete_call(out);
        }
        match event {
            Event::Begun(_) | Event::Read(_) | Event::Failed(_) => {}
            Event::Token(choice) if self.plan.manner.logprobs => {
                self.rows.push(logprobs::row(&choice, &self.plan));
            }
            Event::Token(_) => {}
            Event::Reasoning(thinking) => self.say(Part { thinking, ..Part::default() }, out),
            Event::Text(text) => self.say(Part { text, ..Part::default() }, out),
            Event::Call(name) => self.call = Some((name, String::new())),
            Event::Arguments(more) => {
                if let Some((_, arguments)) = &mut self.call {
                    *arguments += &more;
                }
            }
            Event::End(account) => {
                let mut piece = self.piece(Part::default());
                close(&mut piece, &account);
                line(&piece.into(), out);
            }
        }
    }

    /// Clients raise what is under `error`.
    fn fault(&mut self, fault: &Fault, out: &mut String) {
        line(&error::refusal(&fault.clone().into()), out);
    }

    /// These streams have no word for it, and clients take every line for a piece of the reply.
    fn idle(&mut self, _: &mut String) {}
}

/// A whole reply.
pub fn whole(plan: &Plan, shape: Shape, said: Vec<Said>) -> String {
    let Some(mut said) = said.into_iter().next() else { return String::new() };
    let calls = said.take_calls();
    let mut part = Part { text: said.text, thinking: said.reasoning, calls: Vec::new() };
    for (index, call) in calls.into_iter().enumerate() {
        part.call(plan, index, call);
    }
    let mut piece = shape.piece((&plan.model, plan.created), part);
    if plan.manner.logprobs {
        let rows = said.tokens.iter().map(|token| logprobs::row(token, plan));
        piece.insert("logprobs".to_owned(), rows.collect::<Vec<_>>().into());
    }
    said.account.iter().for_each(|account| close(&mut piece, account));
    Value::Object(piece).to_string()
}

impl Part {
    /// Adds a call. Its arguments must be an object; what a model wrote that is none is shown as it
    /// is, for a call with other arguments would be another call.
    fn call(&mut self, plan: &Plan, index: usize, (name, arguments): (String, String)) {
        let parsed = match arguments.trim() {
            "" => Some(json!({})),
            text => json::parse(text.as_bytes()).ok().filter(Value::is_object),
        };
        match parsed {
            Some(arguments) => {
                let function = json!({ "index": index, "name": name, "arguments": arguments });
                let id = format!("call_{}", plan.call_id(0, index));
                self.calls.push(json!({ "id": id, "function": function }));
            }
            None => self.text += &format!("{name} {arguments}"),
        }
    }
}

/// Says why a reply ended, and what it took.
fn close(piece: &mut Piece, account: &Account) {
    let Times { loading, begun, first, over } = account.times;
    // What has never begun took no time.
    let begun = begun.unwrap_or(over);
    let first = first.unwrap_or(over);
    let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let took = [
        ("total_duration", nanoseconds(loading + over)),
        ("load_duration", nanoseconds(loading)),
        ("prompt_eval_count", account.usage.prompt_tokens as u64),
        ("prompt_eval_duration", nanoseconds(first.saturating_sub(begun))),
        ("eval_count", account.usage.generated_tokens as u64),
        ("eval_duration", nanoseconds(over.saturating_sub(first))),
    ];
    piece.insert("done".to_owned(), true.into());
    piece.insert("done_reason".to_owned(), done_reason(account.finish).into());
    piece.extend(took.map(|(name, number)| (name.to_owned(), number.into())));
}

/// `length` also where a reply was cut short for another reason: clients know that such an answer
/// is not whole.
fn done_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::End | Finish::Stop => "stop",
        Finish::Length | Finish::Context | Finish::Deadline | Finish::Form => "length",
        // Turned into a fault before it comes here.
        Finish::Cancelled => "length",
    }
}

/// Writes a line. Python's clients end lines at three characters more than JSON knows of.
pub fn line(piece: &Value, out: &mut String) {
    for c in piece.to_string().chars() {
        match c {
            '\u{85}' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('\n');
}
