//! From the template as its author wrote it to the template as the engine runs it.
//!
//! The engine (minijinja) executes statements: loops, conditions, macros, blocks of text and the
//! rules of white space around them. Expressions it would evaluate with semantics of its own:
//! lists cannot change, a string is compared with a number, `'%s' % x` is unknown, and `a ~ a` in
//! a loop doubles the memory with every step. So before compiling, each expression is rewritten
//! into calls of our own functions (`expression`, `operand`), and a few statements into others that
//! mean the same (`statements`, `heads`). Text outside of tags is passed on as it is, and so are
//! line numbers. What the engine would not survive is refused: nesting that overflows its stack,
//! and leaving a loop from inside a block, for which it panics.
//!
//! This much of Jinja is missing, and no published template is known to use it: inheritance and
//! includes; `varargs` and `kwargs` in macros; undefined values passed for parameters with a
//! default, which then take it; `break` out of a `with` or block `set`; loop objects in lists;
//! names with letters beyond ASCII.

mod expression;
mod heads;
mod operand;
mod statements;
mod tokens;

use super::error::Error;

/// No published template is longer than a tenth of this.
const MAX_SOURCE: usize = 1 << 20;

/// Something in the template that cannot be understood.
#[derive(Debug)]
struct Fault {
    at: Place,
    reason: String,
}

#[derive(Debug)]
enum Place {
    /// Bytes from the start of the source.
    Offset(usize),
    Line(usize),
}

impl Fault {
    fn into_error(self, source: &str) -> Error {
        let line = match self.at {
            Place::Line(line) => line,
            Place::Offset(at) => line_breaks(&source[..at]) + 1,
        };
        Error::Syntax { line, reason: self.reason }
    }
}

fn line_breaks(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// The template in the form that the engine compiles.
pub(super) fn rewrite(source: &str) -> Result<String, Error> {
    if source.len() > MAX_SOURCE {
        let reason = format!("it is longer than {MAX_SOURCE} bytes");
        return Err(Error::Syntax { line: 1, reason });
    }
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    statements::rewrite(&source).map_err(|fault| fault.into_error(&source))
}

#[cfg(test)]
mod tests;
