//! Products of halves with sums in f32: by AMX tiles where the processor has them.
//!
//! A tile is 16 rows of 64 bytes. The left side of a product is read as it lies; the right side is
//! packed first, in panels of 32 columns, two of its rows side by side in each pair of a tile.

use std::ops::Range;

use crate::block;

/// What the rows, the columns and the depth of a product are multiples of.
pub const BLOCK: usize = 32;
/// Pairs in a tile.
pub const TILE: usize = 16 * 16;
/// Those in the two tiles of a panel that are multiplied at once.
pub const TILES: usize = 2 * TILE;

/// The upper half of an f32: bf16.
pub type Half = u16;

/// The nearest half.
#[inline(always)]
pub fn half(x: f32) -> Half {
    let bits = x.to_bits();
    ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16) as Half
}

/// What a half stands for.
#[inline(always)]
pub fn float(x: Half) -> f32 {
    f32::from_bits(u32::from(x) << 16)
}

/// The nearest half of each.
pub fn halves(out: &mut [Half], of: &[f32]) {
    for (o, &x) in out.iter_mut().zip(of) {
        *o = half(x);
    }
}

/// Rows of halves, `stride` from one to the next.
#[derive(Clone, Copy)]
pub struct Lines<'a> {
    pub data: &'a [Half],
    pub stride: usize,
}

impl<'a> Lines<'a> {
    pub fn new(data: &'a [Half], stride: usize) -> Lines<'a> {
        Lines { data, stride }
    }

    pub fn row(&self, at: usize, wide: usize) -> &'a [Half] {
        &self.data[at * self.stride..][..wide]
    }

    /// The lines from a row and a column on.
    pub fn from(&self, row: usize, column: usize) -> Lines<'a> {
        Lines { data: &self.data[row * self.stride + column..], ..*self }
    }

    fn piece(&self, row: usize, column: usize) -> [Half; 16] {
        std::array::from_fn(|i| self.data[row * self.stride + column..][..16][i])
    }
}

/// The right side of products: `deep` rows of `wide` columns.
#[derive(Default)]
pub struct Right {
    pairs: Vec<u32>,
    deep: usize,
    wide: usize,
}

/// What of a right side is multiplied.
pub struct Part<'a> {
    right: &'a Right,
    depth: Range<usize>,
    columns: Range<usize>,
}

impl Right {
    fn shape(&mut self, deep: usize, wide: usize) {
        assert!(deep.is_multiple_of(BLOCK) && wide.is_multiple_of(BLOCK), "{deep} x {wide}");
        (self.deep, self.wide) = (deep, wide);
        self.pairs.resize(deep * wide / 2, 0);
    }

    /// The pairs of a tile, sixteen columns of each.
    fn tile(&mut self, down: usize, across: usize) -> &mut [[u32; 16]] {
        let at = across / 2 * (self.deep * BLOCK / 2) + down * TILES + across % 2 * TILE;
        self.pairs[at..at + TILE].as_chunks_mut().0
    }

    /// Packs `rows` rows as they lie, with zeros below them down to a whole block.
    pub fn pack(&mut self, of: Lines, rows: usize, wide: usize) {
        self.shape(rows.next_multiple_of(BLOCK), wide);
        let piece = |row, column| if row < rows { of.piece(row, column) } else { [0; 16] };
        for across in 0..wide / 16 {
            for down in 0..self.deep / BLOCK {
                for (pair, out) in self.tile(down, across).iter_mut().enumerate() {
                    let at = down * BLOCK + 2 * pair;
                    *out = paired(piece(at, 16 * across), piece(at + 1, 16 * across));
                }
            }
        }
    }

    /// Packs `rows` rows as columns, with zeros beside them up to a whole block.
    pub fn pack_transposed(&mut self, of: Lines, rows: usize, deep: usize) {
        self.shape(deep, rows.next_multiple_of(BLOCK));
        for across in 0..self.wide / 16 {
            for down in 0..deep / BLOCK {
                let out = self.tile(down, across);
                for column in 0..16 {
                    let row = 16 * across + column;
                    if row < rows {
                        let row = &of.row(row, deep)[BLOCK * down..][..BLOCK];
                        for (out, &[a, b]) in out.iter_mut().zip(row.as_chunks().0) {
                            out[column] = u32::from(a) | u32::from(b) << 16;
                        }
                    } else {
                        for out in out.iter_mut() {
                            out[column] = 0;
                        }
                    }
                }
            }
        }
    }

