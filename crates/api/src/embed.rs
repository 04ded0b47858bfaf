//! Texts that become vectors: the way that all dialects share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use turn::{Embed, Embedded, Fault, Side, Usage};

use crate::Refusal;
use crate::gate::Principal;
use crate::refused::Refused;
use crate::server::{Server, Shared};

/// Tells the house that nobody waits any more, when it is dropped.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Waits for the vectors of texts, at the cost of who asks. A client that hangs up drops this, and
/// so ends the work.
pub async fn embed(
    server: &Shared,
    principal: Principal,
    texts: Embed,
) -> Result<Embedded, Refused> {
    let (sender, outcome) = tokio::sync::oneshot::channel();
    let waiting = Waiting(Arc::default());
    let (purse, note) = (principal.purse(), principal.note.clone());
    note.asked(&texts.model);
    let metrics = Arc::clone(&server.metrics);
    let model = server.house.find(&texts.model).map(|card| card.id);
    let done = move |outcome: Result<Embedded, Fault>| {
        if let Ok(embedded) = &outcome {
            let prompt_tokens = embedded.tokens.iter().sum();
            model.iter().for_each(|model| metrics.embedded(model, prompt_tokens));
            note.used(Usage { prompt_tokens, ..Usage::default() });
            purse.into_iter().for_each(|it| it.spend(prompt_tokens as u64, Instant::now()));
        }
        // Who has gone hears nothing.
        let _ = sender.send(outcome);
    };
    server.house.embed(texts, Arc::clone(&waiting.0), Box::new(done));
    let stopped = || Fault::new(Side::Us, "the model has stopped without a reason");
    Ok(outcome.await.unwrap_or_else(|_| Err(stopped()))?)
}

/// Refuses vectors of another length than the model has. The first numbers of one say as much as
/// all only where a model was trained for that.
pub fn check_width(server: &Server, model: &str, dimensions: Option<usize>) -> Result<(), Refusal> {
    let Some(dimensions) = dimensions else { return Ok(()) };
    match server.house.find(model)?.width {
        width if width == dimensions => Ok(()),
        width => {
            let what = format!("must be {width}: vectors of this model are not cut");
            Err(Refusal::of("dimensions", &what))
        }
    }
}

/// A vector as JSON. Each number is the shortest that is read back as the same bits.
pub fn numbers(vector: &[f32]) -> String {
    serde_json::to_string(vector).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_back_as_they_were() {
        let vector = [0.1, -1e-7, 1.0, f32::MIN_POSITIVE, 1e-42, -0.0, 1.0 / 3.0];
        let read: Vec<f64> = serde_json::from_str(&numbers(&vector)).unwrap();
        let bits = |x: f32| x.to_bits();
        assert_eq!(
            vector.map(bits).to_vec(),
            read.iter().map(|x| bits(*x as f32)).collect::<Vec<_>>()
        );
        assert!(numbers(&vector).starts_with("[0.1,-1e-7,1.0,"));
    }
}
