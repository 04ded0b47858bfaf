//! Filters on sequences and dictionaries that call no other filter.

use std::cmp::Ordering;

use minijinja::{Error, Value};

use super::super::error::fault;
use super::super::python::access::{item, iterate, length as length_of};
use super::super::python::arguments::Arguments;
use super::super::python::arithmetic::binary;
use super::super::python::compare::{equal, order, sort_by};
use super::super::python::heap::{Buffer, Heap, Outcome};
use super::super::python::methods::{pairs, reversed};
use super::super::python::print::write_text;
use super::super::python::seq::SeqKind;
use super::super::python::shape::Shape;

/// The path of an attribute such as `function.name`, walked through items.
pub(super) struct Path(Vec<Value>);

impl Path {
    pub(super) fn new(attribute: &Value) -> Path {
        let Some(text) = attribute.as_str() else { return Path(vec![attribute.clone()]) };
        let parts = text.split('.');
        let key = |part: &str| part.parse::<u32>().map_or_else(|_| Value::from(part), Value::from);
        Path(parts.map(key).collect())
    }

    pub(super) fn walk(&self, heap: &Heap, value: &Value) -> Outcome {
        let mut found = value.clone();
        for key in &self.0 {
            found = item(heap, &found, key)?;
        }
        Ok(found)
    }
}

/// What a value is sorted or compared by: an attribute of it, perhaps without regard to case.
pub(super) struct SortKey {
    paths: Vec<Path>,
    has_case: bool,
    /// What stands for a missing attribute.
    default: Option<Value>,
}

impl SortKey {
    pub(super) fn new(attribute: Option<&Value>, has_case: bool) -> SortKey {
        let paths = match attribute {
            None => Vec::new(),
            Some(attribute) => match attribute.as_str() {
                Some(text) => text.split(',').map(|part| Path::new(&Value::from(part))).collect(),
                None => vec![Path::new(attribute)],
            },
        };
        SortKey { paths, has_case, default: None }
    }

    pub(super) fn with_default(self, default: Option<Value>) -> SortKey {
        SortKey { default, ..self }
    }

    /// The attribute itself, before case is disregarded.
    pub(super) fn attribute(&self, heap: &Heap, path: &Path, value: &Value) -> Outcome {
        let found = path.walk(heap, value)?;
        let default = self.default.clone().filter(|_| found.is_undefined());
        Ok(default.unwrap_or(found))
    }

    pub(super) fn of(&self, heap: &Heap, value: &Value) -> Outcome {
        match self.paths.as_slice() {
            [] => self.folded(heap, value.clone()),
            [path] => self.folded(heap, self.attribute(heap, path, value)?),
            _ => self.tuple_of(heap, value),
        }
    }

    /// All attributes, even of one only, as a tuple: two missing attributes are equal in it.
    fn tuple_of(&self, heap: &Heap, value: &Value) -> Outcome {
        if self.paths.is_empty() {
            return self.of(heap, value);
        }
        let parts = self.paths.iter().map(|path| self.folded(heap, path.walk(heap, value)?));
        heap.seq(SeqKind::Tuple, parts.collect::<Result<_, _>>()?)
    }

    fn folded(&self, heap: &Heap, value: Value) -> Outcome {
        match value.as_str() {
            Some(text) if !self.has_case => heap.text(text.to_lowercase()),
            _ => Ok(value),
        }
    }
}

/// Sorts the values by their keys.
pub(super) fn sorted(
    heap: &Heap,
    values: Vec<Value>,
    key: impl Fn(&Value) -> Outcome,
    is_reverse: bool,
) -> Result<Vec<(Value, Value)>, Error> {
    let keyed: Result<Vec<(Value, Value)>, Error> =
        values.into_iter().map(|value| Ok((key(&value)?, value))).collect();
    sort_by(heap, keyed?, |a, b| {
        let (a, b) = if is_reverse { (b, a) } else { (a, b) };
        order(heap, &a.0, &b.0)
    })
}

pub(super) fn sort(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    let (is_reverse, has_case) = (arguments.flag("reverse"), arguments.flag("case_sensitive"));
    let key = SortKey::new(arguments.some("attribute").as_ref(), has_case);
    let sorted =
        sorted(heap, iterate(heap, value)?, |value| key.tuple_of(heap, value), is_reverse)?;
    heap.list(sorted.into_iter().map(|(_, value)| value).collect())
}

pub(super) fn dict_sort(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    let has_case = arguments.flag("case_sensitive");
    let by = arguments.optional_string("by")?;
    let is_reverse = arguments.flag("reverse");
    let at = match by.as_deref() {
        None | Some("key") => 0,
        Some("value") => 1,
        Some(_) => return Err(fault("you can only sort by either \"key\" or \"value\"")),
    };
    let Shape::Dict(dict) = Shape::of(value) else {
        let name = Shape::of(value).type_name();
        return Err(fault(format!("dictsort: '{name} object' has no attribute 'items'")));
    };
    let key = SortKey::new(Some(&Value::from(at)), has_case);
    let sorted = sorted(heap, pairs(heap, dict)?, |pair| key.of(heap, pair), is_reverse)?;
    heap.list(sorted.into_iter().map(|(_, pair)| pair).collect())
}

pub(super) fn dict_items(heap: &Heap, value: &Value, _: &mut Arguments) -> Outcome {
    match Shape::of(value) {
        Shape::Undefined => heap.seq(SeqKind::Generator, Vec::new()),
        Shape::Dict(dict) => heap.seq(SeqKind::Generator, pairs(heap, dict)?),
        _ => Err(fault("Can only get item pairs from a mapping.")),
    }
}

