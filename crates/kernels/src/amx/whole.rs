//! Attention of many queries by tiles: products of whole numbers of more than a byte.
//!
//! A number is two bytes that a tile takes as signed, x = 64 · high + low with 0 ≤ low < 64, and a
//! product of two numbers is four of bytes, of which two count alike:
//!
//! ```text
//!   tile 0        high · high
//!   tile 1        high · low + low · high      x · y = (tile 0 · 64 + tile 1) · 64 + tile 2
//!   tile 2        low · low
//!   tiles 3 to 7  16 rows of 64 numbers, and 64 numbers of 16 columns, each high and low
//! ```
//!
//! All sums are exact, and those of the other paths. While the unit multiplies a block of sixteen
//! rows and sixteen columns, AVX-512 code converts the block before.
//!
//! # Safety
//!
//! What implements `Put` asks what the trait asks.

use std::arch::x86_64::*;

use super::Soon;
use super::pass::{Integers, load};
use super::unit::{ROW_BYTES, Shapes, TILE_ROWS, Unit};
use crate::portable::attend::TILE;
use crate::portable::math::WHOLE;
use crate::portable::round;
use crate::portable::whole::{Pair, WEIGHT_TOP};
use crate::room::{make_room, room};
use crate::simd::{Avx512, LANES, Simd};

/// Bits of the lower byte of a number.
const LOW: u32 = 6;

/// Bytes that a number is.
const BYTES_OF_NUMBER: usize = 2;

/// A row of a tile.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Line([u8; ROW_BYTES]);

/// Rows of whole numbers as tiles read them: `(steps, 2, rows)`, where a step is 64 numbers. A
/// block of sixteen rows may begin with any of them. What fills a last step up may be anything.
#[derive(Default)]
pub(crate) struct WholeRows {
    lines: Vec<Line>,
    /// Lines of a byte of a step.
    stride: usize,
}

/// Columns of whole numbers as tiles read them: `(groups of 16, steps, 2, 16)`. A line has four
/// numbers of each column. Zeros fill a last step up.
#[derive(Default)]
pub(crate) struct WholeColumns {
    lines: Vec<Line>,
    steps: usize,
}

/// Outputs of some queries, and their factors.
pub(crate) struct WholeOut<'a> {
    /// `(n, width)`
    pub out: &'a mut [f32],
    pub width: usize,
    /// Scale of the weights of each query.
    pub scales: &'a [f32],
    /// Factors of what there is, for each query.
    pub keep: &'a [f32],
    /// Factors of what the tile adds, for each query.
    pub take: &'a [f32],
}

/// Steps of so many numbers. There are kernels for 1, 2, 4 and 8.
fn steps(len: usize) -> usize {
    len.div_ceil(ROW_BYTES).next_power_of_two()
}

impl WholeRows {
    fn lines(rows: usize, len: usize) -> usize {
        steps(len) * BYTES_OF_NUMBER * (rows + TILE_ROWS - 1)
    }

    /// Room for so many rows of so many numbers.
    pub fn make_room(&mut self, rows: usize, len: usize) {
        make_room(&mut self.lines, WholeRows::lines(rows, len));
    }

    /// Bytes of it.
    pub fn bytes(&self) -> u64 {
        room(&self.lines)
    }

    fn resize(&mut self, rows: usize, len: usize) {
        self.stride = rows + TILE_ROWS - 1;
        self.lines.resize(WholeRows::lines(rows, len), Line([0; ROW_BYTES]));
    }

