//! `think`: whether a model is to think before it answers, and how long.

use serde_json::{Map, Value};
use turn::{Fault, Side, Thinking};

use crate::Refusal;
use crate::fields::Fields;

/// What a client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Think {
    /// It is to think.
    Yes,
    /// It is not.
    No,
    /// It is to think so much.
    Level(String),
}

/// Reads `think`.
pub fn think(fields: &mut Fields) -> Result<Option<Think>, Refusal> {
    const LEVELS: [&str; 4] = ["low", "medium", "high", "max"];
    match fields.take("think") {
        None => Ok(None),
        Some(Value::Bool(true)) => Ok(Some(Think::Yes)),
        Some(Value::Bool(false)) => Ok(Some(Think::No)),
        Some(Value::String(level)) if LEVELS.contains(&level.as_str()) => {
            Ok(Some(Think::Level(level)))
        }
        Some(_) => {
            let what = format!("must be true, false or one of {}", LEVELS.join(", "));
            Err(fields.refusal("think", &what))
        }
    }
}

impl Think {
    /// Says so in the variables of a template, or why a model cannot. Whether it can be kept to:
    /// many clients say that nothing is to be thought, whatever the model is, and one that always
    /// thinks does so as little as it can.
    pub fn tell(
        &self,
        model: &str,
        thinking: Option<Thinking>,
        variables: &mut Map<String, Value>,
    ) -> Result<bool, Refusal> {
        let refusal = |what: &str| {
            let fault = Fault::new(Side::Caller, format!("{model:?} {what}"));
            Err(Refusal { fault, field: Some("think".to_owned()) })
        };
        let Some(Thinking { switch, has_levels }) = thinking else {
            return match self {
                Think::No => Ok(true),
                _ => refusal("does not support thinking: `think` must be false"),
            };
        };
        match self {
            Think::No if switch.is_none() => {
                if has_levels {
                    variables.insert("reasoning_effort".to_owned(), "low".into());
                }
                return Ok(false);
            }
            Think::Level(_) if !has_levels => {
                return refusal("knows no levels of thinking: `think` must be true or false");
            }
            Think::Level(level) => {
                variables.insert("reasoning_effort".to_owned(), level.as_str().into());
            }
            Think::Yes | Think::No => {}
        }
        if let Some(switch) = switch {
            variables.insert(switch.to_owned(), (*self != Think::No).into());
        }
        Ok(true)
    }
}
