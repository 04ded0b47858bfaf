//! Blocks of a panel made ready for products: a byte for each level, a lane for each row.
//!
//! The bits are those which `blocks` describes; here sixteen rows are taken apart at once. Levels
//! come without the integer that formats take off them (8 in Q4_0, 32 in Q6_K): the tile takes
//! it off with the sums of the activations. Levels of full range stay signed instead ("wide").
//!
//! # Safety
//!
//! A function here that is unsafe asks of its caller what `Levels::expand` asks: that the packed
//! block of its format is there, and that the field it is told of is of the kind it reads.
#![allow(clippy::needless_range_loop)] // Indices name registers and quads, often several.

use std::cell::Cell;

use super::{ROWS, STRETCH, fields};
use crate::Format;
use crate::simd::{BYTES, Simd, prefetch_far};

/// Parts in a stretch, at most.
pub(crate) const PARTS: usize = STRETCH / 32;

/// A stretch of a panel: up to 256 columns of 16 rows.
#[repr(C, align(64))]
pub(crate) struct Expanded {
    /// Levels, four columns of each row to a vector.
    pub levels: [[u8; BYTES]; STRETCH / 4],
    pub scales: Scales,
}

/// What levels of a stretch are multiplied with, and the minima beside them.
#[repr(C, align(64))]
pub(crate) struct Scales {
    /// Integer sub-scale of each run of columns.
    pub sub: [[i32; ROWS]; STRETCH / 16],
    /// Integer sub-minima, those of two runs of columns as two i16.
    pub below: [[i32; ROWS]; PARTS],
    /// Float scale of each part.
    pub scale: [[f32; ROWS]; PARTS],
    /// Float scale of the minima of each part.
    pub min: [[f32; ROWS]; PARTS],
}

/// Where blocks of a panel are.
#[derive(Clone, Copy)]
pub(crate) struct Packed {
    pub head: *const u8,
    pub body: *const u8,
    /// Where the panel has come to when heads and bodies are counted together: from here on memory
    /// is asked for.
    pub line: *const u8,
}

impl Packed {
    /// What follows after `count` strides, of so many bytes in the head and the body.
    #[inline(always)]
    pub fn after(self, count: usize, (head, body): (usize, usize)) -> Packed {
        Packed {
            head: self.head.wrapping_add(count * head),
            body: self.body.wrapping_add(count * body),
            line: self.line.wrapping_add(count * (head + body)),
        }
    }
}

/// How the parts of formats are multiplied; formats that differ in their bits alone share it.
pub(crate) trait Kind {
    /// Columns under one integer sub-scale; nothing when a part has a float scale only.
    const RUN: Option<usize>;
    /// Whether there are minima.
    const MINIMA: bool;
    /// What is taken off each level; 128 says that levels are signed.
    const OFFSET: i16;
    /// The largest level before that, where levels have no sign.
    const TOP: usize;

    /// Quads of which the products of two columns each are sure to add up to an i16.
    const SHORT_QUADS: usize = i16::MAX as usize / (2 * Self::TOP * LARGEST);
}

/// The largest rounded activation.
const LARGEST: usize = i8::MAX as usize;

/// What becomes of levels.
///
/// A run is made of levels under one scale. Up to four runs are under way at once, each in a slot
/// of its own; their scales are there before them.
pub(crate) trait Sink<S: Simd> {
    /// Whether memory is asked for ahead of its use.
    const ASKS: bool;

    /// Where scales and minima go.
    fn scales(&mut self) -> &mut Scales;

    /// Four columns of the run in a slot.
    fn take(&mut self, slot: usize, quad: usize, levels: S::I);

    /// The run in a slot has all its levels.
    fn end(&mut self, slot: usize, run: usize);
}

/// Keeps the levels, for those who multiply many rows with them.
pub(super) struct Keep<'a, S> {
    pub s: S,
    pub to: &'a mut Expanded,
}

impl<S: Simd> Sink<S> for Keep<'_, S> {
    // Tiles have asked for these blocks while they computed.
    const ASKS: bool = false;

    #[inline(always)]
    fn scales(&mut self) -> &mut Scales {
        &mut self.to.scales
    }

    #[inline(always)]
    fn take(&mut self, _slot: usize, quad: usize, levels: S::I) {
        // SAFETY: a quad has 64 bytes.
        unsafe { self.s.store(self.to.levels[quad].as_mut_ptr(), levels) }
    }

    #[inline(always)]
    fn end(&mut self, _slot: usize, _run: usize) {}
}