    /// Takes rows of `len` numbers.
    ///
    /// # Safety
    /// This machine has the features.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub fn fill(&mut self, levels: &[i16], len: usize) {
        self.resize(levels.len() / len, len);
        for (row, levels) in levels.chunks_exact(len).enumerate() {
            let of_step = self.lines.chunks_exact_mut(BYTES_OF_NUMBER * self.stride);
            for (levels, lines) in levels.chunks(ROW_BYTES).zip(of_step) {
                let (high, low) = lines.split_at_mut(self.stride);
                let (high, low) = (&mut high[row].0, &mut low[row].0);
                for ((high, low), x) in high.iter_mut().zip(low).zip(levels) {
                    (*high, *low) = ((x >> LOW) as u8, (x & ((1 << LOW) - 1)) as u8);
                }
            }
        }
    }

    /// Rounds the weights of many queries over one tile, as `portable::whole` does, and gives their
    /// scales.
    ///
    /// # Safety
    /// This machine has the features.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")]
    pub unsafe fn fill_with_weights(
        &mut self,
        weights: &[f32],
        value_scales: &[f32],
        scales: &mut [f32],
    ) {
        // SAFETY: this function's features are those of the token.
        let s = unsafe { Avx512::new() };
        self.resize(scales.len(), TILE);
        let (high, low) = self.lines.split_at_mut(self.stride);
        let Some(value_scales) = value_scales.first_chunk::<TILE>() else { return };
        let rows = weights.as_chunks::<TILE>().0.iter().zip(high.iter_mut().zip(low));
        for ((weights, (high, low)), scale) in rows.zip(scales) {
            let mut scaled = [s.splat_f32(0.0); TILE / LANES];
            let mut largest = _mm512_setzero_si512();
            for (v, scaled) in scaled.iter_mut().enumerate() {
                let at = v * LANES;
                // SAFETY: there are as many weights and scales.
                let (weight, scale) = unsafe {
                    (
                        s.load_f32(weights.as_ptr().add(at)),
                        s.load_f32(value_scales.as_ptr().add(at)),
                    )
                };
                let product = s.mul(weight, scale);
                *scaled = s.where_not_zero(weight, product, s.splat_f32(0.0));
                let bits = _mm512_castps_si512(_mm512_abs_ps(*scaled));
                largest = _mm512_max_epu32(largest, bits);
            }
            let (new, inverse) = round::scale(_mm512_reduce_max_epu32(largest), WEIGHT_TOP);
            *scale = new;
            let (inverse, whole) = (s.splat_f32(inverse), s.splat_f32(WHOLE));
            for (v, scaled) in scaled.into_iter().enumerate() {
                let level = s.add(s.mul(scaled, inverse), whole);
                // Weights are not negative, so 13 bits are all.
                let level = _mm512_castps_si512(level);
                let upper = _mm512_srli_epi32::<LOW>(level);
                let upper = _mm512_and_si512(upper, _mm512_set1_epi32(0x7f));
                let lower = _mm512_and_si512(level, _mm512_set1_epi32((1 << LOW) - 1));
                // SAFETY: a line has room for 64 bytes.
                unsafe {
                    let at = v * LANES;
                    _mm_storeu_si128(
                        high.0.as_mut_ptr().add(at).cast(),
                        _mm512_cvtepi32_epi8(upper),
                    );
                    _mm_storeu_si128(
                        low.0.as_mut_ptr().add(at).cast(),
                        _mm512_cvtepi32_epi8(lower),
                    );
                }
            }
        }
    }

    /// Where a block that begins with `row` begins, its lower bytes if they are asked for.
    #[inline(always)]
    fn block(&self, step: usize, is_low: bool, row: usize) -> *const u8 {
        let byte = BYTES_OF_NUMBER * step + usize::from(is_low);
        self.lines[byte * self.stride + row..][..TILE_ROWS].as_ptr().cast()
    }

    fn steps(&self) -> usize {
        self.lines.len() / (BYTES_OF_NUMBER * self.stride)
    }
}

impl WholeColumns {
    fn lines(columns: usize, len: usize) -> usize {
        columns.div_ceil(LANES) * steps(len) * BYTES_OF_NUMBER * TILE_ROWS
    }

    /// Room for so many columns of so many numbers.
    pub fn make_room(&mut self, columns: usize, len: usize) {
        make_room(&mut self.lines, WholeColumns::lines(columns, len));
    }

    /// Bytes of it.
    pub fn bytes(&self) -> u64 {
        room(&self.lines)
    }

