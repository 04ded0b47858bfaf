//! The tensors of the new file: what each is called, how it is stored, and where it comes from.

use std::collections::BTreeMap;
use std::ops::Range;

use arch::Source;
use formats::gguf::Gguf;
use formats::safetensors::Safetensors;
use formats::{Shape, Storage, Tensor};
use serde_json::Value;

use super::Quant;
use super::family::Family;
use super::mix::{Mix, layer_and_kind};
use crate::Error;

/// The files that weights are read from.
pub(super) enum Weights {
    Folder(Safetensors),
    Gguf(Gguf),
}

/// A tensor of the new file.
pub(super) struct Planned {
    pub name: String,
    pub storage: Storage,
    pub shape: Shape,
    /// Bytes of it where it comes from.
    pub bytes: u64,
    /// What it is called there: one, or several that become one, or none.
    pub from: Vec<String>,
    pub change: Change,
    /// The numbers of one that comes from nowhere.
    pub made: Vec<f32>,
}

/// What happens to numbers besides that they are stored anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    None,
    /// The halves of each head's rows, so wide, become pairs.
    Pairs {
        head: usize,
    },
}

impl Planned {
    /// Whether it stays as it is: blocks stored anew might become others, and what is no float no
    /// number at all. Floats are looked at all the same.
    pub fn is_copied(&self, from: &Tensor) -> bool {
        let is_float = matches!(from.storage, Storage::F32 | Storage::F16 | Storage::BF16);
        from.storage == self.storage && !is_float
    }

    /// Numbers of a row; those of a single row are rows of their own.
    pub fn width(&self) -> usize {
        if let [.., width] = self.shape[..]
            && self.shape.len() > 1
        {
            width
        } else {
            1
        }
    }
}

impl Weights {
    pub fn tensor(&self, name: &str) -> Result<Tensor<'_>, Error> {
        let found = match self {
            Weights::Folder(folder) => folder.tensor(name),
            Weights::Gguf(gguf) => gguf.tensor(name),
        };
        Ok(found.ok_or_else(|| arch::Error::MissingTensor { name: name.to_owned() })?)
    }

    /// Says that these bytes of a tensor will hardly be read again.
    pub fn release(&self, tensor: &Tensor, bytes: Range<usize>) {
        match self {
            Weights::Folder(folder) => {
                folder.place(tensor).iter().for_each(|at| folder.release(&at.part(bytes.clone())));
            }
            Weights::Gguf(gguf) => {
                gguf.place(tensor).iter().for_each(|at| gguf.release(&at.part(bytes.clone())));
            }
        }
    }
}

/// All tensors of a folder that the model uses, in the order of the folder.
pub(super) fn of_folder(
    (source, family): (&Source, &Family),
    weights: &Safetensors,
    quant: Quant,
) -> Result<Vec<Planned>, Error> {
    let mut planned: Vec<Planned> = Vec::new();
    if let Some(factors) = arch::rope_factors(source)? {
        planned.extend(made("rope_freqs.weight", factors));
    }
    let head = family.head(source.config().unwrap_or(&Value::Null));
    let mut places = BTreeMap::new();
    for tensor in weights.tensors() {
        let Some(name) = source.twin(tensor.name) else { continue };
        check(&tensor)?;
        let place = *places.entry(name.clone()).or_insert(planned.len());
        if let Some(whole) = planned.get_mut(place) {
            whole.bytes += tensor.bytes.len() as u64;
            whole.from.push(tensor.name.to_owned());
            continue;
        }
        let kind = layer_and_kind(&name).1;
        let is_paired = family.pairs && ["attn_q.weight", "attn_k.weight"].contains(&kind);
        planned.push(Planned {
            name,
            storage: Storage::F32,
            shape: tensor.shape,
            bytes: tensor.bytes.len() as u64,
            from: vec![tensor.name.to_owned()],
            change: if is_paired { Change::Pairs { head } } else { Change::None },
            made: Vec::new(),
        });
    }
    for whole in
        planned.iter_mut().filter(|planned| EXPERTS.iter().any(|e| planned.name.contains(e)))
    {
        // Their names differ in a number.
        whole.from.sort_by_key(|name| (name.len(), name.clone()));
        let shape = [&[whole.from.len()], &whole.shape[..]].concat();
        whole.shape = Shape::new(&shape).unwrap_or(whole.shape);
    }
    choose(&mut planned, quant);
    Ok(planned)
}

/// Matrices of all experts, which folders have one by one.
const EXPERTS: [&str; 3] = ["ffn_gate_exps", "ffn_up_exps", "ffn_down_exps"];

/// Refuses what is no plain number.
fn check(tensor: &Tensor) -> Result<(), Error> {
    if matches!(tensor.storage, Storage::F32 | Storage::F16 | Storage::BF16) {
        return Ok(());
    }
    let (name, storage) = (tensor.name, tensor.storage.name());
    let what =
        format!("the tensor `{name}` is stored as {storage}; hearth imports F32, F16 and BF16");
    Err(Error::Unsaid { what })
}

/// A row of numbers that no tensor of a folder has.
fn made(name: &str, numbers: Vec<f32>) -> Option<Planned> {
    Some(Planned {
        name: name.to_owned(),
        storage: Storage::F32,
        shape: Shape::new(&[numbers.len()])?,
        bytes: 0,
        from: Vec::new(),
        change: Change::None,
        made: numbers,
    })
}

/// All tensors of a GGUF file, in its order.
pub(super) fn of_gguf(gguf: &Gguf, quant: Quant) -> Vec<Planned> {
    let as_it_is = |tensor: Tensor| Planned {
        name: tensor.name.to_owned(),
        storage: tensor.storage,
        shape: tensor.shape,
        bytes: tensor.bytes.len() as u64,
        from: vec![tensor.name.to_owned()],
        change: Change::None,
        made: Vec::new(),
    };
    let mut planned = gguf.tensors().map(as_it_is).collect::<Vec<_>>();
    choose(&mut planned, quant);
    planned
}

/// Chooses the storage of matrices. Everything else keeps the one it has.
fn choose(planned: &mut [Planned], quant: Quant) {
    let tensors = planned.iter().map(|planned| (&*planned.name, &planned.shape[..]));
    let mix = Mix::of(quant, &tensors);
    for planned in planned {
        if let Some(storage) = mix.storage(&planned.name, &planned.shape) {
            planned.storage = storage;
        }
    }
}