/// A format that can be packed.
pub(crate) trait Levels {
    type Kind: Kind;
    const FORMAT: Format;

    /// Takes `parts` parts of 32 columns apart.
    ///
    /// # Safety
    /// `from` shows that many parts of packed blocks.
    unsafe fn expand<S: Simd>(s: S, from: Packed, parts: usize, to: &mut impl Sink<S>);
}

macro_rules! kinds {
    ($($name:ident: $run:expr, $minima:literal, $offset:literal, $top:literal;)*) => {$(
        pub(crate) struct $name;
        impl Kind for $name {
            const RUN: Option<usize> = $run;
            const MINIMA: bool = $minima;
            const OFFSET: i16 = $offset;
            const TOP: usize = $top;
        }
    )*};
}

kinds! {
    Runs16Minima: Some(16), true, 0, 3;
    Runs16Minus4: Some(16), false, 4, 7;
    Runs16Minus32: Some(16), false, 32, 63;
    Runs32Minima15: Some(32), true, 0, 15;
    Runs32Minima31: Some(32), true, 0, 31;
    Runs32Wide: Some(32), false, 128, 255;
    PlainMinima15: None, true, 0, 15;
    PlainMinima31: None, true, 0, 31;
    PlainMinus8: None, false, 8, 15;
    PlainMinus16: None, false, 16, 31;
    PlainWide: None, false, 128, 255;
}

const ONES: i32 = 0x0101_0101;

