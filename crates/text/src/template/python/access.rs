//! Reaching into values: iteration, `x[i]`, `x[a:b:c]`, `x.name`.
//!
//! What is missing is undefined rather than an error, unless it is looked up in something that is
//! undefined itself.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr};
use minijinja::{Error, State, Value};

use super::dict::Key;
use super::heap::{Heap, Outcome};
use super::methods;
use super::seq::{SeqKind, Span};
use super::shape::{Shape, index_within};
use crate::template::error::fault;

/// The values that a loop over `value` would see.
pub(crate) fn iterate(heap: &Heap, value: &Value) -> Result<Vec<Value>, Error> {
    match Shape::of(value) {
        Shape::Undefined => Ok(Vec::new()),
        Shape::Str(text) => {
            heap.charge_visits(text.len())?;
            Ok(text.chars().map(Value::from).collect())
        }
        Shape::Seq(seq) => {
            heap.charge_visits(seq.len())?;
            Ok(seq.take_items())
        }
        Shape::Dict(dict) => {
            heap.charge_visits(dict.len())?;
            Ok(dict.keys())
        }
        other => Err(fault(format!("'{}' object is not iterable", other.type_name()))),
    }
}

/// How many values `len(value)` counts.
pub(crate) fn length(heap: &Heap, value: &Value) -> Result<usize, Error> {
    match Shape::of(value) {
        Shape::Undefined => Ok(0),
        Shape::Str(text) => {
            heap.charge_reading(text.len())?;
            Ok(text.chars().count())
        }
        Shape::Seq(seq) if seq.kind.is_sized() => Ok(seq.len()),
        Shape::Dict(dict) => Ok(dict.len()),
        other => Err(fault(format!("object of type '{}' has no len()", other.type_name()))),
    }
}

/// `value[key]`; a string that is no key may still name a method.
pub(crate) fn item(heap: &Heap, value: &Value, key: &Value) -> Outcome {
    let found = match (Shape::of(value), Shape::of(key)) {
        (Shape::Undefined, _) => return Err(undefined_fault()),
        (Shape::Dict(dict), _) => {
            heap.charge_keys([key])?;
            Key::of(key).ok().and_then(|key| dict.get(&key))
        }
        (Shape::Seq(seq), key) if key.as_int().is_some() && seq.kind.is_indexable() => {
            key.as_int().and_then(|index| seq.get(index_within(index, seq.len())?))
        }
        (Shape::Str(text), key) if key.as_int().is_some() => {
            heap.charge_reading(text.len())?;
            key.as_int().and_then(|index| character(text, index)).map(Value::from)
        }
        (_, Shape::Str(name)) => return attribute(value, name),
        _ => None,
    };
    Ok(match (found, key.as_str()) {
        (Some(found), _) => found,
        (None, Some(name)) => method(value, name),
        (None, None) => Value::UNDEFINED,
    })
}

fn character(text: &str, index: i128) -> Option<char> {
    if index >= 0 {
        text.chars().nth(usize::try_from(index).ok()?)
    } else {
        text.chars().nth_back(usize::try_from(-(index + 1)).ok()?)
    }
}

/// `value.name` where the attribute is not called: methods hide the keys of a dictionary.
pub(crate) fn attribute(value: &Value, name: &str) -> Outcome {
    if value.is_undefined() {
        return Err(undefined_fault());
    }
    let bound = method(value, name);
    if bound.is_undefined() { value.get_attr(name) } else { Ok(bound) }
}

fn method(value: &Value, name: &str) -> Value {
    if methods::exists(Shape::of(value), name) {
        Value::from_object(Method { receiver: value.clone(), name: name.to_owned() })
    } else {
        Value::UNDEFINED
    }
}

fn undefined_fault() -> Error {
    fault("an undefined value has no attributes and no elements")
}

/// A method that was looked up and not called yet.
struct Method {
    receiver: Value,
    name: String,
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let receiver = Shape::of(&self.receiver).type_name();
        write!(f, "<built-in method {} of {receiver} object>", self.name)
    }
}