    /// Takes pairs, `(rows, columns)`: a row has two numbers of each column.
    ///
    /// # Safety
    /// This machine has the features.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub fn fill(&mut self, pairs: &[Pair], columns: usize) {
        assert_eq!(columns % LANES, 0);
        let rows = pairs.len() / columns;
        self.steps = steps(2 * rows);
        self.lines.resize(WholeColumns::lines(columns, 2 * rows), Line([0; ROW_BYTES]));
        let of_group = self.lines.chunks_exact_mut(self.steps * BYTES_OF_NUMBER * TILE_ROWS);
        for (group, lines) in of_group.enumerate() {
            let row = |row: usize| match row < rows {
                true => pairs[row * columns + group * LANES..].first_chunk(),
                false => None,
            };
            for (step, lines) in lines.chunks_exact_mut(BYTES_OF_NUMBER * TILE_ROWS).enumerate() {
                let (high, low) = lines.split_at_mut(TILE_ROWS);
                for (i, (high, low)) in high.iter_mut().zip(low).enumerate() {
                    let first = 2 * (step * TILE_ROWS + i);
                    put_quads([row(first), row(first + 1)], (high, low));
                }
            }
        }
    }

    /// Where a tile of a group begins.
    #[inline(always)]
    fn tile(&self, group: usize, step: usize, is_low: bool) -> *const u8 {
        let tile = BYTES_OF_NUMBER * (group * self.steps + step) + usize::from(is_low);
        self.lines[tile * TILE_ROWS..][..TILE_ROWS].as_ptr().cast()
    }

    fn groups(&self) -> usize {
        self.lines.len() / (self.steps * BYTES_OF_NUMBER * TILE_ROWS)
    }
}

/// Writes the upper and the lower bytes of four numbers of each lane, which are two pairs. Pairs
/// that there are not are zeros.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn put_quads(pairs: [Option<&[Pair; LANES]>; 2], (high, low): (&mut Line, &mut Line)) {
    let mut vectors = [_mm512_setzero_si512(); 2];
    for (vector, pairs) in vectors.iter_mut().zip(pairs) {
        if let Some(pairs) = pairs {
            // SAFETY: there are sixteen.
            *vector = unsafe { _mm512_loadu_si512(pairs.as_ptr().cast()) };
        }
    }
    let [first, second] = vectors;
    // Bytes 0 and 2 of a lane go to 0 and 1, or to 2 and 3; a negative index gives zero.
    let to_second = _mm512_set4_epi32(0x0e0c_8080, 0x0a08_8080, 0x0604_8080, 0x0200_8080);
    let to_first = _mm512_rol_epi32::<16>(to_second);
    let upper = _mm512_or_si512(
        _mm512_shuffle_epi8(_mm512_srai_epi16::<LOW>(first), to_first),
        _mm512_shuffle_epi8(_mm512_srai_epi16::<LOW>(second), to_second),
    );
    let lower = _mm512_or_si512(
        _mm512_shuffle_epi8(first, to_first),
        _mm512_shuffle_epi8(second, to_second),
    );
    let lower = _mm512_and_si512(lower, _mm512_set1_epi8((1 << LOW) - 1));
    // SAFETY: a line has room for a vector.
    unsafe {
        _mm512_store_si512(high.0.as_mut_ptr().cast(), upper);
        _mm512_store_si512(low.0.as_mut_ptr().cast(), lower);
    }
}

/// Writes the scores of `factors.len()` queries from `first` on at the positions of a tile.
///
/// # Safety
/// This machine has the unit and the features.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(crate) unsafe fn scores<U: Unit>(
    (queries, first): (&WholeRows, usize),
    keys: &WholeColumns,
    (factors, scales): (&[f32], &[f32]),
    (to, soon): (&mut [f32], Soon),
) {
    assert!(to.len() == factors.len() * TILE);
    assert!(scales.len() == TILE && keys.groups() * LANES == TILE);
    let rows = (queries, first, factors.len());
    let to = &mut Scores { factors, scales, to };
    match keys.steps {
        1 => run::<U, _, 1>(rows, (keys, soon), to),
        2 => run::<U, _, 2>(rows, (keys, soon), to),
        4 => run::<U, _, 4>(rows, (keys, soon), to),
        _ => run::<U, _, 8>(rows, (keys, soon), to),
    }
}