/// Numbers of IQ4 levels, and the doubled numbers of a four-bit float.
const IQ4: [i8; 16] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
const FP4: [i8; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

macro_rules! levels {
    ($($name:ident: $kind:ident, $expand:path;)*) => {$(
        #[allow(non_camel_case_types)] // The names are those of the files.
        pub(crate) struct $name;
        impl Levels for $name {
            type Kind = $kind;
            const FORMAT: Format = Format::$name;
            #[inline(always)]
            unsafe fn expand<S: Simd>(s: S, from: Packed, parts: usize, to: &mut impl Sink<S>) {
                // SAFETY: the caller's promise.
                unsafe { $expand(s, from, parts, to) }
            }
        }
    )*};
}

levels! {
    Q4_0: PlainMinus8, short::q4_0;
    Q4_1: PlainMinima15, short::q4_1;
    Q5_0: PlainMinus16, short::q5_0;
    Q5_1: PlainMinima31, short::q5_1;
    Q8_0: PlainWide, short::q8_0;
    IQ4_NL: PlainWide, short::iq4_nl;
    MXFP4: PlainWide, short::mxfp4;
    Q2_K: Runs16Minima, long::q2_k;
    Q3_K: Runs16Minus4, long::q3_k;
    Q4_K: Runs32Minima15, long::q4_k;
    Q5_K: Runs32Minima31, long::q5_k;
    Q6_K: Runs16Minus32, long::q6_k;
    IQ4_XS: Runs32Wide, long::iq4_xs;
}

/// One packed block: where it begins, and where its fields lie.
struct Block<S> {
    s: S,
    format: Format,
    from: Packed,
    ahead: Ahead,
}

/// Asks for a line of memory with every load, in the order of addresses: processors follow that
/// order with lines of their own choice, and would not that of the fields.
struct Ahead {
    on: bool,
    line: Cell<*const u8>,
}

impl Ahead {
    /// Bytes between what is asked for and what is used. Each line is asked for twice, since of
    /// many requests at once some are dropped, and for the second level of caches, since the first
    /// has room for few that are still on their way.
    const DISTANCES: [usize; 2] = [12 << 10, 6 << 10];

    #[inline(always)]
    fn of<S: Simd, T: Sink<S>>(line: *const u8) -> Ahead {
        Ahead { on: T::ASKS, line: Cell::new(line) }
    }

    #[inline(always)]
    fn ask(&self) {
        if self.on {
            let line = self.line.get();
            Ahead::DISTANCES.iter().for_each(|distance| prefetch_far(line.wrapping_add(*distance)));
            self.line.set(line.wrapping_add(BYTES));
        }
    }
}

impl Expanded {
    /// Nothing yet.
    pub const ZERO: Expanded = Expanded { levels: [[0; BYTES]; STRETCH / 4], scales: Scales::ZERO };
}

impl Scales {
    /// Nothing yet.
    pub const ZERO: Scales = Scales {
        sub: [[0; ROWS]; STRETCH / 16],
        below: [[0; ROWS]; PARTS],
        scale: [[0.0; ROWS]; PARTS],
        min: [[0.0; ROWS]; PARTS],
    };
}

impl<S: Simd> Block<S> {
    /// Where field `field` has its byte `at`.
    #[inline(always)]
    fn at(&self, field: usize, at: usize) -> *const u8 {
        self.ahead.ask();
        let start = match fields::of(self.format)[field].in_head() {
            true => self.from.head,
            false => self.from.body,
        };
        start.wrapping_add(fields::place(self.format, field) + at)
    }

    /// Vector `i` of a field: four bytes of each row, or a byte of each row for four of its bytes.
    ///
    /// # Safety
    /// The field has that many.
    #[inline(always)]
    unsafe fn vector(&self, field: usize, i: usize) -> S::I {
        // SAFETY: the caller's promise.
        unsafe { self.s.load(self.at(field, i * BYTES)) }
    }

    /// A field of one F16 to a row.
    ///
    /// # Safety
    /// It is one.
    #[inline(always)]
    unsafe fn f16(&self, field: usize, to: &mut [f32; ROWS]) {
        // SAFETY: the caller's promise; `to` has sixteen numbers.
        unsafe { self.s.store_f32(to.as_mut_ptr(), self.s.load_f16(self.at(field, 0))) }
    }
}

#[inline(always)]
fn put_i32<S: Simd>(s: S, to: &mut [i32; ROWS], x: S::I) {
    // SAFETY: `to` has sixteen numbers of four bytes.
    unsafe { s.store(to.as_mut_ptr().cast(), x) }
}

/// Stores four vectors.
#[inline(always)]
fn put_four<S: Simd>(s: S, to: &mut [[i32; ROWS]], x: [S::I; 4]) {
    for (to, x) in to.iter_mut().zip(x) {
        put_i32(s, to, x);
    }
}

/// Stores four vectors as two of pairs of i16.
#[inline(always)]
fn put_pairs<S: Simd>(s: S, to: &mut [[i32; ROWS]], x: [S::I; 4]) {
    put_i32(s, &mut to[0], s.or(x[0], s.mul_i32(x[1], s.splat(1 << 16))));
    put_i32(s, &mut to[1], s.or(x[2], s.mul_i32(x[3], s.splat(1 << 16))));
}

/// The four vectors of sixteen bytes each that a vector holds: what `with` makes of each, widened
/// to a lane per row.
#[inline(always)]
fn quarters<S: Simd>(s: S, x: S::I, signed: bool) -> [S::I; 4] {
    let mut bytes = [0_u8; BYTES];
    // SAFETY: there are 64 bytes.
    unsafe { s.store(bytes.as_mut_ptr(), x) };
    let mut widened = [s.splat(0); 4];
    for (from, widened) in bytes.as_chunks::<ROWS>().0.iter().zip(&mut widened) {
        // SAFETY: these are sixteen bytes.
        *widened =
            unsafe { if signed { s.load_i8(from.as_ptr()) } else { s.load_u8(from.as_ptr()) } };
    }
    widened
}

#[inline(always)]
fn low_nibbles<S: Simd>(s: S, x: S::I) -> S::I {
    s.and(x, s.splat(15 * ONES))
}

#[inline(always)]
fn high_nibbles<S: Simd>(s: S, x: S::I) -> S::I {
    s.and(s.shift_right::<4>(x), s.splat(15 * ONES))
}

/// Formats of blocks of 32.
mod short {
    use super::*;

    #[inline(always)]
    fn block<S: Simd, T: Sink<S>>(s: S, format: Format, from: Packed, index: usize) -> Block<S> {
        let (head, body) = (fields::block_len(format, true), fields::block_len(format, false));
        let from = from.after(index, (head, body));
        Block { s, format, from, ahead: Ahead::of::<S, T>(from.line) }
    }

    macro_rules! formats {
        ($(
            $name:ident($format:ident, $s:ident, $block:ident, $part:ident, $to:ident) $body:block
        )*) => {$(
            #[inline(always)]
            pub(super) unsafe fn $name<S: Simd, T: Sink<S>>(
                $s: S,
                from: Packed,
                parts: usize,
                $to: &mut T,
            ) {
                for $part in 0..parts {
                    let $block = &block::<S, T>($s, Format::$format, from, $part);
                    // SAFETY: the caller promises that the panel has this block; its fields are
                    // those which the table has for this format.
                    unsafe { $body }
                    $to.end(0, $part);
                }
            }
        )*};
    }

    /// Takes the nibbles of a block: `$level` makes levels of `$q`, which are those of quad `$g`.
    macro_rules! nibbles {
        ($block:ident, $part:ident, $to:ident, |$q:ident, $g:ident| $level:expr) => {
            for i in 0..4 {
                let both = $block.vector(0, i);
                let ($q, $g) = (low_nibbles($block.s, both), i);
                $to.take(0, 8 * $part + $g, $level);
                let ($q, $g) = (high_nibbles($block.s, both), 4 + i);
                $to.take(0, 8 * $part + $g, $level);
            }
        };
    }

    formats! {
        q4_0(Q4_0, s, block, part, to) {
            block.f16(1, &mut to.scales().scale[part]);
            nibbles!(block, part, to, |q, _g| q);
        }
        q4_1(Q4_1, s, block, part, to) {
            block.f16(1, &mut to.scales().scale[part]);
            minima(block, 2, part, to.scales());
            nibbles!(block, part, to, |q, _g| q);
        }
        q5_0(Q5_0, s, block, part, to) {
            block.f16(2, &mut to.scales().scale[part]);
            let bits = fifth_bits(block);
            nibbles!(block, part, to, |q, g| s.or(q, bits[g]));
        }
        q5_1(Q5_1, s, block, part, to) {
            block.f16(2, &mut to.scales().scale[part]);
            minima(block, 3, part, to.scales());
            let bits = fifth_bits(block);
            nibbles!(block, part, to, |q, g| s.or(q, bits[g]));
        }
        q8_0(Q8_0, s, block, part, to) {
            block.f16(1, &mut to.scales().scale[part]);
            for g in 0..8 {
                to.take(0, 8 * part + g, s.wide(block.vector(0, g)));
            }
        }
        iq4_nl(IQ4_NL, s, block, part, to) {
            block.f16(1, &mut to.scales().scale[part]);
            nibbles!(block, part, to, |q, _g| s.wide(s.look_up(&IQ4, q)));
        }
        mxfp4(MXFP4, s, block, part, to) {
            let exponents = std::slice::from_raw_parts(block.at(1, 0), ROWS);
            for (scale, e) in to.scales().scale[part].iter_mut().zip(exponents) {
                let e = u32::from(*e);
                // 2^(e − 128), of which the first two are subnormal.
                *scale = f32::from_bits(if e < 2 { 0x20_0000 << e } else { (e - 1) << 23 });
            }
            nibbles!(block, part, to, |q, _g| s.wide(s.look_up(&FP4, q)));
        }
    }

    /// The minimum is added in these formats, once to each weight: it counts as a negative one.
    #[inline(always)]
    unsafe fn minima<S: Simd>(block: &Block<S>, field: usize, part: usize, to: &mut Scales) {
        // SAFETY: the caller's promise.
        unsafe { block.f16(field, &mut to.min[part]) };
        for min in &mut to.min[part] {
            *min = -*min;
        }
    }

    /// Bit i of 32 belongs to weight i: bit 4 of the bytes of the eight vectors.
    #[inline(always)]
    fn fifth_bits<S: Simd>(block: &Block<S>) -> [S::I; 8] {
        let s = block.s;
        // SAFETY: the second field is twice sixteen u16.
        let (low, high) = unsafe { (s.load_u16(block.at(1, 0)), s.load_u16(block.at(1, 32))) };
        let mut bits = [s.splat(0); 8];
        for (i, mut four) in [low, high].into_iter().enumerate() {
            for bits in &mut bits[4 * i..4 * i + 4] {
                // Four bits in a lane become the lowest ones of its four bytes.
                let spread = s.mul_i32(s.and(four, s.splat(15)), s.splat(0x0020_4081));
                *bits = s.shift_left::<4>(s.and(spread, s.splat(ONES)));
                four = s.shift_right::<4>(four);
            }
        }
        bits
    }
}

/// Formats of blocks of 256.
mod long {
    use super::*;

    macro_rules! formats {
        ($($name:ident($format:ident, $s:ident, $block:ident, $to:ident) $body:block)*) => {$(
            #[inline(always)]
            pub(super) unsafe fn $name<S: Simd, T: Sink<S>>(
                $s: S,
                from: Packed,
                _parts: usize,
                $to: &mut T,
            ) {
                let ahead = Ahead::of::<S, T>(from.line);
                let $block = &Block { s: $s, format: Format::$format, from, ahead };
                // SAFETY: the caller promises that the panel has this block; its fields are those
                // which the table has for this format.
                unsafe { $body }
            }
        )*};
    }

    formats! {
        q2_k(Q2_K, s, block, to) {
            block.f16(2, &mut to.scales().scale[0]);
            block.f16(3, &mut to.scales().min[0]);
            for n in 0..4 {
                let both = block.vector(1, n);
                let sub = quarters(s, low_nibbles(s, both), false);
                put_four(s, &mut to.scales().sub[4 * n..], sub);
                let below = quarters(s, high_nibbles(s, both), false);
                put_pairs(s, &mut to.scales().below[2 * n..], below);
            }
            for i in 0..4 {
                let (half, of_32) = (i / 2, i % 2);
                for g in 4 * of_32..4 * of_32 + 4 {
                    let mut q = block.vector(0, 8 * half + g);
                    for n in 0..4 {
                        to.take(n, 32 * half + 8 * n + g, s.and(q, s.splat(3 * ONES)));
                        q = s.shift_right::<2>(q);
                    }
                }
                end_four(to, 8 * half + of_32);
            }
        }
        q3_k(Q3_K, s, block, to) {
            block.f16(3, &mut to.scales().scale[0]);
            let (a, b, mut c) = (block.vector(2, 0), block.vector(2, 1), block.vector(2, 2));
            let (low_a, low_b) = (low_nibbles(s, a), low_nibbles(s, b));
            let low = [low_a, low_b, high_nibbles(s, a), high_nibbles(s, b)];
            for n in 0..4 {
                let high = s.shift_left::<4>(s.and(c, s.splat(3 * ONES)));
                let mut sub = quarters(s, s.or(low[n], high), false);
                for sub in &mut sub {
                    *sub = s.add_i32(*sub, s.splat(-32));
                }
                put_four(s, &mut to.scales().sub[4 * n..], sub);
                c = s.shift_right::<2>(c);
            }
            for i in 0..4 {
                let (half, of_32) = (i / 2, i % 2);
                for g in 4 * of_32..4 * of_32 + 4 {
                    let (mut q, mut high) = (block.vector(0, 8 * half + g), block.vector(1, g));
                    if half == 1 {
                        high = s.shift_right::<4>(high);
                    }
                    for n in 0..4 {
                        let bit = s.and(s.shift_left::<2>(high), s.splat(4 * ONES));
                        to.take(n, 32 * half + 8 * n + g, s.or(s.and(q, s.splat(3 * ONES)), bit));
                        (q, high) = (s.shift_right::<2>(q), s.shift_right::<1>(high));
                    }
                }
                end_four(to, 8 * half + of_32);
            }
        }
        q4_k(Q4_K, s, block, to) {
            block.f16(2, &mut to.scales().scale[0]);
            block.f16(3, &mut to.scales().min[0]);
            six_bits(block, 1, to.scales());
            for pair in 0..4 {
                for g in 0..8 {
                    let q = block.vector(0, 8 * pair + g);
                    to.take(0, 16 * pair + g, low_nibbles(s, q));
                    to.take(1, 16 * pair + 8 + g, high_nibbles(s, q));
                }
                to.end(0, 2 * pair);
                to.end(1, 2 * pair + 1);
            }
        }
        q5_k(Q5_K, s, block, to) {
            block.f16(3, &mut to.scales().scale[0]);
            block.f16(4, &mut to.scales().min[0]);
            six_bits(block, 2, to.scales());
            let mut bits = [s.splat(0); 8];
            for g in 0..8 {
                bits[g] = block.vector(1, g);
            }
            for pair in 0..4 {
                for g in 0..8 {
                    let q = block.vector(0, 8 * pair + g);
                    let bit = s.and(s.shift_left::<4>(bits[g]), s.splat(16 * ONES));
                    to.take(0, 16 * pair + g, s.or(low_nibbles(s, q), bit));
                    let bit = s.and(s.shift_left::<3>(bits[g]), s.splat(16 * ONES));
                    to.take(1, 16 * pair + 8 + g, s.or(high_nibbles(s, q), bit));
                    bits[g] = s.shift_right::<2>(bits[g]);
                }
                to.end(0, 2 * pair);
                to.end(1, 2 * pair + 1);
            }
        }
        q6_k(Q6_K, s, block, to) {
            block.f16(3, &mut to.scales().scale[0]);
            for n in 0..4 {
                put_four(s, &mut to.scales().sub[4 * n..], quarters(s, block.vector(2, n), true));
            }
            for i in 0..4 {
                let (half, of_32) = (i / 2, i % 2);
                for g in 4 * of_32..4 * of_32 + 4 {
                    let high = block.vector(1, 8 * half + g);
                    // The pairs of bits where bits 4 and 5 of the levels are.
                    let (first, second) = (s.shift_left::<4>(high), s.shift_left::<2>(high));
                    let high = [first, second, high, s.shift_right::<2>(high)];
                    let a = block.vector(0, 16 * half + g);
                    let b = block.vector(0, 16 * half + 8 + g);
                    let (low_a, low_b) = (low_nibbles(s, a), low_nibbles(s, b));
                    let low = [low_a, low_b, high_nibbles(s, a), high_nibbles(s, b)];
                    for n in 0..4 {
                        let bits = s.and(high[n], s.splat(0x30 * ONES));
                        to.take(n, 32 * half + 8 * n + g, s.or(low[n], bits));
                    }
                }
                end_four(to, 8 * half + of_32);
            }
        }
        iq4_xs(IQ4_XS, s, block, to) {
            block.f16(3, &mut to.scales().scale[0]);
            let low = block.vector(1, 0);
            let even = quarters(s, low_nibbles(s, low), false);
            let odd = quarters(s, high_nibbles(s, low), false);
            let mut high = s.load_u16(block.at(2, 0));
            for n in 0..8 {
                let low = if n % 2 == 0 { even[n / 2] } else { odd[n / 2] };
                let sub = s.or(low, s.shift_left::<4>(s.and(high, s.splat(3))));
                put_i32(s, &mut to.scales().sub[n], s.add_i32(sub, s.splat(-32)));
                high = s.shift_right::<2>(high);
            }
            for n in 0..8 {
                for g in 0..4 {
                    let q = block.vector(0, 4 * n + g);
                    let (low, high) = (low_nibbles(s, q), high_nibbles(s, q));
                    to.take(0, 8 * n + g, s.wide(s.look_up(&IQ4, low)));
                    to.take(0, 8 * n + 4 + g, s.wide(s.look_up(&IQ4, high)));
                }
                to.end(0, n);
            }
        }
    }

    /// Ends the four runs of 16 that stand 32 columns apart.
    #[inline(always)]
    fn end_four<S: Simd>(to: &mut impl Sink<S>, first: usize) {
        for n in 0..4 {
            to.end(n, first + 2 * n);
        }
    }

    /// The eight sub-scales and sub-minima of Q4_K and Q5_K; `blocks::k` draws them.
    #[inline(always)]
    unsafe fn six_bits<S: Simd>(block: &Block<S>, field: usize, to: &mut Scales) {
        let s = block.s;
        // SAFETY: the caller says that this field has twelve bytes to a row.
        let (a, b, c) =
            unsafe { (block.vector(field, 0), block.vector(field, 1), block.vector(field, 2)) };
        let six = |x| s.and(x, s.splat(63 * ONES));
        let top = |x| s.and(s.shift_right::<2>(x), s.splat(0x30 * ONES));
        let sub = [six(a), s.or(low_nibbles(s, c), top(a))];
        let below = [six(b), s.or(high_nibbles(s, c), top(b))];
        for n in 0..2 {
            put_four(s, &mut to.sub[4 * n..], quarters(s, sub[n], false));
            put_pairs(s, &mut to.below[2 * n..], quarters(s, below[n], false));
        }
    }
}
