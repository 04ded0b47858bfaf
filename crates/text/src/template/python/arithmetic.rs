//! `+ - * / // % **` and `~` on values, with Python's rules for types.
//!
//! Integers have 128 bits; what needs more is an error and not a wrong number.

use minijinja::{Error, Value};

use super::heap::{Buffer, Heap, Outcome};
use super::percent;
use super::print::write_text;
use super::seq::{Seq, SeqKind};
use super::shape::{Shape, integer};
use crate::template::error::fault;

/// Applies one binary operator; `p` is the power and `f` the floor division.
pub(crate) fn binary(heap: &Heap, operator: char, a: &Value, b: &Value) -> Outcome {
    let (left, right) = (Shape::of(a), Shape::of(b));
    match (operator, left, right) {
        ('+', Shape::Str(a), Shape::Str(b)) => {
            heap.charge(a.len().saturating_add(b.len()))?;
            return Ok(Value::from([a, b].concat()));
        }
        ('+', Shape::Seq(a), Shape::Seq(b)) => return join(heap, a, b),
        ('*', Shape::Str(text), other) | ('*', other, Shape::Str(text)) => {
            return repeat_text(heap, text, count(other, "str")?);
        }
        ('*', Shape::Seq(seq), other) | ('*', other, Shape::Seq(seq)) => {
            return repeat_seq(heap, seq, count(other, seq.kind.name())?);
        }
        ('%', Shape::Str(pattern), _) => return percent::format(heap, pattern, b),
        _ => {}
    }
    if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
        return integers(operator, a, b);
    }
    if let (Some(a), Some(b)) = (left.as_float(), right.as_float()) {
        return floats(operator, a, b);
    }
    let symbol = match operator {
        'p' => "**".to_owned(),
        'f' => "//".to_owned(),
        other => other.to_string(),
    };
    let (left, right) = (left.type_name(), right.type_name());
    Err(fault(format!("unsupported operand types for {symbol}: '{left}' and '{right}'")))
}

/// How often a sequence is to be repeated; a negative number means not at all.
fn count(times: Shape<'_>, name: &str) -> Result<usize, Error> {
    let times = times.as_int().ok_or_else(|| {
        let other = times.type_name();
        fault(format!("can't multiply {name} by non-int of type '{other}'"))
    })?;
    Ok(usize::try_from(times.max(0)).unwrap_or(usize::MAX))
}

fn repeat_text(heap: &Heap, text: &str, times: usize) -> Outcome {
    let mut out = Buffer::new(heap);
    out.repeat(text, times)?;
    Ok(out.finish())
}

fn repeat_seq(heap: &Heap, seq: &Seq, times: usize) -> Outcome {
    if !matches!(seq.kind, SeqKind::List | SeqKind::Tuple | SeqKind::Group) {
        return Err(fault(format!("can't multiply {}", seq.kind.name())));
    }
    let len = seq.len().saturating_mul(times);
    heap.charge_slots(len)?;
    heap.seq(seq.kind, seq.take_items().into_iter().cycle().take(len).collect())
}

fn join(heap: &Heap, a: &Seq, b: &Seq) -> Outcome {
    let both_lists = a.kind == SeqKind::List && b.kind == SeqKind::List;
    let both_tuples = a.kind.is_tuple() && b.kind.is_tuple();
    if !both_lists && !both_tuples {
        let (left, right) = (a.kind.name(), b.kind.name());
        return Err(fault(format!("can only concatenate {left} (not \"{right}\") to {left}")));
    }
    heap.charge_slots(a.len().saturating_add(b.len()))?;
    let kind = if both_lists { SeqKind::List } else { SeqKind::Tuple };
    heap.seq(kind, [a.take_items(), b.take_items()].concat())
}

