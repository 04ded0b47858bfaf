//! Operations on one row of numbers that need no crew: what sampling does with logits.

use crate::Isa;
use crate::isa::per_isa;
use crate::portable::row::{self, Above, Totals};

per_isa!(largest = row::largest; (x: &[f32], out: &mut f32));
per_isa!(exp_each = row::exp_each; (x: &mut [f32], less: f32));
per_isa!(sum_of_exps = row::sum_of_exps; (x: &[f32], less: f32, out: &mut f64));
per_isa!(above = row::above; (x: &[f32], least: f32, out: &mut Above));
per_isa!(between = row::between; (x: &[f32], range: (f32, f32), out: &mut Vec<u32>));
per_isa!(totals = row::totals; (x: &[f32], out: &mut Totals));

impl Isa {
    /// The largest number of a row; −∞ of none.
    pub fn largest(self, x: &[f32]) -> f32 {
        let mut out = f32::NEG_INFINITY;
        largest(self, x, &mut out);
        out
    }

    /// `x = exp(x − less)`, element by element.
    pub fn exp_each(self, x: &mut [f32], less: f32) {
        exp_each(self, x, less);
    }

    /// What choosing from a row needs to know of all of it.
    pub fn totals(self, x: &[f32]) -> Totals {
        let mut out = Totals::default();
        totals(self, x, &mut out);
        out
    }

    /// The numbers of a row that are at least `least`.
    pub fn above(self, x: &[f32], least: f32) -> Above {
        let mut out = Above::default();
        above(self, x, least, &mut out);
        out
    }

    /// Adds the places of the numbers that are at least the one and less than the other.
    pub fn between(self, x: &[f32], range: (f32, f32), out: &mut Vec<u32>) {
        between(self, x, range, out);
    }

    /// Σ exp(x − less) in f64.
    pub fn sum_of_exps(self, x: &[f32], less: f32) -> f64 {
        let mut out = 0.0;
        sum_of_exps(self, x, less, &mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_gives_the_same_bits() {
        for len in [0, 1, 15, 16, 17, 31, 33, 1000, 4099] {
            let x: Vec<f32> = (0..len).map(|i| ((i * 7919 % 997) as f32 - 500.0) / 37.0).collect();
            let largest = x.iter().fold(f32::NEG_INFINITY, |m, x| m.max(*x));
            let all = |isa: Isa| {
                let mut exps = x.clone();
                isa.exp_each(&mut exps, largest);
                let bits: Vec<u32> = exps.iter().map(|x| x.to_bits()).collect();
                let totals = isa.totals(&x);
                let sum = isa.sum_of_exps(&x, largest);
                assert_eq!(totals, Totals { largest: isa.largest(&x), exps: sum, is_finite: true });
                let (above, mut places) = (isa.above(&x, -2.0), Vec::new());
                isa.between(&x, (-2.0, 3.0), &mut places);
                (totals.largest, sum.to_bits(), bits, (above.count, above.sum.to_bits()), places)
            };
            let want = all(Isa::PORTABLE);
            assert_eq!(want.0, largest);
            let (above, below_3) = (|x: &&f32| **x >= -2.0, |i: &u32| x[*i as usize] < 3.0);
            assert_eq!(want.3.0, x.iter().filter(above).count());
            let sum: f64 = x.iter().filter(above).map(|x| f64::from(*x)).sum();
            assert!((f64::from_bits(want.3.1) - sum).abs() <= 1e-9 * len as f64);
            let places = (0..len as u32).filter(|i| above(&&x[*i as usize]) && below_3(i));
            assert!(places.eq(want.4.iter().copied()));
            let exact: f64 = x.iter().map(|x| f64::from(x - largest).exp()).sum();
            assert!((f64::from_bits(want.1) - exact).abs() <= 1e-6 * exact, "{len}");
            for isa in Isa::available() {
                for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    let wrong = [&x[..], &[wrong, 1.0]].concat();
                    assert!(!isa.totals(&wrong).is_finite, "{len} numbers, {}", isa.name());
                }
                assert!(all(isa) == want, "{len} numbers, {}", isa.name());
            }
        }
    }
}
