//! A response, event by event. A whole response is what its stream would end with.

use serde_json::{Map, Value, json};
use turn::{Account, Event, Fault, Finish};

use super::item::Item;
use super::tools::{Members, members_of};
use crate::logprobs;
use crate::openai::error;
use crate::plan::Plan;
use crate::said::{Spent, Thoughts};
use crate::sse::named;
use crate::stream::Encode;

/// Is told the response at its end, and its items.
pub type Keep = Box<dyn FnOnce(&Value, Vec<Item>) + Send>;

/// Writes a stream.
pub struct Stream {
    plan: Plan,
    /// The fields of the request that a response repeats.
    echo: Map<String, Value>,
    members: Members,
    keep: Option<Keep>,
    /// Events so far.
    sequence: usize,
    has_begun: bool,
    said: Vec<Item>,
    /// The items that are over, as they were shown.
    shown: Vec<Value>,
    open: Option<Open>,
    calls: usize,
    /// Log probabilities of tokens whose text is still to come.
    rows: Vec<Value>,
    thoughts: Thoughts,
    /// The response at its end.
    last: Value,
}

/// The item that is being written.
struct Open {
    item: Item,
    /// Log probabilities of its tokens.
    rows: Vec<Value>,
}

/// What the text of an item is called by its events.
struct Parts {
    /// The field of the item that has the part with the text.
    list: &'static str,
    index: &'static str,
    part: &'static str,
    text: &'static str,
}

impl Parts {
    /// Those of items that have parts.
    fn of(item: &Item) -> Option<Parts> {
        match item {
            Item::Message { .. } => Some(Parts {
                list: "content",
                index: "content_index",
                part: "response.content_part",
                text: "response.output_text",
            }),
            Item::Reasoning(_) => Some(Parts {
                list: "summary",
                index: "summary_index",
                part: "response.reasoning_summary_part",
                text: "response.reasoning_summary_text",
            }),
            _ => None,
        }
    }
}

const ARGUMENTS: &str = "response.function_call_arguments";

/// Where a response stands.
struct Standing {
    status: &'static str,
    error: Value,
    incomplete: Value,
    usage: Value,
}

impl Standing {
    fn new(status: &'static str) -> Standing {
        Standing { status, error: Value::Null, incomplete: Value::Null, usage: Value::Null }
    }
}

impl Stream {
    pub fn new(plan: Plan, echo: Map<String, Value>, keep: Option<Keep>) -> Stream {
        Stream {
            plan,
            members: echo.get("tools").map(members_of).unwrap_or_default(),
            echo,
            keep,
            sequence: 0,
            has_begun: false,
            said: Vec::new(),
            shown: Vec::new(),
            open: None,
            calls: 0,
            rows: Vec::new(),
            thoughts: Thoughts::default(),
            last: Value::Null,
        }
    }

    /// The response, when it is over.
    pub fn into_whole(self) -> Value {
        self.last
    }

    fn response(&self, standing: Standing) -> Value {
        let mut response = Map::new();
        let head = [
            ("id", format!("resp_{}", self.plan.id).into()),
            ("object", "response".into()),
            ("created_at", self.plan.created.into()),
            ("status", standing.status.into()),
            ("model", self.plan.model.as_str().into()),
            ("system_fingerprint", self.plan.fingerprint.as_str().into()),
            ("error", standing.error),
            ("incomplete_details", standing.incomplete),
            ("output", self.shown.clone().into()),
            ("usage", standing.usage),
        ];
        response.extend(head.map(|(name, value)| (name.to_owned(), value)));
        response.extend(self.echo.clone());
        response.into()
    }

    fn tell(&mut self, kind: &str, rest: Value, out: &mut String) {
        let mut piece = json!({ "type": kind, "sequence_number": self.sequence });
        self.sequence += 1;
        if let (Value::Object(piece), Value::Object(rest)) = (&mut piece, rest) {
            piece.extend(rest);
        }
        named(&piece, out);
    }

