//! Routes of the reference that a later version serves.

use axum::http::Uri;
use turn::{Fault, Kind, Side};

use crate::refused::Refused;
use crate::server::{Route, Scope};

const PATHS: [&str; 6] = [
    "/v1/rerank",
    "/v1/audio/transcriptions",
    "/v1/audio/translations",
    "/v1/audio/speech",
    "/v1/images/generations",
    "/v1/moderations",
];

/// Each says that it is not there yet, whatever it is asked.
pub fn routes() -> impl Iterator<Item = Route> {
    PATHS.into_iter().map(|path| Route::post(path, Scope::Ask, refuse).about("Not yet there"))
}

async fn refuse(uri: Uri) -> Refused {
    let message = format!("{} is not served yet; it comes with a later version", uri.path());
    Fault { kind: Kind::NotYet, ..Fault::new(Side::Us, message) }.into()
}
