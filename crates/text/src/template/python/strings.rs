//! The methods of Python strings.
//!
//! Positions count characters, not bytes. What grows a string is paid for as it grows.

use minijinja::{Error, Value};

use super::access::iterate;
use super::arguments::Arguments;
use super::braces;
use super::heap::{Buffer, Heap, Outcome};
use super::print::is_printable;
use super::seq::SeqKind;
use super::shape::{Shape, integer};
use super::split::{lines, split, split_right};
use crate::template::error::fault;

/// A method of strings: the string and the arguments.
pub(crate) type Method = fn(&Heap, &str, &mut Arguments) -> Outcome;

/// The method with this name.
pub(crate) fn method(name: &str) -> Option<Method> {
    METHODS.iter().find(|(known, _)| *known == name).map(|(_, method)| *method)
}

const METHODS: [(&str, Method); 43] = [
    ("capitalize", |heap, text, _| heap.text(capitalize(heap, text)?)),
    ("casefold", |heap, text, _| heap.text(text.to_lowercase())),
    ("center", |heap, text, args| justify(heap, text, args, Side::Both)),
    ("count", count),
    ("endswith", |heap, text, args| affix(heap, text, args, |t, end| t.ends_with(end))),
    ("expandtabs", expandtabs),
    ("find", |_, text, args| position(text, args, |t, part| t.find(part))),
    ("format", |heap, text, args| braces::format(heap, text, args)),
    ("index", |_, text, args| found(position(text, args, |t, part| t.find(part))?)),
    ("isalnum", |_, text, _| every(text, char::is_alphanumeric)),
    ("isalpha", |_, text, _| every(text, char::is_alphabetic)),
    ("isascii", |_, text, _| Ok(Value::from(text.is_ascii()))),
    ("isdecimal", |_, text, _| every(text, |c| is_digit(c) && !is_raised(c))),
    ("isdigit", |_, text, _| every(text, is_digit)),
    ("isidentifier", |_, text, _| Ok(Value::from(is_identifier(text)))),
    ("islower", |_, text, _| Ok(Value::from(is_cased(text, char::is_uppercase)))),
    ("isnumeric", |_, text, _| every(text, char::is_numeric)),
    ("isprintable", |_, text, _| Ok(Value::from(text.chars().all(is_printable)))),
    ("isspace", |_, text, _| every(text, is_space)),
    ("istitle", |heap, text, _| is_title(heap, text)),
    ("isupper", |_, text, _| Ok(Value::from(is_cased(text, char::is_lowercase)))),
    ("join", join),
    ("ljust", |heap, text, args| justify(heap, text, args, Side::Right)),
    ("lower", |heap, text, _| heap.text(text.to_lowercase())),
    ("lstrip", |heap, text, args| strip(heap, text, args, (true, false))),
    ("partition", |heap, text, args| partition(heap, text, args, true)),
    ("removeprefix", |heap, text, args| remove(heap, text, args, |t, start| t.strip_prefix(start))),
    ("removesuffix", |heap, text, args| remove(heap, text, args, |t, end| t.strip_suffix(end))),
    ("replace", replace_method),
    ("rfind", |_, text, args| position(text, args, |t, part| t.rfind(part))),
    ("rindex", |_, text, args| found(position(text, args, |t, part| t.rfind(part))?)),
    ("rjust", |heap, text, args| justify(heap, text, args, Side::Left)),
    ("rpartition", |heap, text, args| partition(heap, text, args, false)),
    ("rsplit", |heap, text, args| split_method(heap, text, args, split_right)),
    ("rstrip", |heap, text, args| strip(heap, text, args, (false, true))),
    ("split", |heap, text, args| split_method(heap, text, args, split)),
    ("splitlines", splitlines),
    ("startswith", |heap, text, args| affix(heap, text, args, |t, start| t.starts_with(start))),
    ("strip", |heap, text, args| strip(heap, text, args, (true, true))),
    ("swapcase", swapcase),
    ("title", |heap, text, _| heap.text(title(heap, text)?)),
    ("upper", |heap, text, _| heap.text(text.to_uppercase())),
    ("zfill", zfill),
];

