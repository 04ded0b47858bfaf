//! The canon against cases computed by exact fractions, from `docs/numerics.md` alone: bit for bit.
//!
//! Every instruction set of this computer runs them. Longer rows, all formats and all splits among
//! threads are the business of `parity`, which has an oracle of its own.

use kernels::portable::angles;
use kernels::portable::lanes;
use kernels::portable::math::{Gate, exp};
use kernels::portable::rope::Pairing;
use kernels::portable::round::{Plane, RUN, round_row, subtract_rounded};
use kernels::{
    Attention, Format, Heads, Isa, Kept, Machine, Matrix, Pages, Product, Rotation, Rounding,
    RowTable,
};
use serde_json::Value;
use testkit::golden;

fn cases(rule: &str) -> Value {
    let text = std::fs::read_to_string(golden("canon/canon.json")).unwrap();
    let mut all: Value = serde_json::from_str(&text).unwrap();
    let cases = all[rule].take();
    assert!(!cases.is_null(), "no cases of {rule}");
    cases
}

fn each(rule: &str) -> Vec<Value> {
    let cases = cases(rule).as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

fn whole(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

fn float(value: &Value) -> f32 {
    f32::from_bits(value.as_u64().unwrap().try_into().unwrap())
}

fn floats(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(float).collect()
}

fn double(value: &Value) -> f64 {
    f64::from_bits(u64::from_str_radix(value.as_str().unwrap(), 16).unwrap())
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    text.chunks_exact(2).map(byte).collect()
}

#[track_caller]
fn assert_bits(what: &str, got: &[f32], want: &[f32]) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let equal = got.to_bits() == want.to_bits();
        assert!(equal, "{what}, number {i}: {got:?} instead of {want:?}");
    }
}

fn machines() -> Vec<Machine> {
    Isa::available().into_iter().map(|isa| Machine::new(isa, 2)).collect()
}

#[test]
fn sums_over_lanes() {
    for case in each("dot") {
        let (a, b) = (floats(&case["a"]), floats(&case["b"]));
        let what = format!("length {}", a.len());
        assert_bits(&what, &[lanes::dot(&a, &b)], &[float(&case["sum"])]);
    }
}

#[test]
fn activations_in_two_planes() {
    for (at, case) in each("round").iter().enumerate() {
        let (mut x, group) = (floats(&case["x"]), whole(&case["group"]));
        for plane in 0..2 {
            let mut q = vec![0; x.len()];
            let mut scales = vec![f32::NAN; x.len() / group];
            let mut sums = vec![0; x.len() / RUN];
            let to = &mut Plane { q: &mut q, scales: &mut scales, sums: &mut sums };
            round_row(&x, group, to);
            subtract_rounded(&mut x, group, to);
            let what = format!("case {at}, plane {plane}");
            assert_eq!(serde_json::json!(q), case["q"][plane], "{what}");
            assert_eq!(serde_json::json!(sums), case["sums"][plane], "{what}");
            assert_bits(&what, &scales, &floats(&case["scales"][plane]));
        }
    }
}

#[test]
fn products() {
    for case in each("product") {
        let name = case["format"].as_str().unwrap();
        let format = Format::ALL.into_iter().find(|format| format!("{format:?}") == name).unwrap();
        let (rows, cols) = (whole(&case["rows"]), whole(&case["cols"]));
        let (weights, bias, x) =
            (bytes(&case["weights"]), floats(&case["bias"]), floats(&case["x"]));
        let weights = Matrix::new(format, rows, cols, &weights).unwrap();
        for mut machine in machines() {
            for (label, rounding, bias) in [
                ("once", Rounding::Once, None),
                ("twice", Rounding::Twice, None),
                ("biased", Rounding::Twice, Some(&bias[..])),
            ] {
                let mut out = vec![f32::NAN; x.len() / cols * rows];
                machine.product(&x, &mut [Product { weights, rounding, bias, out: &mut out }]);
                let what = format!("{name}, {cols} columns, {label}, {}", machine.isa().name());
                assert_bits(&what, &out, &floats(&case[label]));
            }
        }
    }
}

#[test]
fn norms() {
    for case in each("norm") {
        let (x, weight, eps) = (floats(&case["x"]), floats(&case["weight"]), float(&case["eps"]));
        for machine in machines() {
            let (mut out, mut in_place) = (vec![f32::NAN; x.len()], x.clone());
            machine.rms_norm(&x, &weight, eps, &mut out);
            machine.rms_norm_in_place(&mut in_place, &weight, eps);
            assert_bits("norm", &out, &floats(&case["out"]));
            assert_bits("norm in place", &in_place, &floats(&case["out"]));
        }
    }
}

