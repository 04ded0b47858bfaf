//! What a refused request still sends. A connection whose next bytes are the rest of a body cannot
//! be used again, and one that is closed on a client that is writing may take the reply with it.
//! And what any request sends: a body that stops coming ends.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header::EXPECT;
use futures_util::stream::{Stream, StreamExt};
use tokio::time::{Instant, Sleep, sleep, timeout};

/// How long a refused client is listened to.
const TIME: Duration = Duration::from_secs(2);
/// How long a client may send nothing of a body that it has begun.
const PATIENCE: Duration = Duration::from_secs(60);

/// The body of a request, for as long as somebody has it.
#[derive(Clone)]
pub struct Unread(Arc<Mutex<Sent>>);

struct Sent {
    body: BodyDataStream,
    /// Runs out when nothing comes for too long: a request without an end would keep its connection
    /// and its key's place.
    patience: Pin<Box<Sleep>>,
    /// Whether somebody has begun to read it; a client that waits for that sends it only then.
    begun: bool,
    waits: bool,
    is_over: bool,
}

impl Unread {
    /// Keeps hold of a request's body, which the request still has. `None` when there is nothing
    /// left to come.
    pub fn of(request: &mut Request) -> Option<Unread> {
        if request.body().is_end_stream() {
            return None;
        }
        let waits = request.headers().contains_key(EXPECT);
        let body = std::mem::take(request.body_mut()).into_data_stream();
        let patience = Box::pin(sleep(PATIENCE));
        let sent = Sent { body, patience, begun: false, waits, is_over: false };
        let unread = Unread(Arc::new(Mutex::new(sent)));
        *request.body_mut() = Body::from_stream(unread.clone());
        Some(unread)
    }

    /// Reads what nobody has read, if it comes soon and is no longer than `limit`. Says whether the
    /// client has now sent all.
    pub async fn read(mut self, mut limit: usize) -> bool {
        let is_asked = {
            let sent = self.sent();
            sent.begun || !sent.waits
        };
        if !is_asked {
            return false;
        }
        let all = async {
            while let Some(bytes) = self.next().await {
                match bytes {
                    Ok(bytes) if bytes.len() <= limit => limit -= bytes.len(),
                    _ => return false,
                }
            }
            true
        };
        timeout(TIME, all).await.unwrap_or(false)
    }

    fn sent(&self) -> MutexGuard<'_, Sent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream for Unread {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context) -> Poll<Option<Self::Item>> {
        let mut sent = self.sent();
        if sent.is_over {
            return Poll::Ready(None);
        }
        let next = sent.body.poll_next_unpin(context);
        if next.is_ready() || !sent.begun {
            sent.patience.as_mut().reset(Instant::now() + PATIENCE);
        }
        sent.begun = true;
        if next.is_pending() && sent.patience.as_mut().poll(context).is_ready() {
            sent.is_over = true;
            let late = io::Error::new(io::ErrorKind::TimedOut, "the rest of the body did not come");
            return Poll::Ready(Some(Err(axum::Error::new(late))));
        }
        sent.is_over = matches!(next, Poll::Ready(None));
        next
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use futures_util::stream::{self, unfold};

    use super::*;

    async fn read(body: impl Stream<Item = Bytes> + Send + 'static) -> Result<Bytes, String> {
        let body = Body::from_stream(body.map(Ok::<_, io::Error>));
        let mut request = Request::new(body);
        let _unread = Unread::of(&mut request).unwrap();
        to_bytes(request.into_body(), 100).await.map_err(|error| error.to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_be_slow_but_not_stop() {
        let begun = Instant::now();
        let stops = stream::iter([Bytes::from("half")]).chain(stream::pending());
        let said = read(stops).await.unwrap_err();
        assert!(said.contains("did not come"), "{said}");
        assert_eq!(begun.elapsed(), PATIENCE);
        let slow = unfold(5, |left: u32| async move {
            sleep(PATIENCE - Duration::from_secs(1)).await;
            Some((Bytes::from("x"), left.checked_sub(1)?))
        });
        assert_eq!(read(slow).await, Ok(Bytes::from("xxxxx")));
    }
}
