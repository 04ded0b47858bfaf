//! The functions templates may call, and those that stand for operators.
//!
//! The names with `py__` are written by `syntax` and by nobody else: each operator, index and
//! literal of a template becomes a call of one of them, because the engine's own operators neither
//! follow Python nor can be made to pay for the memory they take.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use minijinja::value::{Object, ObjectRepr, Rest, ValueOrKwargs};
use minijinja::{Environment, Error, State, Value};

use super::super::error::{Thrown, fault};
use super::super::python::access;
use super::super::python::arguments::Arguments;
use super::super::python::arithmetic;
use super::super::python::compare::{contains, equal, order};
use super::super::python::heap::{Heap, Outcome};
use super::super::python::methods::{self, pairs_of};
use super::super::python::print::to_text;
use super::super::python::seq::{SeqKind, Span};
use super::super::python::shape::Shape;
use super::{heap_of, rendering_of};

/// A function of what it was called with.
type Function = fn(&Heap, &[Value]) -> Outcome;

const OPERATORS: [(&str, Function); 14] = [
    ("py__list", |heap, items| heap.list(items.to_vec())),
    ("py__tuple", |heap, items| heap.seq(SeqKind::Tuple, items.to_vec())),
    ("py__dict", dictionary),
    ("py__math", math),
    ("py__concat", arithmetic::concat),
    ("py__compare", compare),
    ("py__negative", |_, values| arithmetic::sign(&operand(values, 0)?, true)),
    ("py__positive", |_, values| arithmetic::sign(&operand(values, 0)?, false)),
    ("py__item", |heap, values| access::item(heap, &operand(values, 0)?, &operand(values, 1)?)),
    ("py__slice", slice),
    ("py__attribute", attribute),
    ("py__iterate", iterate),
    ("py__unpack", |heap, values| access::unpack(heap, &operand(values, 0)?, count(values)?)),
    ("py__assign", assign),
];

const GLOBALS: [(&str, Function); 4] =
    [("dict", dict), ("namespace", namespace), ("range", range), ("raise_exception", raise)];

pub(super) fn register(environment: &mut Environment<'static>) {
    for (name, function) in OPERATORS.into_iter().chain(GLOBALS) {
        environment.add_function(
            name,
            move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
                function(&*heap_of(state)?, &args.into_values())
            },
        );
    }
    environment.add_function("py__call", call);
    environment.add_function("py__text", pay_for_text);
    environment.add_function("strftime_now", strftime_now);
    environment.add_function("joiner", joiner);
}

fn operand(values: &[Value], at: usize) -> Outcome {
    values.get(at).cloned().ok_or_else(|| fault("an operand is missing"))
}

/// The number that `syntax` wrote behind the first operand.
fn count(values: &[Value]) -> Result<usize, Error> {
    operand(values, 1)?.as_usize().ok_or_else(|| fault("a number is missing"))
}

/// `{key: value, …}`.
fn dictionary(heap: &Heap, values: &[Value]) -> Outcome {
    heap.dict(values.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect())
}

/// `a + b - c`: the operators as one string, then the operands.
fn math(heap: &Heap, values: &[Value]) -> Outcome {
    let operators = operand(values, 0)?;
    let operators = operators.as_str().unwrap_or_default();
    let operands = &values[1..];
    let is_text = |value: &Value| value.as_str().is_some();
    if operators.bytes().all(|operator| operator == b'+') && operands.iter().all(is_text) {
        return arithmetic::concat(heap, operands);
    }
    let mut result = operand(operands, 0)?;
    for (at, operator) in operators.chars().enumerate() {
        result = arithmetic::binary(heap, operator, &result, &operand(operands, at + 1)?)?;
    }
    Ok(result)
}

/// `a < b <= c`: the operators as one string of words, then the operands.
fn compare(heap: &Heap, values: &[Value]) -> Outcome {
    let operators = operand(values, 0)?;
    let operators = operators.as_str().unwrap_or_default().split(' ');
    for (at, operator) in operators.enumerate() {
        let (a, b) = (operand(values, at + 1)?, operand(values, at + 2)?);
        let ordered = |test: fn(std::cmp::Ordering) -> bool| {
            Ok::<bool, Error>(order(heap, &a, &b)?.is_some_and(test))
        };
        let holds = match operator {
            "==" => equal(heap, &a, &b)?,
            "!=" => !equal(heap, &a, &b)?,
            "<" => ordered(std::cmp::Ordering::is_lt)?,
            "<=" => ordered(std::cmp::Ordering::is_le)?,
            ">" => ordered(std::cmp::Ordering::is_gt)?,
            ">=" => ordered(std::cmp::Ordering::is_ge)?,
            "in" => contains(heap, &b, &a)?,
            _ => !contains(heap, &b, &a)?,
        };
        if !holds {
            return Ok(Value::from(false));
        }
    }
    Ok(Value::from(true))
}

fn slice(heap: &Heap, values: &[Value]) -> Outcome {
    let bounds = [operand(values, 1)?, operand(values, 2)?, operand(values, 3)?];
    access::slice(heap, &operand(values, 0)?, [&bounds[0], &bounds[1], &bounds[2]])
}

