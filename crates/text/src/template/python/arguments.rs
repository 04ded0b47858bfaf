//! The arguments of a call, taken one after the other by position or by name.

use minijinja::value::Kwargs;
use minijinja::{Error, Value};

use super::heap::Heap;
use super::print::to_text;
use super::shape::Shape;
use crate::template::error::fault;

/// What a function was called with and has not looked at yet.
pub(crate) struct Arguments {
    positional: std::vec::IntoIter<Value>,
    named: Vec<(String, Value)>,
}

impl Arguments {
    /// Splits the engine's arguments, whose last one may carry the named ones.
    pub(crate) fn new(values: &[Value]) -> Result<Arguments, Error> {
        let mut positional = values.to_vec();
        let named = match positional.pop_if(|last| last.is_kwargs()) {
            Some(last) => named(&last)?,
            None => Vec::new(),
        };
        Ok(Arguments { positional: positional.into_iter(), named })
    }

    /// The next positional argument, else the one with this name.
    pub(crate) fn optional(&mut self, name: &str) -> Option<Value> {
        self.positional.next().or_else(|| self.by_name(name))
    }

    pub(crate) fn by_name(&mut self, name: &str) -> Option<Value> {
        let at = self.named.iter().position(|(given, _)| given == name)?;
        Some(self.named.swap_remove(at).1)
    }

    pub(crate) fn required(&mut self, name: &str) -> Result<Value, Error> {
        self.optional(name).ok_or_else(|| fault(format!("missing argument '{name}'")))
    }

    /// A string, which must be one.
    pub(crate) fn string(&mut self, name: &str) -> Result<String, Error> {
        let value = self.required(name)?;
        string_of(name, &value)
    }

    /// A string that may be absent or none.
    pub(crate) fn optional_string(&mut self, name: &str) -> Result<Option<String>, Error> {
        self.some(name).map(|value| string_of(name, &value)).transpose()
    }

    /// Anything, as it prints; `default` when absent.
    pub(crate) fn printed(
        &mut self,
        heap: &Heap,
        name: &str,
        default: &str,
    ) -> Result<String, Error> {
        self.optional(name).map_or_else(|| Ok(default.to_owned()), |value| to_text(heap, &value))
    }

    /// An integer that may be absent or none.
    pub(crate) fn optional_int(&mut self, name: &str) -> Result<Option<i128>, Error> {
        let Some(value) = self.some(name) else { return Ok(None) };
        let shape = Shape::of(&value);
        let wrong = || fault(format!("'{name}' must be an integer, not {}", shape.type_name()));
        shape.as_int().map(Some).ok_or_else(wrong)
    }

    pub(crate) fn int(&mut self, name: &str, default: i128) -> Result<i128, Error> {
        Ok(self.optional_int(name)?.unwrap_or(default))
    }

    /// Whether the argument counts as true.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        self.optional(name).is_some_and(|value| value.is_true())
    }

    /// An argument that was given and is not none.
    pub(crate) fn some(&mut self, name: &str) -> Option<Value> {
        self.optional(name).filter(|value| !value.is_none())
    }

    /// All positional arguments that are left.
    pub(crate) fn rest(&mut self) -> Vec<Value> {
        self.positional.by_ref().collect()
    }

    /// All named arguments that are left.
    pub(crate) fn rest_named(&mut self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.named)
    }

    /// Fails when an argument was given that nobody asked for.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        match (self.positional.next(), self.named.first()) {
            (None, None) => Ok(()),
            (Some(_), _) => Err(fault("too many arguments")),
            (None, Some((name, _))) => Err(fault(format!("unexpected keyword argument '{name}'"))),
        }
    }
}

fn named(value: &Value) -> Result<Vec<(String, Value)>, Error> {
    let arguments = Kwargs::try_from(value.clone())?;
    let names: Vec<String> = arguments.args().map(str::to_owned).collect();
    names.into_iter().map(|name| Ok((name.clone(), arguments.get::<Value>(&name)?))).collect()
}

fn string_of(name: &str, value: &Value) -> Result<String, Error> {
    value.as_str().map(str::to_owned).ok_or_else(|| {
        let found = Shape::of(value).type_name();
        fault(format!("'{name}' must be a string, not {found}"))
    })
}
