//! What may stand behind `is`.

use minijinja::value::{Rest, ValueOrKwargs};
use minijinja::{Environment, State, Value};

use super::super::error::fault;
use super::super::python::arguments::Arguments;
use super::super::python::arithmetic::binary;
use super::super::python::compare::{contains, equal, order};
use super::super::python::heap::{Heap, Outcome};
use super::super::python::print::to_text;
use super::super::python::shape::Shape;
use super::super::python::strings::is_cased;
use super::{Plain, call_plain, is_filter};

const TESTS: [(&str, Plain); 39] = [
    ("boolean", |_, value, _| answer(matches!(Shape::of(value), Shape::Bool(_)))),
    ("callable", |_, value, _| answer(is_callable(value))),
    ("defined", |_, value, _| answer(!value.is_undefined())),
    ("divisibleby", divisible_by),
    ("eq", is_equal),
    ("equalto", is_equal),
    ("escaped", |_, _, _| answer(false)),
    ("even", |heap, value, _| is_remainder(heap, value, &Value::from(2), 0)),
    ("false", |_, value, _| answer(matches!(Shape::of(value), Shape::Bool(false)))),
    ("filter", |_, value, _| answer(value.as_str().is_some_and(is_filter))),
    ("float", |_, value, _| answer(matches!(Shape::of(value), Shape::Float(_)))),
    ("ge", |heap, value, arguments| is_ordered(heap, value, arguments, "ge")),
    ("greaterthan", |heap, value, arguments| is_ordered(heap, value, arguments, "gt")),
    ("gt", |heap, value, arguments| is_ordered(heap, value, arguments, "gt")),
    ("in", is_in),
    ("integer", |_, value, _| answer(matches!(Shape::of(value), Shape::Int(_)))),
    ("iterable", |_, value, _| answer(is_iterable(value))),
    ("le", |heap, value, arguments| is_ordered(heap, value, arguments, "le")),
    ("lessthan", |heap, value, arguments| is_ordered(heap, value, arguments, "lt")),
    ("lower", |heap, value, _| answer(is_cased(&to_text(heap, value)?, char::is_uppercase))),
    ("lt", |heap, value, arguments| is_ordered(heap, value, arguments, "lt")),
    ("mapping", |_, value, _| answer(matches!(Shape::of(value), Shape::Dict(_)))),
    ("ne", is_unequal),
    ("none", |_, value, _| answer(value.is_none())),
    ("number", |_, value, _| answer(Shape::of(value).as_float().is_some())),
    ("odd", |heap, value, _| is_remainder(heap, value, &Value::from(2), 1)),
    ("sameas", same_as),
    ("sequence", |_, value, _| answer(is_sequence(value))),
    ("string", |_, value, _| answer(value.as_str().is_some())),
    ("test", |_, value, _| answer(value.as_str().is_some_and(is_test))),
    ("true", |_, value, _| answer(matches!(Shape::of(value), Shape::Bool(true)))),
    ("undefined", |_, value, _| answer(value.is_undefined())),
    ("upper", |heap, value, _| answer(is_cased(&to_text(heap, value)?, char::is_lowercase))),
    ("==", is_equal),
    ("!=", is_unequal),
    ("<", |heap, value, arguments| is_ordered(heap, value, arguments, "lt")),
    (">", |heap, value, arguments| is_ordered(heap, value, arguments, "gt")),
    ("<=", |heap, value, arguments| is_ordered(heap, value, arguments, "le")),
    (">=", |heap, value, arguments| is_ordered(heap, value, arguments, "ge")),
];

/// Whether templates may use this test.
pub(crate) fn is_test(name: &str) -> bool {
    TESTS.iter().any(|(known, _)| *known == name)
}

pub(super) fn register(environment: &mut Environment<'static>) {
    for (name, test) in TESTS {
        environment.add_test(name, move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
            call_plain(test, state, &args.into_values())
        });
    }
}

fn answer(answer: bool) -> Outcome {
    Ok(Value::from(answer))
}

fn is_callable(value: &Value) -> bool {
    // An undefined value has a method that is called to fail, so Python takes it for callable.
    value.is_undefined() || value.as_object().is_some() && matches!(Shape::of(value), Shape::Other)
}

fn is_iterable(value: &Value) -> bool {
    matches!(Shape::of(value), Shape::Undefined | Shape::Str(_) | Shape::Seq(_) | Shape::Dict(_))
}

/// Whether the value has a length and can be indexed, which strings and dictionaries can, too.
fn is_sequence(value: &Value) -> bool {
    match Shape::of(value) {
        Shape::Undefined | Shape::Str(_) | Shape::Dict(_) => true,
        Shape::Seq(seq) => seq.kind.is_indexable(),
        _ => false,
    }
}

fn is_equal(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    answer(equal(heap, value, &arguments.required("other")?)?)
}

fn is_unequal(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    answer(!equal(heap, value, &arguments.required("other")?)?)
}

fn is_ordered(heap: &Heap, value: &Value, arguments: &mut Arguments, wanted: &str) -> Outcome {
    let found = order(heap, value, &arguments.required("other")?)?;
    answer(found.is_some_and(|order| match wanted {
        "lt" => order.is_lt(),
        "le" => order.is_le(),
        "gt" => order.is_gt(),
        _ => order.is_ge(),
    }))
}

fn is_in(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    answer(contains(heap, &arguments.required("seq")?, value)?)
}

fn divisible_by(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    is_remainder(heap, value, &arguments.required("num")?, 0)
}

fn is_remainder(heap: &Heap, value: &Value, divisor: &Value, wanted: i64) -> Outcome {
    if value.as_str().is_some() {
        return Err(fault("a number is required, not str"));
    }
    answer(equal(heap, &binary(heap, '%', value, divisor)?, &Value::from(wanted))?)
}

/// Identity: the same container, or equal values of the same type.
fn same_as(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    let other = arguments.required("other")?;
    answer(match (Shape::of(value), Shape::of(&other)) {
        (Shape::Seq(a), Shape::Seq(b)) => std::ptr::eq(a, b),
        (Shape::Dict(a), Shape::Dict(b)) => std::ptr::eq(a, b),
        (a, b) => a.type_name() == b.type_name() && equal(heap, value, &other)?,
    })
}