    /// About the item that is open.
    fn tell_item(&mut self, kind: &str, rest: Value, out: &mut String) {
        let Some(Open { item, .. }) = &self.open else { return };
        let at = self.shown.len();
        let mut piece = json!({ "item_id": self.id(item, at), "output_index": at });
        if let (Value::Object(piece), Value::Object(rest)) = (&mut piece, rest) {
            piece.extend(rest);
        }
        self.tell(kind, piece, out);
    }

    /// The name of an item. It follows from the response's, so that it can be found by it.
    fn id(&self, item: &Item, at: usize) -> String {
        format!("{}{}{at:03}", item.prefix(), self.plan.id)
    }

    fn begin(&mut self, out: &mut String) {
        if !std::mem::replace(&mut self.has_begun, true) {
            self.tell_under_way("response.created", out);
            self.tell_under_way("response.in_progress", out);
        }
    }

    fn tell_under_way(&mut self, kind: &str, out: &mut String) {
        let response = self.response(Standing::new("in_progress"));
        self.tell(kind, json!({ "response": response }), out);
    }

    /// Begins an item.
    fn open(&mut self, item: Item, out: &mut String) {
        self.close("completed", out);
        let at = self.shown.len();
        let mut shown = item.shown(&self.id(&item, at), "in_progress");
        let parts = Parts::of(&item);
        if let Some(parts) = &parts {
            // Clients add the part when it comes.
            shown[parts.list] = json!([]);
        }
        let added = json!({ "output_index": at, "item": shown });
        self.tell("response.output_item.added", added, out);
        let part = item.part();
        self.open = Some(Open { item, rows: Vec::new() });
        if let Some(Parts { index, part: kind, .. }) = parts {
            self.tell_item(&format!("{kind}.added"), json!({ index: 0, "part": part }), out);
        }
    }

    /// Adds to the item that is open.
    fn add(&mut self, more: &str, out: &mut String) {
        let rows = std::mem::take(&mut self.rows);
        let Some(open) = &mut self.open else { return };
        open.item.add(more);
        let Some(Parts { index, text, .. }) = Parts::of(&open.item) else {
            return self.tell_item(&format!("{ARGUMENTS}.delta"), json!({ "delta": more }), out);
        };
        let mut delta = json!({ index: 0, "delta": more });
        if matches!(open.item, Item::Message { .. }) {
            open.rows.extend_from_slice(&rows);
            delta["logprobs"] = rows.into();
        }
        self.tell_item(&format!("{text}.delta"), delta, out);
    }

    /// Ends the item that is open, if one is.
    fn close(&mut self, status: &str, out: &mut String) {
        if self.is_open(|item| matches!(item, Item::Call { .. }) && item.text().is_empty()) {
            // Arguments are JSON, and nothing is not.
            self.add("{}", out);
        }
        let Some(Open { item, rows }) = &self.open else { return };
        let (item, rows) = (item.clone(), Value::from(rows.clone()));
        let at = self.shown.len();
        let mut shown = item.shown(&self.id(&item, at), status);
        if let Some(Parts { list, index, part, text }) = Parts::of(&item) {
            let mut done = json!({ index: 0, "text": item.text() });
            if matches!(item, Item::Message { .. }) {
                done["logprobs"] = rows.clone();
                shown[list][0]["logprobs"] = rows;
            }
            self.tell_item(&format!("{text}.done"), done, out);
            let done = json!({ index: 0, "part": shown[list][0] });
            self.tell_item(&format!("{part}.done"), done, out);
        } else {
            let done = json!({ "name": shown["name"], "arguments": item.text() });
            self.tell_item(&format!("{ARGUMENTS}.done"), done, out);
        }
        let done = json!({ "output_index": at, "item": shown });
        self.tell("response.output_item.done", done, out);
        self.open = None;
        self.said.push(item);
        self.shown.push(shown);
    }

