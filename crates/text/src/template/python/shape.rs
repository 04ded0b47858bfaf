//! The engine's values, sorted into the types Python would give them.

use minijinja::Value;
use minijinja::value::ValueKind;

use super::dict::{Dict, Namespace};
use super::seq::Seq;

/// A value as Python sees it.
#[derive(Clone, Copy)]
pub(crate) enum Shape<'a> {
    Undefined,
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(&'a str),
    Seq(&'a Seq),
    Dict(&'a Dict),
    Namespace(&'a Namespace),
    /// Macros, functions and the loop.
    Other,
}

impl<'a> Shape<'a> {
    pub(crate) fn of(value: &'a Value) -> Shape<'a> {
        match value.kind() {
            ValueKind::Undefined => Shape::Undefined,
            ValueKind::None => Shape::None,
            ValueKind::Bool => Shape::Bool(value.is_true()),
            ValueKind::Number if value.is_integer() => {
                i128::try_from(value.clone()).map_or(Shape::Other, Shape::Int)
            }
            ValueKind::Number => f64::try_from(value.clone()).map_or(Shape::Other, Shape::Float),
            ValueKind::String => value.as_str().map_or(Shape::Other, Shape::Str),
            _ => Shape::of_object(value),
        }
    }

    fn of_object(value: &'a Value) -> Shape<'a> {
        if let Some(seq) = value.downcast_object_ref::<Seq>() {
            Shape::Seq(seq)
        } else if let Some(dict) = value.downcast_object_ref::<Dict>() {
            Shape::Dict(dict)
        } else if let Some(namespace) = value.downcast_object_ref::<Namespace>() {
            Shape::Namespace(namespace)
        } else {
            Shape::Other
        }
    }

    /// The name Python gives this type in its messages.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Shape::Undefined => "Undefined",
            Shape::None => "NoneType",
            Shape::Bool(_) => "bool",
            Shape::Int(_) => "int",
            Shape::Float(_) => "float",
            Shape::Str(_) => "str",
            Shape::Seq(seq) => seq.kind.name(),
            Shape::Dict(_) => "dict",
            Shape::Namespace(_) => "Namespace",
            Shape::Other => "object",
        }
    }

    /// The value as an integer, where Python takes a bool for one.
    pub(crate) fn as_int(self) -> Option<i128> {
        match self {
            Shape::Bool(x) => Some(i128::from(x)),
            Shape::Int(x) => Some(x),
            _ => None,
        }
    }

    /// The value as a number of any kind.
    pub(crate) fn as_float(self) -> Option<f64> {
        match self {
            Shape::Float(x) => Some(x),
            other => other.as_int().map(|x| x as f64),
        }
    }
}

/// An integer in its smallest representation.
pub(crate) fn integer(x: i128) -> Value {
    i64::try_from(x).map_or_else(|_| Value::from(x), Value::from)
}

/// Where a possibly negative index points to in `len` items.
pub(crate) fn index_within(index: i128, len: usize) -> Option<usize> {
    let len = i128::try_from(len).ok()?;
    let index = if index < 0 { index + len } else { index };
    if (0..len).contains(&index) { usize::try_from(index).ok() } else { None }
}