#[test]
fn rotations() {
    for case in each("rope") {
        let (head, cos, sin) = (floats(&case["head"]), floats(&case["cos"]), floats(&case["sin"]));
        for (name, pairing) in [("halves", Pairing::Halves), ("neighbours", Pairing::Neighbours)] {
            for machine in machines() {
                let mut x = head.clone();
                let by = Rotation { cos: &cos, sin: &sin, len: cos.len(), pairing };
                machine.rotate(&mut x, head.len(), by);
                assert_bits(name, &x, &floats(&case[name]));
            }
        }
    }
}

#[test]
fn exponentials() {
    let case = cases("exp");
    for (x, want) in floats(&case["x"]).into_iter().zip(floats(&case["exp"])) {
        assert_bits(&format!("exp({x:?})"), &[exp(x)], &[want]);
    }
}

/// A last bit that differs for one number in a thousand shows in a digest of many.
#[test]
fn many_exponentials() {
    let many = &cases("exp")["many"];
    let number = |i: usize| {
        let size = f32::from_bits((whole(&many["first"]) + i * whole(&many["step"])) as u32);
        exp(if i % 2 == 1 { -size } else { size })
    };
    let fnv =
        |digest: u64, i| (digest ^ u64::from(number(i).to_bits())).wrapping_mul(0x0100_0000_01b3);
    let digest = (0..whole(&many["count"])).fold(0xcbf2_9ce4_8422_2325, fnv);
    assert_eq!(format!("{digest:016x}"), many["digest"].as_str().unwrap());
}

#[test]
fn gates() {
    let case = cases("silu");
    for machine in machines() {
        let mut gate = floats(&case["gate"]);
        machine.open(&mut gate, &floats(&case["up"]), Gate::Silu);
        assert_bits("silu(gate) · up", &gate, &floats(&case["out"]));
    }
}

#[test]
fn functions_of_doubles() {
    let cases = cases("angles");
    let pairs = |name: &str| cases[name].as_array().unwrap().clone();
    for case in pairs("ln") {
        assert_eq!(angles::ln(double(&case[0])).to_bits(), double(&case[1]).to_bits(), "ln {case}");
    }
    for case in pairs("exp") {
        let got = angles::exp(double(&case[0]));
        assert_eq!(got.to_bits(), double(&case[1]).to_bits(), "exp {case}");
    }
    for case in pairs("cos_sin") {
        let (cos, sin) = angles::cos_sin(double(&case[0]));
        let want = [double(&case[1]), double(&case[2])];
        assert_eq!([cos, sin].map(f64::to_bits), want.map(f64::to_bits), "cos and sin {case}");
    }
}

#[test]
fn tables_of_angles() {
    for case in cases("angles")["tables"].as_array().unwrap() {
        let frequencies = floats(&case["frequencies"]);
        let mut cos = vec![f32::NAN; frequencies.len()];
        let mut sin = cos.clone();
        let (position, magnitude) = (whole(&case["position"]), float(&case["magnitude"]));
        angles::table(position, &frequencies, magnitude, (&mut cos, &mut sin));
        assert_bits(&format!("cosines at {position}"), &cos, &floats(&case["cos"]));
        assert_bits(&format!("sines at {position}"), &sin, &floats(&case["sin"]));
    }
}

#[test]
fn attention() {
    attend_to(&cases("attention"), Kept::F32);
}

#[test]
fn attention_by_whole_numbers() {
    attend_to(&cases("whole_attention"), Kept::I16);
}

fn attend_to(case: &Value, kept: Kept) {
    let (q, keys, values) =
        (floats(&case["queries"]), floats(&case["keys"]), floats(&case["values"]));
    let (dim, value_dim) = (whole(&case["dim"]), whole(&case["value_dim"]));
    let queries = q.len() / dim;
    let heads = Heads { queries, keys: 1, dim, value_dim, within: false, kept };
    let table: Vec<u32> = (0..(keys.len() / dim).div_ceil(64) as u32).collect();
    // Places that nobody has written hold NaN, so that reading one shows.
    let mut pages: Vec<Box<[f32]>> =
        table.iter().map(|_| vec![f32::NAN; heads.page_len()].into()).collect();
    let rows: Vec<RowTable> =
        (0..keys.len() / dim).map(|position| RowTable { position, pages: &table }).collect();
    for mut machine in machines() {
        let mut to = Pages { pages: &mut pages, rows: &rows, keys: &keys, values: &values };
        machine.store(heads, 0, &mut to);
        for row in case["rows"].as_array().unwrap() {
            let (position, window) = (whole(&row["position"]), row["window"].as_u64());
            let mut out = vec![f32::NAN; heads.queries * value_dim];
            let of = Attention {
                heads,
                scale: 1.0 / (dim as f32).sqrt(),
                window: window.map(|window| window as usize),
                chunk: None,
                chosen: None,
                sinks: None,
                offset: 0,
                pages: &pages,
                rows: &rows[position..=position],
            };
            machine.attend(&q, &of, &mut out);
            let what = format!("position {position}, window {window:?}");
            assert_bits(&what, &out, &floats(&row["out"]));
        }
    }
}