    fn reason(&mut self, more: &str, out: &mut String) {
        if !self.is_open(|item| matches!(item, Item::Reasoning(_))) {
            self.open(Item::Reasoning(String::new()), out);
        }
        self.add(more, out);
    }

    fn say(&mut self, more: &str, out: &mut String) {
        if !self.is_open(|item| matches!(item, Item::Message { .. })) {
            self.open(Item::Message { role: "assistant".to_owned(), text: String::new() }, out);
        }
        self.add(more, out);
    }

    fn call(&mut self, name: String, out: &mut String) {
        self.rows.clear();
        let call = format!("call_{}", self.plan.call_id(0, self.calls));
        self.calls += 1;
        let (namespace, name) = match self.members.get(&name) {
            None => (None, name),
            Some((space, name)) => (Some(space.clone()), name.clone()),
        };
        self.open(Item::Call { call, namespace, name, arguments: String::new() }, out);
    }

    fn is_open(&self, is: impl Fn(&Item) -> bool) -> bool {
        self.open.as_ref().is_some_and(|open| is(&open.item))
    }

    fn end(&mut self, account: &Account, out: &mut String) {
        let is_message = |item: &Item| matches!(item, Item::Message { .. });
        let is_saying = self.is_open(is_message);
        // Those who look for a text find one, and log probabilities that are left over a place.
        let is_silent = self.calls == 0 && !self.said.iter().any(is_message);
        if if is_saying { !self.rows.is_empty() } else { is_silent } {
            self.say("", out);
        }
        let (status, reason) = match account.finish {
            Finish::End | Finish::Stop => ("completed", Value::Null),
            // Clients know no other reason for a text that is not whole.
            _ => ("incomplete", json!({ "reason": "max_output_tokens" })),
        };
        self.close(status, out);
        let mut spent = Spent::default();
        spent.add(0, &self.plan, &account.usage, &self.thoughts);
        let standing =
            Standing { incomplete: reason, usage: usage(&spent), ..Standing::new(status) };
        self.last = self.response(standing);
        // Before the client knows that it is over, and may go on from it.
        if let Some(keep) = self.keep.take() {
            keep(&self.last, std::mem::take(&mut self.said));
        }
        let kind = format!("response.{status}");
        self.tell(&kind, json!({ "response": self.last }), out);
    }
}

fn usage(spent: &Spent) -> Value {
    json!({
        "input_tokens": spent.prompt,
        "input_tokens_details": { "cached_tokens": spent.cached, "cache_write_tokens": 0 },
        "output_tokens": spent.generated,
        "output_tokens_details": { "reasoning_tokens": spent.reasoning },
        "total_tokens": spent.prompt + spent.generated,
    })
}

impl Encode for Stream {
    fn event(&mut self, _: usize, event: Event, out: &mut String) {
        self.thoughts.hear(&event);
        self.begin(out);
        match event {
            Event::Begun(_) | Event::Read(_) | Event::Failed(_) => {}
            Event::Token(choice) if self.plan.manner.logprobs => {
                self.rows.push(logprobs::row(&choice, &self.plan));
            }
            Event::Token(_) => {}
            Event::Reasoning(more) => self.reason(&more, out),
            Event::Text(more) => self.say(&more, out),
            Event::Call(name) => self.call(name, out),
            Event::Arguments(more) => self.add(&more, out),
            Event::End(account) => self.end(&account, out),
        }
    }

    fn fault(&mut self, fault: &Fault, out: &mut String) {
        self.begin(out);
        self.close("incomplete", out);
        let error = error::in_response(fault);
        let response = self.response(Standing { error, ..Standing::new("failed") });
        self.tell("response.failed", json!({ "response": response }), out);
    }

    /// An event: some clients hang up after minutes of comments, and prompts may take longer.
    fn idle(&mut self, out: &mut String) {
        match self.has_begun {
            false => self.begin(out),
            true => self.tell_under_way("response.in_progress", out),
        }
    }
}