/// What `str.strip` takes for white space.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Digits of any script, raised or not; fractions and Roman numerals are none.
fn is_digit(c: char) -> bool {
    let is_fraction = matches!(c, '\u{bc}'..='\u{be}' | '\u{2150}'..='\u{218b}');
    c.is_ascii_digit() || c.is_numeric() && !is_fraction
}

fn is_raised(c: char) -> bool {
    matches!(c, '\u{b2}' | '\u{b3}' | '\u{b9}' | '\u{2070}'..='\u{2089}')
}

fn every(text: &str, test: impl Fn(char) -> bool) -> Outcome {
    Ok(Value::from(!text.is_empty() && text.chars().all(test)))
}

/// Whether there are letters with case and none of the other case.
pub(crate) fn is_cased(text: &str, is_other: fn(char) -> bool) -> bool {
    let mut has_case = false;
    for c in text.chars() {
        if is_other(c) {
            return false;
        }
        has_case |= c.is_lowercase() || c.is_uppercase();
    }
    has_case
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// First letter upper, the rest lower.
pub(crate) fn capitalize(heap: &Heap, text: &str) -> Result<String, Error> {
    heap.charge(text.len())?;
    let mut rest = text.chars();
    let first: String = rest.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    Ok(first + &rest.as_str().to_lowercase())
}

/// Every run of letters begins with a capital.
fn title(heap: &Heap, text: &str) -> Result<String, Error> {
    heap.charge(text.len())?;
    let mut out = String::with_capacity(text.len());
    let mut is_inside = false;
    for c in text.chars() {
        if is_inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        is_inside = c.is_lowercase() || c.is_uppercase();
    }
    Ok(out)
}

fn is_title(heap: &Heap, text: &str) -> Outcome {
    let has_letters = text.chars().any(|c| c.is_lowercase() || c.is_uppercase());
    Ok(Value::from(has_letters && title(heap, text)? == text))
}

fn swapcase(heap: &Heap, text: &str, _: &mut Arguments) -> Outcome {
    let mut out = Buffer::new(heap);
    for c in text.chars() {
        if c.is_uppercase() {
            c.to_lowercase().try_for_each(|c| out.push_char(c))?;
        } else {
            c.to_uppercase().try_for_each(|c| out.push_char(c))?;
        }
    }
    Ok(out.finish())
}

/// Strips white space, or the characters of the argument, from the chosen ends.
fn strip(heap: &Heap, text: &str, args: &mut Arguments, ends: (bool, bool)) -> Outcome {
    let characters = args.optional_string("chars")?;
    heap.text(strip_of(heap, text, characters.as_deref(), ends)?)
}

/// The same, paid for: each character at the ends is looked for among those given.
pub(crate) fn strip_of<'t>(
    heap: &Heap,
    text: &'t str,
    characters: Option<&str>,
    ends: (bool, bool),
) -> Result<&'t str, Error> {
    heap.charge_reading(text.len().saturating_mul(characters.unwrap_or("").len()))?;
    Ok(stripped(text, characters, ends))
}

/// The text without white space, or without the given characters, at its start and end.
pub(crate) fn stripped<'t>(
    text: &'t str,
    characters: Option<&str>,
    (start, end): (bool, bool),
) -> &'t str {
    let goes = |c: char| characters.map_or_else(|| is_space(c), |set| set.contains(c));
    let text = if start { text.trim_start_matches(goes) } else { text };
    if end { text.trim_end_matches(goes) } else { text }
}

