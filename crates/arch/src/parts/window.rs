//! Which layers of a Qwen checkpoint see only the last positions.

use serde_json::Value;

use super::attention::Options;
use crate::Error;
use crate::hyper::Hyper;
use crate::source::{Name, Source};

const WINDOW: Name = Name { gguf: "attention.sliding_window", hugging_face: "sliding_window" };
const FULL_LAYERS: Name = Name { gguf: "", hugging_face: "max_window_layers" };

/// The options of each layer: `plain`, with the window where the configuration has one.
pub(crate) fn of_layers(
    source: &Source,
    hyper: &Hyper,
    plain: Options,
) -> Result<Vec<Options>, Error> {
    if !source.flag("use_sliding_window", false)? {
        return Ok(vec![plain; hyper.layers]);
    }
    let window = source.size_if(WINDOW)?;
    let windowed = match source.config().map_or(&Value::Null, |config| &config["layer_types"]) {
        Value::Array(kinds) => kinds.iter().map(|kind| kind == "sliding_attention").collect(),
        _ => {
            let full = source.size_or(FULL_LAYERS, hyper.layers)?;
            (0..hyper.layers).map(|layer| layer >= full).collect::<Vec<bool>>()
        }
    };
    if windowed.len() != hyper.layers {
        let why = format!("names {} layers of {}", windowed.len(), hyper.layers);
        return Err(Error::Value { key: "layer_types".to_owned(), why });
    }
    let option = |windowed| Options { window: if windowed { window } else { None }, ..plain };
    Ok(windowed.into_iter().map(option).collect())
}
