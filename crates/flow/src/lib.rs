//! The life of one turn: what a client asks becomes a job of the engine.
//!
//! Knows neither sockets nor files. Who may ask, what is written down and what may leave the house
//! will be decided here too, by stages of their own.

mod alternate;
mod language;
mod local;
mod many;
mod mended;
mod tools;

pub use language::{Language, Reading};
pub use local::{Local, now};
