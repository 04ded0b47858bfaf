//! The tile unit in plain Rust: for machines without one, so that its kernels are tested anyway.
//!
//! It does what the manual says for the instructions that products use. Where the processor would
//! raise a fault, it panics. It asks for one thing more: no row of a tile may cross a line of the
//! cache, which the processor allows, at a quarter of the speed.
//!
//! # Safety
//!
//! A function here that is unsafe asks what `Unit` asks.

use super::unit::{ROW_BYTES, Shapes, TILE_ROWS, TILES, Unit};

type Tile = [[u8; ROW_BYTES]; TILE_ROWS];

/// Rows and bytes of a row.
#[derive(Clone, Copy)]
struct Shape {
    rows: usize,
    bytes: usize,
}

/// An emulated unit.
pub(crate) struct Emulated {
    shapes: [Shape; TILES],
    tiles: [Tile; TILES],
}

#[cfg(test)]
thread_local! {
    /// How often this thread has started one, so that tests see whether tiles are used.
    pub(crate) static STARTED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl Unit for Emulated {
    unsafe fn start(shapes: &Shapes) -> Emulated {
        #[cfg(test)]
        STARTED.set(STARTED.get() + 1);
        assert_eq!((shapes.palette, shapes.start_row), (1, 0), "the palette of eight tiles");
        assert_eq!(shapes.reserved, [0; 14]);
        assert_eq!((&shapes.row_bytes[TILES..], &shapes.rows[TILES..]), (&[0; 8][..], &[0; 8][..]));
        let shapes = std::array::from_fn(|t| {
            let shape = Shape { rows: shapes.rows[t].into(), bytes: shapes.row_bytes[t].into() };
            assert!(shape.rows <= TILE_ROWS && shape.bytes <= ROW_BYTES, "tile {t} is too large");
            shape
        });
        Emulated { shapes, tiles: [[[0; ROW_BYTES]; TILE_ROWS]; TILES] }
    }

    fn zero<const T: usize>(&mut self) {
        self.shape(T);
        self.tiles[T] = [[0; ROW_BYTES]; TILE_ROWS];
    }

    unsafe fn load<const T: usize>(&mut self, from: *const u8) {
        let Shape { rows, bytes } = self.shape(T);
        assert!(from as usize % ROW_BYTES + bytes <= ROW_BYTES, "rows that cross a line");
        self.tiles[T] = [[0; ROW_BYTES]; TILE_ROWS];
        for (i, row) in self.tiles[T][..rows].iter_mut().enumerate() {
            // SAFETY: the caller says that the row may be read.
            let from = unsafe { std::slice::from_raw_parts(from.add(i * ROW_BYTES), bytes) };
            row[..bytes].copy_from_slice(from);
        }
    }

    fn dot_signed<const C: usize, const A: usize, const B: usize>(&mut self) {
        self.dot([C, A, B], |byte| i32::from(byte as i8));
    }

    fn dot_unsigned<const C: usize, const A: usize, const B: usize>(&mut self) {
        self.dot([C, A, B], i32::from);
    }

    unsafe fn store<const T: usize>(&mut self, to: *mut [i32; 16]) {
        let Shape { rows, bytes } = self.shape(T);
        assert!(to as usize % ROW_BYTES + bytes <= ROW_BYTES, "rows that cross a line");
        for (i, row) in self.tiles[T][..rows].iter().enumerate() {
            // SAFETY: the caller says that the row may be written.
            unsafe { to.add(i).cast::<u8>().copy_from(row.as_ptr(), bytes) };
        }
    }
}

impl Emulated {
    /// The shape of a tile that is there.
    fn shape(&self, t: usize) -> Shape {
        let shape = self.shapes[t];
        assert!(shape.rows > 0 && shape.bytes > 0, "tile {t} is not configured");
        shape
    }

    #[inline(always)]
    fn dot(&mut self, [c, a, b]: [usize; 3], weight: impl Fn(u8) -> i32) {
        assert!(c != a && a != b && c != b, "three different tiles");
        let (sums, x, w) = (self.shape(c), self.shape(a), self.shape(b));
        assert_eq!(sums.rows, x.rows, "rows of sums and of activations");
        assert_eq!(sums.bytes, w.bytes, "columns of sums and of weights");
        assert_eq!(x.bytes, 4 * w.rows, "columns of activations, and weights for each");
        for m in 0..sums.rows {
            // Rows and columns outside of the shape become zero.
            let mut row = [0; ROW_BYTES / 4];
            for (n, sum) in row[..sums.bytes / 4].iter_mut().enumerate() {
                *sum = i32::from_le_bytes(quad(&self.tiles[c][m], n));
                for k in 0..w.rows {
                    let x = quad(&self.tiles[a][m], k).map(|byte| i32::from(byte as i8));
                    let w = quad(&self.tiles[b][k], n).map(&weight);
                    let products = x.iter().zip(w).map(|(x, w)| x * w);
                    *sum = sum.wrapping_add(products.sum());
                }
            }
            for (to, sum) in self.tiles[c][m].as_chunks_mut().0.iter_mut().zip(row) {
                *to = sum.to_le_bytes();
            }
        }
        self.tiles[c][sums.rows..].fill([0; ROW_BYTES]);
    }
}

/// Four bytes of a row.
#[inline(always)]
fn quad(row: &[u8; ROW_BYTES], i: usize) -> [u8; 4] {
    row.as_chunks().0[i]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C, align(64))]
    struct Aligned<T>(T);

    fn start(shapes: &Shapes) -> Emulated {
        // SAFETY: every machine has this one.
        unsafe { Emulated::start(shapes) }
    }

    fn bytes(seed: usize) -> Aligned<Tile> {
        let byte = |row, at| (row * 89 + at * 151 + seed * 57 + at / 8 * 31) as u8;
        Aligned(std::array::from_fn(|row| std::array::from_fn(|at| byte(row, at))))
    }

    /// Sums of one dot over another, after a load of each operand.
    fn sums(shapes: &Shapes, signed: bool) -> [[i32; 16]; 16] {
        let (x, w, mut out) = (bytes(1), bytes(2), Aligned([[-1; 16]; 16]));
        let mut unit = start(shapes);
        // SAFETY: the operands are whole tiles.
        unsafe {
            unit.load::<4>(x.0.as_ptr().cast());
            unit.load::<6>(w.0.as_ptr().cast());
            for _ in 0..2 {
                if signed { unit.dot_signed::<0, 4, 6>() } else { unit.dot_unsigned::<0, 4, 6>() }
            }
            unit.store::<0>(out.0.as_mut_ptr());
        }
        out.0
    }

    #[test]
    fn products_are_those_of_matrices() {
        for (shapes, cols) in [(Shapes::FULL, 64), (Shapes::HALF, 32)] {
            for signed in [true, false] {
                let (x, w, found) = (bytes(1).0, bytes(2).0, sums(&shapes, signed));
                for (m, n) in (0..16).flat_map(|m| (0..16).map(move |n| (m, n))) {
                    let product = |col: usize| {
                        let (x, w) = (x[m][col] as i8, w[col / 4][4 * n + col % 4]);
                        i32::from(x) * if signed { i32::from(w as i8) } else { i32::from(w) }
                    };
                    let want = 2 * (0..cols).map(product).sum::<i32>();
                    assert_eq!(found[m][n], want, "row {m}, column {n} of {cols}, {signed}");
                }
            }
        }
    }

    #[test]
    fn what_lies_outside_of_a_shape_is_zero_and_not_stored() {
        let mut shapes = Shapes::FULL;
        (shapes.rows[1], shapes.row_bytes[1]) = (3, 20);
        let (x, mut out) = (bytes(3), Aligned([[-1; 16]; 16]));
        let mut unit = start(&shapes);
        unit.tiles[1] = [[9; 64]; 16];
        // SAFETY: the operands are whole tiles.
        unsafe {
            unit.load::<1>(x.0.as_ptr().cast());
            unit.store::<1>(out.0.as_mut_ptr());
        }
        for (row, at) in (0..16).flat_map(|row| (0..64).map(move |at| (row, at))) {
            let (inside, stored) = (row < 3 && at < 20, out.0[row][at / 4].to_le_bytes()[at % 4]);
            assert_eq!(unit.tiles[1][row][at], if inside { x.0[row][at] } else { 0 });
            assert_eq!(stored, if inside { x.0[row][at] } else { 0xff });
        }
        unit.zero::<1>();
        assert_eq!(unit.tiles[1], [[0; 64]; 16]);
    }

    fn refuses(what: impl FnOnce() + std::panic::UnwindSafe) -> bool {
        std::panic::catch_unwind(what).is_err()
    }

    #[test]
    fn what_the_processor_refuses_panics() {
        assert!(refuses(|| start(&Shapes::HALF).dot_signed::<0, 6, 4>()), "operands the wrong way");
        assert!(refuses(|| start(&Shapes::FULL).dot_signed::<0, 1, 1>()), "one tile twice");
        assert!(refuses(|| start(&Shapes::FULL).dot_unsigned::<2, 2, 1>()), "sums as operand");
        let without = |change: fn(&mut Shapes)| {
            let mut shapes = Shapes::FULL;
            change(&mut shapes);
            refuses(move || start(&shapes).zero::<3>())
        };
        assert!(!without(|_| ()));
        assert!(without(|shapes| shapes.palette = 0));
        assert!(without(|shapes| shapes.rows[3] = 0), "a tile without rows");
        assert!(without(|shapes| shapes.rows[5] = 17));
        assert!(without(|shapes| shapes.row_bytes[5] = 65));
        assert!(without(|shapes| shapes.rows[8] = 1), "a ninth tile");
    }

    #[test]
    fn rows_that_cross_a_line_are_refused() {
        let x = Aligned([[0_u8; 64]; 17]);
        let load = |at: usize, shapes: &Shapes| {
            // SAFETY: there is one row more than a tile has.
            unsafe { start(shapes).load::<4>(x.0.as_ptr().cast::<u8>().add(at)) }
        };
        load(0, &Shapes::FULL);
        load(32, &Shapes::HALF);
        assert!(refuses(|| load(32, &Shapes::FULL)));
        assert!(refuses(|| load(33, &Shapes::HALF)));
    }
}
