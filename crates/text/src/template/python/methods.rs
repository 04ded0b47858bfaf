//! `value.method(…)`: which types have which methods, and the methods of lists and dictionaries.

use minijinja::{Error, State, Value};

use super::access::{iterate, slice};
use super::arguments::Arguments;
use super::compare::equal;
use super::dict::Dict;
use super::heap::{Empty, Heap, Outcome};
use super::seq::{Seq, SeqKind};
use super::shape::{Shape, integer};
use super::strings;
use crate::template::error::fault;
use crate::template::jinja::heap_of;

type ListMethod = fn(&Heap, &Seq, &mut Arguments) -> Outcome;
type DictMethod = fn(&Heap, &Dict, &mut Arguments) -> Outcome;

const LIST: [(&str, ListMethod); 10] = [
    ("append", append),
    ("clear", clear),
    ("copy", |heap, list, _| heap.list(list.take_items())),
    ("count", count),
    ("extend", extend),
    ("index", index),
    ("insert", insert),
    ("pop", pop),
    ("remove", remove),
    ("reverse", reverse),
];

const TUPLE: [(&str, ListMethod); 2] = [("count", count), ("index", index)];

const DICT: [(&str, DictMethod); 9] = [
    ("clear", clear_dict),
    ("copy", |heap, dict, _| heap.dict(dict.pairs())),
    ("get", get),
    ("items", items),
    ("keys", |heap, dict, _| heap.seq(SeqKind::Keys, dict.keys())),
    ("pop", pop_key),
    ("setdefault", setdefault),
    ("update", update),
    ("values", values),
];

/// Whether values of any type have a method with this name.
pub(crate) fn is_method_name(name: &str) -> bool {
    strings::method(name).is_some()
        || lookup(&LIST, name).is_some()
        || lookup(&DICT, name).is_some()
}

/// Whether a value of this type has the method.
pub(crate) fn exists(receiver: Shape<'_>, name: &str) -> bool {
    match receiver {
        Shape::Str(_) => strings::method(name).is_some(),
        Shape::Seq(seq) => list_method(seq.kind, name).is_some(),
        Shape::Dict(_) => lookup(&DICT, name).is_some(),
        _ => false,
    }
}

/// `receiver.name(args)`: a method, or something callable that is stored under the name.
pub(crate) fn call(
    state: &mut State<'_, '_>,
    receiver: &Value,
    name: &str,
    args: &[Value],
) -> Outcome {
    let heap = heap_of(state)?;
    match Shape::of(receiver) {
        Shape::Str(text) => {
            if let Some(method) = strings::method(name) {
                let given = args.iter().filter_map(Value::as_str).map(str::len).sum::<usize>();
                heap.charge_reading(text.len() + given)?;
                return applied(args, |arguments| method(&heap, text, arguments));
            }
        }
        Shape::Seq(seq) => {
            if let Some(method) = list_method(seq.kind, name) {
                return applied(args, |arguments| method(&heap, seq, arguments));
            }
        }
        Shape::Dict(dict) => {
            if let Some(method) = lookup(&DICT, name) {
                return applied(args, |arguments| method(&heap, dict, arguments));
            }
        }
        Shape::Other => return call_native(state, receiver, name, args),
        _ => {}
    }
    let found = super::access::attribute(receiver, name)?;
    if found.is_undefined() {
        let receiver = Shape::of(receiver).type_name();
        return Err(fault(format!("'{receiver} object' has no attribute '{name}'")));
    }
    found.call(state, args)
}

fn applied(args: &[Value], method: impl FnOnce(&mut Arguments) -> Outcome) -> Outcome {
    let mut arguments = Arguments::new(args)?;
    let result = method(&mut arguments)?;
    arguments.finish()?;
    Ok(result)
}

/// The methods of the engine's own objects, of which `loop` has the only two.
fn call_native(state: &mut State<'_, '_>, value: &Value, name: &str, args: &[Value]) -> Outcome {
    // The engine divides by the number of arguments of `cycle`, and compares those of `changed`
    // without a limit on their depth.
    let is_container = |value: &Value| value.as_object().is_some();
    if name == "cycle" && args.is_empty() {
        return Err(fault("loop.cycle needs arguments"));
    }
    if name == "changed" && args.iter().any(is_container) {
        return Err(fault("loop.changed compares strings and numbers only"));
    }
    value.call_method(state, name, args)
}

fn list_method(kind: SeqKind, name: &str) -> Option<ListMethod> {
    match kind {
        SeqKind::List => lookup(&LIST, name),
        kind if kind.is_indexable() => lookup(&TUPLE, name),
        _ => None,
    }
}

fn lookup<M: Copy>(methods: &[(&str, M)], name: &str) -> Option<M> {
    methods.iter().find(|(known, _)| *known == name).map(|(_, method)| *method)
}

/// What a method gives that only changes something.
fn nothing() -> Outcome {
    Ok(Value::from(()))
}

fn clear(_: &Heap, list: &Seq, _: &mut Arguments) -> Outcome {
    list.change(Vec::clear);
    nothing()
}

fn reverse(_: &Heap, list: &Seq, _: &mut Arguments) -> Outcome {
    list.change(|items| items.reverse());
    nothing()
}

fn clear_dict(_: &Heap, dict: &Dict, _: &mut Arguments) -> Outcome {
    dict.empty();
    nothing()
}

fn append(heap: &Heap, list: &Seq, arguments: &mut Arguments) -> Outcome {
    heap.charge_slots(1)?;
    let item = arguments.required("object")?;
    heap.check_storable(&item)?;
    list.change(|items| items.push(item));
    nothing()
}

