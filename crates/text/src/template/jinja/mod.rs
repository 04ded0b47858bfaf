//! The template language on top of Python's values: its filters, tests and functions.
//!
//! `environment` gives an engine that knows these and nothing else: no files, no includes, no
//! objects of the host, and no built-in of the engine whose result could differ.

mod filters;
mod functions;
mod numbers;
mod select;
mod sequences;
mod tests;
mod words;

use std::fmt;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Object, ObjectRepr};
use minijinja::{Environment, Error, Output, State, UndefinedBehavior, Value};

use super::clock::DateTime;
use super::error::fault;
use super::python::arguments::Arguments;
use super::python::heap::{Buffer, Heap, Outcome};
use super::python::print::write_text;

pub(crate) use filters::is_filter;
pub(crate) use tests::is_test;

/// A variable of every rendering; templates cannot name it, see `syntax`.
pub(crate) const RENDERING_VARIABLE: &str = "py__rendering";

/// What one rendering hands to the functions that the template calls.
pub(crate) struct Rendering {
    pub(crate) heap: Arc<Heap>,
    pub(crate) now: DateTime,
}

impl fmt::Debug for Rendering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<rendering>")
    }
}

impl Object for Rendering {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

fn rendering_of(state: &State<'_, '_>) -> Result<Arc<Rendering>, Error> {
    let found = state.lookup(RENDERING_VARIABLE);
    let found = found.as_ref().and_then(Value::downcast_object::<Rendering>);
    found.ok_or_else(|| fault("no rendering is in progress"))
}

/// The heap of the rendering in progress.
pub(crate) fn heap_of(state: &mut State<'_, '_>) -> Result<Arc<Heap>, Error> {
    if let Some(heap) = state.get_extension::<Arc<Heap>>() {
        return Ok(heap.clone());
    }
    let heap = rendering_of(state)?.heap.clone();
    state.get_or_insert_extension(heap.clone());
    Ok(heap)
}

/// An engine for chat templates, without a template in it yet.
pub(crate) fn environment(fuel: u64) -> Result<Environment<'static>, Error> {
    // The settings under which all published chat templates are written.
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?;
    let mut environment = Environment::empty();
    environment.set_syntax(syntax);
    environment.set_fuel(Some(fuel));
    environment.set_recursion_limit(MAX_RECURSION);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_formatter(print);
    functions::register(&mut environment);
    filters::register(&mut environment);
    tests::register(&mut environment);
    Ok(environment)
}

/// How deep macros may call each other: a call costs four, a loop or block one.
///
/// Templates recurse over the schemas of tools, which are rarely ten levels deep. A hundred calls
/// take less than one of the two megabytes of native stack that a thread has, even unoptimised.
const MAX_RECURSION: usize = 400;

/// `{{ value }}`.
fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let heap = heap_of(state)?;
    if let Some(text) = value.as_str() {
        heap.charge(text.len())?;
        return out.write_str(text).map_err(Error::from);
    }
    let mut text = Buffer::new(&heap);
    write_text(&mut text, value)?;
    out.write_str(text.as_str()).map_err(Error::from)
}

/// A filter or test that needs nothing but its operand and arguments.
type Plain = fn(&Heap, &Value, &mut Arguments) -> Outcome;

/// One that calls other filters or tests.
type Calling = fn(&mut State<'_, '_>, &Value, &mut Arguments) -> Outcome;

/// Calls `plain` with the arguments as the engine passes them, the operand first.
fn call_plain(plain: Plain, state: &mut State<'_, '_>, values: &[Value]) -> Outcome {
    let heap = heap_of(state)?;
    heap.charge_reading(values.iter().filter_map(Value::as_str).map(str::len).sum())?;
    call(values, |operand, arguments| plain(&heap, operand, arguments))
}

fn call_calling(calling: Calling, state: &mut State<'_, '_>, values: &[Value]) -> Outcome {
    call(values, |operand, arguments| calling(state, operand, arguments))
}

fn call(values: &[Value], run: impl FnOnce(&Value, &mut Arguments) -> Outcome) -> Outcome {
    let (operand, rest) = values.split_first().ok_or_else(|| fault("missing operand"))?;
    let mut arguments = Arguments::new(rest)?;
    let result = run(operand, &mut arguments)?;
    arguments.finish()?;
    Ok(result)
}
