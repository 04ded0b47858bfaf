//! What a refused request still sends. A connection whose next bytes are the rest of a body cannot
//! be used again, and one that is closed on a client that is writing may take the reply with it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header::EXPECT;
use futures_util::stream::{Stream, StreamExt};
use tokio::time::timeout;

/// How long a refused client is listened to.
const TIME: Duration = Duration::from_secs(2);

/// The body of a request, for as long as somebody has it.
#[derive(Clone)]
pub struct Unread(Arc<Mutex<Sent>>);

struct Sent {
    body: BodyDataStream,
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
        let sent = Sent { body, begun: false, waits, is_over: false };
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
        sent.begun = true;
        if sent.is_over {
            return Poll::Ready(None);
        }
        let next = sent.body.poll_next_unpin(context);
        sent.is_over = matches!(next, Poll::Ready(None));
        next
    }
}
