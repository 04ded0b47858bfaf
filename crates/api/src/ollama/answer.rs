//! From a request to its reply: a question, or nothing but a model that is to be brought into
//! memory or let go.

use std::marker::PhantomData;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use turn::Prompt;

use super::reply::{self, Lines, Shape};
use super::think::Think;
use super::{chat, generate};
use crate::gate::Principal;
use crate::plan::Plan;
use crate::refused::Refused;
use crate::reply::{Received, Way, beside, decode, name_ignored, reply};
use crate::said::Said;
use crate::server::{Shared, json};
use crate::{About, Asked, Refusal};

/// A route that asks a model.
pub trait Route: Send + 'static {
    /// Where its replies have their text.
    const SHAPE: Shape;

    /// Decodes a body. Without a prompt nothing is asked but the model itself.
    ///
    /// # Errors
    /// The first field that is wrong, unknown or not served.
    fn decode(body: &[u8]) -> Result<(Asked, Option<Think>), Refusal>;
}

/// `/api/chat`.
pub struct Chat;

impl Route for Chat {
    const SHAPE: Shape = Shape::Chat;

    fn decode(body: &[u8]) -> Result<(Asked, Option<Think>), Refusal> {
        chat::decode(body)
    }
}

/// `/api/generate`.
pub struct Text;

impl Route for Text {
    const SHAPE: Shape = Shape::Text;

    fn decode(body: &[u8]) -> Result<(Asked, Option<Think>), Refusal> {
        generate::decode(body)
    }
}

/// A question that was asked by such a route.
struct Question<R> {
    think: Option<Think>,
    route: PhantomData<R>,
}

impl<R: Route> Way for Question<R> {
    const STREAM: &'static str = reply::KIND;
    type Stream = Lines;

    fn decode(body: &[u8]) -> Result<(Asked, Question<R>), Refusal> {
        R::decode(body).map(|(asked, think)| (asked, Question { think, route: PhantomData }))
    }

    fn stream(self, plan: Plan) -> Lines {
        Lines::new(plan, R::SHAPE)
    }

    fn whole(self, plan: Plan, said: Vec<Said>) -> String {
        reply::whole(&plan, R::SHAPE, said)
    }
}

/// Answers a question.
pub async fn answer<R: Route>(
    State(server): State<Shared>,
    Extension(principal): Extension<Principal>,
    body: Received,
) -> Result<Response, Refused> {
    let (mut asked, question) = decode(body?, Question::<R>::decode).await?;
    let Some(prompt) = asked.prompts.first_mut() else {
        return bring(&server, asked, R::SHAPE).await;
    };
    let model = about(&server, &asked.model).await?;
    if let (Some(think), Prompt::Chat(chat)) = (&question.think, &mut *prompt) {
        let thinking = model.abilities.thinking;
        if !think.tell(&asked.model, thinking, &mut chat.variables)? {
            asked.ignored.push("think".to_owned());
        }
    }
    if R::SHAPE == Shape::Text && !model.abilities.converses {
        goes_on(prompt);
    }
    reply(&server, principal, asked, question).await
}

/// What is known of a model. Its files may have to be read for that.
pub async fn about(server: &Shared, model: &str) -> Result<About, Refused> {
    let (house, model) = (server.house.clone(), model.to_owned());
    Ok(beside(move || house.about(&model)).await??)
}

/// A model that knows no conversations goes on from the text, as long as there is nothing else.
fn goes_on(prompt: &mut Prompt) {
    let Prompt::Chat(chat) = prompt else { return };
    if let [only] = &chat.messages[..]
        && let Some(text) = only["content"].as_str()
    {
        *prompt = Prompt::Text(text.to_owned());
    }
}

/// Brings a model into memory, or lets it go where it is to be kept for no time.
async fn bring(server: &Shared, asked: Asked, shape: Shape) -> Result<Response, Refused> {
    let (house, model) = (server.house.clone(), asked.model.clone());
    let goes = asked.keep == Some(Some(Duration::ZERO));
    let done = beside(move || match goes {
        true => house.let_go(&model),
        false => house.bring(&model, asked.keep),
    });
    done.await??;
    let reason = if goes { "unload" } else { "load" };
    let mut response = once(&shape.silent(&asked.model, reason), asked.manner.streamed);
    name_ignored(&mut response, &asked.ignored);
    Ok(response)
}

/// All that there is to say: a stream of one line where a stream was asked for.
pub fn once(said: &Value, streamed: bool) -> Response {
    if !streamed {
        return json(StatusCode::OK, said.to_string());
    }
    let mut line = String::new();
    reply::line(said, &mut line);
    (StatusCode::OK, [(CONTENT_TYPE, reply::KIND)], Body::from(line)).into_response()
}