fn attribute(_: &Heap, values: &[Value]) -> Outcome {
    let name = operand(values, 1)?;
    access::attribute(&operand(values, 0)?, name.as_str().unwrap_or_default())
}

/// What a loop runs over. With a number behind it, each item is unpacked into so many values.
fn iterate(heap: &Heap, values: &[Value]) -> Outcome {
    let mut items = access::iterate(heap, &operand(values, 0)?)?;
    if values.len() > 1 {
        let count = count(values)?;
        let unpacked = items.iter().map(|item| access::unpack(heap, item, count));
        items = unpacked.collect::<Result<_, _>>()?;
    }
    // The loop is the only holder of this list, so the heap need not know it.
    Ok(Value::from(items))
}

/// `{% set namespace.name = value %}`.
fn assign(heap: &Heap, values: &[Value]) -> Outcome {
    heap.charge_slots(1)?;
    heap.check_storable(&operand(values, 2)?)?;
    match Shape::of(&operand(values, 0)?) {
        Shape::Namespace(namespace) => {
            namespace.set(operand(values, 1)?, operand(values, 2)?)?;
            Ok(Value::from(()))
        }
        _ => Err(fault("cannot assign attribute on non-namespace object")),
    }
}

/// `receiver.name(…)`.
fn call(state: &mut State<'_, '_>, values: Rest<ValueOrKwargs>) -> Outcome {
    let values = values.into_values();
    let (receiver, name) = (operand(&values, 0)?, operand(&values, 1)?);
    methods::call(state, &receiver, name.as_str().unwrap_or_default(), &values[2..])
}

/// Pays for the literal text in the body of a loop or macro, once for each time it runs.
fn pay_for_text(state: &mut State<'_, '_>, bytes: usize) -> Result<(), Error> {
    heap_of(state)?.charge(bytes)
}

fn dict(heap: &Heap, values: &[Value]) -> Outcome {
    heap.dict(pairs(heap, values)?)
}

fn namespace(heap: &Heap, values: &[Value]) -> Outcome {
    heap.namespace(pairs(heap, values)?)
}

/// The pairs of an optional dictionary, and of the named arguments behind it.
fn pairs(heap: &Heap, values: &[Value]) -> Result<Vec<(Value, Value)>, Error> {
    let mut arguments = Arguments::new(values)?;
    let mut pairs = match arguments.rest().as_slice() {
        [] => Vec::new(),
        [given] => pairs_of(heap, given)?,
        _ => return Err(fault("expected at most 1 positional argument")),
    };
    let named = arguments.rest_named().into_iter();
    pairs.extend(named.map(|(name, value)| (Value::from(name), value)));
    Ok(pairs)
}

/// The reference allows no longer ranges either.
const MAX_RANGE: usize = 100_000;

fn range(heap: &Heap, values: &[Value]) -> Outcome {
    let numbers: Option<Vec<i128>> = values.iter().map(|value| Shape::of(value).as_int()).collect();
    let (start, stop, step) = match numbers.as_deref() {
        Some([stop]) => (0, *stop, 1),
        Some([start, stop]) => (*start, *stop, 1),
        Some([start, stop, step]) if *step != 0 => (*start, *stop, *step),
        _ => return Err(fault("range takes one to three integers, and no step of zero")),
    };
    let too_big = || fault(format!("range too big, the maximum size is {MAX_RANGE}"));
    let span = if step > 0 { stop.checked_sub(start) } else { start.checked_sub(stop) };
    let len = span.ok_or_else(too_big)?.max(0).unsigned_abs().div_ceil(step.unsigned_abs());
    let len = usize::try_from(len).ok().filter(|len| *len <= MAX_RANGE).ok_or_else(too_big)?;
    heap.range(Span { start, step, len })
}

fn raise(heap: &Heap, values: &[Value]) -> Outcome {
    let mut arguments = Arguments::new(values)?;
    let message = to_text(heap, &arguments.required("message")?)?;
    arguments.finish()?;
    Err(Thrown::Refused(message).into())
}

fn strftime_now(state: &mut State<'_, '_>, values: Rest<ValueOrKwargs>) -> Outcome {
    let values = values.into_values();
    let mut arguments = Arguments::new(&values)?;
    let pattern = arguments.string("format")?;
    arguments.finish()?;
    heap_of(state)?.text(rendering_of(state)?.now.format(&pattern)?)
}

/// A function that gives nothing the first time and a separator from then on.
struct Joiner {
    separator: Value,
    was_called: AtomicBool,
}

impl fmt::Debug for Joiner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<joiner>")
    }
}

impl Object for Joiner {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, _: &[Value]) -> Outcome {
        let is_first = !self.was_called.swap(true, Ordering::Relaxed);
        Ok(if is_first { Value::from("") } else { self.separator.clone() })
    }
}

fn joiner(state: &mut State<'_, '_>, values: Rest<ValueOrKwargs>) -> Outcome {
    let values = values.into_values();
    let heap = heap_of(state)?;
    let separator = Value::from(Arguments::new(&values)?.printed(&heap, "sep", ", ")?);
    heap.charge_slots(2)?;
    Ok(Value::from_object(Joiner { separator, was_called: AtomicBool::new(false) }))
}
