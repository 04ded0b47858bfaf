//! The operations of a forward pass, each whole: an instruction set and a crew behind plain slices.
//!
//! Rows lie one after the other in a slice. How an operation is split among threads never shows in
//! its result, because each output is computed by one thread, in the canon's order.

mod attention;
mod index;
mod packed;
mod product;
mod read;
mod recurrent;
mod rounded;
mod routed;
mod shared;
#[cfg(target_arch = "x86_64")]
mod tiled;
mod unpacked;

pub use attention::{Attention, Chosen, Heads, Pages, RowTable};
pub use index::Index;
pub use product::{Matrix, Product, Rounding};
pub use recurrent::{DeltaHeads, DeltaRows, Sharing, States};
pub use routed::{Choice, Expert, Experts, RoutedProduct, Routing, Take};

use std::ops::Range;

use crate::Totals;
use crate::isa::per_isa;
use crate::portable::math::Gate;
use crate::portable::rope::Pairing;
use crate::portable::{math, norm, rope, row};
use crate::{Crew, Isa};
use product::Scratch;
use shared::Shared;

/// An instruction set, a crew of threads, and the scratch that operations reuse.
pub struct Machine {
    isa: Isa,
    crew: Crew,
    /// The threads of a machine that only makes room.
    rehearsed: Option<usize>,
    scratch: Scratch,
    attention: attention::Scratch,
    index: index::Scratch,
}

/// Cosines and sines by which the heads of each row are rotated: `(n, len)` each.
#[derive(Clone, Copy)]
pub struct Rotation<'a> {
    /// Cosines.
    pub cos: &'a [f32],
    /// Sines.
    pub sin: &'a [f32],
    /// Pairs in a head that are rotated.
    pub len: usize,
    /// Which elements form a pair.
    pub pairing: Pairing,
}

per_isa!(rms_norm = norm::rms_norm; (x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]));
per_isa!(rms_norm_in_place = norm::rms_norm_in_place; (x: &mut [f32], weight: &[f32], eps: f32));
per_isa!(layer_norm_in_place = norm::layer_norm_in_place;
    (x: &mut [f32], by: (&[f32], &[f32]), eps: f32));
per_isa!(rotate = rope::rotate; (head: &mut [f32], cos: &[f32], sin: &[f32], pairing: Pairing));
per_isa!(soft_cap = row::soft_cap; (x: &mut [f32], cap: f32));
per_isa!(open = math::open; (gates: &mut [f32], up: &[f32], by: Gate));

/// Numbers below which an operation is not worth waking the crew for.
const WORTH_SPLITTING: usize = 1 << 15;

/// Numbers that a thread takes at a time where they do not come in rows.
const RUN: usize = 1024;

impl Machine {
    /// A machine of `threads` threads, the calling one included.
    pub fn new(isa: Isa, threads: usize) -> Machine {
        Machine {
            isa,
            crew: Crew::new(threads),
            rehearsed: None,
            scratch: Scratch::default(),
            attention: attention::Scratch::default(),
            index: index::Scratch::default(),
        }
    }

    /// A machine that makes the room which its operations need and computes nothing: it reads no
    /// weights and no pages, and starts no threads. Results are what was there before.
    pub fn rehearsing(isa: Isa, threads: usize) -> Machine {
        Machine { rehearsed: Some(threads.max(1)), ..Machine::new(isa, 1) }
    }

    /// Whether it computes nothing.
    pub fn rehearses(&self) -> bool {
        self.rehearsed.is_some()
    }

    /// Bytes of its scratch.
    pub fn scratch_bytes(&self) -> u64 {
        self.scratch.bytes() + self.attention.bytes() + self.index.bytes()
    }

    /// Its instruction set.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Its number of threads.
    pub fn threads(&self) -> usize {
        self.rehearsed.unwrap_or(self.crew.threads())
    }

    /// Normalises each row of `x` to `out`, which has as many.
    pub fn rms_norm(&self, x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
        let (isa, len) = (self.isa, weight.len());
        assert_eq!(x.len(), out.len());
        assert_eq!(x.len() % len, 0, "whole rows");
        let out = Shared::rows(out, len);
        self.each_row(x.len() / len, len, &|i| {
            // SAFETY: each row is visited by one thread.
            let out = unsafe { out.row(i) };
            rms_norm(isa, &x[i * len..][..len], weight, eps, out);
        });
    }

    /// Normalises each run of `weight.len()` numbers of `x` where it stands.
    pub fn rms_norm_in_place(&self, x: &mut [f32], weight: &[f32], eps: f32) {
        let (isa, len) = (self.isa, weight.len());
        assert_eq!(x.len() % len, 0, "whole rows");
        let (n, x) = (x.len() / len, Shared::rows(x, len));
        self.each_row(n, len, &|i| {
            // SAFETY: each row is visited by one thread.
            rms_norm_in_place(isa, unsafe { x.row(i) }, weight, eps);
        });
    }

    /// Normalises each run of numbers around its mean, with weights and biases.
    pub fn layer_norm_in_place(&self, x: &mut [f32], by: (&[f32], &[f32]), eps: f32) {
        let (isa, len) = (self.isa, by.0.len());
        assert_eq!((x.len() % len, by.1.len()), (0, len), "whole rows");
        let (n, x) = (x.len() / len, Shared::rows(x, len));
        self.each_row(n, len, &|i| {
            // SAFETY: each row is visited by one thread.
            layer_norm_in_place(isa, unsafe { x.row(i) }, by, eps);
        });
    }

