//! Dictionaries that keep their order, and the namespaces of templates.
//!
//! Keys follow Python: `1`, `1.0` and `True` are one key, lists are none. Knows nothing of
//! printing or comparing.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, Value};

use super::heap::{Empty, lock};
use super::shape::Shape;
use crate::template::error::fault;

/// A value as a key of a dictionary: equal keys are equal values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Undefined,
    None,
    Int(i128),
    /// The bits of a number that is not whole.
    Float(u64),
    Str(String),
    Tuple(Vec<Key>),
}

/// Tuples that are keys stand in each other so deep at most, and have fewer items than so many.
const DEEPEST: usize = 16;
const LONGEST: usize = 256;

impl Key {
    pub(crate) fn of(value: &Value) -> Result<Key, Error> {
        Key::at_depth(value, 0)
    }

    /// Bytes of text in a key.
    pub(crate) fn bytes(value: &Value) -> usize {
        Key::bytes_at_depth(value, 0)
    }

    fn bytes_at_depth(value: &Value, depth: usize) -> usize {
        match Shape::of(value) {
            Shape::Str(text) => text.len(),
            Shape::Seq(items)
                if items.kind.is_tuple() && depth < DEEPEST && items.len() < LONGEST =>
            {
                let items = items.take_items();
                items.iter().map(|item| Key::bytes_at_depth(item, depth + 1)).sum()
            }
            _ => 0,
        }
    }

    fn at_depth(value: &Value, depth: usize) -> Result<Key, Error> {
        Ok(match Shape::of(value) {
            Shape::Undefined => Key::Undefined,
            Shape::None => Key::None,
            Shape::Bool(x) => Key::Int(i128::from(x)),
            Shape::Int(x) => Key::Int(x),
            // Whole numbers below 2^100 convert without loss.
            Shape::Float(x) if x.fract() == 0.0 && x.abs() < 1e30 => Key::Int(x as i128),
            Shape::Float(x) => Key::Float(x.to_bits()),
            Shape::Str(x) => Key::Str(x.to_owned()),
            Shape::Seq(x) if x.kind.is_tuple() && depth < DEEPEST && x.len() < LONGEST => {
                let items = x.take_items();
                let keys = items.iter().map(|item| Key::at_depth(item, depth + 1));
                Key::Tuple(keys.collect::<Result<_, _>>()?)
            }
            other => return Err(fault(format!("unhashable type: '{}'", other.type_name()))),
        })
    }
}

/// Pairs in the order in which their keys first came.
#[derive(Default)]
struct Entries {
    pairs: Vec<(Value, Value)>,
    index: HashMap<Key, usize>,
}

impl Entries {
    fn new(pairs: Vec<(Value, Value)>) -> Result<Entries, Error> {
        let mut entries = Entries::default();
        for (key, value) in pairs {
            entries.insert(key, value)?;
        }
        Ok(entries)
    }

    fn get(&self, key: &Key) -> Option<Value> {
        self.index.get(key).map(|&at| self.pairs[at].1.clone())
    }

    fn insert(&mut self, key: Value, value: Value) -> Result<(), Error> {
        let hashed = Key::of(&key)?;
        match self.index.get(&hashed) {
            Some(&at) => self.pairs[at].1 = value,
            None => {
                self.index.insert(hashed, self.pairs.len());
                self.pairs.push((key, value));
            }
        }
        Ok(())
    }

    fn remove(&mut self, key: &Key) -> Option<Value> {
        let at = self.index.remove(key)?;
        for position in self.index.values_mut() {
            *position -= usize::from(*position > at);
        }
        Some(self.pairs.remove(at).1)
    }

    fn empty(&mut self) -> Vec<Value> {
        self.index.clear();
        std::mem::take(&mut self.pairs).into_iter().flat_map(|(key, value)| [key, value]).collect()
    }
}

/// A Python dictionary.
pub(crate) struct Dict {
    entries: Mutex<Entries>,
}

impl Dict {
    pub(crate) fn new(pairs: Vec<(Value, Value)>) -> Result<Dict, Error> {
        Ok(Dict { entries: Mutex::new(Entries::new(pairs)?) })
    }

    pub(crate) fn len(&self) -> usize {
        lock(&self.entries).pairs.len()
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Value> {
        lock(&self.entries).get(key)
    }

    pub(crate) fn pairs(&self) -> Vec<(Value, Value)> {
        lock(&self.entries).pairs.clone()
    }

    pub(crate) fn keys(&self) -> Vec<Value> {
        lock(&self.entries).pairs.iter().map(|(key, _)| key.clone()).collect()
    }

    pub(crate) fn insert(&self, key: Value, value: Value) -> Result<(), Error> {
        lock(&self.entries).insert(key, value)
    }

    pub(crate) fn remove(&self, key: &Key) -> Option<Value> {
        lock(&self.entries).remove(key)
    }
}

impl Empty for Dict {
    fn empty(&self) -> Vec<Value> {
        lock(&self.entries).empty()
    }
}

impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<dict of {}>", self.len())
    }
}

impl Object for Dict {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get(&Key::of(key).ok()?)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.keys())
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.len() > 0
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What `namespace()` makes: named values that survive the end of a loop.
pub(crate) struct Namespace {
    entries: Mutex<Entries>,
}

impl Namespace {
    pub(crate) fn new(pairs: Vec<(Value, Value)>) -> Result<Namespace, Error> {
        Ok(Namespace { entries: Mutex::new(Entries::new(pairs)?) })
    }

    pub(crate) fn set(&self, name: Value, value: Value) -> Result<(), Error> {
        lock(&self.entries).insert(name, value)
    }
}

impl Empty for Namespace {
    fn empty(&self) -> Vec<Value> {
        lock(&self.entries).empty()
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<namespace>")
    }
}

impl Object for Namespace {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        lock(&self.entries).get(&Key::of(key).ok()?)
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