fn extend(heap: &Heap, list: &Seq, arguments: &mut Arguments) -> Outcome {
    let new = iterate(heap, &arguments.required("iterable")?)?;
    heap.charge_slots(new.len())?;
    list.change(|items| items.extend(new));
    nothing()
}

fn insert(heap: &Heap, list: &Seq, arguments: &mut Arguments) -> Outcome {
    let at = arguments.int("index", 0)?;
    let item = arguments.required("object")?;
    heap.check_storable(&item)?;
    heap.charge_slots(1 + list.len() / 16)?;
    list.change(|items| {
        let at = if at < 0 { at + items.len() as i128 } else { at };
        let at = at.clamp(0, items.len() as i128);
        items.insert(usize::try_from(at).unwrap_or(0), item);
    });
    nothing()
}

fn pop(heap: &Heap, list: &Seq, arguments: &mut Arguments) -> Outcome {
    heap.charge_reading(list.len())?;
    let at = arguments.int("index", -1)?;
    let at = super::shape::index_within(at, list.len());
    let at = at.ok_or_else(|| fault("pop index out of range"))?;
    Ok(list.change(|items| items.remove(at)))
}

fn position(heap: &Heap, list: &Seq, wanted: &Value) -> Result<Option<usize>, Error> {
    heap.charge_visits(list.len())?;
    for (at, item) in list.take_items().iter().enumerate() {
        if equal(heap, item, wanted)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

fn remove(heap: &Heap, list: &Seq, arguments: &mut Arguments) -> Outcome {
    let at = position(heap, list, &arguments.required("value")?)?;
    let at = at.ok_or_else(|| fault("list.remove(x): x not in list"))?;
    list.change(|items| items.remove(at));
    nothing()
}

fn index(heap: &Heap, list: &Seq, arguments: &mut Arguments) -> Outcome {
    let at = position(heap, list, &arguments.required("value")?)?;
    at.map(Value::from).ok_or_else(|| fault("the value is not in the list"))
}

fn count(heap: &Heap, list: &Seq, arguments: &mut Arguments) -> Outcome {
    let wanted = arguments.required("value")?;
    heap.charge_visits(list.len())?;
    let mut found = 0;
    for item in list.take_items() {
        found += i128::from(equal(heap, &item, &wanted)?);
    }
    Ok(integer(found))
}

fn get(heap: &Heap, dict: &Dict, arguments: &mut Arguments) -> Outcome {
    let key = heap.key(&arguments.required("key")?)?;
    let default = arguments.optional("default").unwrap_or(Value::from(()));
    Ok(dict.get(&key).unwrap_or(default))
}

fn items(heap: &Heap, dict: &Dict, _: &mut Arguments) -> Outcome {
    heap.seq(SeqKind::Items, pairs(heap, dict)?)
}

/// The entries of a dictionary as tuples.
pub(crate) fn pairs(heap: &Heap, dict: &Dict) -> Result<Vec<Value>, Error> {
    heap.charge_slots(dict.len())?;
    let pairs = dict.pairs().into_iter();
    pairs.map(|(key, value)| heap.seq(SeqKind::Tuple, vec![key, value])).collect()
}

fn values(heap: &Heap, dict: &Dict, _: &mut Arguments) -> Outcome {
    heap.charge_slots(dict.len())?;
    heap.seq(SeqKind::Values, dict.pairs().into_iter().map(|(_, value)| value).collect())
}

fn pop_key(heap: &Heap, dict: &Dict, arguments: &mut Arguments) -> Outcome {
    heap.charge_visits(2 * dict.len())?;
    let key = heap.key(&arguments.required("key")?)?;
    let default = arguments.optional("default");
    dict.remove(&key).or(default).ok_or_else(|| fault("pop: the key is not in the dictionary"))
}

fn setdefault(heap: &Heap, dict: &Dict, arguments: &mut Arguments) -> Outcome {
    let key = arguments.required("key")?;
    let default = arguments.optional("default").unwrap_or(Value::from(()));
    if let Some(found) = dict.get(&heap.key(&key)?) {
        return Ok(found);
    }
    heap.charge_slots(4)?;
    heap.check_storable(&default)?;
    dict.insert(key, default.clone())?;
    Ok(default)
}

fn update(heap: &Heap, dict: &Dict, arguments: &mut Arguments) -> Outcome {
    let mut new = match arguments.optional("other") {
        Some(other) => pairs_of(heap, &other)?,
        None => Vec::new(),
    };
    let named = arguments.rest_named().into_iter();
    new.extend(named.map(|(name, value)| (Value::from(name), value)));
    heap.charge_slots(new.len().saturating_mul(4))?;
    for (key, value) in new {
        heap.charge_keys([&key])?;
        heap.check_storable(&value)?;
        dict.insert(key, value)?;
    }
    nothing()
}

/// What `dict(value)` is made of: the pairs of a dictionary or of a list of pairs.
pub(crate) fn pairs_of(heap: &Heap, value: &Value) -> Result<Vec<(Value, Value)>, Error> {
    if let Shape::Dict(dict) = Shape::of(value) {
        heap.charge_slots(dict.len())?;
        return Ok(dict.pairs());
    }
    let mut pairs = Vec::new();
    for item in iterate(heap, value)? {
        match <[Value; 2]>::try_from(iterate(heap, &item)?) {
            Ok([key, value]) => pairs.push((key, value)),
            Err(_) => return Err(fault("a dictionary is made of pairs")),
        }
    }
    Ok(pairs)
}

/// The items of a list in reverse order.
pub(crate) fn reversed(heap: &Heap, list: &Value) -> Outcome {
    let whole = Value::from(());
    slice(heap, list, [&whole, &whole, &Value::from(-1)])
}
