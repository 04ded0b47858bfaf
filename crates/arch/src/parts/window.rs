//! How many of the last positions the layers of a checkpoint see.

use super::attention::Options;
use crate::Error;
use crate::hyper::Hyper;
use crate::source::{Name, Source};

const WINDOW: Name = Name { gguf: "", hugging_face: "sliding_window" };
const FULL_LAYERS: Name = Name { gguf: "", hugging_face: "max_window_layers" };

/// What the reference takes when `config.json` does not mention them. A window of `null` is none.
const UNSTATED_WINDOW: usize = 4096;
const UNSTATED_FULL_LAYERS: usize = 28;

/// The window of a folder; GGUF files of these families have none.
pub(crate) fn of_folder(source: &Source) -> Result<Option<usize>, Error> {
    match source.config() {
        Some(config) if config.get(WINDOW.hugging_face).is_none() => Ok(Some(UNSTATED_WINDOW)),
        _ => source.size_if(WINDOW),
    }
}

/// The options of each layer of a Qwen: `plain`, with the window where the configuration has one.
pub(crate) fn of_layers(
    source: &Source,
    hyper: &Hyper,
    plain: Options,
) -> Result<Vec<Options>, Error> {
    if !source.flag("use_sliding_window", false)? {
        return Ok(vec![plain; hyper.layers]);
    }
    let window = of_folder(source)?;
    let option = |windowed| Options { window: if windowed { window } else { None }, ..plain };
    Ok(windowed(source, hyper.layers)?.into_iter().map(option).collect())
}

/// Which layers have the window: newer files list them, older ones have it in the upper layers.
fn windowed(source: &Source, layers: usize) -> Result<Vec<bool>, Error> {
    if let Some(listed) = listed(source, layers)? {
        return Ok(listed);
    }
    let full = match source.setting(FULL_LAYERS.hugging_face).as_u64() {
        Some(0) => 0,
        _ => source.size_or(FULL_LAYERS, UNSTATED_FULL_LAYERS)?,
    };
    Ok((0..layers).map(|layer| layer >= full).collect())
}

/// Which layers have the window: those that a folder lists, or else those of a rule.
pub(crate) fn listed_or(
    source: &Source,
    layers: usize,
    rule: impl Fn(usize) -> bool,
) -> Result<Vec<bool>, Error> {
    let listed = listed(source, layers)?;
    Ok(listed.unwrap_or_else(|| (0..layers).map(rule).collect()))
}

/// The layers that a folder lists as having the window, if it lists any.
fn listed(source: &Source, layers: usize) -> Result<Option<Vec<bool>>, Error> {
    source.listed("layer_types", layers, ("sliding_attention", "full_attention"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn layers(config: Value) -> Result<Vec<bool>, String> {
        windowed(&Source::from_config(config), 3).map_err(|error| error.to_string())
    }

    #[test]
    fn a_window_that_is_not_mentioned_is_the_references() {
        let window = |config| of_folder(&Source::from_config(config)).map_err(|e| e.to_string());
        assert_eq!(window(json!({ "sliding_window": 16 })), Ok(Some(16)));
        assert_eq!(window(json!({ "sliding_window": null })), Ok(None));
        assert_eq!(window(json!({})), Ok(Some(4096)));
        assert!(window(json!({ "sliding_window": 0 })).is_err());
    }

    #[test]
    fn older_files_count_the_layers_without_a_window() {
        assert_eq!(layers(json!({ "max_window_layers": 1 })), Ok(vec![false, true, true]));
        assert_eq!(layers(json!({ "max_window_layers": 0 })), Ok(vec![true; 3]));
        assert_eq!(layers(json!({})), Ok(vec![false; 3]));
        assert!(layers(json!({ "max_window_layers": -1 })).is_err());
    }

    #[test]
    fn newer_files_list_the_layers() {
        let (full, sliding) = ("full_attention", "sliding_attention");
        let listed = |kinds: Value| layers(json!({ "layer_types": kinds, "max_window_layers": 0 }));
        assert_eq!(listed(json!([full, sliding, full])), Ok(vec![false, true, false]));
        for (kinds, said) in [
            (json!([full, sliding]), "2 layers of 3"),
            (json!([full, sliding, "chunked_attention"]), "chunked_attention"),
            (json!([1, 2, 3]), "names 1"),
            (json!("sliding"), "not a list"),
        ] {
            let error = listed(kinds).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
