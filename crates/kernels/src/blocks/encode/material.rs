//! Numbers to be stored in tests: like weights, and as unlike weights as a file may have them.

/// The kinds of numbers.
pub(super) const KINDS: [&str; 11] = [
    "normal",
    "heavy tails",
    "outliers",
    "uniform",
    "constant",
    "zeros",
    "tiny",
    "huge",
    "negative",
    "far from zero",
    "zeros of both signs",
];

/// Numbers of a kind, by integers and exact steps only: the same on every machine.
pub(super) fn material(kind: &str, count: usize) -> Vec<f32> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut uniform = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32
    };
    let mut normal = move || (0..12).map(|_| uniform()).sum::<f32>() - 6.0;
    let each = |i: usize| {
        let x = normal();
        match kind {
            "normal" => 0.02 * x,
            "heavy tails" => 0.005 * x * x * x,
            "outliers" => {
                if i.is_multiple_of(97) {
                    x
                } else {
                    0.02 * x
                }
            }
            "uniform" => (i.wrapping_mul(7919) % 1009) as f32 / 1009.0 - 0.5,
            "constant" => 0.037,
            "zeros" => 0.0,
            "zeros of both signs" => {
                if x < 0.0 {
                    -0.0
                } else {
                    0.0
                }
            }
            "tiny" => 1e-6 * x,
            "huge" => 12_000.0 * x,
            "negative" => -0.02 * x.abs(),
            _ => 0.02 * x + 0.3,
        }
    };
    (0..count).map(each).collect()
}
