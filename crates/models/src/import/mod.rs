//! From a Hugging Face folder to one GGUF file, quantised on the way.
//!
//! The folder is loaded as it would be to run it, so that whatever is wrong with it is said in the
//! same words, and the recipe's own names say what each tensor is called in GGUF. Then one tensor
//! after the other is read, stored anew and written: memory holds one of them at a time.

mod head;
mod tensors;
mod tokenizer;

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use arch::Source;
use formats::Storage;
use formats::gguf::Writer;
use formats::safetensors::Safetensors;
use serde_json::Value;
use text::tokenizer::Tokenizer;

use crate::Error;
use tensors::Planned;

/// Families whose folders are imported. Their tensors are the same numbers in both formats.
const FAMILIES: [&str; 2] = ["qwen2", "qwen3"];

/// How matrices are stored in the new file. Rows, such as a norm's weights, stay F32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quant {
    /// Eight bits, 32 numbers to a scale.
    Q8_0,
    /// Half floats.
    F16,
    /// Floats.
    F32,
}

impl Quant {
    /// The storage of matrices.
    pub fn storage(self) -> Storage {
        match self {
            Quant::Q8_0 => Storage::Q8_0,
            Quant::F16 => Storage::F16,
            Quant::F32 => Storage::F32,
        }
    }
}

/// A folder of which everything but the numbers is known to be sound.
pub struct Import {
    head: Writer,
    weights: Safetensors,
    tensors: Vec<Planned>,
}

impl Import {
    /// Looks at a folder. `name` is what the model will say that it is called.
    ///
    /// # Errors
    /// When the folder is damaged, or has what cannot be said in a GGUF file of its family.
    pub fn open(folder: &Path, quant: Quant, name: &str) -> Result<Import, Error> {
        if !folder.is_dir() {
            let why = "it is no folder; a model folder holds config.json, tokenizer.json and \
                       *.safetensors";
            return Err(Error::Beside { path: folder.to_owned(), why: why.to_owned() });
        }
        let source = Source::open(folder)?;
        let family = family(&source)?;
        let config = source.config().unwrap_or(&Value::Null);
        head::check(config)?;
        let vocabulary = arch::load(&source)?.shape().vocabulary;
        let weights = Safetensors::open(folder).map_err(arch::Error::File)?;
        let tensors = tensors::plan(&source, &weights, quant)?;

        let mut head = Writer::new();
        head::model(&mut head, (family, name, quant), config)?;
        let generation = json(folder, "generation_config.json")?;
        head::sampling(&mut head, &generation)?;
        let described = tokenizer::Described {
            tokenizer: Tokenizer::from_folder(folder)?,
            file: json(folder, "tokenizer.json")?,
            config: json(folder, "tokenizer_config.json")?,
            ends: [&generation["eos_token_id"], &config["eos_token_id"]].map(Value::clone),
        };
        described.write(&mut head, vocabulary)?;
        for planned in &tensors {
            head.tensor(&planned.name, planned.storage, &planned.shape)?;
        }
        Ok(Import { head, weights, tensors })
    }

    /// Bytes of weights that are to be read.
    pub fn bytes(&self) -> u64 {
        self.tensors.iter().map(|planned| planned.bytes).sum()
    }

    /// Writes the file. `progress` is told how many bytes of weights have been read, and may end
    /// it.
    ///
    /// # Errors
    /// When a number cannot be stored, or the file not written. What is written then is no model.
    pub fn write(
        self,
        out: impl Write,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut body = self.head.begin(out)?;
        let (mut bytes, mut done) = (Vec::new(), 0);
        for planned in &self.tensors {
            bytes.clear();
            tensors::store(&self.weights, planned, &mut bytes, &mut |read| {
                done += read;
                progress(done)
            })?;
            body.tensor(&bytes)?;
        }
        body.finish()?;
        Ok(())
    }
}

/// The family's name, which is that of its architecture in GGUF.
fn family(source: &Source) -> Result<&'static str, Error> {
    let found = source.architecture()?;
    let family = arch::FAMILIES.iter().find(|family| family.hugging_face.contains(&&found[..]));
    match family {
        Some(family) if FAMILIES.contains(&family.name) => Ok(family.name),
        family => {
            let found = family.map_or(found, |family| family.name.to_owned());
            Err(Error::Family { found, known: FAMILIES.join(" and ") })
        }
    }
}

/// A file of a folder; null when there is none.
fn json(folder: &Path, name: &str) -> Result<Value, Error> {
    let path = folder.join(name);
    let wrong = |why: String| Error::Beside { path: path.clone(), why };
    match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Value::Null),
        Err(error) => Err(wrong(error.to_string())),
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map_err(|error| wrong(format!("not JSON: {error}")))
        }
    }
}
