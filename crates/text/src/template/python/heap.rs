//! What one rendering may use: bytes it creates, and the containers that hold its values.
//!
//! Fuel bounds the number of steps, but a single step such as `a ~ a` can double the memory. So
//! all code that creates text or containers pays for it here, before it allocates. Nothing is ever
//! paid back: the sum bounds both memory and the time spent copying.
//!
//! The heap also keeps every container until the rendering ends and empties them one by one.
//! Lists may hold themselves, or a million lists inside each other; freeing them by reference
//! counting alone would leak the first and overflow the stack on the second.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::{Error, Value};

use super::dict::{Dict, Key, Namespace};
use super::seq::{Seq, SeqKind, Span};
use super::shape::Shape;
use crate::template::error::{Thrown, fault};

/// What every function of the template language returns.
pub(crate) type Outcome = Result<Value, Error>;

/// A container that can be emptied.
pub(crate) trait Empty: Send + Sync {
    /// Takes all values out.
    fn empty(&self) -> Vec<Value>;
}

/// The memory of one rendering.
pub(crate) struct Heap {
    spent: AtomicU64,
    limit: u64,
    containers: Mutex<Vec<Arc<dyn Empty>>>,
}

/// A container costs at least this much, however little it holds.
const CONTAINER_BYTES: usize = 160;
/// One value in a container, with the slack of a growing vector.
const SLOT_BYTES: usize = 32;
/// Looking at a value takes about the time of copying so many bytes.
const VISIT_BYTES: usize = 8;

impl Heap {
    pub(crate) fn new(limit: u64) -> Arc<Heap> {
        Arc::new(Heap { spent: AtomicU64::new(0), limit, containers: Mutex::default() })
    }

    /// Pays for `bytes` that are about to be created.
    pub(crate) fn charge(&self, bytes: usize) -> Result<(), Error> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        // A rendering runs on one thread; the atomic only makes the type shareable.
        let spent = self.spent.load(Ordering::Relaxed).saturating_add(bytes);
        self.spent.store(spent, Ordering::Relaxed);
        if spent > self.limit { Err(Thrown::TooLarge(self.limit).into()) } else { Ok(()) }
    }

    /// Pays for reading `bytes`, which is an order cheaper than creating them.
    pub(crate) fn charge_reading(&self, bytes: usize) -> Result<(), Error> {
        self.charge(bytes / 16 + 1)
    }

    /// Pays for looking at `count` values one after the other.
    pub(crate) fn charge_visits(&self, count: usize) -> Result<(), Error> {
        self.charge(count.saturating_mul(VISIT_BYTES))
    }

    /// Pays for `count` values that are about to be put into a container.
    pub(crate) fn charge_slots(&self, count: usize) -> Result<(), Error> {
        self.charge(count.saturating_mul(SLOT_BYTES))
    }

    /// A finished string.
    pub(crate) fn text(&self, text: impl AsRef<str>) -> Outcome {
        let text = text.as_ref();
        self.charge(text.len())?;
        Ok(Value::from(text))
    }

    pub(crate) fn list(&self, items: Vec<Value>) -> Outcome {
        self.seq(SeqKind::List, items)
    }

    pub(crate) fn seq(&self, kind: SeqKind, items: Vec<Value>) -> Outcome {
        self.charge_slots(items.len())?;
        items.iter().try_for_each(|item| self.check_storable(item))?;
        self.keep(Seq::new(kind, items))
    }

    pub(crate) fn range(&self, span: Span) -> Outcome {
        self.keep(Seq::range(span))
    }

    /// Refuses the engine's loop object as a member of a container. A loop holds the items it runs
    /// over; if these could be loops again, nobody would take the chain apart before it is freed.
    pub(crate) fn check_storable(&self, value: &Value) -> Result<(), Error> {
        let is_foreign = value.as_object().is_some() && matches!(Shape::of(value), Shape::Other);
        if is_foreign && value.get_attr("revindex0").is_ok_and(|found| !found.is_undefined()) {
            return Err(fault("the loop object cannot be put into a container"));
        }
        Ok(())
    }

    /// What a value is as a key of a dictionary, which has a copy of it.
    pub(crate) fn key(&self, value: &Value) -> Result<Key, Error> {
        self.charge_keys([value])?;
        Key::of(value)
    }

    /// Pays for keys that are about to be copied into a dictionary.
    pub(crate) fn charge_keys<'v>(
        &self,
        keys: impl IntoIterator<Item = &'v Value>,
    ) -> Result<(), Error> {
        keys.into_iter().try_for_each(|key| self.charge(Key::bytes(key)))
    }

    /// A dictionary of the given pairs; a later pair replaces an earlier one with the same key.
    pub(crate) fn dict(&self, pairs: Vec<(Value, Value)>) -> Outcome {
        self.charge_slots(pairs.len().saturating_mul(4))?;
        self.charge_keys(pairs.iter().map(|(key, _)| key))?;
        pairs.iter().try_for_each(|(_, value)| self.check_storable(value))?;
        self.keep(Dict::new(pairs)?)
    }

    pub(crate) fn namespace(&self, pairs: Vec<(Value, Value)>) -> Outcome {
        self.charge_slots(pairs.len().saturating_mul(4))?;
        self.charge_keys(pairs.iter().map(|(key, _)| key))?;
        pairs.iter().try_for_each(|(_, value)| self.check_storable(value))?;
        self.keep(Namespace::new(pairs)?)
    }

    fn keep<C: Empty + minijinja::value::Object + 'static>(&self, container: C) -> Outcome {
        self.charge(CONTAINER_BYTES)?;
        let container = Arc::new(container);
        lock(&self.containers).push(container.clone());
        Ok(Value::from_dyn_object(container))
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        // While the list of containers is alive no container is freed by losing a holder, so that
        // nothing here descends.
        let containers = std::mem::take(&mut *lock(&self.containers));
        for container in &containers {
            drop(container.empty());
        }
    }
}

/// A string under construction that is paid for as it grows.
pub(crate) struct Buffer<'h> {
    heap: &'h Heap,
    text: String,
}

impl<'h> Buffer<'h> {
    pub(crate) fn new(heap: &'h Heap) -> Buffer<'h> {
        Buffer { heap, text: String::new() }
    }

    pub(crate) fn push(&mut self, text: &str) -> Result<(), Error> {
        self.heap.charge(text.len())?;
        self.text.push_str(text);
        Ok(())
    }

    pub(crate) fn push_char(&mut self, c: char) -> Result<(), Error> {
        self.heap.charge(c.len_utf8())?;
        self.text.push(c);
        Ok(())
    }

    /// Appends `text` as often as `count` says.
    pub(crate) fn repeat(&mut self, text: &str, count: usize) -> Result<(), Error> {
        self.heap.charge(text.len().saturating_mul(count))?;
        self.text.extend(std::iter::repeat_n(text, count));
        Ok(())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn heap(&self) -> &'h Heap {
        self.heap
    }

    pub(crate) fn finish(self) -> Value {
        Value::from(self.text)
    }

    pub(crate) fn into_string(self) -> String {
        self.text
    }
}

/// Locks without regard to poison: a value is never left half changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
