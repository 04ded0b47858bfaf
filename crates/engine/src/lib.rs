//! Runs loaded models: sequences and their pages, batches of rows, sampling, and turns.
//!
//! Knows neither model families (an `arch::Model` hides them) nor HTTP. One thread owns an
//! [`Engine`] and everything in it.

mod batch;
mod constrain;
mod cores;
mod draw;
mod error;
mod fit;
mod generate;
mod groups;
mod guess;
mod masks;
pub mod memory;
mod order;
mod pages;
mod pool;
mod prefix;
mod run;
mod sample;
mod serve;
mod shelf;
mod stop;
mod worker;

pub use constrain::{Forms, Rules};
pub use error::Error;
pub use fit::{Demand, Fit, Need};
pub use generate::{Reply, Request};
pub use pages::{Owner, Sequence};
pub use run::{Engine, Feed, Settings, Wanted};
pub use sample::{Sampler, best};
pub use serve::{Job, Policy, Texts, Tried, Turns};
pub use shelf::{Lease, Library, Listed, Room, Shelf, Shelved};
pub use worker::{Load, Worker};
