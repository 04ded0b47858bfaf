//! Lists, tuples and the other sequences of Python, as the template engine sees them.
//!
//! A list can be changed by its methods, so all holders of it see the change. Knows nothing of
//! printing or comparing; those walk values of all kinds and live elsewhere.

use std::fmt;
use std::sync::{Arc, Mutex};

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};

use super::heap::{Empty, lock};
use super::shape::{Shape, index_within, integer};

/// Which Python type a sequence stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeqKind {
    List,
    Tuple,
    /// What `groupby` yields: a tuple whose two items also have names.
    Group,
    Range,
    /// `dict.keys()`, `dict.values()` and `dict.items()`.
    Keys,
    Values,
    Items,
    /// Something that can be iterated once, such as the result of `map`.
    Generator,
}

impl SeqKind {
    /// Whether `x[0]` works.
    pub(crate) fn is_indexable(self) -> bool {
        matches!(self, SeqKind::List | SeqKind::Tuple | SeqKind::Group | SeqKind::Range)
    }

    /// Whether `len(x)` works.
    pub(crate) fn is_sized(self) -> bool {
        self != SeqKind::Generator
    }

    pub(crate) fn is_tuple(self) -> bool {
        matches!(self, SeqKind::Tuple | SeqKind::Group)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            SeqKind::List => "list",
            SeqKind::Tuple | SeqKind::Group => "tuple",
            SeqKind::Range => "range",
            SeqKind::Keys => "dict_keys",
            SeqKind::Values => "dict_values",
            SeqKind::Items => "dict_items",
            SeqKind::Generator => "generator",
        }
    }
}

/// The numbers of a range, which are not stored: templates make a range for each message.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Span {
    pub(crate) start: i128,
    pub(crate) step: i128,
    pub(crate) len: usize,
}

impl Span {
    fn get(&self, index: usize) -> Option<Value> {
        // Whoever made the span has seen to it that all its numbers fit.
        (index < self.len).then(|| integer(self.start + self.step * index as i128))
    }
}

/// A sequence of values.
pub(crate) struct Seq {
    pub(crate) kind: SeqKind,
    items: Mutex<Vec<Value>>,
    /// What a range has instead of items.
    pub(crate) span: Span,
}

impl Seq {
    pub(crate) fn new(kind: SeqKind, items: Vec<Value>) -> Seq {
        Seq { kind, items: Mutex::new(items), span: Span::default() }
    }

    pub(crate) fn range(span: Span) -> Seq {
        Seq { kind: SeqKind::Range, items: Mutex::default(), span }
    }

    pub(crate) fn len(&self) -> usize {
        match self.kind {
            SeqKind::Range => self.span.len,
            _ => lock(&self.items).len(),
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<Value> {
        match self.kind {
            SeqKind::Range => self.span.get(index),
            _ => lock(&self.items).get(index).cloned(),
        }
    }

    /// The items as they are now. A generator is exhausted by this.
    pub(crate) fn take_items(&self) -> Vec<Value> {
        match self.kind {
            SeqKind::Generator => std::mem::take(&mut *lock(&self.items)),
            SeqKind::Range => (0..self.span.len).filter_map(|at| self.span.get(at)).collect(),
            _ => lock(&self.items).clone(),
        }
    }

    /// Changes a list in place. The closure must not look at other values: the list is locked.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Vec<Value>) -> T) -> T {
        change(&mut lock(&self.items))
    }
}

impl Empty for Seq {
    fn empty(&self) -> Vec<Value> {
        std::mem::take(&mut *lock(&self.items))
    }
}

impl fmt::Debug for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The items may contain this very sequence.
        write!(f, "<{} of {}>", self.kind.name(), self.len())
    }
}

impl Object for Seq {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        if self.kind.is_indexable() { ObjectRepr::Seq } else { ObjectRepr::Iterable }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match (self.kind, Shape::of(key)) {
            (SeqKind::Group, Shape::Str("grouper")) => self.get(0),
            (SeqKind::Group, Shape::Str("list")) => self.get(1),
            (_, Shape::Int(index)) if self.kind.is_indexable() => {
                self.get(index_within(index, self.len())?)
            }
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.take_items())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        self.kind.is_sized().then(|| self.len())
    }

    fn is_true(self: &Arc<Self>) -> bool {
        !self.kind.is_sized() || self.len() > 0
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
