//! Every operation of every machine against an oracle: plain loops, written from the text of
//! the canon.
//!
//! Machines are all instruction sets, and the one with an emulated tile unit, with 1, 2, 3 and 5
//! threads. Lengths lie around every edge of a
//! lane, block, tile or batch. Bits must be equal; `canon` says whether the oracle itself is right.

mod attention;
mod inputs;
mod oracle;
mod products;
mod recurrent;
mod routed;
mod rows;

use kernels::{Isa, Machine};

fn machines() -> Vec<Machine> {
    let threads = [1, 2, 3, 5].into_iter();
    let sets = || Isa::available().into_iter().chain(Isa::emulated_amx());
    threads.flat_map(|threads| sets().map(move |isa| Machine::new(isa, threads))).collect()
}

/// The machine's name, for messages.
fn name(machine: &Machine) -> String {
    format!("{}, {} threads", machine.isa().name(), machine.threads())
}

/// Compares as bits. What is expected must be finite: bits of a NaN are not defined.
#[track_caller]
fn assert_bits(got: &[f32], want: &[f32], what: impl Fn() -> String) {
    assert_eq!(got.len(), want.len(), "{}", what());
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        assert!(want.is_finite(), "{}: number {i} is {want} in the oracle", what());
        let equal = got.to_bits() == want.to_bits();
        assert!(equal, "{}, number {i}: {got:?} instead of {want:?}", what());
    }
}
