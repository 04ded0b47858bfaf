//! `==`, `<` and `in` as Python defines them, and sorting by them.

use std::cmp::Ordering;

use minijinja::{Error, Value};

use super::access::iterate;
use super::heap::Heap;
use super::print::MAX_DEPTH;
use super::shape::Shape;
use crate::template::error::fault;

/// Comparing two containers, however small, takes about the time of looking at so many values.
const COMPARE_VISITS: usize = 8;

/// `a == b`.
pub(crate) fn equal(heap: &Heap, a: &Value, b: &Value) -> Result<bool, Error> {
    equal_at(heap, a, b, 0)
}

fn equal_at(heap: &Heap, a: &Value, b: &Value, depth: usize) -> Result<bool, Error> {
    if depth > MAX_DEPTH {
        return Err(fault("maximum recursion depth exceeded in comparison"));
    }
    Ok(match (Shape::of(a), Shape::of(b)) {
        (Shape::Undefined, Shape::Undefined) | (Shape::None, Shape::None) => true,
        (Shape::Str(a), Shape::Str(b)) => {
            heap.charge_reading(a.len().min(b.len()))?;
            a == b
        }
        (Shape::Seq(a), Shape::Seq(b)) => {
            let alike = a.kind == b.kind || a.kind.is_tuple() && b.kind.is_tuple();
            if !alike || a.len() != b.len() || !a.kind.is_sized() {
                return Ok(std::ptr::eq(a, b));
            }
            heap.charge_visits(COMPARE_VISITS + 2 * a.len())?;
            let (a, b) = (a.take_items(), b.take_items());
            for (a, b) in a.iter().zip(&b) {
                if !equal_at(heap, a, b, depth + 1)? {
                    return Ok(false);
                }
            }
            true
        }
        (Shape::Dict(a), Shape::Dict(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            heap.charge_visits(COMPARE_VISITS + 4 * a.len())?;
            for (key, value) in a.pairs() {
                match b.get(&heap.key(&key)?) {
                    Some(other) if equal_at(heap, &value, &other, depth + 1)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (a, b) => is_same_number(a, b) || is_same_object(a, b),
    })
}

fn is_same_number(a: Shape<'_>, b: Shape<'_>) -> bool {
    match (a.as_int(), b.as_int()) {
        (Some(a), Some(b)) => a == b,
        _ => matches!((a.as_float(), b.as_float()), (Some(a), Some(b)) if a == b),
    }
}

fn is_same_object(a: Shape<'_>, b: Shape<'_>) -> bool {
    matches!((a, b), (Shape::Namespace(a), Shape::Namespace(b)) if std::ptr::eq(a, b))
}

/// How `a` and `b` are ordered; `None` for numbers that are not.
pub(crate) fn order(heap: &Heap, a: &Value, b: &Value) -> Result<Option<Ordering>, Error> {
    order_at(heap, a, b, 0)
}

fn order_at(heap: &Heap, a: &Value, b: &Value, depth: usize) -> Result<Option<Ordering>, Error> {
    let (left, right) = (Shape::of(a), Shape::of(b));
    match (left, right) {
        (Shape::Str(a), Shape::Str(b)) => {
            heap.charge_reading(a.len().min(b.len()))?;
            return Ok(Some(a.cmp(b)));
        }
        (Shape::Seq(a), Shape::Seq(b))
            if depth < MAX_DEPTH
                && a.kind.is_indexable()
                && (a.kind == b.kind || a.kind.is_tuple() && b.kind.is_tuple()) =>
        {
            heap.charge_visits(COMPARE_VISITS + a.len() + b.len())?;
            let (a, b) = (a.take_items(), b.take_items());
            for (a, b) in a.iter().zip(&b) {
                if !equal_at(heap, a, b, depth + 1)? {
                    return order_at(heap, a, b, depth + 1);
                }
            }
            return Ok(Some(a.len().cmp(&b.len())));
        }
        _ => {}
    }
    if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
        return Ok(Some(a.cmp(&b)));
    }
    if let (Some(a), Some(b)) = (left.as_float(), right.as_float()) {
        return Ok(a.partial_cmp(&b));
    }
    let (left, right) = (left.type_name(), right.type_name());
    Err(fault(format!("'<' not supported between instances of '{left}' and '{right}'")))
}

/// `item in container`.
pub(crate) fn contains(heap: &Heap, container: &Value, item: &Value) -> Result<bool, Error> {
    match (Shape::of(container), Shape::of(item)) {
        (Shape::Str(text), Shape::Str(part)) => {
            heap.charge_reading(text.len())?;
            Ok(text.contains(part))
        }
        (Shape::Str(_), other) => {
            let name = other.type_name();
            Err(fault(format!("'in <string>' requires string as left operand, not {name}")))
        }
        (Shape::Dict(dict), _) => Ok(dict.get(&heap.key(item)?).is_some()),
        _ => {
            for candidate in iterate(heap, container)? {
                if equal(heap, &candidate, item)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

/// Sorts without changing the order of equals. The order may fail, as it does between types.
pub(crate) fn sort_by<T>(
    heap: &Heap,
    items: Vec<T>,
    order: impl Fn(&T, &T) -> Result<Option<Ordering>, Error>,
) -> Result<Vec<T>, Error> {
    heap.charge_visits(items.len().saturating_mul(16))?;
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    let mut from: Vec<usize> = (0..items.len()).collect();
    let mut to = from.clone();
    let is_less = |a: usize, b: usize| match (&items[a], &items[b]) {
        (Some(a), Some(b)) => Ok::<bool, Error>(order(a, b)? == Some(Ordering::Less)),
        _ => Ok(false),
    };
    // A bottom-up merge sort, because the standard one neither fails nor tolerates an order that
    // contradicts itself.
    let mut width = 1;
    while width < from.len() {
        for start in (0..from.len()).step_by(2 * width) {
            let middle = (start + width).min(from.len());
            let end = (start + 2 * width).min(from.len());
            let (mut left, mut right) = (start, middle);
            for slot in &mut to[start..end] {
                let take_right =
                    right < end && (left >= middle || is_less(from[right], from[left])?);
                let taken = if take_right { &mut right } else { &mut left };
                *slot = from[*taken];
                *taken += 1;
            }
        }
        std::mem::swap(&mut from, &mut to);
        width *= 2;
    }
    Ok(from.into_iter().filter_map(|at| items[at].take()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorting_is_stable_and_can_fail() {
        let heap = Heap::new(1 << 20);
        for len in 0..40_usize {
            let items: Vec<(usize, usize)> = (0..len).map(|at| (at * 7 % 5, at)).collect();
            let mut expected = items.clone();
            expected.sort();
            let sorted = sort_by(&heap, items, |a, b| Ok(Some(a.0.cmp(&b.0)))).unwrap();
            assert_eq!(sorted, expected);
        }
        assert!(sort_by(&heap, vec![1, 2], |_, _| Err(fault("no order"))).is_err());
    }

    #[test]
    fn numbers_of_all_kinds_are_comparable() {
        let heap = Heap::new(1 << 20);
        assert!(equal(&heap, &Value::from(1), &Value::from(1.0)).unwrap());
        assert!(equal(&heap, &Value::from(true), &Value::from(1)).unwrap());
        assert!(!equal(&heap, &Value::from("1"), &Value::from(1)).unwrap());
        assert!(order(&heap, &Value::from("a"), &Value::from(1)).is_err());
    }
}
