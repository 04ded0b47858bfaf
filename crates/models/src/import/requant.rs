//! A GGUF file whose tensors are stored anew: everything that it says of the model stays.

use formats::gguf::{Gguf, Value, Writer};

use super::head::QUANTISATION_VERSION;
use super::{Import, Quant, tensors};
use crate::Error;

/// What is not true of the new file: how it is stored, and in how many parts.
const CHANGED: [&str; 5] = [
    "general.file_type",
    "general.quantization_version",
    "split.no",
    "split.count",
    "split.tensors.count",
];
/// What has been done to find its numbers is not done again.
const CALIBRATION: &str = "quantize.imatrix.";

/// The name of the model, if another is asked for.
const NAME: &str = "general.name";

/// Looks at a file.
pub(super) fn open(gguf: Gguf, quant: Quant, name: Option<&str>) -> Result<Import, Error> {
    let mut head = Writer::new();
    for (key, value) in gguf.keys() {
        if CHANGED.contains(&key) || key.starts_with(CALIBRATION) {
            continue;
        }
        let renamed = name.filter(|_| key == NAME).map(Value::Str);
        head.key(key, renamed.unwrap_or(value))?;
    }
    if let Some(name) = name.filter(|_| gguf.get(NAME).is_none()) {
        head.key(NAME, Value::Str(name))?;
    }
    head.key("general.file_type", Value::U32(quant.file_type()))?;
    head.key("general.quantization_version", Value::U32(QUANTISATION_VERSION))?;
    let planned = tensors::of_gguf(&gguf, quant);
    Import::of(head, tensors::Weights::Gguf(gguf), planned)
}
