//! Texts that become vectors: the way that all dialects share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use turn::{Embed, Embedded, Fault, Side};

use crate::refused::Refused;
use crate::server::Shared;

/// Tells the house that nobody waits any more, when it is dropped.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Waits for the vectors of texts. A client that hangs up drops this, and so ends the work.
pub async fn embed(server: &Shared, texts: Embed) -> Result<Embedded, Refused> {
    let (sender, outcome) = tokio::sync::oneshot::channel();
    let waiting = Waiting(Arc::default());
    // Who has gone hears nothing.
    let done = Box::new(move |outcome| _ = sender.send(outcome));
    server.house.embed(texts, Arc::clone(&waiting.0), done);
    let stopped = || Fault::new(Side::Us, "the model has stopped without a reason");
    Ok(outcome.await.unwrap_or_else(|_| Err(stopped()))?)
}
