//! The tensors of the new file: what each is called, how it is stored, and its bytes.

use std::ops::ControlFlow;

use arch::Source;
use formats::safetensors::Safetensors;
use formats::{Shape, Storage, Tensor};
use kernels::Format;
use kernels::blocks::{decode, encode};

use super::Quant;
use crate::Error;

/// Numbers that are taken together: whole blocks of every format.
const PIECE: usize = 1 << 18;

/// A tensor of the new file.
pub(super) struct Planned {
    pub name: String,
    pub storage: Storage,
    pub shape: Shape,
    /// Bytes of it in the folder.
    pub bytes: u64,
    /// What the folder calls it.
    from: String,
}

/// All tensors that the model uses, in the order of the folder.
pub(super) fn plan(
    source: &Source,
    weights: &Safetensors,
    quant: Quant,
) -> Result<Vec<Planned>, Error> {
    let used = weights.tensors().filter_map(|tensor| Some((source.twin(tensor.name)?, tensor)));
    used.map(|(name, tensor)| {
        format_of(&tensor, tensor.storage)?;
        let storage = storage(&tensor.shape, quant);
        let (shape, bytes) = (tensor.shape, tensor.bytes.len() as u64);
        Ok(Planned { name, storage, shape, bytes, from: tensor.name.to_owned() })
    })
    .collect()
}

/// Rows stay floats: they are small, and everything is multiplied by them.
fn storage(shape: &[usize], quant: Quant) -> Storage {
    match shape {
        [] | [_] => Storage::F32,
        // No whole blocks.
        [.., width] if quant == Quant::Q8_0 && !width.is_multiple_of(32) => Storage::F16,
        _ => quant.storage(),
    }
}

/// Appends a tensor's bytes as they are to be stored. `progress` is told after each piece how many
/// bytes have been read.
pub(super) fn store(
    weights: &Safetensors,
    planned: &Planned,
    out: &mut Vec<u8>,
    progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<(), Error> {
    let missing = || arch::Error::MissingTensor { name: planned.from.clone() };
    let tensor = weights.tensor(&planned.from).ok_or_else(missing)?;
    let (from, to) = (format_of(&tensor, tensor.storage)?, format_of(&tensor, planned.storage)?);
    let (place, mut read) = (weights.place(&tensor), 0);
    let mut numbers = Vec::new();
    for bytes in tensor.bytes.chunks(PIECE * from.block_bytes()) {
        numbers.resize(bytes.len() / from.block_bytes(), 0.0);
        decode(from, bytes, &mut numbers);
        if let Some(number) = numbers.iter().find(|x| !fits(**x, to)) {
            let (tensor, number) = (planned.from.clone(), *number);
            return Err(Error::Number { tensor, number, storage: planned.storage.name() });
        }
        encode(to, &numbers, out);
        // What has been read need not stay in memory.
        if let Some(place) = &place {
            weights.release(&place.part(read..read + bytes.len()));
        }
        read += bytes.len();
        if progress(bytes.len() as u64).is_break() {
            return Err(Error::Stopped);
        }
    }
    Ok(())
}

/// Whether the format has a finite number nearest to this one.
fn fits(number: f32, format: Format) -> bool {
    /// What is nearer to this than to the largest half is none.
    const HALF_END: f32 = 65_520.0;
    let end = match format {
        Format::F16 => HALF_END,
        Format::Q8_0 => HALF_END * 127.0,
        _ => f32::INFINITY,
    };
    number.abs() < end
}

/// The floats that a folder may have, and what they become.
fn format_of(tensor: &Tensor, storage: Storage) -> Result<Format, Error> {
    match storage {
        Storage::F32 => Ok(Format::F32),
        Storage::F16 => Ok(Format::F16),
        Storage::BF16 => Ok(Format::BF16),
        Storage::Q8_0 => Ok(Format::Q8_0),
        other => Err(Error::Unsaid {
            what: format!(
                "the tensor `{}` is stored as {}; hearth imports F32, F16 and BF16",
                tensor.name,
                other.name()
            ),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_no_half_holds_are_known() {
        for (number, format, expected) in [
            (65_519.9, Format::F16, true),
            (-65_520.0, Format::F16, false),
            (1e6, Format::Q8_0, true),
            (1e7, Format::Q8_0, false),
            (1e30, Format::F32, true),
            (f32::NAN, Format::F32, false),
            (f32::INFINITY, Format::F32, false),
        ] {
            assert_eq!(fits(number, format), expected, "{number} {format:?}");
        }
    }

    #[test]
    fn what_is_no_matrix_of_whole_blocks_is_stored_in_floats() {
        assert_eq!(storage(&[64], Quant::Q8_0), Storage::F32);
        assert_eq!(storage(&[2, 64], Quant::Q8_0), Storage::Q8_0);
        assert_eq!(storage(&[64, 40], Quant::Q8_0), Storage::F16);
        assert_eq!(storage(&[64, 40], Quant::F32), Storage::F32);
    }
}
