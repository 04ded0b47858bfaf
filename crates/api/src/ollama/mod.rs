//! Ollama's dialect: chat, text, embeddings, and what is known of models.

mod answer;
mod ask;
mod chat;
mod embed;
mod error;
mod generate;
mod manage;
mod messages;
mod models;
mod options;
mod reply;
mod think;

pub use chat::decode as decode_chat;
pub use embed::{Texts, decode_embed, decode_embedding};
pub(crate) use error::refusal;
pub use generate::decode as decode_generate;
pub use think::Think;

use crate::server::{Route, Scope};

use answer::{Chat, Text, answer};

/// The routes of this dialect.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/", Scope::Anyone, models::greet).about("Whether somebody is there"),
        Route::get("/api/version", Scope::Anyone, models::version)
            .about("The version of Ollama that this is like"),
        Route::get("/api/tags", Scope::List, models::tags).about("The models that can be asked"),
        Route::get("/api/ps", Scope::List, models::ps).about("The models in memory"),
        Route::post("/api/show", Scope::List, models::show).about("All that is known of a model"),
        Route::post("/api/chat", Scope::Ask, answer::<Chat>).about("A conversation is answered"),
        Route::post("/api/generate", Scope::Ask, answer::<Text>)
            .about("A question is answered, or a text goes on"),
        Route::post("/api/embed", Scope::Ask, embed::embed).about("Texts become vectors"),
        Route::post("/api/embeddings", Scope::Ask, embed::embedding)
            .about("A text becomes a vector"),
        // As long as it fetches nothing.
        Route::post("/api/pull", Scope::List, manage::pull).about("Whether a model is there"),
        Route::post("/api/push", Scope::Manage, manage::push).about("Not served: a model is sent"),
        Route::post("/api/copy", Scope::Manage, manage::copy)
            .about("Not served: a model is copied"),
        Route::delete("/api/delete", Scope::Manage, manage::delete)
            .about("Not served: a model is removed"),
        Route::post("/api/create", Scope::Manage, manage::create)
            .about("Not served: a model is made"),
        Route::post("/api/blobs/{digest}", Scope::Manage, manage::blob)
            .about("Not served: a file is taken"),
    ]
}

/// Decodes any bytes, for the fuzzer.
#[doc(hidden)]
pub fn probe(data: &[u8]) {
    // Any outcome will do, as long as there is one.
    for decode in [decode_chat, decode_generate] {
        if let Ok((asked, _)) = decode(data) {
            assert!(asked.turns(0).count() <= 1, "one question has one answer");
        }
    }
    for decode in [decode_embed, decode_embedding] {
        if let Ok(texts) = decode(data) {
            assert!(!texts.embed.texts.is_empty(), "something was asked");
        }
    }
    let _ = (models::shown(data), manage::pulled(data));
}

#[cfg(test)]
mod tests;
