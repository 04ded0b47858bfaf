//! Activation rows rounded to planes of int8, row after row.

use super::product::Rounding;
use crate::Isa;
use crate::isa::per_isa;
use crate::portable::product::Rounded;
use crate::portable::round::{self, Plane, RUN};
use crate::room::{make_room, room};

per_isa!(round_row = round::round_row; (x: &[f32], group_len: usize, to: &mut Plane<'_>));
per_isa!(subtract_rounded = round::subtract_rounded;
    (x: &mut [f32], group_len: usize, rounded: &Plane<'_>));

/// Rounded rows in groups of one length.
#[derive(Default)]
pub(super) struct Groups {
    planes: usize,
    cols: usize,
    group_len: usize,
    q: Vec<i8>,
    scales: Vec<f32>,
    sums: Vec<i16>,
    rest: Vec<f32>,
}

impl Groups {
    /// Rounds some rows; `shape` is their length and that of a group.
    pub fn fill<'x>(
        &mut self,
        isa: Isa,
        mut rows: impl ExactSizeIterator<Item = &'x [f32]>,
        shape: (usize, usize),
        rounding: Rounding,
    ) {
        let (cols, group_len) = shape;
        (self.cols, self.group_len, self.planes) = (cols, group_len, rounding.planes());
        self.q.resize(rows.len() * cols * self.planes, 0);
        self.scales.resize(self.q.len() / group_len, 0.0);
        self.sums.resize(self.q.len() / RUN, 0);
        let planes = self.q.chunks_exact_mut(cols);
        let scales = self.scales.chunks_exact_mut(cols / group_len);
        let sums = self.sums.chunks_exact_mut(cols / RUN);
        let mut planes = planes.zip(scales).zip(sums);
        let mut plane = || planes.next().map(|((q, scales), sums)| Plane { q, scales, sums });
        while let (Some(row), Some(mut first)) = (rows.next(), plane()) {
            round_row(isa, row, group_len, &mut first);
            if rounding == Rounding::Twice {
                self.rest.clear();
                self.rest.extend_from_slice(row);
                subtract_rounded(isa, &mut self.rest, group_len, &first);
                plane().into_iter().for_each(|mut p| round_row(isa, &self.rest, group_len, &mut p));
            }
        }
    }

    /// Room for so many rows.
    pub fn make_room(
        &mut self,
        rows: usize,
        (cols, group_len): (usize, usize),
        rounding: Rounding,
    ) {
        let numbers = rows * cols * rounding.planes();
        make_room(&mut self.q, numbers);
        make_room(&mut self.scales, numbers / group_len);
        make_room(&mut self.sums, numbers / RUN);
        make_room(&mut self.rest, if rounding == Rounding::Twice { cols } else { 0 });
    }

    /// Bytes of it.
    pub fn bytes(&self) -> u64 {
        room(&self.q) + room(&self.scales) + room(&self.sums) + room(&self.rest)
    }

    /// What has been rounded, for a product that takes the planes of `rounding`.
    pub fn view(&self, rounding: Rounding) -> Rounded<'_> {
        Rounded {
            len: self.cols,
            group_len: self.group_len,
            planes: self.planes,
            planes_used: rounding.planes(),
            q: &self.q,
            scales: &self.scales,
            sums: &self.sums,
        }
    }
}
