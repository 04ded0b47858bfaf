//! A model on disk, whichever way it is written: a GGUF file or a Hugging Face folder.
//!
//! Families ask for hyper-parameters and tensors by both names; this file answers from what there
//! is. It also remembers which tensors were asked for, so that none can be overlooked.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use formats::gguf::Gguf;
use formats::safetensors::Safetensors;
use formats::{Place, Tensor};
use serde_json::Value;

use crate::Error;

/// Weights and hyper-parameters of one model.
pub struct Source {
    pub(crate) files: Arc<Files>,
    used: RefCell<BTreeSet<String>>,
}

/// The opened files; weights keep them open.
pub(crate) enum Files {
    Gguf(Gguf),
    Folder { config: Value, weights: Safetensors },
}

/// One thing by its two names. In GGUF, hyper-parameters stand behind the architecture and tensors
/// of a layer behind `blk.N.`; in checkpoints, tensors of a layer behind `model.layers.N.`.
#[derive(Clone, Copy)]
pub(crate) struct Name {
    pub gguf: &'static str,
    pub hugging_face: &'static str,
}

pub(crate) const fn name(gguf: &'static str, hugging_face: &'static str) -> Name {
    Name { gguf, hugging_face }
}

/// Buffers that old checkpoints stored beside their weights; recipes compute them.
const HARMLESS: &[&str] = &["rotary_emb.inv_freq"];

impl Source {
    /// Opens a GGUF file (or the first of a split one) or a Hugging Face folder.
    ///
    /// # Errors
    /// When there is neither, or it cannot be read.
    pub fn open(path: &Path) -> Result<Source, Error> {
        let files = if path.is_dir() { open_folder(path)? } else { Files::Gguf(Gguf::open(path)?) };
        Ok(Source { files: Arc::new(files), used: RefCell::default() })
    }

    /// A model from a GGUF file that is open already.
    pub fn from_gguf(gguf: Gguf) -> Source {
        Source { files: Arc::new(Files::Gguf(gguf)), used: RefCell::default() }
    }

    /// A folder with this configuration and no tensors.
    #[cfg(test)]
    pub(crate) fn from_config(config: Value) -> Source {
        let empty = b"\x08\0\0\0\0\0\0\0{}      ".to_vec();
        let weights = Safetensors::from_bytes(empty).expect("a header without tensors");
        let files = Arc::new(Files::Folder { config, weights });
        Source { files, used: RefCell::default() }
    }

    /// The GGUF file, if it is one.
    pub fn gguf(&self) -> Option<&Gguf> {
        match &*self.files {
            Files::Gguf(gguf) => Some(gguf),
            Files::Folder { .. } => None,
        }
    }

    /// The folder's `config.json`, if it is a folder.
    pub fn config(&self) -> Option<&Value> {
        match &*self.files {
            Files::Gguf(_) => None,
            Files::Folder { config, .. } => Some(config),
        }
    }

    /// A value of `config.json`; null when it is absent, and for GGUF files.
    pub(crate) fn setting(&self, key: &str) -> &Value {
        self.config().map_or(&Value::Null, |config| &config[key])
    }

    /// Whether this is a GGUF file.
    pub fn is_gguf(&self) -> bool {
        self.gguf().is_some()
    }

    /// All tensors, in the order of the files.
    pub fn tensors(&self) -> Vec<Tensor<'_>> {
        self.files.tensors()
    }

    /// What the file says it is.
    ///
    /// # Errors
    /// When it says nothing.
    pub fn architecture(&self) -> Result<String, Error> {
        let (found, key) = match &*self.files {
            Files::Gguf(gguf) => (gguf.str("general.architecture")?, "general.architecture"),
            Files::Folder { config, .. } => (config["architectures"][0].as_str(), "architectures"),
        };
        found.map(str::to_owned).ok_or_else(|| Error::MissingKey { key: key.to_owned() })
    }

    /// The name of a tensor of layer `layer` (or of no layer), with `.weight` or `.bias` behind it.
    pub(crate) fn tensor_name(&self, name: Name, layer: Option<usize>, kind: &str) -> String {
        match (self.is_gguf(), layer) {
            (true, None) => format!("{}.{kind}", name.gguf),
            (true, Some(layer)) => format!("blk.{layer}.{}.{kind}", name.gguf),
            (false, None) => format!("{}.{kind}", name.hugging_face),
            (false, Some(layer)) => format!("model.layers.{layer}.{}.{kind}", name.hugging_face),
        }
    }

    /// A tensor that may be absent.
    pub(crate) fn find(&self, name: &str) -> Option<Tensor<'_>> {
        let tensor = self.files.tensor(name)?;
        self.used.borrow_mut().insert(name.to_owned());
        Some(tensor)
    }

    /// A tensor that must be there.
    pub(crate) fn tensor(&self, name: &str) -> Result<Tensor<'_>, Error> {
        self.find(name).ok_or_else(|| Error::MissingTensor { name: name.to_owned() })
    }

    /// Says that a tensor may lie unused: a copy of another, for instance.
    pub(crate) fn may_skip(&self, name: &str) {
        self.used.borrow_mut().insert(name.to_owned());
    }

    /// Refuses a model with tensors that nobody asked for.
    pub(crate) fn all_used(&self) -> Result<(), Error> {
        let used = self.used.borrow();
        let tensors = self.files.tensors();
        let unused = tensors.iter().map(|tensor| tensor.name).filter(|name| !used.contains(*name));
        let unused =
            unused.filter(|name| !HARMLESS.iter().any(|harmless| name.ends_with(harmless)));
        let names: Vec<String> = unused.map(str::to_owned).collect();
        if names.is_empty() { Ok(()) } else { Err(Error::Unused { names }) }
    }
}

impl Files {
    pub(crate) fn tensor(&self, name: &str) -> Option<Tensor<'_>> {
        match self {
            Files::Gguf(gguf) => gguf.tensor(name),
            Files::Folder { weights, .. } => weights.tensor(name),
        }
    }

    pub(crate) fn place(&self, tensor: &Tensor) -> Option<Place> {
        match self {
            Files::Gguf(gguf) => gguf.place(tensor),
            Files::Folder { weights, .. } => weights.place(tensor),
        }
    }

    pub(crate) fn bytes_at(&self, place: &Place) -> &[u8] {
        match self {
            Files::Gguf(gguf) => gguf.bytes_at(place),
            Files::Folder { weights, .. } => weights.bytes_at(place),
        }
    }

    pub(crate) fn release(&self, place: &Place) {
        match self {
            Files::Gguf(gguf) => gguf.release(place),
            Files::Folder { weights, .. } => weights.release(place),
        }
    }

    fn tensors(&self) -> Vec<Tensor<'_>> {
        match self {
            Files::Gguf(gguf) => gguf.tensors().collect(),
            Files::Folder { weights, .. } => weights.tensors().collect(),
        }
    }
}

fn open_folder(path: &Path) -> Result<Files, Error> {
    let config_path = path.join("config.json");
    let beside = |why: String| Error::Beside { path: config_path.clone(), why };
    let bytes = std::fs::read(&config_path).map_err(|e| {
        beside(format!("{e}; a model folder holds config.json, tokenizer.json and *.safetensors"))
    })?;
    let config = serde_json::from_slice(&bytes).map_err(|e| beside(format!("not JSON: {e}")))?;
    Ok(Files::Folder { config, weights: Safetensors::open(path)? })
}
