//! How the rows of a text become its vector.
//!
//! Rows are added one by one in their order, in f64, by code that is the same everywhere. So no bit
//! of a vector depends on the pieces in which its text was read, on what was read beside it, or on
//! the instruction set.

use arch::Pooling;

use crate::Error;

/// The rows of a text so far.
pub(crate) struct Pool {
    pooling: Pooling,
    sums: Vec<f64>,
    rows: usize,
}

impl Pool {
    /// Of rows of this width.
    pub fn new(pooling: Pooling, width: usize) -> Pool {
        Pool { pooling, sums: vec![0.0; width], rows: 0 }
    }

    /// Adds the next rows.
    pub fn add(&mut self, rows: &[f32]) -> Result<(), Error> {
        for row in rows.chunks_exact(self.sums.len()) {
            if row.iter().any(|x| !x.is_finite()) {
                return Err(Error::NotFinite { position: self.rows });
            }
            if self.pooling == Pooling::Last {
                self.sums.fill(0.0);
            }
            self.sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
            self.rows += 1;
        }
        Ok(())
    }

    /// The vector, of length 1. The sum of the rows points to where their mean does.
    pub fn vector(&self) -> Vec<f32> {
        let squares = self.sums.iter().fold(0.0, |squares, x| squares + x * x);
        // Rows that are nothing have no direction.
        let length = if squares > 0.0 { squares.sqrt() } else { 1.0 };
        self.sums.iter().map(|x| (x / length) as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [f32; 6] = [3.0, 1.0, 1e-3, 4.0, -7.0, 0.1];

    fn vector(pooling: Pooling, pieces: &[&[f32]]) -> Vec<f32> {
        let mut pool = Pool::new(pooling, 2);
        pieces.iter().for_each(|piece| pool.add(piece).unwrap());
        pool.vector()
    }

    #[test]
    fn the_mean_and_the_last_have_length_one() {
        let mean = vector(Pooling::Mean, &[&[3.0, 1.0, 0.0, 3.0]]);
        assert_eq!(mean, [0.6, 0.8]);
        assert_eq!(vector(Pooling::Last, &[&[3.0, 1.0, 0.0, 3.0]]), [0.0, 1.0]);
        assert_eq!(vector(Pooling::Mean, &[&[0.0, 0.0]]), [0.0, 0.0]);
    }

    #[test]
    fn pieces_change_no_bit() {
        let whole = vector(Pooling::Mean, &[&ROWS]);
        assert_eq!(vector(Pooling::Mean, &[&ROWS[..2], &ROWS[2..]]), whole);
        assert_eq!(vector(Pooling::Mean, &[&ROWS[..4], &ROWS[4..]]), whole);
    }

    #[test]
    fn what_is_no_number_is_told_with_its_place() {
        let mut pool = Pool::new(Pooling::Mean, 2);
        assert_eq!(pool.add(&[1.0, 2.0, f32::NAN, 0.0]), Err(Error::NotFinite { position: 1 }));
    }
}
