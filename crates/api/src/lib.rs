//! The door: what clients send over HTTP becomes a [`turn::Turn`], and the events that answer it
//! become what the client's dialect expects.
//!
//! A dialect is a folder. It *decodes* a body to what was asked, a pure function, and *encodes* the
//! events of a reply, a state machine without clocks or sockets. HTTP between them only moves
//! bytes: `stream.rs` carries events from a model's thread to a connection, `server.rs` has the
//! table of routes, and `gate.rs` stands before each of them. Models are reached through the trait
//! [`House`] alone.

pub mod anthropic;
mod asked;
mod base64;
mod date;
mod dialect;
mod door;
mod embed;
mod fields;
mod gate;
mod history;
mod house;
mod ids;
mod json;
mod keep;
pub mod keys;
mod logprobs;
mod metrics;
mod neighbours;
mod offer;
pub mod ollama;
pub mod openai;
mod openapi;
mod patient;
mod plan;
mod record;
mod refusal;
mod refused;
mod reply;
mod said;
mod server;
mod settings;
mod sse;
mod stream;
mod tls;
mod unread;

pub use asked::{Asked, Manner};
pub use door::Door;
pub use gate::{Access, Keys, Principal};
pub use house::{About, House, Language, ModelCard, Resident, TextOptions};
pub use neighbours::{Hosts, Neighbours};
pub use record::{End, Exchange, Record, Witness};
pub use refusal::Refusal;
pub use server::{Options, Route, Scope, router, routes};
pub use tls::Tls;
