//! A model on disk or in the program, whichever way it is written: a GGUF file or a Hugging Face
//! folder.
//!
//! Families ask for hyper-parameters and tensors by both names; this file answers from what there
//! is. It also remembers which tensors were asked for, so that none can be overlooked.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use formats::gguf::Gguf;
use formats::safetensors::Safetensors;
use formats::{Place, Tensor};
use kernels::Kept;
use serde_json::Value;

use crate::Error;

/// Weights and hyper-parameters of one model.
pub struct Source {
    pub(crate) files: Arc<Files>,
    used: RefCell<BTreeSet<String>>,
    /// Names in GGUF of the tensors of a folder, by the folder's.
    twins: RefCell<BTreeMap<String, String>>,
    /// What the family's configurations leave out.
    unstated: OnceCell<Value>,
    /// Other names of some tensors of layers in a GGUF file.
    others: OnceCell<OtherNames>,
    /// Whether tensors have no bytes of their own.
    is_header: bool,
    /// Bytes that the model which was loaded last has taken out of the files.
    taken: Cell<u64>,
    /// How the model that is being loaded keeps keys and values.
    kept: Cell<Kept>,
}

/// The opened files; weights keep them open.
pub(crate) enum Files {
    Gguf(Gguf),
    Folder { config: Value, weights: Safetensors, names: Names, pooling: Value },
}

/// Where a folder has the tensors of its text model: those of a vision-language checkpoint stand
/// elsewhere, among others that a text does not need.
#[derive(Debug, PartialEq)]
pub(crate) struct Names {
    model: &'static str,
    head: &'static str,
    /// Whether there are others.
    nested: bool,
}

const PLAIN_NAMES: Names = Names { model: "model.", head: "lm_head", nested: false };

/// Where a folder says how rows become one vector.
pub const POOLING_FILE: &str = "1_Pooling/config.json";

/// The embedding's name behind its place.
const EMBEDDING: &str = "embed_tokens.weight";

/// Names of the embedding's place in published checkpoints.
const PLACES: [&str; 3] = ["model.language_model.", "language_model.model.", "model."];

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

/// Names of tensors, and what another converter calls them.
pub(crate) type OtherNames = &'static [(&'static str, &'static str)];

/// In GGUF files, the beginnings of names of what sees and hears, and of what brings it in.
const SENSES: [&str; 4] = ["v.", "a.", "mm.", "model.vision_tower."];

/// Buffers that old checkpoints stored beside their weights; recipes compute them.
const HARMLESS: &[&str] = &["rotary_emb.inv_freq"];

impl Source {
    /// Opens a GGUF file (or the first of a split one), a Hugging Face folder, or one file of such
    /// a folder that has all weights.
    ///
    /// # Errors
    /// When there is neither, or it cannot be read.
    pub fn open(path: &Path) -> Result<Source, Error> {
        if path.is_dir() {
            return Ok(Source::of(open_folder(path, path)?));
        }
        if path.extension().is_some_and(|ending| ending == "safetensors") {
            let folder = path.parent().unwrap_or(path);
            return Ok(Source::of(open_folder(folder, path)?));
        }
        Ok(Source::of(Files::Gguf(Gguf::open(path)?)))
    }

