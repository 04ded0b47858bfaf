//! Why a request is not answered, and which of its fields is the reason.

use turn::{Fault, Side};

/// A fault, with the field of the request that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the client may read.
    pub fault: Fault,
    /// The field, as a path such as `messages[0].content`.
    pub field: Option<String>,
}

impl Refusal {
    /// A fault of the caller in a field: `what` goes on after the field's name.
    pub fn of(field: impl Into<String>, what: &str) -> Refusal {
        let field = field.into();
        let fault = Fault::new(Side::Caller, format!("`{field}` {what}"));
        Refusal { fault, field: Some(field) }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        Refusal { fault, field: None }
    }
}
