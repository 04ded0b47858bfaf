//! Places in a row of numbers in the order of sampling: larger ones first, of equals the lower
//! token. Rows are long and few places are wanted, so that the row is not sorted: a window is
//! narrowed to some of its numbers, and only they are.

use std::cmp::Ordering;

use kernels::{Above, Isa};

/// So many are sorted without narrowing any further.
const FEW: usize = 512;

/// A number and its token.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Candidate {
    pub token: u32,
    pub weight: f32,
}

/// Numbers that are sorted. It is kept from row to row for its memory.
#[derive(Default)]
pub(crate) struct Window {
    /// Those before it, and those with it.
    before: Above,
    with: Above,
    sorted: Vec<Candidate>,
    tokens: Vec<u32>,
}

/// A row in order.
pub(crate) struct Order<'a> {
    row: &'a [f32],
    isa: Isa,
    /// A number that has the more likely places above it.
    likely: f32,
    window: &'a mut Window,
}

impl<'a> Order<'a> {
    pub fn new(row: &'a [f32], (isa, likely): (Isa, f32), window: &'a mut Window) -> Order<'a> {
        *window = Window {
            sorted: std::mem::take(&mut window.sorted),
            tokens: std::mem::take(&mut window.tokens),
            ..Window::default()
        };
        Order { row, isa, likely, window }
    }

    /// The numbers from a least one on.
    pub fn above(&self, least: f32) -> Above {
        self.isa.above(self.row, least)
    }

    /// The first place for which `reached` holds, told of all numbers up to it, and those; the last
    /// one if it holds for none. An empty row has none.
    pub fn place(&mut self, reached: &dyn Fn(Above) -> bool) -> Option<(Candidate, Above)> {
        // At least one number is wanted.
        let reached = &|sum: Above| sum.count > 0 && reached(sum);
        if !reached(self.window.with) || reached(self.window.before) {
            self.narrow(reached);
        }
        let (mut sum, mut last) = (self.window.before, None);
        for candidate in &self.window.sorted {
            sum.count += 1;
            sum.sum += f64::from(candidate.weight);
            last = Some((*candidate, sum));
            if reached(sum) {
                break;
            }
        }
        // Another order of adding may have kept it from holding for the last.
        last
    }

    /// The first so many.
    pub fn first(mut self, count: usize) -> &'a [Candidate] {
        let last = self.place(&|sum| sum.count >= count);
        if let Some((last, _)) = last.filter(|_| self.window.before.count > 0) {
            let with = self.above(last.weight);
            self.sort((last.weight, f32::INFINITY), (Above::default(), with));
        }
        let sorted = &self.window.sorted;
        &sorted[..count.min(sorted.len())]
    }

    /// Moves the window to where `reached` begins to hold.
    fn narrow(&mut self, reached: &dyn Fn(Above) -> bool) {
        let (mut least, mut with) = (key(f32::NEG_INFINITY), self.above(f32::NEG_INFINITY));
        let (mut most, mut before) = (key(f32::INFINITY), Above::default());
        let mut middle = key(self.likely);
        while with.count - before.count > FEW && most - least > 1 {
            let above = self.above(number(middle));
            match reached(above) {
                true => (least, with) = (middle, above),
                false => (most, before) = (middle, above),
            }
            middle = least + (most - least) / 2;
        }
        self.sort((number(least), number(most)), (before, with));
    }

    /// Makes the window of the numbers in this range.
    fn sort(&mut self, range: (f32, f32), (before, with): (Above, Above)) {
        let Window { sorted, tokens, .. } = &mut *self.window;
        tokens.clear();
        self.isa.between(self.row, range, tokens);
        let weight = |token: u32| self.row[token as usize];
        sorted.clear();
        sorted
            .extend(tokens.iter().map(|token| Candidate { token: *token, weight: weight(*token) }));
        sorted.sort_unstable_by(by_weight);
        (self.window.before, self.window.with) = (before, with);
    }
}

fn by_weight(a: &Candidate, b: &Candidate) -> Ordering {
    b.weight.total_cmp(&a.weight).then(a.token.cmp(&b.token))
}

/// Numbers in the order of integers.
fn key(x: f32) -> u32 {
    let bits = x.to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

/// The number with this key.
fn number(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 { key & !(1 << 31) } else { !key })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Random(u64);

    impl Random {
        fn next(&mut self) -> f32 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.0 >> 40) as f32 / (1 << 24) as f32
        }
    }

    /// Peaked, flat, with many equals, with none.
    fn rows() -> Vec<Vec<f32>> {
        let mut random = Random(3);
        let shapes: [fn(f32) -> f32; 6] = [
            |x| x,
            |x| (20.0 * (x - 1.0)).exp(),
            |x| (x * 8.0).floor() / 8.0,
            |_| 0.25,
            |x| 30.0 * x - 20.0,
            |x| if x > 0.7 { x } else { 0.0 },
        ];
        let lens = [1, 5, 700, 5000];
        let row = |(shape, len): (fn(f32) -> f32, usize)| {
            (0..len).map(|_| shape(random.next())).collect()
        };
        shapes.into_iter().flat_map(|shape| lens.map(|len| (shape, len))).map(row).collect()
    }

    fn sorted(row: &[f32]) -> Vec<Candidate> {
        let all = row.iter().enumerate();
        let mut all: Vec<_> = all.map(|(i, x)| Candidate { token: i as u32, weight: *x }).collect();
        all.sort_by(by_weight);
        all
    }

    #[test]
    fn places_are_those_of_a_sorted_row() {
        for row in rows() {
            let (want, mut window) = (sorted(&row), Window::default());
            for likely in [0.001, 0.9, -5.0] {
                let mut order = Order::new(&row, (Isa::best(), likely), &mut window);
                for count in [1, 2, row.len() / 3, row.len() / 2, row.len()] {
                    let count = count.max(1).min(row.len());
                    let (place, sum) = order.place(&|sum| sum.count >= count).unwrap();
                    assert_eq!((place, sum.count), (want[count - 1], count));
                    let all: f64 = want[..count].iter().map(|c| f64::from(c.weight)).sum();
                    assert!((sum.sum - all).abs() < 1e-6 * count as f64);
                }
                for count in [1, row.len() / 2 + 1, row.len()].map(|n| n.min(row.len())) {
                    let order = Order::new(&row, (Isa::best(), likely), &mut window);
                    assert_eq!(order.first(count), &want[..count]);
                }
            }
        }
    }

    #[test]
    fn a_share_of_the_sum_is_found() {
        for row in rows().iter().filter(|row| row.iter().all(|x| *x >= 0.0)) {
            let (want, mut window) = (sorted(row), Window::default());
            let mut order = Order::new(row, (Isa::best(), 0.01), &mut window);
            let all = order.above(0.0).sum;
            for share in [0.0, 0.1, 0.5, 0.95, 0.999] {
                let (place, sum) = order.place(&|sum| sum.sum > share * all).unwrap();
                assert_eq!(place, want[sum.count - 1]);
                assert!(sum.sum > share * all, "{share}");
                assert!(sum.sum - f64::from(place.weight) <= share * all * (1.0 + 1e-12));
            }
        }
    }

    #[test]
    fn keys_keep_the_order() {
        let numbers = [f32::NEG_INFINITY, -2.5, -1e-40, -0.0, 0.0, 1e-40, 1.0, f32::INFINITY];
        assert!(numbers.is_sorted_by(|a, b| key(*a) < key(*b)));
        assert!(numbers.iter().all(|x| number(key(*x)).to_bits() == x.to_bits()));
    }
}