pub(super) fn first(heap: &Heap, value: &Value, _: &mut Arguments) -> Outcome {
    Ok(iterate(heap, value)?.into_iter().next().unwrap_or(Value::UNDEFINED))
}

pub(super) fn last(heap: &Heap, value: &Value, _: &mut Arguments) -> Outcome {
    length_of(heap, value)?;
    Ok(iterate(heap, value)?.pop().unwrap_or(Value::UNDEFINED))
}

pub(super) fn length(heap: &Heap, value: &Value, _: &mut Arguments) -> Outcome {
    length_of(heap, value).map(Value::from)
}

pub(super) fn list(heap: &Heap, value: &Value, _: &mut Arguments) -> Outcome {
    heap.list(iterate(heap, value)?)
}

pub(super) fn join(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    let separator = arguments.printed(heap, "d", "")?;
    let path = arguments.some("attribute").map(|attribute| Path::new(&attribute));
    let mut out = Buffer::new(heap);
    for (at, item) in iterate(heap, value)?.iter().enumerate() {
        if at > 0 {
            out.push(&separator)?;
        }
        match &path {
            Some(path) => write_text(&mut out, &path.walk(heap, item)?)?,
            None => write_text(&mut out, item)?,
        }
    }
    Ok(out.finish())
}

pub(super) fn reverse(heap: &Heap, value: &Value, _: &mut Arguments) -> Outcome {
    if value.as_str().is_some() {
        return reversed(heap, value);
    }
    let mut items = iterate(heap, value)?;
    items.reverse();
    heap.seq(SeqKind::Generator, items)
}

pub(super) fn unique(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    let has_case = arguments.flag("case_sensitive");
    let key = SortKey::new(arguments.some("attribute").as_ref(), has_case);
    let mut seen = std::collections::HashSet::new();
    let mut kept = Vec::new();
    for item in iterate(heap, value)? {
        if seen.insert(heap.key(&key.of(heap, &item)?)?) {
            kept.push(item);
        }
    }
    heap.seq(SeqKind::Generator, kept)
}

pub(super) fn minimum(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    extreme(heap, value, arguments, Ordering::Less)
}

pub(super) fn maximum(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    extreme(heap, value, arguments, Ordering::Greater)
}

fn extreme(heap: &Heap, value: &Value, arguments: &mut Arguments, wanted: Ordering) -> Outcome {
    let has_case = arguments.flag("case_sensitive");
    let key = SortKey::new(arguments.some("attribute").as_ref(), has_case);
    let mut best: Option<(Value, Value)> = None;
    for item in iterate(heap, value)? {
        let candidate = key.of(heap, &item)?;
        let is_better = match &best {
            None => true,
            Some((current, _)) => order(heap, &candidate, current)? == Some(wanted),
        };
        if is_better {
            best = Some((candidate, item));
        }
    }
    Ok(best.map_or(Value::UNDEFINED, |(_, item)| item))
}

pub(super) fn sum(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    let path = arguments.some("attribute").map(|attribute| Path::new(&attribute));
    let mut total = arguments.optional("start").unwrap_or(Value::from(0));
    if total.as_str().is_some() {
        return Err(fault("sum() can't sum strings"));
    }
    for item in iterate(heap, value)? {
        let item = match &path {
            Some(path) => path.walk(heap, &item)?,
            None => item,
        };
        total = binary(heap, '+', &total, &item)?;
    }
    Ok(total)
}

/// Rows of `linecount` items, the last one filled up when there is something to fill it with.
pub(super) fn batch(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    let size = usize::try_from(arguments.int("linecount", 0)?).unwrap_or(0);
    let fill = arguments.some("fill_with");
    if size == 0 {
        return Err(fault("batch: the number of items must be positive"));
    }
    let mut rows = Vec::new();
    for chunk in iterate(heap, value)?.chunks(size) {
        let mut row = chunk.to_vec();
        if let Some(fill) = &fill {
            heap.charge_slots(size)?;
            row.resize(size, fill.clone());
        }
        rows.push(heap.list(row)?);
    }
    heap.seq(SeqKind::Generator, rows)
}

/// A number of columns whose lengths differ by at most one.
pub(super) fn slice(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    let count = usize::try_from(arguments.int("slices", 0)?).unwrap_or(0);
    let fill = arguments.some("fill_with");
    if count == 0 {
        return Err(fault("slice: the number of slices must be positive"));
    }
    let items = iterate(heap, value)?;
    let (size, longer) = (items.len() / count, items.len() % count);
    heap.charge_slots(count)?;
    let mut columns = Vec::new();
    let mut rest = items.as_slice();
    for column in 0..count {
        let (head, tail) = rest.split_at(size + usize::from(column < longer));
        rest = tail;
        let mut column_items = head.to_vec();
        if column >= longer {
            column_items.extend(fill.clone());
        }
        columns.push(heap.list(column_items)?);
    }
    heap.seq(SeqKind::Generator, columns)
}

/// Runs of values with equal keys, in the order of the keys.
pub(super) fn grouped(heap: &Heap, values: Vec<Value>, key: &SortKey, path: &Path) -> Outcome {
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for (sort_key, value) in sorted(heap, values, |value| key.of(heap, value), false)? {
        match groups.last_mut() {
            Some((current, members)) if equal(heap, current, &sort_key)? => members.push(value),
            _ => groups.push((sort_key, vec![value])),
        }
    }
    let groups = groups.into_iter().map(|(_, members)| {
        let grouper = key.attribute(heap, path, &members[0])?;
        let members = heap.list(members)?;
        heap.seq(SeqKind::Group, vec![grouper, members])
    });
    heap.list(groups.collect::<Result<_, _>>()?)
}
