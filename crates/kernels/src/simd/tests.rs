//! Every operation of every instruction set that this machine has, against plain code.

use super::{BYTES, LANES, Simd};
use crate::portable::lanes::Lanes;

/// Calls a check with the token of each instruction set.
macro_rules! with_every_set {
    ($check:ident) => {
        for isa in crate::Isa::available() {
            match isa.level() {
                // SAFETY: this machine has the instruction set.
                #[cfg(target_arch = "x86_64")]
                crate::isa::Level::Avx2 => $check(unsafe { crate::simd::Avx2::new() }),
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                crate::isa::Level::Avx512 => $check(unsafe { crate::simd::Avx512::new() }),
                // SAFETY: as above.
                #[cfg(target_arch = "aarch64")]
                crate::isa::Level::Neon => $check(unsafe { crate::simd::Neon::new() }),
                _ => {}
            }
        }
    };
}
pub(super) use with_every_set;

type Bytes = [u8; BYTES];
type Words = [i32; LANES];
type Floats = [f32; LANES];

/// Between the arrays of a test and vectors.
trait Arrays: Simd {
    fn bytes(self, from: Bytes) -> Self::I {
        // SAFETY: there are 64 bytes.
        unsafe { self.load(from.as_ptr()) }
    }

    fn to_bytes(self, x: Self::I) -> Bytes {
        let mut to = [0; BYTES];
        // SAFETY: there is room for 64 bytes.
        unsafe { self.store(to.as_mut_ptr(), x) };
        to
    }

    fn to_words(self, x: Self::I) -> Words {
        quads(self.to_bytes(x)).map(i32::from_le_bytes)
    }

    fn floats(self, from: Floats) -> Self::F {
        // SAFETY: there are sixteen numbers.
        unsafe { self.load_f32(from.as_ptr()) }
    }

    fn to_floats(self, x: Self::F) -> Floats {
        let mut to = [0.0; LANES];
        // SAFETY: there is room for sixteen numbers.
        unsafe { self.store_f32(to.as_mut_ptr(), x) };
        to
    }
}

impl<S: Simd> Arrays for S {}

fn quads(bytes: Bytes) -> [[u8; 4]; LANES] {
    std::array::from_fn(|i| std::array::from_fn(|j| bytes[4 * i + j]))
}

/// Random bytes (xorshift64*).
struct Random(u64);

impl Random {
    fn byte(&mut self) -> u8 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
    }

    fn bytes(&mut self) -> Bytes {
        std::array::from_fn(|_| self.byte())
    }

    /// Rounded numbers: never −128.
    fn rounded(&mut self) -> Bytes {
        self.bytes().map(|byte| (byte as i8).max(-127) as u8)
    }
}

/// Numbers at which comparisons and roundings differ.
const EDGES: Floats = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    f32::NAN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::MIN_POSITIVE,
    1e-40,
    -1e-45,
    f32::MAX,
    f32::EPSILON,
    1.000_000_1,
    0.1,
    16_777_216.0,
    -3.5,
];

/// Equal bits, or both are no numbers.
#[track_caller]
fn assert_same(got: Floats, want: Floats) {
    for (got, want) in got.into_iter().zip(want) {
        let same = got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan();
        assert!(same, "{got:?} instead of {want:?}");
    }
}

#[test]
fn bits_and_shifts() {
    fn check<S: Arrays>(s: S) {
        let mut random = Random(1);
        let (a, b) = (random.bytes(), random.bytes());
        let (x, y) = (s.bytes(a), s.bytes(b));
        assert_eq!(s.to_bytes(s.and(x, y)), std::array::from_fn(|i| a[i] & b[i]));
        assert_eq!(s.to_bytes(s.or(x, y)), std::array::from_fn(|i| a[i] | b[i]));
        assert_eq!(s.to_words(s.splat(-77)), [-77; LANES]);
        let pairs = |shift: fn(u16) -> u16| -> Bytes {
            std::array::from_fn(|i| {
                let pair = u16::from_le_bytes([a[i & !1], a[i | 1]]);
                shift(pair).to_le_bytes()[i & 1]
            })
        };
        assert_eq!(s.to_bytes(s.shift_right::<1>(x)), pairs(|pair| pair >> 1));
        assert_eq!(s.to_bytes(s.shift_right::<4>(x)), pairs(|pair| pair >> 4));
        assert_eq!(s.to_bytes(s.shift_left::<3>(x)), pairs(|pair| pair << 3));
        let table = std::array::from_fn(|i| 7 * i as i8 - 60);
        let index = a.map(|byte| byte & 15);
        let found = s.to_bytes(s.look_up(&table, s.bytes(index)));
        assert_eq!(found, index.map(|i| table[usize::from(i)] as u8));
    }
    with_every_set!(check);
}

