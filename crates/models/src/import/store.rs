//! One tensor read, stored anew and written: by all threads, and never whole in memory.
//!
//! A tensor is cut into pieces of a fixed size, and so many of them are under way at a time. So
//! the bytes and the sums do not depend on the number of threads.

use std::io::Write;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use formats::gguf::Body;
use formats::{Storage, Tensor};
use kernels::blocks::{decode, encode, reach};
use kernels::{Crew, Format};

use super::tensors::{Change, Planned, Weights};
use crate::Error;

/// Numbers of a piece: whole blocks of every format.
const PIECE: usize = 1 << 16;

/// Pieces under way at a time: with more threads than these some would rest.
const TOGETHER: usize = 128;

/// What became of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Its name in the new file.
    pub name: String,
    /// How it is stored there.
    pub storage: Storage,
    /// How many numbers it has.
    pub numbers: usize,
    /// The root mean square of what its numbers have lost, as a part of their own.
    pub error: f64,
}

/// A piece on its way.
#[derive(Default)]
struct Piece {
    bytes: Vec<u8>,
    /// Sums of the squares of what was lost, and of the numbers.
    lost: f64,
    own: f64,
    /// A number that cannot be stored.
    beyond: Option<f32>,
}

/// A tensor to be stored, and what does it.
pub(super) struct Store<'a> {
    pub weights: &'a Weights,
    pub planned: &'a Planned,
    pub crew: &'a Crew,
}

impl Store<'_> {
    /// Writes the tensor. `progress` is told again and again how many bytes have been read.
    pub fn write<W: Write>(
        &self,
        body: &mut Body<W>,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Stored, Error> {
        if self.planned.from.is_empty() {
            return self.write_made(body);
        }
        let from = self.planned.from.iter().map(|name| self.weights.tensor(name));
        let from: Vec<Tensor> = from.collect::<Result<_, _>>()?;
        let Planned { name, storage, shape, .. } = self.planned;
        if self.planned.is_copied(&from[0]) {
            return self.copy(&from[0], body, progress);
        }
        let numbers: usize = shape.iter().product();
        let per_piece = self.planned.bytes.div_ceil(numbers.div_ceil(PIECE) as u64);
        let (mut lost, mut own, mut told) = (0.0, 0.0, 0);
        let mut pieces: Vec<Mutex<Piece>> = Vec::new();
        pieces.resize_with(TOGETHER.min(numbers.div_ceil(PIECE)), Mutex::default);
        for first in (0..numbers).step_by(PIECE * TOGETHER) {
            let count = (numbers - first).div_ceil(PIECE).min(TOGETHER);
            self.encode(&from, first, &pieces[..count])?;
            for piece in &mut pieces[..count] {
                let piece = piece.get_mut().unwrap_or_else(PoisonError::into_inner);
                if let Some(number) = piece.beyond {
                    let tensor = from[0].name.to_owned();
                    return Err(Error::Number { tensor, number, storage: storage.name() });
                }
                body.part(&piece.bytes)?;
                (lost, own) = (lost + piece.lost, own + piece.own);
            }
            self.release(&from, first..(first + PIECE * TOGETHER).min(numbers));
            let read = (per_piece * count as u64).min(self.planned.bytes - told);
            told += read;
            if progress(read).is_break() {
                return Err(Error::Stopped);
            }
        }
        let error = if own > 0.0 { (lost / own).sqrt() } else { 0.0 };
        Ok(Stored { name: name.clone(), storage: *storage, numbers, error })
    }

    /// Writes what stays as it is.
    fn copy<W: Write>(
        &self,
        from: &Tensor,
        body: &mut Body<W>,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Stored, Error> {
        const TOGETHER: usize = 1 << 24;
        for (n, bytes) in from.bytes.chunks(TOGETHER).enumerate() {
            body.part(bytes)?;
            self.weights.release(from, n * TOGETHER..n * TOGETHER + bytes.len());
            if progress(bytes.len() as u64).is_break() {
                return Err(Error::Stopped);
            }
        }
        let (name, storage) = (self.planned.name.clone(), self.planned.storage);
        Ok(Stored { name, storage, numbers: from.count(), error: 0.0 })
    }

    /// Writes one that is made of nothing else; they are short.
    fn write_made<W: Write>(&self, body: &mut Body<W>) -> Result<Stored, Error> {
        let Planned { name, storage, made, .. } = self.planned;
        let mut bytes = Vec::new();
        encode(Format::F32, made, &mut bytes);
        body.part(&bytes)?;
        Ok(Stored { name: name.clone(), storage: *storage, numbers: made.len(), error: 0.0 })
    }

    /// Stores the pieces from a number on.
    fn encode(&self, from: &[Tensor], first: usize, pieces: &[Mutex<Piece>]) -> Result<(), Error> {
        let formats = from.iter().map(|tensor| format_of(tensor, tensor.storage));
        let formats = formats.collect::<Result<Vec<Format>, Error>>()?;
        let old = Old { from, formats: &formats, planned: self.planned };
        let format = format_of(&from[0], self.planned.storage)?;
        let numbers: usize = self.planned.shape.iter().product();
        let next = AtomicUsize::new(0);
        self.crew.together(&|_| {
            let (mut plain, mut back) = (Vec::new(), Vec::new());
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let Some(piece) = pieces.get(n) else { break };
                let start = first + n * PIECE;
                plain.resize(PIECE.min(numbers - start), 0.0);
                old.read(start, &mut plain);
                let mut piece = piece.lock().unwrap_or_else(PoisonError::into_inner);
                piece.store(format, &plain, &mut back);
            }
        });
        Ok(())
    }

    /// What has been read need not stay in memory.
    fn release(&self, from: &[Tensor], numbers: Range<usize>) {
        let each = from[0].count();
        match self.planned.change {
            // Its rows are taken from here and there, to the end.
            Change::Pairs { .. } if numbers.end < each => {}
            Change::Pairs { .. } => self.weights.release(&from[0], 0..from[0].bytes.len()),
            Change::None => {
                for (n, tensor) in from.iter().enumerate() {
                    let part = |at: usize| at.saturating_sub(n * each).min(each) as u64;
                    let bytes = |at| tensor.storage.bytes(part(at)).unwrap_or(0) as usize;
                    self.weights.release(tensor, bytes(numbers.start)..bytes(numbers.end));
                }
            }
        }
    }
}

