//! The factors with which one run of numbers is nearest to the levels of a format.
//!
//! Nearest is by the sum of squared differences. Levels are floats here, so that the compiler can
//! make vectors of everything, and sums have an order of their own that no machine changes.

/// How many inverse scales are tried on each side of the one that just reaches the last level.
const TRIES: i32 = 10;

/// The levels of a format.
pub(super) trait Levels: Copy {
    /// The level nearest to a number in units of the scale.
    fn nearest(self, number: f32) -> f32;
    /// The lowest and the highest.
    fn ends(self) -> [f32; 2];
    /// By how much the ends differ of which inverse scales are tried: a tenth of a level.
    fn step(self) -> f32;
}

/// All integers from one to another.
#[derive(Clone, Copy)]
pub(super) struct Even(pub f32, pub f32);

impl Levels for Even {
    #[inline(always)]
    fn nearest(self, number: f32) -> f32 {
        integer(number.max(self.0).min(self.1))
    }

    #[inline(always)]
    fn ends(self) -> [f32; 2] {
        [self.0, self.1]
    }

    #[inline(always)]
    fn step(self) -> f32 {
        0.1
    }
}

/// The integer nearest to a number of few digits: what is left when the sum has no bits for more.
#[inline(always)]
pub(super) fn integer(number: f32) -> f32 {
    const MANTISSA_END: f32 = 12_582_912.0;
    (number + MANTISSA_END) - MANTISSA_END
}

/// One over a scale, or zero for a scale that makes all levels alike.
#[inline(always)]
pub(super) fn inverse(scale: f32) -> f32 {
    let inverse = 1.0 / scale;
    if inverse.is_finite() { inverse } else { 0.0 }
}

/// The number with the other sign. Zero has none: which of two zeros is the lowest is left to the
/// machine, and must not show.
#[inline(always)]
pub(super) fn minus(number: f32) -> f32 {
    0.0 - number
}

/// A sum over `0..N` in eight lanes.
#[inline(always)]
pub(super) fn sum<const N: usize>(term: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0.0; 8];
    for start in (0..N).step_by(8) {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum += term(start + lane);
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// A function of each number; the one of arrays is not made part of what calls it.
#[inline(always)]
pub(super) fn map<const N: usize>(numbers: &[f32; N], f: impl Fn(f32) -> f32) -> [f32; N] {
    let mut out = [0.0; N];
    for (out, x) in out.iter_mut().zip(numbers) {
        *out = f(*x);
    }
    out
}

/// The number farthest from zero, with its sign.
#[inline(always)]
pub(super) fn extreme(numbers: &[f32]) -> f32 {
    let farther = |most: f32, x: &f32| if x.abs() > most.abs() { *x } else { most };
    numbers.iter().fold(0.0, farther)
}

/// The scale with which `scale · level` is nearest to the numbers.
#[inline(always)]
pub(super) fn scale<const N: usize>(numbers: &[f32; N], levels: impl Levels) -> f32 {
    let extreme = extreme(numbers);
    let (mut best, mut gain) = (0.0, 0.0);
    if extreme == 0.0 {
        return best;
    }
    for end in levels.ends() {
        for tried in -TRIES..=TRIES {
            let inverse = (end + levels.step() * tried as f32) / extreme;
            let level = map(numbers, |x| levels.nearest(x * inverse));
            let both = sum::<N>(|i| numbers[i] * level[i]);
            let own = sum::<N>(|i| level[i] * level[i]);
            // What the squares of the numbers lose when this multiple of the levels is taken away.
            let lost = both * both / own;
            if lost > gain {
                (best, gain) = (both / own, lost);
            }
        }
    }
    best
}

/// The squares that are left of a run when `scale · level − min` is taken away.
#[inline(always)]
pub(super) fn error<const N: usize>(
    numbers: &[f32; N],
    levels: impl Levels,
    (scale, min): (f32, f32),
) -> f32 {
    let inverse = inverse(scale);
    sum::<N>(|i| {
        let moved = numbers[i] + min;
        let left = moved - scale * levels.nearest(moved * inverse);
        left * left
    })
}

/// The scale and the minimum with which `scale · level − min` is nearest to the numbers, for the
/// levels 0 to `top`. `bound` is the least minimum that can be stored.
#[inline(always)]
pub(super) fn scale_and_min<const N: usize>(
    numbers: &[f32; N],
    top: f32,
    bound: f32,
) -> (f32, f32) {
    let low = numbers.iter().fold(-bound, |low, x| x.min(low));
    let high = numbers.iter().fold(f32::NEG_INFINITY, |high, x| x.max(high));
    if high <= low {
        return (0.0, minus(low));
    }
    // Counted from the lowest, sums lose no digits to what all have in common.
    let above = map(numbers, |x| x - low);
    let (total, count) = (sum::<N>(|i| above[i]), N as f32);
    let levels = Even(0.0, top);
    let (mut best, mut gain) = ((0.0, 0.0), f32::NEG_INFINITY);
    for tried in -TRIES..=TRIES {
        let inverse = (top + levels.step() * tried as f32) / (high - low);
        let level = map(&above, |x| levels.nearest(x * inverse));
        let all = sum::<N>(|i| level[i]);
        let own = sum::<N>(|i| level[i] * level[i]);
        let both = sum::<N>(|i| above[i] * level[i]);
        let spread = count * own - all * all;
        let mut scale = (count * both - all * total) / spread;
        let mut offset = (total - all * scale) / count;
        // Where all levels are alike, `spread` is zero and any offset would do.
        if spread <= 0.0 || low + offset > -bound {
            offset = if bound.is_finite() { -bound - low } else { 0.0 };
            scale = (both - offset * all) / own;
        }
        // What the squares lose when both are taken away.
        let lost = 2.0 * (scale * both + offset * total - scale * offset * all)
            - scale * scale * own
            - count * offset * offset;
        if lost > gain {
            (best, gain) = ((scale, offset), lost);
        }
    }
    let (scale, offset) = best;
    (scale, minus(low + offset))
}