fn integers(operator: char, a: i128, b: i128) -> Outcome {
    let result = match operator {
        '+' => a.checked_add(b),
        '-' => a.checked_sub(b),
        '*' => a.checked_mul(b),
        '/' | 'f' | '%' if b == 0 => return Err(fault("division by zero")),
        '/' => return Ok(Value::from(a as f64 / b as f64)),
        'f' => a.checked_div_euclid(b).map(|_| floor_division(a, b).0),
        '%' => a.checked_rem_euclid(b).map(|_| floor_division(a, b).1),
        'p' if b < 0 => return floats('p', a as f64, b as f64),
        'p' => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        _ => None,
    };
    result.map(integer).ok_or_else(|| fault("the integer is too large"))
}

/// Quotient and remainder, rounded towards negative infinity.
fn floor_division(a: i128, b: i128) -> (i128, i128) {
    let (quotient, remainder) = (a / b, a % b);
    if remainder != 0 && (remainder < 0) != (b < 0) {
        (quotient - 1, remainder + b)
    } else {
        (quotient, remainder)
    }
}

fn floats(operator: char, a: f64, b: f64) -> Outcome {
    if matches!(operator, '/' | 'f' | '%') && b == 0.0 {
        return Err(fault("float division by zero"));
    }
    Ok(Value::from(match operator {
        '+' => a + b,
        '-' => a - b,
        '*' => a * b,
        '/' => a / b,
        'f' => float_division(a, b).0,
        '%' => float_division(a, b).1,
        'p' if a == 0.0 && b < 0.0 => return Err(fault("zero to a negative power")),
        'p' if a < 0.0 && b.fract() != 0.0 => {
            return Err(fault("a root of a negative number is not real"));
        }
        'p' => a.powf(b),
        _ => return Err(fault("unknown operator")),
    }))
}

fn float_division(a: f64, b: f64) -> (f64, f64) {
    let mut remainder = a % b;
    let mut quotient = (a - remainder) / b;
    if remainder == 0.0 {
        remainder = 0.0_f64.copysign(b);
    } else if (remainder < 0.0) != (b < 0.0) {
        remainder += b;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0.0_f64.copysign(a / b), remainder);
    }
    let floor = quotient.floor();
    (if quotient - floor > 0.5 { floor + 1.0 } else { floor }, remainder)
}

/// `-x` and `+x`.
pub(crate) fn sign(x: &Value, is_negative: bool) -> Outcome {
    match Shape::of(x) {
        Shape::Float(x) => Ok(Value::from(if is_negative { -x } else { x })),
        shape => match shape.as_int() {
            Some(x) => x
                .checked_mul(if is_negative { -1 } else { 1 })
                .map(integer)
                .ok_or_else(|| fault("the integer is too large")),
            None => Err(fault(format!("bad operand type for unary -: '{}'", shape.type_name()))),
        },
    }
}

/// `a ~ b ~ …`: all operands printed one after the other.
pub(crate) fn concat(heap: &Heap, operands: &[Value]) -> Outcome {
    let mut out = Buffer::new(heap);
    for operand in operands {
        write_text(&mut out, operand)?;
    }
    Ok(out.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_rounds_down() {
        let heap = Heap::new(1 << 10);
        let run = |operator, a: i64, b: i64| {
            let result = binary(&heap, operator, &Value::from(a), &Value::from(b)).unwrap();
            i64::try_from(result).unwrap()
        };
        assert_eq!((run('f', -7, 2), run('%', -7, 2)), (-4, 1));
        assert_eq!((run('f', 7, -2), run('%', 7, -2)), (-4, -1));
        assert_eq!(float_division(-7.5, 2.0), (-4.0, 0.5));
    }

    #[test]
    fn growth_is_paid_for_before_it_happens() {
        let heap = Heap::new(1 << 20);
        let (text, many) = (Value::from("abc"), Value::from(1_u64 << 40));
        assert!(binary(&heap, '*', &text, &many).is_err());
        let other = Heap::new(1 << 20);
        let list = other.list(vec![text]).unwrap();
        assert!(binary(&other, '*', &many, &list).is_err());
    }
}