/// Merges the weighted values of a tile into the outputs of some queries.
///
/// # Safety
/// This machine has the unit and the features.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(crate) unsafe fn mix<U: Unit>(
    weights: &WholeRows,
    (values, soon): (&WholeColumns, Soon),
    mut to: WholeOut,
) {
    let n = to.scales.len();
    assert!(to.out.len() == n * to.width && values.groups() * LANES == to.width);
    assert!(to.keep.len() == n && to.take.len() == n);
    run::<U, _, 1>((weights, 0, n), (values, soon), &mut to);
}

/// Where the sums of a block go. What implements it is inlined into a kernel.
trait Put {
    /// Takes those of a row with a group of columns.
    ///
    /// # Safety
    /// Both are there.
    unsafe fn put(&mut self, s: Avx512, at: Block, sum: Integers);
}

/// Scores of some queries, and their factors.
struct Scores<'a> {
    factors: &'a [f32],
    /// Of positions.
    scales: &'a [f32],
    to: &'a mut [f32],
}

impl Put for Scores<'_> {
    #[inline(always)]
    unsafe fn put(&mut self, s: Avx512, (row, group): Block, sum: Integers) {
        // SAFETY: the caller's promise; there are as many scales and scores.
        unsafe {
            let scale = s.load_f32(self.scales.as_ptr().add(group * LANES));
            let factor = s.mul(s.splat_f32(*self.factors.get_unchecked(row)), scale);
            let to = self.to.as_mut_ptr().add(row * TILE + group * LANES);
            s.store_f32(to, s.mul(s.to_f32(sum), factor));
        }
    }
}

impl Put for WholeOut<'_> {
    #[inline(always)]
    unsafe fn put(&mut self, s: Avx512, (row, group): Block, sum: Integers) {
        // SAFETY: the caller's promise; there are as many factors and outputs.
        unsafe {
            let new = s.mul(s.to_f32(sum), s.splat_f32(*self.scales.get_unchecked(row)));
            let new = s.mul(new, s.splat_f32(*self.take.get_unchecked(row)));
            let out = self.out.as_mut_ptr().add(row * self.width + group * LANES);
            let keep = s.splat_f32(*self.keep.get_unchecked(row));
            s.store_f32(out, s.fma(s.load_f32(out), keep, new));
        }
    }
}

/// Sums of a block, as the unit stores them: three tiles.
#[repr(C, align(64))]
struct Sums([[[i32; LANES]; TILE_ROWS]; 3]);

impl Sums {
    #[inline(always)]
    fn of_row(&self, s: Avx512, row: usize) -> Integers {
        let [high, middle, low] = &self.0;
        // SAFETY: the token shows that this machine has the instructions.
        unsafe {
            let upper = _mm512_slli_epi32::<LOW>(load(s, &high[row]));
            let upper = _mm512_slli_epi32::<LOW>(s.add_i32(upper, load(s, &middle[row])));
            s.add_i32(upper, load(s, &low[row]))
        }
    }
}

/// A block of rows and columns: its first row, and its group.
type Block = (usize, usize);

/// Multiplies `count` rows from `first` on with all columns, and asks for what is read soon.
#[inline(always)]
fn run<U: Unit, P: Put, const STEPS: usize>(
    (rows, first, count): (&WholeRows, usize, usize),
    (columns, soon): (&WholeColumns, Soon),
    put: &mut P,
) {
    assert_eq!((rows.steps(), columns.steps), (STEPS, STEPS));
    // SAFETY: the callers' promises.
    let (s, unit) = unsafe { (Avx512::new(), &mut U::start(&Shapes::FULL)) };
    let mut sums = [const { Sums([[[0; LANES]; TILE_ROWS]; 3]) }; 2];
    let [mut now, mut before] = sums.each_mut();
    let mut done = None;
    let mut soon = soon.over(count.div_ceil(TILE_ROWS) * columns.groups());
    for row in (0..count).step_by(TILE_ROWS) {
        for group in 0..columns.groups() {
            let operands = Operands { rows, columns, row: first + row, group };
            let convert = &mut Convert::<P, STEPS> { s, done, sums: before, count, put };
            operands.multiply(unit, &mut now.0, convert);
            soon.ask();
            done = Some((row, group));
            (now, before) = (before, now);
        }
    }
    let convert = &mut Convert::<P, STEPS> { s, done, sums: before, count, put };
    for turn in 0..STEPS * TURNS {
        convert.turn(turn);
    }
}