    /// Rotates all heads, of `dim` numbers each, of each row.
    pub fn rotate(&self, x: &mut [f32], dim: usize, by: Rotation) {
        let (isa, n) = (self.isa, by.cos.len() / by.len);
        let row_len = x.len() / n;
        assert_eq!(by.cos.len(), by.sin.len());
        assert_eq!((x.len() % n, row_len % dim), (0, 0), "whole heads in every row");
        let x = Shared::rows(x, row_len);
        self.each_row(n, row_len, &|i| {
            let (cos, sin) = (&by.cos[i * by.len..][..by.len], &by.sin[i * by.len..][..by.len]);
            // SAFETY: each row is visited by one thread.
            for head in unsafe { x.row(i) }.chunks_exact_mut(dim) {
                rotate(isa, head, cos, sin, by.pairing);
            }
        });
    }

    /// Opens gates, element by element: what comes through replaces them.
    pub fn open(&self, gates: &mut [f32], up: &[f32], by: Gate) {
        assert_eq!(gates.len(), up.len());
        let (isa, n) = (self.isa, gates.len().div_ceil(RUN));
        let gates = Shared::rows(gates, RUN);
        self.each_row(n, RUN, &|i| {
            // SAFETY: each run is visited by one thread.
            let gates = unsafe { gates.row(i) };
            open(isa, gates, &up[i * RUN..][..gates.len()], by);
        });
    }

    /// Multiplies all numbers by a factor.
    pub fn scale(&self, x: &mut [f32], by: f32) {
        let (n, x) = (x.len().div_ceil(RUN), Shared::rows(x, RUN));
        self.each_row(n, RUN, &|i| {
            // SAFETY: each run is visited by one thread.
            unsafe { x.row(i) }.iter_mut().for_each(|x| *x *= by);
        });
    }

    /// Multiplies each row of `x` by a factor of its own.
    pub fn scale_rows(&self, x: &mut [f32], factors: &[f32]) {
        let (n, len) = (factors.len(), x.len() / factors.len().max(1));
        assert_eq!(n * len, x.len(), "whole rows");
        let x = Shared::rows(x, len);
        self.each_row(n, len, &|i| {
            // SAFETY: each row is visited by one thread.
            unsafe { x.row(i) }.iter_mut().for_each(|x| *x *= factors[i]);
        });
    }

    /// Does something with each item, on all threads when there are enough items.
    pub fn for_each<T: Send>(&self, items: &mut [T], work: &(dyn Fn(&mut T) + Sync)) {
        let (n, items) = (items.len(), Shared::rows(items, 1));
        self.split(n, WORTH_SPLITTING, &|run| {
            for i in run {
                // SAFETY: each item is visited by one thread.
                work(&mut unsafe { items.row(i) }[0]);
            }
        });
    }

    /// The totals of each row of logits.
    pub fn totals(&self, logits: &[f32], out: &mut [Totals]) {
        let len = logits.len() / out.len().max(1);
        let (isa, n, out) = (self.isa, out.len(), Shared::rows(out, 1));
        self.each_row(n, len, &|i| {
            // SAFETY: each row is visited by one thread.
            let out = unsafe { out.row(i) };
            out[0] = isa.totals(&logits[i * len..][..len]);
        });
    }

    /// `x = cap · tanh(x / cap)`, element by element.
    pub fn soft_cap(&self, x: &mut [f32], cap: f32) {
        let (isa, n, x) = (self.isa, x.len().div_ceil(RUN), Shared::rows(x, RUN));
        self.each_row(n, RUN, &|i| {
            // SAFETY: each run is visited by one thread.
            soft_cap(isa, unsafe { x.row(i) }, cap);
        });
    }

    /// `x += y`, element by element.
    pub fn add(&self, x: &mut [f32], y: &[f32]) {
        assert_eq!(x.len(), y.len());
        let (n, x) = (x.len().div_ceil(RUN), Shared::rows(x, RUN));
        self.each_row(n, RUN, &|i| {
            // SAFETY: each run is visited by one thread.
            let x = unsafe { x.row(i) };
            for (x, y) in x.iter_mut().zip(&y[i * RUN..]) {
                *x += y;
            }
        });
    }

    /// Calls `work` for each row: by the whole crew when there is enough to do.
    fn each_row(&self, n: usize, row_len: usize, work: &(dyn Fn(usize) + Sync)) {
        self.split(n, n * row_len, &|items| items.for_each(work));
    }

    /// Splits `n` items into one run per thread; the caller does all when `size`, the numbers that
    /// pass through, is not worth waking the others for.
    fn split(&self, n: usize, size: usize, work: &(dyn Fn(Range<usize>) + Sync)) {
        if self.rehearses() {
            return;
        }
        let threads = self.threads();
        if n < threads || size < WORTH_SPLITTING {
            return work(0..n);
        }
        self.crew.together(&|t| work(t * n / threads..(t + 1) * n / threads));
    }

    /// Calls `work` once for every thread of the crew: by the caller alone, one after the other,
    /// when `size` is not worth waking the others for.
    fn share(&self, size: usize, work: &(dyn Fn(usize) + Sync)) {
        if self.rehearses() {
            return;
        }
        if size < WORTH_SPLITTING {
            return (0..self.threads()).for_each(work);
        }
        self.crew.together(work);
    }
}