#[test]
fn whole_numbers() {
    fn check<S: Arrays>(s: S) {
        let mut random = Random(2);
        let (a, b) = (random.bytes(), random.bytes());
        let (x, y) = (s.bytes(a), s.bytes(b));
        let (i, j) = (quads(a).map(i32::from_le_bytes), quads(b).map(i32::from_le_bytes));
        assert_eq!(s.to_words(s.add_i32(x, y)), std::array::from_fn(|n| i[n].wrapping_add(j[n])));
        assert_eq!(s.to_words(s.mul_i32(x, y)), std::array::from_fn(|n| i[n].wrapping_mul(j[n])));
        assert_same(s.to_floats(s.to_f32(x)), i.map(|i| i as f32));
        // SAFETY: the arrays are long enough.
        let (bytes, signed, pairs) =
            unsafe { (s.load_u8(a.as_ptr()), s.load_i8(a.as_ptr()), s.load_u16(a.as_ptr())) };
        assert_eq!(s.to_words(bytes), std::array::from_fn(|n| i32::from(a[n])));
        assert_eq!(s.to_words(signed), std::array::from_fn(|n| i32::from(a[n] as i8)));
        let pair = |n: usize| i32::from(u16::from_le_bytes([a[2 * n], a[2 * n + 1]]));
        assert_eq!(s.to_words(pairs), std::array::from_fn(pair));
    }
    with_every_set!(check);
}

#[test]
fn integer_products() {
    fn check<S: Arrays>(s: S) {
        let mut random = Random(3);
        for _ in 0..100 {
            let (levels, x, sum) = (random.bytes(), random.rounded(), random.bytes());
            let start = quads(sum).map(|quad| i32::from_le_bytes(quad) >> 4);
            let sum = s.bytes(std::array::from_fn(|i| start[i / 4].to_le_bytes()[i % 4]));
            let dot = |levels: Bytes| -> Words {
                let product = |i: usize| i32::from(levels[i] as i8) * i32::from(x[i] as i8);
                std::array::from_fn(|n| (4 * n..4 * n + 4).map(product).sum())
            };
            let plus = |dots: Words| -> Words { std::array::from_fn(|n| start[n] + dots[n]) };
            let low = levels.map(|level| level & 127);
            let got = s.dot_bytes(sum, s.bytes(low), s.bytes(x));
            assert_eq!(s.to_words(got), plus(dot(low)));
            let off = dot([-128_i8 as u8; BYTES]);
            let off = s.bytes(std::array::from_fn(|i| off[i / 4].to_le_bytes()[i % 4]));
            let got = s.dot_wide(s.wide_start(off), s.wide(s.bytes(levels)), s.bytes(x));
            assert_eq!(s.to_words(got), dot(levels));
            let i16_at = |from: &Bytes, i| i32::from(i16::from_le_bytes([from[i], from[i + 1]]));
            let product = |i| i16_at(&levels, i) * i16_at(&x, i);
            let pairs: Words = std::array::from_fn(|n| product(4 * n) + product(4 * n + 2));
            let (fifteens, ones) = (levels.map(|level| level & 15), s.splat(0x0001_0001));
            let mut halves = s.splat(0);
            for _ in 0..8 {
                halves = s.dot_halves(halves, s.bytes(fifteens), s.bytes(x));
            }
            let got = s.dot_pairs(s.splat(0), halves, ones);
            assert_eq!(s.to_words(got), dot(fifteens).map(|dot| 8 * dot));
            for largest in [127_i8, -127] {
                let (fifteens, x) = (s.bytes([15; BYTES]), s.bytes([largest as u8; BYTES]));
                let halves = (0..8).fold(s.splat(0), |sum, _| s.dot_halves(sum, fifteens, x));
                let got = s.dot_pairs(s.splat(0), halves, ones);
                assert_eq!(s.to_words(got), [8 * 4 * 15 * i32::from(largest); 16]);
            }
            let got = s.dot_pairs(sum, s.bytes(levels), s.bytes(x));
            assert_eq!(s.to_words(got), std::array::from_fn(|n| start[n].wrapping_add(pairs[n])));
        }
    }
    with_every_set!(check);
}