    /// Opens a GGUF file that is part of the program. Nothing is copied.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open_static(bytes: &'static [u8]) -> Result<Source, Error> {
        Ok(Source::from_gguf(Gguf::from_static(bytes)?))
    }

    /// A model from a GGUF file that is open already.
    pub fn from_gguf(gguf: Gguf) -> Source {
        Source::of(Files::Gguf(gguf))
    }

    /// The header of a GGUF file of `len` bytes, whatever more of its beginning is known. A model
    /// can be loaded from it to be counted; its weights are zeros.
    ///
    /// # Errors
    /// When it cannot be read, as when the header goes on behind what is known.
    pub fn from_header(known: &[u8], len: u64) -> Result<Source, Error> {
        let source = Source::from_gguf(Gguf::from_beginning(known, len)?);
        Ok(Source { is_header: true, ..source })
    }

    fn of(files: Files) -> Source {
        Source {
            files: Arc::new(files),
            used: RefCell::default(),
            twins: RefCell::default(),
            unstated: OnceCell::new(),
            others: OnceCell::new(),
            is_header: false,
            taken: Cell::default(),
            kept: Cell::default(),
        }
    }

    pub(crate) fn set_kept(&self, kept: Kept) {
        self.kept.set(kept);
    }

    /// How the model that is being loaded keeps keys and values.
    pub(crate) fn kept(&self) -> Kept {
        self.kept.get()
    }

    /// Whether numbers in tensors mean nothing.
    pub(crate) fn is_header(&self) -> bool {
        self.is_header
    }

    /// Counts bytes that a model takes out of the files and keeps.
    pub(crate) fn take_out(&self, bytes: usize) {
        self.taken.set(self.taken.get() + bytes as u64);
    }

    /// Bytes that the model which was loaded last has taken out of the files: norms, biases and
    /// the like.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.get()
    }

    pub(crate) fn forget_taken(&self) {
        self.taken.set(0);
    }

    /// A folder with this configuration and no tensors.
    #[cfg(test)]
    pub(crate) fn from_config(config: Value) -> Source {
        let empty = b"\x08\0\0\0\0\0\0\0{}      ".to_vec();
        let weights = Safetensors::from_bytes(empty).expect("a header without tensors");
        Source::of(Files::Folder { config, weights, names: PLAIN_NAMES, pooling: Value::Null })
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

    /// How a folder says that rows become one vector; null where it does not.
    pub(crate) fn pooling(&self) -> &Value {
        match &*self.files {
            Files::Gguf(_) => &Value::Null,
            Files::Folder { pooling, .. } => pooling,
        }
    }

    /// Whether a folder has the layers alone, as those of models that only embed.
    pub(crate) fn is_bare(&self) -> bool {
        self.names().model.is_empty()
    }

    /// A value of `config.json`, or what the family means without it; null when it has none, and
    /// for GGUF files.
    pub(crate) fn setting(&self, key: &str) -> &Value {
        let stated = self.config().map(|config| config.get(key));
        match (stated, self.unstated.get()) {
            (None, _) | (Some(None), None) => &Value::Null,
            (Some(Some(stated)), _) => stated,
            (Some(None), Some(unstated)) => &unstated[key],
        }
    }

    /// The folder's `config.json` with what the family means where it says nothing.
    pub(crate) fn settings(&self) -> Option<Value> {
        let mut config = self.config()?.clone();
        let unstated = self.unstated.get().and_then(Value::as_object).into_iter().flatten();
        if let Some(settings) = config.as_object_mut() {
            for (key, value) in unstated {
                settings.entry(key).or_insert_with(|| value.clone());
            }
        }
        Some(config)
    }

    /// Says what absent settings mean.
    pub(crate) fn set_unstated(&self, settings: &[(&str, f64)]) {
        let number = |value: f64| match value.fract() == 0.0 {
            true => Value::from(value as u64),
            false => Value::from(value),
        };
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), number(*value)));
        // A second family never gets to say anything: the first was found by name.
        let _ = self.unstated.set(Value::Object(settings.collect()));
    }

    /// What the family means where a file does not say.
    pub(crate) fn unstated(&self, name: Name) -> Option<f32> {
        self.unstated.get()?[name.hugging_face].as_f64().map(|number| number as f32)
    }

    /// Whether this is a GGUF file.
    pub fn is_gguf(&self) -> bool {
        self.gguf().is_some()
    }

    /// All tensors, in the order of the files.
    pub fn tensors(&self) -> Vec<Tensor<'_>> {
        self.files.tensors()
    }

    /// How keys and values are kept where nobody says: as whole numbers beside weights that have
    /// been rounded to some bits, where nothing of it shows, and beside floats as they are.
    pub fn suits(&self) -> Kept {
        let is_quantised = match self.gguf() {
            Some(_) => self.tensors().iter().any(|tensor| tensor.storage.block().0 > 1),
            None => !self.setting("quantization_config").is_null(),
        };
        if is_quantised { Kept::I16 } else { Kept::F32 }
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
        let in_gguf = match layer {
            None => format!("{}.{kind}", name.gguf),
            Some(layer) => format!("blk.{layer}.{}.{kind}", self.in_gguf(name)),
        };
        if self.is_gguf() {
            return in_gguf;
        }
        let in_folder = match layer {
            None => format!("{}.{kind}", self.names().place(name.hugging_face)),
            Some(layer) => format!("{}.{kind}", self.in_layer(layer, name.hugging_face)),
        };
        self.twins.borrow_mut().insert(in_folder.clone(), in_gguf);
        in_folder
    }

    /// The name in a layer of a folder of a tensor that is one of several there, and in GGUF files
    /// a part of one.
    pub(crate) fn part_name(&self, layer: usize, (name, part): (Name, &str)) -> String {
        let in_folder = self.in_layer(layer, part);
        let in_gguf = format!("blk.{layer}.{}.weight", name.gguf);
        self.twins.borrow_mut().insert(in_folder.clone(), in_gguf);
        in_folder
    }

    /// The name in GGUF of a tensor of a folder, if loading the model has asked for it and its
    /// recipe has a name for it there.
    pub fn twin(&self, tensor: &str) -> Option<String> {
        self.twins.borrow().get(tensor).cloned()
    }

    /// The name of something in a layer of a folder.
    pub(crate) fn in_layer(&self, layer: usize, name: &str) -> String {
        format!("{}layers.{layer}.{name}", self.names().model)
    }

    /// The name of something in a layer whose two names have all that stands behind them.
    pub(crate) fn whole_name(&self, name: Name, layer: usize) -> String {
        match self.is_gguf() {
            true => format!("blk.{layer}.{}", self.in_gguf(name)),
            false => self.in_layer(layer, name.hugging_face),
        }
    }

    /// What a tensor of a layer is called in this GGUF file.
    fn in_gguf(&self, name: Name) -> &'static str {
        let others = self.others.get().copied().unwrap_or_default();
        others.iter().find(|(usual, _)| *usual == name.gguf).map_or(name.gguf, |(_, other)| other)
    }

    /// Says that some tensors of layers have other names than usual in this file.
    pub(crate) fn set_other_names(&self, others: OtherNames) {
        // As with what is unstated, the first family is the only one.
        let _ = self.others.set(others);
    }

    /// The same, where some layer has a tensor by such a name.
    pub(crate) fn set_other_names_if_there(&self, others: OtherNames) {
        let is_other = |name: &str| {
            let in_layer = name.strip_prefix("blk.").and_then(|name| name.split_once('.'));
            in_layer.is_some_and(|(_, name)| others.iter().any(|(_, other)| *other == name))
        };
        if self.is_gguf() && self.tensors().iter().any(|tensor| is_other(tensor.name)) {
            self.set_other_names(others);
        }
    }

    fn names(&self) -> &Names {
        match &*self.files {
            Files::Gguf(_) => &PLAIN_NAMES,
            Files::Folder { names, .. } => names,
        }
    }

    /// A tensor that may be absent.
    pub(crate) fn find(&self, name: &str) -> Option<Tensor<'_>> {
        let tensor = self.files.tensor(name)?;
        self.used.borrow_mut().insert(name.to_owned());
        Some(tensor)
    }

    /// Whether the first layer of a folder has this tensor.
    pub(crate) fn has(&self, name: &str) -> bool {
        !self.is_gguf() && self.files.tensor(&self.in_layer(0, name)).is_some()
    }

    /// A tensor that must be there.
    pub(crate) fn tensor(&self, name: &str) -> Result<Tensor<'_>, Error> {
        self.find(name).ok_or_else(|| Error::MissingTensor { name: name.to_owned() })
    }

    /// Where one of its tensors lies.
    pub(crate) fn place(&self, tensor: &Tensor) -> Place {
        self.files.place(tensor).expect("a tensor lies in the files it came from")
    }

    /// Says that a tensor may lie unused: a copy of another, for instance.
    pub(crate) fn may_skip(&self, name: &str) {
        self.twins.borrow_mut().remove(name);
        self.used.borrow_mut().insert(name.to_owned());
    }

    /// Says that all tensors with this beginning may.
    pub(crate) fn may_skip_all(&self, prefix: &str) {
        let tensors = self.files.tensors();
        let skipped = tensors.iter().filter(|tensor| tensor.name.starts_with(prefix));
        self.used.borrow_mut().extend(skipped.map(|tensor| tensor.name.to_owned()));
    }

    /// Says that the parts which see and hear may, where a GGUF file has them beside the text
    /// model, as Ollama's do; whether it has.
    pub(crate) fn may_skip_senses(&self) -> bool {
        let is_sense = |name: &str| SENSES.iter().any(|prefix| name.starts_with(prefix));
        let has_senses =
            self.is_gguf() && self.tensors().iter().any(|tensor| is_sense(tensor.name));
        if has_senses {
            SENSES.iter().for_each(|prefix| self.may_skip_all(prefix));
        }
        has_senses
    }

    /// Refuses a model with tensors that nobody asked for.
    pub(crate) fn all_used(&self) -> Result<(), Error> {
        let used = self.used.borrow();
        let tensors = self.files.tensors();
        let unused = tensors.iter().map(|tensor| tensor.name).filter(|name| !used.contains(*name));
        let unused =
            unused.filter(|name| !HARMLESS.iter().any(|harmless| name.ends_with(harmless)));
        let unused = unused.filter(|name| self.is_gguf() || self.names().has(name));
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

fn open_folder(folder: &Path, weights: &Path) -> Result<Files, Error> {
    let beside = |path: &Path, why: String| Error::Beside { path: path.to_owned(), why };
    let json = |path: &Path| match std::fs::read(path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map_err(|e| beside(path, format!("not JSON: {e}")))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Value::Null),
        Err(error) => Err(beside(path, error.to_string())),
    };
    let path = folder.join("config.json");
    let config = json(&path)?;
    if config.is_null() {
        let why = "not there; a model folder holds config.json, tokenizer.json and *.safetensors";
        return Err(beside(&path, why.to_owned()));
    }
    let pooling = json(&folder.join(POOLING_FILE))?;
    let weights = Safetensors::open(weights)?;
    let (config, names) = text_of(config, &weights);
    Ok(Files::Folder { config, weights, names, pooling })
}