    pub fn all(&self) -> Part<'_> {
        self.columns(0..self.wide)
    }

    pub fn columns(&self, columns: Range<usize>) -> Part<'_> {
        Part { right: self, depth: 0..self.deep, columns }
    }

    pub fn depth(&self, depth: Range<usize>) -> Part<'_> {
        Part { right: self, depth, columns: 0..self.wide }
    }
}

/// Two rows as one of pairs.
#[inline(always)]
fn paired(a: [Half; 16], b: [Half; 16]) -> [u32; 16] {
    std::array::from_fn(|i| u32::from(a[i]) | u32::from(b[i]) << 16)
}

/// Where a product goes, in blocks of 32 rows and 32 columns.
pub struct Out<'a> {
    data: &'a mut [f32],
    /// From a row to the next, from a block to the one below it, and to the one beside it.
    steps: [usize; 3],
    /// Whether it is added to what is there.
    add: bool,
}

impl<'a> Out<'a> {
    /// Rows of `wide`.
    pub fn rows(data: &'a mut [f32], wide: usize) -> Out<'a> {
        Out { data, steps: [wide, BLOCK * wide, BLOCK], add: false }
    }

    /// Rows of `wide`, to which the product is added.
    pub fn sums(data: &'a mut [f32], wide: usize) -> Out<'a> {
        Out { add: true, ..Out::rows(data, wide) }
    }

    /// Whole blocks behind each other, `rows / 32` of them for each 32 columns: what is added to
    /// again and again lies together. See [`in_blocks`].
    pub fn blocks(data: &'a mut [f32], rows: usize) -> Out<'a> {
        Out { data, steps: [BLOCK, BLOCK * BLOCK, rows * BLOCK], add: true }
    }
}

/// Where an element lies among [`Out::blocks`].
pub fn in_blocks(rows: usize, row: usize, column: usize) -> usize {
    column / BLOCK * rows * BLOCK + row * BLOCK + column % BLOCK
}

/// The depth that is multiplied while the right side stays in the first level of caches.
const DEPTH: usize = 512;

/// `out` = `left` · `part`, for the first `rows` rows of the left, whose columns begin where the
/// depth of the part does.
pub fn product(left: Lines, rows: usize, part: &Part, out: Out) {
    let Part { right, depth, columns } = part;
    let edges = [rows, depth.start, depth.end, columns.start, columns.end];
    assert!(edges.iter().all(|edge| edge.is_multiple_of(BLOCK)), "{edges:?}");
    assert!(columns.end <= right.wide && depth.end <= right.deep);
    if rows == 0 || columns.is_empty() || depth.is_empty() {
        return;
    }
    let [line, down, across] = out.steps;
    for from in depth.clone().step_by(DEPTH) {
        let to = depth.end.min(from + DEPTH);
        for (panel, column) in columns.clone().step_by(BLOCK).enumerate() {
            let pairs = &right.pairs[(column * right.deep + from * BLOCK) / 2..];
            for row in 0..rows / BLOCK {
                let block = block::Block {
                    left: left.from(row * BLOCK, from - depth.start),
                    right: &pairs[..(to - from) * BLOCK / 2],
                    add: out.add || from > depth.start,
                    out: &mut out.data[row * down + panel * across..],
                    line,
                };
                block.multiply();
            }
        }
    }
}

/// Makes columns of rows: `out` gets `wide` rows, `stride` apart, whose first `rows` are filled.
pub fn transpose(of: Lines, [rows, wide]: [usize; 2], out: &mut [Half], stride: usize) {
    let piece = |row, column| if row < rows { of.piece(row, column) } else { [0; 16] };
    for column in (0..wide).step_by(16) {
        for first in (0..rows).step_by(BLOCK) {
            let many = BLOCK.min(rows - first);
            let pairs: [[u32; 16]; 16] = std::array::from_fn(|pair| {
                let row = first + 2 * pair;
                paired(piece(row, column), piece(row + 1, column))
            });
            for c in 0..16 {
                let mut line = [0; BLOCK];
                for (both, pair) in line.as_chunks_mut().0.iter_mut().zip(&pairs) {
                    *both = [pair[c] as Half, (pair[c] >> 16) as Half];
                }
                out[(column + c) * stride + first..][..many].copy_from_slice(&line[..many]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small whole numbers, whose products and sums are exact.
    fn numbers(rows: usize, wide: usize, step: usize) -> Vec<Half> {
        (0..rows * wide).map(|at| half((at * step % 17) as f32 - 8.0)).collect()
    }

    fn plain(a: &[Half], b: &[Half], [rows, deep, wide]: [usize; 3]) -> Vec<f32> {
        let cell = |at: usize| {
            let (row, column) = (at / wide, at % wide);
            let term = |k: usize| float(a[row * deep + k]) * float(b[k * wide + column]);
            (0..deep).map(term).sum()
        };
        (0..rows * wide).map(cell).collect()
    }

    #[test]
    fn products_are_those_of_the_rows_and_columns() {
        block::configure();
        for shape @ [rows, deep, wide] in [[32, 32, 32], [64, 96, 32], [32, 1056, 96]] {
            let (a, b) = (numbers(rows, deep, 5), numbers(deep, wide, 3));
            let want = plain(&a, &b, shape);
            let (mut right, mut transposed) = (Right::default(), Right::default());
            right.pack(Lines::new(&b, wide), deep, wide);
            let mut columns = vec![0; deep * wide];
            transpose(Lines::new(&b, wide), [deep, wide], &mut columns, deep);
            transposed.pack_transposed(Lines::new(&columns, deep), wide, deep);
            for right in [right, transposed] {
                let mut out = vec![1.0; rows * wide];
                product(Lines::new(&a, deep), rows, &right.all(), Out::rows(&mut out, wide));
                assert_eq!(out, want, "{shape:?}");
                product(Lines::new(&a, deep), rows, &right.all(), Out::sums(&mut out, wide));
                assert!(out.iter().zip(&want).all(|(o, w)| *o == 2.0 * w), "{shape:?}");
                let mut blocks = vec![0.0; rows * wide];
                product(Lines::new(&a, deep), rows, &right.all(), Out::blocks(&mut blocks, rows));
                for (at, want) in want.iter().enumerate() {
                    assert_eq!(blocks[in_blocks(rows, at / wide, at % wide)], *want, "{shape:?}");
                }
            }
        }
    }

    #[test]
    fn a_part_is_what_the_whole_has_there() {
        block::configure();
        let (a, b) = (numbers(32, 64, 7), numbers(64, 96, 5));
        let mut right = Right::default();
        right.pack(Lines::new(&b, 96), 64, 96);
        let want = plain(&a, &b, [32, 64, 96]);
        let mut out = vec![0.0; 32 * 32];
        product(Lines::new(&a, 64), 32, &right.columns(64..96), Out::rows(&mut out, 32));
        assert!(out.iter().enumerate().all(|(at, o)| *o == want[at / 32 * 96 + 64 + at % 32]));
        let mut sum = vec![0.0; 32 * 96];
        for from in [0, 32] {
            let left = Lines::new(&a, 64).from(0, from);
            product(left, 32, &right.depth(from..from + 32), Out::sums(&mut sum, 96));
        }
        assert_eq!(sum, want);
    }

    #[test]
    fn what_is_missing_from_a_block_counts_as_nothing() {
        block::configure();
        let b = numbers(70, 32, 3);
        let mut right = Right::default();
        right.pack(Lines::new(&b[..41 * 32], 32), 41, 32);
        let a = vec![half(1.0); 32 * 64];
        let mut out = vec![0.0; 32 * 32];
        product(Lines::new(&a, 64), 32, &right.all(), Out::rows(&mut out, 32));
        let want: f32 = (0..41).map(|row| float(b[row * 32 + 5])).sum();
        assert_eq!(out[5], want);
    }
}