#[test]
fn floats_at_the_edges() {
    fn check<S: Arrays>(s: S) {
        let x = s.floats(EDGES);
        for edge in EDGES {
            let y = s.splat_f32(edge);
            assert_same(s.to_floats(s.mul(x, y)), EDGES.map(|x| x * edge));
            assert_same(s.to_floats(s.add(x, y)), EDGES.map(|x| x + edge));
            assert_same(s.to_floats(s.sub(x, y)), EDGES.map(|x| x - edge));
            let greater = EDGES.map(|x| if x > edge { x } else { edge });
            assert_same(s.to_floats(s.greater(x, y)), greater);
            assert_same(
                s.to_floats(s.lesser(x, y)),
                EDGES.map(|x| if x < edge { x } else { edge }),
            );
            let chosen = EDGES.map(|x| if x != 0.0 { x } else { edge });
            assert_same(s.to_floats(s.where_not_zero(x, x, y)), chosen);
            for other in EDGES {
                let z = s.splat_f32(other);
                assert_same(s.to_floats(s.fma(x, y, z)), EDGES.map(|x| x.mul_add(edge, other)));
                let minus = EDGES.map(|x| (-x).mul_add(edge, other));
                assert_same(s.to_floats(s.minus_product(x, y, z)), minus);
            }
        }
    }
    with_every_set!(check);
}

#[test]
fn powers_of_two_round_once() {
    fn check<S: Arrays>(s: S) {
        let x: Floats = std::array::from_fn(|i| (0.5 + 0.097 * i as f32) * [1.0, -1.0][i % 2]);
        for n in -150..=128 {
            let want = x.map(|x| (f64::from(x) * 2_f64.powi(n)) as f32);
            let got = s.times_power_of_two(s.floats(x), s.splat_f32(n as f32));
            assert_same(s.to_floats(got), want);
        }
    }
    with_every_set!(check);
}

#[test]
fn every_f16_is_widened() {
    fn check<S: Arrays>(s: S) {
        for first in (0..=u16::MAX).step_by(LANES) {
            let bits: [u16; LANES] = std::array::from_fn(|i| first + i as u16);
            // SAFETY: there are sixteen.
            let got = unsafe { s.load_f16(bits.as_ptr().cast()) };
            assert_same(s.to_floats(got), bits.map(crate::f16_to_f32));
        }
    }
    with_every_set!(check);
}

#[test]
fn lanes_change_places() {
    fn check<S: Arrays>(s: S) {
        let numbers: Floats = std::array::from_fn(|i| (i * 7 % 16) as f32 - 3.0);
        let x = s.floats(numbers);
        let swapped = |by: usize| -> Floats { std::array::from_fn(|i| numbers[i ^ by]) };
        assert_same(s.to_floats(s.swap::<1>(x)), swapped(1));
        assert_same(s.to_floats(s.swap::<2>(x)), swapped(2));
        assert_same(s.to_floats(s.swap::<4>(x)), swapped(4));
        assert_same(s.to_floats(s.swap::<8>(x)), swapped(8));
        assert_eq!(s.first(x), numbers[0]);
        assert_same(s.to_floats(s.largest(x)), [12.0; LANES]);
        let uneven = numbers.map(|x| x / 7.0);
        assert_same(s.to_floats(s.total(s.floats(uneven))), [Lanes(uneven).total(); LANES]);
    }
    with_every_set!(check);
}
