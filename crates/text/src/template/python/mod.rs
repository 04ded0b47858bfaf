//! Python's values and what can be done with them, as far as chat templates use them.
//!
//! Templates are written for a template engine in Python, and their authors rely on its types: a
//! list added to a string is an error, `2.0` prints with its point, `d.items` is a method. The
//! engine's own values are laxer, so everything that computes goes through this folder. It knows
//! nothing of the template language.

pub(super) mod access;
pub(super) mod arguments;
pub(super) mod arithmetic;
mod braces;
pub(super) mod compare;
pub(super) mod dict;
pub(super) mod heap;
pub(super) mod json;
pub(super) mod methods;
pub(super) mod percent;
pub(super) mod print;
pub(super) mod seq;
pub(super) mod shape;
mod spec;
pub(super) mod split;
pub(super) mod strings;