/// The part of the text between the optional arguments `start` and `end`, and its byte offset.
fn window<'t>(text: &'t str, args: &mut Arguments) -> Result<Option<(&'t str, usize)>, Error> {
    let (start, end) = (args.optional_int("start")?, args.optional_int("end")?);
    if start.is_none() && end.is_none() {
        return Ok(Some((text, 0)));
    }
    let len = text.chars().count() as i128;
    let place = |x: i128| if x < 0 { (x + len).max(0) } else { x };
    let (start, end) = (place(start.unwrap_or(0)), place(end.unwrap_or(len)).min(len));
    if start > end {
        return Ok(None);
    }
    let offset = |at: i128| {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        text.char_indices().nth(at).map_or(text.len(), |(offset, _)| offset)
    };
    Ok(Some((&text[offset(start)..offset(end)], offset(start))))
}

/// Where the argument is found, counted in characters, or -1.
fn position(
    text: &str,
    args: &mut Arguments,
    search: for<'t> fn(&'t str, &'t str) -> Option<usize>,
) -> Outcome {
    let wanted = args.string("sub")?;
    let found = window(text, args)?.and_then(|(part, offset)| {
        let at = search(part, &wanted)? + offset;
        Some(text[..at].chars().count() as i128)
    });
    Ok(integer(found.unwrap_or(-1)))
}

fn found(position: Value) -> Outcome {
    if Shape::of(&position).as_int() == Some(-1) {
        return Err(fault("substring not found"));
    }
    Ok(position)
}

fn count(_: &Heap, text: &str, args: &mut Arguments) -> Outcome {
    let wanted = args.string("sub")?;
    let found = window(text, args)?.map_or(0, |(part, _)| part.matches(wanted.as_str()).count());
    Ok(Value::from(found))
}

/// `startswith` and `endswith`, which take one string or a tuple of them.
fn affix(
    heap: &Heap,
    text: &str,
    args: &mut Arguments,
    test: for<'t> fn(&'t str, &'t str) -> bool,
) -> Outcome {
    let wanted = args.required("affix")?;
    let part = window(text, args)?;
    let matches = |wanted: &str| part.is_some_and(|(part, _)| test(part, wanted));
    match Shape::of(&wanted) {
        Shape::Str(wanted) => Ok(Value::from(matches(wanted))),
        Shape::Seq(seq) if seq.kind.is_tuple() => {
            let candidates = iterate(heap, &wanted)?;
            let is_string = |value: &Value| value.as_str().is_some();
            if !candidates.iter().all(is_string) {
                return Err(fault("a tuple of affixes must contain only strings"));
            }
            let found = candidates.iter().filter_map(Value::as_str).any(matches);
            Ok(Value::from(found))
        }
        other => {
            let name = other.type_name();
            Err(fault(format!("the first argument must be str or a tuple of str, not {name}")))
        }
    }
}

fn join(heap: &Heap, separator: &str, args: &mut Arguments) -> Outcome {
    let mut out = Buffer::new(heap);
    for (at, item) in iterate(heap, &args.required("iterable")?)?.iter().enumerate() {
        if at > 0 {
            out.push(separator)?;
        }
        let text = item.as_str().ok_or_else(|| {
            let found = Shape::of(item).type_name();
            fault(format!("sequence item {at}: expected str instance, {found} found"))
        })?;
        out.push(text)?;
    }
    Ok(out.finish())
}

fn replace_method(heap: &Heap, text: &str, args: &mut Arguments) -> Outcome {
    let (old, new) = (args.string("old")?, args.string("new")?);
    let count = args.int("count", -1)?;
    replace(heap, text, (&old, &new), count)
}

/// Replaces the first `count` occurrences; a negative count means all.
pub(crate) fn replace(heap: &Heap, text: &str, pair: (&str, &str), count: i128) -> Outcome {
    let (old, new) = pair;
    heap.charge_reading(text.len())?;
    let limit = usize::try_from(count).unwrap_or(usize::MAX);
    let mut out = Buffer::new(heap);
    let mut end = 0;
    for (at, matched) in text.match_indices(old).take(limit) {
        out.push(&text[end..at])?;
        out.push(new)?;
        end = at + matched.len();
    }
    out.push(&text[end..])?;
    Ok(out.finish())
}