/// Products of a step, after each of which some rows of the block before are converted.
const TURNS: usize = 4;

/// The block before.
struct Convert<'a, P, const STEPS: usize> {
    s: Avx512,
    done: Option<Block>,
    sums: &'a Sums,
    /// Rows of all blocks.
    count: usize,
    put: &'a mut P,
}

impl<P: Put, const STEPS: usize> Convert<'_, P, STEPS> {
    /// Converts the rows whose turn it is.
    #[inline(always)]
    fn turn(&mut self, turn: usize) {
        let Some((row, group)) = self.done else { return };
        let from = turn * TILE_ROWS / (STEPS * TURNS);
        let to = (turn + 1) * TILE_ROWS / (STEPS * TURNS);
        for i in from..to {
            if row + i < self.count {
                // SAFETY: the row is one of all.
                unsafe { self.put.put(self.s, (row + i, group), self.sums.of_row(self.s, i)) };
            }
        }
    }
}

/// What makes a block.
struct Operands<'a> {
    rows: &'a WholeRows,
    columns: &'a WholeColumns,
    row: usize,
    group: usize,
}

impl Operands<'_> {
    /// Writes the sums of the block, and converts the one before. Where tiles suffice, the rows
    /// stay in them for all groups.
    #[inline(always)]
    fn multiply<U: Unit, P: Put, const STEPS: usize>(
        &self,
        unit: &mut U,
        to: &mut [[[i32; LANES]; TILE_ROWS]; 3],
        convert: &mut Convert<P, STEPS>,
    ) {
        let is_first = self.group == 0;
        unit.zero::<0>();
        unit.zero::<1>();
        unit.zero::<2>();
        if STEPS == 2 {
            self.step::<3, 4, 7, 7, STEPS>(unit, (0, is_first), convert);
            self.step::<5, 6, 7, 7, STEPS>(unit, (1, is_first), convert);
        } else {
            for step in 0..STEPS {
                let loads_rows = STEPS > 1 || is_first;
                self.step::<4, 5, 6, 7, STEPS>(unit, (step, loads_rows), convert);
            }
        }
        // SAFETY: there is room for sixteen rows in each.
        unsafe {
            unit.store::<0>(to[0].as_mut_ptr());
            unit.store::<1>(to[1].as_mut_ptr());
            unit.store::<2>(to[2].as_mut_ptr());
        }
    }

    /// Adds the products of a step, with the upper and the lower bytes of rows in tiles `A` and
    /// `B`, and those of columns in `C` and `D`.
    #[inline(always)]
    fn step<const A: usize, const B: usize, const C: usize, const D: usize, const STEPS: usize>(
        &self,
        unit: &mut impl Unit,
        (step, loads_rows): (usize, bool),
        convert: &mut Convert<impl Put, STEPS>,
    ) {
        let (high, low) =
            (self.columns.tile(self.group, step, false), self.columns.tile(self.group, step, true));
        // SAFETY: these are sixteen lines each.
        unsafe {
            if loads_rows {
                unit.load::<A>(self.rows.block(step, false, self.row));
                unit.load::<B>(self.rows.block(step, true, self.row));
            }
            unit.load::<C>(high);
            unit.dot_signed::<0, A, C>();
            convert.turn(step * TURNS);
            unit.dot_signed::<1, B, C>();
            convert.turn(step * TURNS + 1);
            unit.load::<D>(low);
            unit.dot_signed::<1, A, D>();
            convert.turn(step * TURNS + 2);
            unit.dot_signed::<2, B, D>();
            convert.turn(step * TURNS + 3);
        }
    }
}
