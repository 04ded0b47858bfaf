//! Responses that are kept: shown, forgotten, and what was said to the model in them.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::store::Kept;
use crate::Refusal;
use crate::gate::Principal;
use crate::refused::Refused;
use crate::server::{Shared, json as written};

/// Items of a page: the most, and where nothing is said.
const PAGE: (usize, usize) = (100, 20);

/// What stands behind the slash.
type Id = Result<Path<String>, PathRejection>;

/// A response as it was sent.
pub async fn show(
    State(server): State<Shared>,
    Extension(principal): Extension<Principal>,
    id: Id,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    for (name, value) in pairs(query.as_deref()) {
        match (name, value) {
            // All that can be included is there already.
            ("stream", "false" | "False") | ("include", _) => {}
            ("stream", _) => {
                let what = "cannot be true: a response is kept when it is over";
                return Err(Refusal::of(name, what).into());
            }
            _ => return Err(Refusal::of(name, "is not known here").into()),
        }
    }
    let (_, kept) = find(&server, &principal, id)?;
    Ok(written(StatusCode::OK, kept.shown.clone()))
}

/// Forgets a response.
pub async fn forget(
    State(server): State<Shared>,
    Extension(principal): Extension<Principal>,
    id: Id,
) -> Result<Response, Refused> {
    let id = name(id);
    if !server.responses.forget(&id, principal.name(), Instant::now()) {
        return Err(absent(&id));
    }
    let reply = json!({ "id": id, "object": "response", "deleted": true });
    Ok(written(StatusCode::OK, reply.to_string()))
}

/// Only what runs in the background could be cancelled; others end when their client hangs up.
pub async fn cancel(
    State(server): State<Shared>,
    Extension(principal): Extension<Principal>,
    id: Id,
) -> Result<Response, Refused> {
    let (id, _) = find(&server, &principal, id)?;
    let message = format!("response {id:?} does not run in the background: it is over");
    Err(Refused::with(StatusCode::BAD_REQUEST, message))
}

/// What was said to the model in a response, without what was said before it.
pub async fn input(
    State(server): State<Shared>,
    Extension(principal): Extension<Principal>,
    id: Id,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let page = Page::of(query.as_deref())?;
    let (id, kept) = find(&server, &principal, id)?;
    let digits = id.trim_start_matches("resp_");
    let each = kept.given.iter().enumerate();
    let items: Vec<Value> = each
        .map(|(at, given)| {
            // The `i` tells it from the items that the model has said.
            let new = || format!("{}{digits}i{at:03}", given.item.prefix());
            given.item.shown(&given.id.clone().unwrap_or_else(new), "completed")
        })
        .collect();
    Ok(written(StatusCode::OK, page.of_items(items)?.to_string()))
}

/// Which items are wanted.
struct Page {
    count: usize,
    is_ascending: bool,
    /// The last item of the page before.
    after: Option<String>,
}

impl Page {
    fn of(query: Option<&str>) -> Result<Page, Refusal> {
        let mut page = Page { count: PAGE.1, is_ascending: false, after: None };
        for (name, value) in pairs(query) {
            match (name, value) {
                ("limit", value) => {
                    let count = value.parse().ok().filter(|count| (1..=PAGE.0).contains(count));
                    let what = format!("must be a whole number between 1 and {}", PAGE.0);
                    page.count = count.ok_or_else(|| Refusal::of(name, &what))?;
                }
                ("order", "asc") => page.is_ascending = true,
                ("order", "desc") => page.is_ascending = false,
                ("order", _) => return Err(Refusal::of(name, "must be `asc` or `desc`")),
                ("after", id) => page.after = Some(id.to_owned()),
                // Nothing that can be included is left out.
                ("include", _) => {}
                _ => return Err(Refusal::of(name, "is not known here")),
            }
        }
        Ok(page)
    }

    fn of_items(self, mut items: Vec<Value>) -> Result<Value, Refusal> {
        if !self.is_ascending {
            items.reverse();
        }
        if let Some(after) = self.after {
            let at = items.iter().position(|item| item["id"] == after.as_str());
            let at = at.ok_or_else(|| Refusal::of("after", "is not the id of an item"))?;
            items.drain(..=at);
        }
        let has_more = items.len() > self.count;
        items.truncate(self.count);
        let id = |item: Option<&Value>| item.map(|item| item["id"].clone());
        let (first, last) = (id(items.first()), id(items.last()));
        Ok(json!({
            "object": "list",
            "data": items,
            "first_id": first,
            "last_id": last,
            "has_more": has_more,
        }))
    }
}

/// The pairs of a query. Names and values that are known here need no escapes, but for the brackets
/// of lists.
fn pairs(query: Option<&str>) -> impl Iterator<Item = (&str, &str)> {
    let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = name.strip_suffix("[]").or(name.strip_suffix("%5B%5D")).unwrap_or(name);
        (name, value)
    })
}

/// No name has bytes that are no text.
fn name(id: Id) -> String {
    id.map(|Path(id)| id).unwrap_or_default()
}

fn find(server: &Shared, principal: &Principal, id: Id) -> Result<(String, Arc<Kept>), Refused> {
    let id = name(id);
    let kept = server.responses.find(&id, principal.name(), Instant::now());
    match kept {
        Some(kept) => Ok((id, kept)),
        None => Err(absent(&id)),
    }
}

fn absent(id: &str) -> Refused {
    let message = format!("response {id:?} is not kept here, or not any more");
    Refused::with(StatusCode::NOT_FOUND, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(query: &str) -> (Vec<String>, bool) {
        let items = (0..5).map(|at| json!({ "id": format!("i{at}") })).collect();
        let list = Page::of(Some(query)).unwrap().of_items(items).unwrap();
        let ids = list["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap());
        assert_eq!(list["last_id"], ids.clone().next_back().map_or(Value::Null, Value::from));
        (ids.map(str::to_owned).collect(), list["has_more"] == true)
    }

    #[test]
    fn pages_follow_each_other() {
        let ids = |ids: &str| ids.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(listed(""), (ids("i4 i3 i2 i1 i0"), false));
        assert_eq!(listed("limit=2"), (ids("i4 i3"), true));
        assert_eq!(listed("limit=2&after=i3"), (ids("i2 i1"), true));
        assert_eq!(listed("limit=2&order=asc&after=i2"), (ids("i3 i4"), false));
        assert_eq!(listed("after=i0&include%5B%5D=x"), (Vec::new(), false));
        for query in ["limit=0", "limit=101", "limit=x", "order=up", "before=i1"] {
            let refusal = Page::of(Some(query)).err().unwrap();
            let name = query.split('=').next();
            assert_eq!(refusal.field.as_deref(), name, "{query}");
        }
    }
}