fn remove(
    heap: &Heap,
    text: &str,
    args: &mut Arguments,
    cut: for<'t> fn(&'t str, &'t str) -> Option<&'t str>,
) -> Outcome {
    let affix = args.string("affix")?;
    let rest = cut(text, &affix).unwrap_or(text).to_owned();
    heap.text(rest)
}

fn partition(heap: &Heap, text: &str, args: &mut Arguments, from_left: bool) -> Outcome {
    let separator = args.string("sep")?;
    if separator.is_empty() {
        return Err(fault("empty separator"));
    }
    let halves =
        if from_left { text.split_once(&*separator) } else { text.rsplit_once(&*separator) };
    let parts = match (halves, from_left) {
        (Some((before, after)), _) => [before, &separator, after],
        (None, true) => [text, "", ""],
        (None, false) => ["", "", text],
    };
    heap.charge(text.len())?;
    heap.seq(SeqKind::Tuple, parts.iter().map(|part| Value::from(*part)).collect())
}

type Splitter = for<'t> fn(&'t str, Option<&str>, usize) -> Vec<&'t str>;

fn split_method(heap: &Heap, text: &str, args: &mut Arguments, splitter: Splitter) -> Outcome {
    let separator = args.optional_string("sep")?;
    let limit = usize::try_from(args.int("maxsplit", -1)?).unwrap_or(usize::MAX);
    if separator.as_deref() == Some("") {
        return Err(fault("empty separator"));
    }
    heap.charge(text.len())?;
    let parts = splitter(text, separator.as_deref(), limit);
    heap.list(parts.into_iter().map(Value::from).collect())
}

fn splitlines(heap: &Heap, text: &str, args: &mut Arguments) -> Outcome {
    let keep_ends = args.flag("keepends");
    heap.charge(text.len())?;
    heap.list(lines(text, keep_ends).into_iter().map(Value::from).collect())
}

/// On which side of the text the padding goes.
#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
    Both,
}

fn justify(heap: &Heap, text: &str, args: &mut Arguments, side: Side) -> Outcome {
    let width = args.required("width")?;
    let width = Shape::of(&width).as_int().ok_or_else(|| fault("the width must be an integer"))?;
    let fill = args.optional_string("fillchar")?.unwrap_or_else(|| " ".to_owned());
    if fill.chars().count() != 1 {
        return Err(fault("the fill character must be exactly one character long"));
    }
    let padding = missing(text, width);
    let left = match side {
        Side::Left => padding,
        Side::Right => 0,
        // An odd padding leans to the left when the width is odd.
        Side::Both => padding / 2 + (padding & usize::try_from(width).unwrap_or(0) & 1),
    };
    let mut out = Buffer::new(heap);
    out.repeat(&fill, left)?;
    out.push(text)?;
    out.repeat(&fill, padding - left)?;
    Ok(out.finish())
}

/// How many characters the text is short of `width`.
pub(crate) fn missing(text: &str, width: i128) -> usize {
    usize::try_from(width).unwrap_or(0).saturating_sub(text.chars().count())
}

fn zfill(heap: &Heap, text: &str, args: &mut Arguments) -> Outcome {
    let padding = missing(text, args.int("width", 0)?);
    let (sign, digits) = text.split_at(usize::from(text.starts_with(['+', '-'])));
    let mut out = Buffer::new(heap);
    out.push(sign)?;
    out.repeat("0", padding)?;
    out.push(digits)?;
    Ok(out.finish())
}

fn expandtabs(heap: &Heap, text: &str, args: &mut Arguments) -> Outcome {
    let size = usize::try_from(args.int("tabsize", 8)?).unwrap_or(0);
    let mut out = Buffer::new(heap);
    let mut column = 0_usize;
    for c in text.chars() {
        match c {
            '\t' if size > 0 => {
                let spaces = size - column % size;
                out.repeat(" ", spaces)?;
                column = column.saturating_add(spaces);
            }
            '\t' => {}
            c => {
                out.push_char(c)?;
                column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
            }
        }
    }
    Ok(out.finish())
}
