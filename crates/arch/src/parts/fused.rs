//! Experts as folders of gpt-oss hold them: all in one tensor, gates and ups interleaved.
//!
//! ```text
//!   plain     gate_up_proj (experts, width, 2 · inner)       a column to an output
//!             down_proj    (experts, inner, width)
//!   MXFP4     *_blocks     (experts, outputs, blocks, 16)    a row to an output; a byte has two
//!             *_scales     (experts, outputs, blocks)        numbers that stand side by side
//! ```
//!
//! Output 2i is gate i, output 2i + 1 is up i. In Llama 4 the gates come first and then the ups,
//! there are no biases, and the layer is called otherwise.

use std::sync::Arc;

use formats::{Place, Tensor};
use kernels::Format;

use super::experts::{Options, Stack, Stored};
use crate::Error;
use crate::hyper::Hyper;
use crate::source::Source;
use crate::weight::{self, Linear, Make, Weight};

/// Numbers in a block, and its bytes in the file.
const BLOCK: usize = 32;
const BLOCK_BYTES: usize = BLOCK / 2;

/// Gates, ups and downs.
pub(super) fn find(
    source: &Source,
    layer: usize,
    h: &Hyper,
    with: Options,
) -> Result<[Stack; 3], Error> {
    let (inner, outer) = (with.feed_forward, h.hidden);
    let (prefix, biased, up, step) = match with.stored {
        Stored::Stacked => ("feed_forward", false, inner, 1),
        _ => ("mlp", true, 1, 2),
    };
    let part = |name: &str, outputs, rows, first, step| Part {
        source,
        name: source.in_layer(layer, &format!("{prefix}.experts.{name}")),
        count: with.count,
        outputs,
        rows,
        first,
        step,
        biased,
    };
    Ok([
        part("gate_up_proj", 2 * inner, inner, 0, step).find(outer)?,
        part("gate_up_proj", 2 * inner, inner, up, step).find(outer)?,
        part("down_proj", outer, outer, 0, 1).find(inner)?,
    ])
}

/// Some outputs of a tensor: every `step`th from `first` on.
struct Part<'a> {
    source: &'a Source,
    name: String,
    count: usize,
    /// All outputs of the tensor, and those that are taken.
    outputs: usize,
    rows: usize,
    first: usize,
    step: usize,
    biased: bool,
}

impl Part<'_> {
    fn find(&self, cols: usize) -> Result<Stack, Error> {
        let biases = match self.biased {
            false => Vec::new(),
            true => {
                let name = format!("{}_bias", self.name);
                weight::floats(self.source, &name, &[self.count, self.outputs])?
            }
        };
        let weights = match self.source.find(&format!("{}_blocks", self.name)) {
            Some(_) => self.of_blocks(cols)?,
            None => self.of_columns(cols)?,
        };
        let linear = |(expert, weight)| {
            let biases = biases.chunks(self.outputs).nth(expert);
            let bias = biases.map(|biases| self.taken().map(|output| biases[output]).collect());
            Linear { weight, bias }
        };
        Ok(Stack(weights.into_iter().enumerate().map(linear).collect()))
    }

    /// The outputs that are taken.
    fn taken(&self) -> impl Iterator<Item = usize> + Clone + use<> {
        (self.first..self.outputs).step_by(self.step).take(self.rows)
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<(Tensor<'_>, Place), Error> {
        let tensor = self.source.tensor(name)?;
        weight::expect_shape(&tensor, shape)?;
        let place = self.source.place(&tensor);
        Ok((tensor, place))
    }

    /// Where a tensor of bytes lies.
    fn bytes(&self, name: &str, shape: &[usize]) -> Result<Place, Error> {
        let (tensor, place) = self.tensor(name, shape)?;
        if tensor.bytes.len() == shape.iter().product::<usize>() {
            return Ok(place);
        }
        Err(Error::Storage { name: name.to_owned(), storage: tensor.storage.name() })
    }

    fn of_blocks(&self, cols: usize) -> Result<Vec<Weight>, Error> {
        let &Part { source, ref name, count, outputs, rows, .. } = self;
        if !cols.is_multiple_of(BLOCK) {
            return Err(weight::no_whole_blocks(Format::MXFP4, name, cols));
        }
        let row_blocks = cols / BLOCK;
        let shape = [count, outputs, row_blocks, BLOCK_BYTES];
        let blocks = self.bytes(&format!("{name}_blocks"), &shape)?;
        let scales = self.bytes(&format!("{name}_scales"), &shape[..3])?;
        let make = |expert: usize| -> Make {
            let len = outputs * row_blocks;
            let scales = scales.part(expert * len..(expert + 1) * len);
            let blocks = blocks.part(expert * len * BLOCK_BYTES..(expert + 1) * len * BLOCK_BYTES);
            let (files, taken) = (Arc::clone(&source.files), self.taken());
            Box::new(move || {
                let (blocks, scales) = (files.bytes_at(&blocks), files.bytes_at(&scales));
                let of_row = taken.clone().flat_map(|row| row * row_blocks..(row + 1) * row_blocks);
                let pairs = |i| &blocks[i * BLOCK_BYTES..][..BLOCK_BYTES];
                of_row.flat_map(|i| block(scales[i], pairs(i))).collect()
            })
        };
        let shape = (rows, cols);
        Ok((0..count).map(|expert| Weight::made(Format::MXFP4, shape, make(expert))).collect())
    }

    fn of_columns(&self, cols: usize) -> Result<Vec<Weight>, Error> {
        let &Part { source, ref name, count, outputs, rows, .. } = self;
        let (tensor, place) = self.tensor(name, &[count, cols, outputs])?;
        let format = weight::format_of(&tensor)?;
        let size = format.block_bytes();
        if !format.is_float() || format.block_len() > 1 {
            return Err(Error::Storage { name: name.clone(), storage: tensor.storage.name() });
        }
        let make = |expert: usize| -> Make {
            let len = cols * outputs * size;
            let place = place.part(expert * len..(expert + 1) * len);
            let (files, taken) = (Arc::clone(&source.files), self.taken());
            Box::new(move || {
                let bytes = files.bytes_at(&place);
                let all = taken.clone().flat_map(|output| (0..cols).map(move |col| (output, col)));
                let at = |(output, col): (usize, usize)| col * outputs + output;
                all.flat_map(|place| &bytes[at(place) * size..][..size]).copied().collect()
            })
        };
        Ok((0..count).map(|expert| Weight::made(format, (rows, cols), make(expert))).collect())
    }
}

/// A block as GGUF files have it: the scale, then bytes of which each has a number of the first and
/// one of the second half.
fn block(scale: u8, pairs: &[u8]) -> [u8; 1 + BLOCK_BYTES] {
    let number = |i: usize| pairs[i / 2] >> (4 * (i % 2)) & 15;
    let mut block = [scale; 1 + BLOCK_BYTES];
    for (i, byte) in block[1..].iter_mut().enumerate() {
        *byte = number(i) | number(i + BLOCK_BYTES) << 4;
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_block_change_their_places() {
        let pairs: Vec<u8> = (0..16).map(|i| (2 * i % 16) | ((2 * i + 1) % 16) << 4).collect();
        let block = block(130, &pairs);
        let mut values = [0.0; BLOCK];
        kernels::blocks::decode(Format::MXFP4, &block, &mut values);
        let fp4 = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0];
        for (i, value) in values.iter().enumerate() {
            let sign = if i % 16 < 8 { 1.0 } else { -1.0 };
            assert_eq!(*value, sign * fp4[i % 8] * 8.0, "number {i}");
        }
    }
}