/// The numbers where they come from.
struct Old<'a> {
    from: &'a [Tensor<'a>],
    /// Of each of these.
    formats: &'a [Format],
    planned: &'a Planned,
}

impl Old<'_> {
    /// Reads numbers of the new tensor, from one on.
    fn read(&self, start: usize, out: &mut [f32]) {
        let (each, width) = (self.from[0].count(), self.planned.width());
        let (mut at, mut rest) = (start, out);
        while !rest.is_empty() {
            let (tensor, format) = (&self.from[at / each], self.formats[at / each]);
            let within = at % each;
            // Where these lie, and how many lie together.
            let (source, together) = match self.planned.change {
                Change::Pairs { head } => {
                    (paired(within / width, head) * width + within % width, width - within % width)
                }
                Change::None => (within, each - within),
            };
            let (now, later) = rest.split_at_mut(together.min(rest.len()));
            let block = |numbers: usize| numbers / format.block_len() * format.block_bytes();
            decode(format, &tensor.bytes[block(source)..block(source + now.len())], now);
            (at, rest) = (at + now.len(), later);
        }
    }
}

impl Piece {
    fn store(&mut self, format: Format, plain: &[f32], back: &mut Vec<f32>) {
        let most = reach(format);
        self.beyond = plain.iter().copied().find(|x| x.abs() > most || x.is_nan());
        self.bytes.clear();
        encode(format, plain, &mut self.bytes);
        back.resize(plain.len(), 0.0);
        decode(format, &self.bytes, back);
        let square = |x: f32| f64::from(x) * f64::from(x);
        self.own = plain.iter().map(|x| square(*x)).sum();
        self.lost = plain.iter().zip(back).map(|(x, y)| square(x - *y)).sum();
    }
}

/// The row of a folder that becomes this row: GGUF has the halves of a head's rotary pairs beside
/// each other, folders have one half of the head behind the other.
fn paired(row: usize, head: usize) -> usize {
    let (first, within) = (row / head * head, row % head);
    first + within % 2 * (head / 2) + within / 2
}

/// How numbers that are stored like this are computed.
pub(super) fn format_of(tensor: &Tensor, storage: Storage) -> Result<Format, Error> {
    arch::format_for(storage).ok_or_else(|| Error::Unsaid {
        what: format!(
            "the tensor `{}` is stored as {}, which hearth does not read",
            tensor.name,
            storage.name()
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beyond_a_storage_are_found() {
        for (number, format, expected) in [
            (65_519.9, Format::F16, None),
            (-65_520.0, Format::F16, Some(-65_520.0)),
            (1e6, Format::Q8_0, None),
            (1e7, Format::Q8_0, Some(1e7)),
            (1e30, Format::F32, None),
            (f32::INFINITY, Format::F32, Some(f32::INFINITY)),
        ] {
            let (mut piece, mut numbers) = (Piece::default(), [0.5; 32]);
            numbers[7] = number;
            piece.store(format, &numbers, &mut Vec::new());
            assert_eq!(piece.beyond, expected, "{number} {format:?}");
        }
        let mut piece = Piece::default();
        piece.store(Format::F32, &[f32::NAN], &mut Vec::new());
        assert!(piece.beyond.is_some_and(f32::is_nan));
    }

    #[test]
    fn halves_of_heads_become_pairs() {
        let rows: Vec<usize> = (0..8).map(|row| paired(row, 4)).collect();
        assert_eq!(rows, [0, 2, 1, 3, 4, 6, 5, 7]);
    }
}
