//! The vocabulary that all stages share: what a turn asks for, and the events that answer it.
//!
//! Plain values. Knows no files, no sockets, no threads and no clock.

mod ability;
mod account;
mod demand;
mod embed;
mod event;
mod fault;
mod reply;
mod sampling;
#[allow(clippy::module_inception)] // The crate is named after it.
mod turn;

pub use ability::{Abilities, Thinking};
pub use account::{Account, Certainty, Times};
pub use demand::{Calls, Demand, Form, Tool};
pub use embed::{Embed, Embedded, WhenEmbedded};
pub use event::{Choice, Event, Finish, Listener, Usage};
pub use fault::{Fault, Kind, Retry, Side};
pub use reply::{Reply, Token};
pub use sampling::{Limits, Sampling};
pub use turn::{Chat, Prompt, Turn, Wishes};
