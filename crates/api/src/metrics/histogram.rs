//! How often something lay below certain bounds.

use super::Page;

/// Bounds for times, from a token to a long reply on a slow machine.
pub const SECONDS: [f64; 16] =
    [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 600.0];
/// Bounds for numbers of tokens.
pub const TOKENS: [f64; 12] = [1.0, 10.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4, 5e4, 1e5];

#[derive(Clone)]
pub struct Histogram {
    bounds: &'static [f64],
    /// Values up to each bound that lie above the one before.
    counts: Vec<u64>,
    count: u64,
    sum: f64,
}

impl Histogram {
    pub fn new(bounds: &'static [f64]) -> Histogram {
        Histogram { bounds, counts: vec![0; bounds.len()], count: 0, sum: 0.0 }
    }

    pub fn add(&mut self, value: f64) {
        let place = self.bounds.iter().position(|bound| value <= *bound);
        place.into_iter().for_each(|at| self.counts[at] += 1);
        self.count += 1;
        self.sum += value;
    }

    pub(super) fn write(&self, name: &str, label: (&str, &str), page: &mut Page) {
        let bucket = format!("{name}_bucket");
        let mut below = 0;
        for (bound, count) in self.bounds.iter().zip(&self.counts) {
            below += count;
            page.line(&bucket, &[label, ("le", &bound.to_string())], below);
        }
        page.line(&bucket, &[label, ("le", "+Inf")], self.count);
        page.line(&format!("{name}_sum"), &[label], self.sum);
        page.line(&format!("{name}_count"), &[label], self.count);
    }
}
