//! `'{} and {name}'.format(a, name=b)`.

use minijinja::{Error, Value};

use super::access::{attribute, item};
use super::arguments::Arguments;
use super::heap::{Buffer, Heap, Outcome};
use super::print::{to_text, write_repr};
use super::spec::{self, Spec};
use crate::template::error::fault;

/// Replaces every field in braces by an argument.
pub(crate) fn format(heap: &Heap, pattern: &str, args: &mut Arguments) -> Outcome {
    let mut fields = Fields { positional: args.rest(), named: args.rest_named(), next: Some(0) };
    let mut out = Buffer::new(heap);
    fields.expand(&mut out, pattern, 0)?;
    Ok(out.finish())
}

struct Fields {
    positional: Vec<Value>,
    named: Vec<(String, Value)>,
    /// The next automatic number, or none when the fields number themselves.
    next: Option<usize>,
}

impl Fields {
    fn expand(&mut self, out: &mut Buffer<'_>, pattern: &str, depth: usize) -> Result<(), Error> {
        let mut rest = pattern;
        while let Some(at) = rest.find(['{', '}']) {
            out.push(&rest[..at])?;
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(tail) = rest.strip_prefix(brace) {
                out.push(brace)?;
                rest = tail;
            } else if brace == "}" {
                return Err(fault("Single '}' encountered in format string"));
            } else {
                let end =
                    closing(rest).ok_or_else(|| fault("expected '}' before end of string"))?;
                self.field(out, &rest[..end], depth)?;
                rest = &rest[end + 1..];
            }
        }
        out.push(rest)
    }

    /// One field: `name.attribute[key]!conversion:specification`.
    fn field(&mut self, out: &mut Buffer<'_>, field: &str, depth: usize) -> Result<(), Error> {
        if depth > 1 {
            return Err(fault("Max string recursion exceeded"));
        }
        let bracket = field.rfind(']').unwrap_or(0);
        let colon = field[bracket..].find(':').map(|at| at + bracket);
        let (head, specification) = match colon {
            Some(at) => (&field[..at], &field[at + 1..]),
            None => (field, ""),
        };
        let (path, conversion) = match head.split_once('!') {
            Some((path, conversion)) => (path, Some(conversion)),
            None => (head, None),
        };
        let value = self.value(out.heap(), path)?;
        let value = match conversion {
            None => value,
            Some("s") => Value::from(to_text(out.heap(), &value)?),
            Some("r" | "a") => {
                let mut text = Buffer::new(out.heap());
                write_repr(&mut text, &value, 0)?;
                text.finish()
            }
            Some(other) => return Err(fault(format!("unknown conversion specifier '{other}'"))),
        };
        let mut expanded = Buffer::new(out.heap());
        self.expand(&mut expanded, specification, depth + 1)?;
        spec::write(out, &Spec::parse(expanded.as_str())?, &value)
    }

    fn value(&mut self, heap: &Heap, path: &str) -> Outcome {
        let end = path.find(['.', '[']).unwrap_or(path.len());
        let (name, mut rest) = path.split_at(end);
        let mut value = self.argument(name)?;
        while !rest.is_empty() {
            if let Some(tail) = rest.strip_prefix('.') {
                let end = tail.find(['.', '[']).unwrap_or(tail.len());
                value = attribute(&value, &tail[..end])?;
                rest = &tail[end..];
            } else {
                let (key, tail) = rest
                    .strip_prefix('[')
                    .and_then(|rest| rest.split_once(']'))
                    .ok_or_else(|| fault("only '.' or '[' may follow a name in a field"))?;
                let key = key.parse::<i64>().map_or_else(|_| Value::from(key), Value::from);
                value = item(heap, &value, &key)?;
                rest = tail;
            }
        }
        Ok(value)
    }

    fn argument(&mut self, name: &str) -> Outcome {
        let index = if name.is_empty() {
            let next = self.next.ok_or_else(|| {
                fault("cannot switch from manual field specification to automatic field numbering")
            })?;
            self.next = Some(next + 1);
            Some(next)
        } else {
            name.parse::<usize>().ok().inspect(|_| self.next = None)
        };
        let found = match index {
            Some(index) => self.positional.get(index).cloned(),
            None => self.named.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()),
        };
        found.ok_or_else(|| fault(format!("no argument for the replacement field '{name}'")))
    }
}

/// Where the brace closes that is open before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}