/// The settings of the text model and the names of its tensors. A vision-language checkpoint nests
/// them; what concerns all of it stands outside.
fn text_of(config: Value, weights: &Safetensors) -> (Value, Names) {
    let has = |name: &str| weights.tensor(name).is_some();
    let Some(text) = config["text_config"].as_object() else {
        let is_bare = has(EMBEDDING) && !has(&format!("{}{EMBEDDING}", PLAIN_NAMES.model));
        let model = if is_bare { "" } else { PLAIN_NAMES.model };
        return (config, Names { model, ..PLAIN_NAMES });
    };
    let mut text = text.clone();
    let outer = config.as_object().into_iter().flatten();
    for (key, value) in outer.filter(|(_, value)| !value.is_object()) {
        text.entry(key).or_insert_with(|| value.clone());
    }
    text.insert("architectures".to_owned(), config["architectures"].clone());
    text.insert("quantization_config".to_owned(), config["quantization_config"].clone());
    let model = PLACES.into_iter().find(|place| has(&format!("{place}{EMBEDDING}")));
    let head = "language_model.lm_head";
    let head = if has(&format!("{head}.weight")) { head } else { PLAIN_NAMES.head };
    let names = Names { model: model.unwrap_or(PLAIN_NAMES.model), head, nested: true };
    (Value::Object(text), names)
}

impl Names {
    /// Where something that is in no layer stands here.
    fn place(&self, name: &str) -> String {
        match name.strip_prefix(PLAIN_NAMES.model) {
            Some(rest) => format!("{}{rest}", self.model),
            None if name == PLAIN_NAMES.head => self.head.to_owned(),
            None => name.to_owned(),
        }
    }

    /// Whether a tensor belongs to the text model.
    fn has(&self, name: &str) -> bool {
        !self.nested || name.starts_with(self.model) || name.starts_with(self.head)
    }
}