impl Object for Method {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Outcome {
        methods::call(state, &self.receiver, &self.name, args)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// `value[start:stop:step]`; an omitted bound is none.
pub(crate) fn slice(heap: &Heap, value: &Value, bounds: [&Value; 3]) -> Outcome {
    let [start, stop, step] = bounds.map(bound);
    let (start, stop, step) = (start?, stop?, step?.unwrap_or(1));
    if step == 0 {
        return Err(fault("slice step cannot be zero"));
    }
    match Shape::of(value) {
        Shape::Str(text) => {
            heap.charge(text.len())?;
            let characters: Vec<char> = text.chars().collect();
            let indices = slice_indices(characters.len(), start, stop, step);
            heap.text(indices.map(|at| characters[at]).collect::<String>())
        }
        Shape::Seq(seq) if seq.kind.is_indexable() => {
            heap.charge_visits(seq.len())?;
            let indices = slice_indices(seq.len(), start, stop, step);
            if seq.kind == SeqKind::Range {
                return heap.range(sliced(seq.span, &indices.collect::<Vec<_>>()));
            }
            let items = seq.take_items();
            heap.seq(seq.kind, indices.map(|at| items[at].clone()).collect())
        }
        other => Err(fault(format!("'{}' object cannot be sliced", other.type_name()))),
    }
}

/// The range of the numbers at these positions, which are evenly spaced.
fn sliced(span: Span, positions: &[usize]) -> Span {
    let at = |position: usize| positions.get(position).map(|at| *at as i128);
    let first = at(0).unwrap_or(0);
    let stride = at(1).map_or(1, |second| second - first);
    Span {
        start: span.start + span.step * first,
        step: if positions.len() > 1 { span.step * stride } else { 1 },
        len: positions.len(),
    }
}

fn bound(value: &Value) -> Result<Option<i128>, Error> {
    match Shape::of(value) {
        Shape::None => Ok(None),
        shape => shape
            .as_int()
            .map(|x| Some(x.clamp(i128::from(i64::MIN), i128::from(i64::MAX))))
            .ok_or_else(|| fault("slice indices must be integers or None")),
    }
}

/// The positions that a slice selects among `len` items.
fn slice_indices(
    len: usize,
    start: Option<i128>,
    stop: Option<i128>,
    step: i128,
) -> impl Iterator<Item = usize> {
    let len = i128::try_from(len).unwrap_or(i128::MAX);
    let (lowest, highest) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let place = |bound: Option<i128>, default: i128| match bound {
        None => default,
        Some(x) if x < 0 => (x + len).clamp(lowest, highest),
        Some(x) => x.clamp(lowest, highest),
    };
    let (first, end) = if step > 0 { (lowest, highest) } else { (highest, lowest) };
    let (start, stop) = (place(start, first), place(stop, end));
    let mut at = start;
    std::iter::from_fn(move || {
        let inside = if step > 0 { at < stop } else { at > stop };
        let index = if inside { usize::try_from(at).ok() } else { None };
        at += step;
        index
    })
}

/// Exactly `count` values out of `value`, for an assignment to several names.
pub(crate) fn unpack(heap: &Heap, value: &Value, count: usize) -> Outcome {
    let items = iterate(heap, value)?;
    if items.len() != count {
        let found = items.len();
        return Err(fault(format!("cannot unpack {found} values into {count} names")));
    }
    heap.seq(SeqKind::Tuple, items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_select_what_python_selects() {
        let select = |start: Option<i128>, stop: Option<i128>, step: i128| -> Vec<usize> {
            slice_indices(5, start, stop, step).collect()
        };
        assert_eq!(select(None, None, 1), [0, 1, 2, 3, 4]);
        assert_eq!(select(None, None, -1), [4, 3, 2, 1, 0]);
        assert_eq!(select(Some(-2), None, 1), [3, 4]);
        assert_eq!(select(Some(3), Some(0), -2), [3, 1]);
        assert_eq!(select(Some(-100), Some(100), 2), [0, 2, 4]);
        assert_eq!(select(Some(100), None, -3), [4, 1]);
        assert_eq!(select(Some(3), Some(1), 1), [0; 0]);
    }
}
