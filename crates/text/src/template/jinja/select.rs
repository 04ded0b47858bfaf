//! Filters that apply other filters or tests to each item of a sequence.

use minijinja::value::Kwargs;
use minijinja::{Error, State, Value};

use super::super::error::fault;
use super::super::python::access::iterate;
use super::super::python::arguments::Arguments;
use super::super::python::heap::{Heap, Outcome};
use super::super::python::seq::SeqKind;
use super::heap_of;
use super::sequences::{Path, SortKey, grouped};
use super::{is_filter, is_test};

/// `map` may apply `map`; each level takes native stack, and two are already a rarity.
const MAX_ARGUMENTS: usize = 16;

/// What `map`, `select` and the like apply: a name, and the arguments behind it.
struct Applied {
    name: String,
    arguments: Vec<Value>,
}

impl Applied {
    fn new(name: String, arguments: &mut Arguments) -> Result<Applied, Error> {
        let mut values = arguments.rest();
        let named = arguments.rest_named();
        if values.len() > MAX_ARGUMENTS {
            return Err(fault("too many arguments"));
        }
        if !named.is_empty() {
            values.push(Value::from(named.into_iter().collect::<Kwargs>()));
        }
        Ok(Applied { name, arguments: values })
    }

    fn with(&self, value: Value) -> Vec<Value> {
        std::iter::once(value).chain(self.arguments.iter().cloned()).collect()
    }
}

pub(super) fn map(state: &mut State<'_, '_>, value: &Value, arguments: &mut Arguments) -> Outcome {
    let heap = heap_of(state)?;
    let items = iterate(&heap, value)?;
    let mapped: Result<Vec<Value>, Error> = match arguments.optional("filter") {
        Some(name) => {
            let name = name.as_str().filter(|name| is_filter(name));
            let name = name.ok_or_else(|| fault("map: there is no such filter"))?;
            let applied = Applied::new(name.to_owned(), arguments)?;
            let apply = |item| state.apply_filter(&applied.name, &applied.with(item));
            items.into_iter().map(apply).collect()
        }
        None => {
            let attribute = arguments.by_name("attribute");
            let attribute = attribute.ok_or_else(|| fault("map requires a filter argument"))?;
            let default = arguments.by_name("default").filter(|default| !default.is_none());
            map_attribute(&heap, items, &Path::new(&attribute), default.as_ref())
        }
    };
    heap.seq(SeqKind::Generator, mapped?)
}

fn map_attribute(
    heap: &Heap,
    items: Vec<Value>,
    path: &Path,
    default: Option<&Value>,
) -> Result<Vec<Value>, Error> {
    let get = |item: Value| match default {
        None => path.walk(heap, &item),
        Some(default) => {
            // A step into something missing fails without a default only.
            let found = path.walk(heap, &item).unwrap_or(Value::UNDEFINED);
            Ok(if found.is_undefined() { default.clone() } else { found })
        }
    };
    items.into_iter().map(get).collect()
}

pub(super) fn select(
    state: &mut State<'_, '_>,
    value: &Value,
    arguments: &mut Arguments,
) -> Outcome {
    choose(state, value, (None, arguments), true)
}

pub(super) fn reject(
    state: &mut State<'_, '_>,
    value: &Value,
    arguments: &mut Arguments,
) -> Outcome {
    choose(state, value, (None, arguments), false)
}

pub(super) fn select_attr(
    state: &mut State<'_, '_>,
    value: &Value,
    arguments: &mut Arguments,
) -> Outcome {
    let path = Path::new(&arguments.required("attribute")?);
    choose(state, value, (Some(&path), arguments), true)
}

pub(super) fn reject_attr(
    state: &mut State<'_, '_>,
    value: &Value,
    arguments: &mut Arguments,
) -> Outcome {
    let path = Path::new(&arguments.required("attribute")?);
    choose(state, value, (Some(&path), arguments), false)
}

/// Keeps the items whose test, or whose truth, is as wanted.
fn choose(
    state: &mut State<'_, '_>,
    value: &Value,
    (path, arguments): (Option<&Path>, &mut Arguments),
    wanted: bool,
) -> Outcome {
    let heap = heap_of(state)?;
    let applied = match arguments.optional("test") {
        None => None,
        Some(name) => {
            let name = name.as_str().filter(|name| is_test(name));
            let name = name.ok_or_else(|| fault("select: there is no such test"))?;
            Some(Applied::new(name.to_owned(), arguments)?)
        }
    };
    let mut kept = Vec::new();
    for item in iterate(&heap, value)? {
        let tested = match path {
            Some(path) => path.walk(&heap, &item)?,
            None => item.clone(),
        };
        let holds = match &applied {
            Some(applied) => state.perform_test(&applied.name, &applied.with(tested))?,
            None => tested.is_true(),
        };
        if holds == wanted {
            kept.push(item);
        }
    }
    heap.seq(SeqKind::Generator, kept)
}

pub(super) fn group_by(
    state: &mut State<'_, '_>,
    value: &Value,
    arguments: &mut Arguments,
) -> Outcome {
    let heap = heap_of(state)?;
    let attribute = arguments.required("attribute")?;
    let default = arguments.some("default");
    let has_case = arguments.flag("case_sensitive");
    let path = Path::new(&attribute);
    let items = iterate(&heap, value)?;
    let key = SortKey::new(Some(&attribute), has_case).with_default(default);
    grouped(&heap, items, &key, &path)
}
