//! Layers that keep a state instead of positions: the gated delta rule, and the short convolution
//! before it.
//!
//! A step finds the state of each of its sequences in one page and leaves the new one in another.
//! Rows of a sequence pass one after the other; heads and columns are what threads share.

use std::ops::Range;

use super::shared::Shared;
use super::{Machine, RowTable};
use crate::isa::per_isa;
use crate::portable::delta::{self, COLUMNS, Row};
use crate::portable::{math, row};

per_isa!(pass = delta::pass; (state: &mut [f32], row: &Row, out: &mut [f32]));
per_isa!(gates = delta::gates;
    (decays: &mut [f32], betas: &mut [f32], constants: (&[f32], &[f32])));
per_isa!(add_products = row::add_products; (out: &mut [f32], x: &[f32], y: &[f32]));
per_isa!(silu_each = math::silu_each; (x: &mut [f32]));

/// The heads of a layer with a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeltaHeads {
    /// Query and key heads.
    pub keys: usize,
    /// Value heads, each with a matrix.
    pub values: usize,
    /// Width of a query or key head.
    pub key_dim: usize,
    /// Width of a value head.
    pub value_dim: usize,
    /// Which key head a value head has.
    pub sharing: Sharing,
}

/// Which value heads share a key head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Those that stand side by side.
    Neighbours,
    /// Every so many-th.
    Strided,
}

/// Pages with states, and the rows of a step.
pub struct States<'a> {
    /// All pages.
    pub pages: &'a mut [Box<[f32]>],
    /// One entry for each row: the page that it finds and the page that it leaves.
    pub rows: &'a [RowTable<'a>],
    /// Where the layer's part of a page begins.
    pub offset: usize,
}

/// The numbers of the rows of a step.
pub struct DeltaRows<'a> {
    /// `(n, keys · key_dim)`
    pub queries: &'a [f32],
    /// `(n, keys · key_dim)`
    pub keys: &'a [f32],
    /// `(n, values · value_dim)`
    pub values: &'a [f32],
    /// By what states fade, `(n, values)`
    pub decays: &'a [f32],
    /// How much they learn, `(n, values)`
    pub betas: &'a [f32],
}

impl DeltaHeads {
    /// Numbers that the layer keeps.
    pub const fn state_len(&self) -> usize {
        self.values * self.matrix_len()
    }

    const fn matrix_len(&self) -> usize {
        self.key_dim * self.value_dim
    }

    const fn blocks(&self) -> usize {
        self.value_dim.div_ceil(COLUMNS)
    }

    const fn key_head(&self, value_head: usize) -> usize {
        match self.sharing {
            Sharing::Neighbours => value_head / (self.values / self.keys),
            Sharing::Strided => value_head % self.keys,
        }
    }
}

/// Rows of one sequence, the page that the first finds and that which the last leaves.
struct Run {
    rows: Range<usize>,
    /// There is none before the first position.
    from: Option<usize>,
    to: usize,
}

fn runs<'a>(rows: &'a [RowTable<'a>]) -> impl Iterator<Item = Run> {
    let same = |a: &RowTable, b: &RowTable| std::ptr::eq(a.pages, b.pages);
    let mut next = 0;
    rows.chunk_by(same).map(move |run| {
        let first = next;
        next += run.len();
        let [from, to] = run[0].pages else { panic!("a row finds one state and leaves one") };
        let from = (run[0].position > 0).then_some(*from as usize);
        Run { rows: first..next, from, to: *to as usize }
    })
}

/// Numbers of a convolution that a thread takes at a time.
const CHANNELS: usize = 256;

impl Machine {
    /// Lets rows pass through the states of their sequences; `out` is `(n, values · value_dim)`.
    ///
    /// # Panics
    /// When the shapes do not fit together.
    pub fn delta(&self, heads: DeltaHeads, states: States, x: &DeltaRows, out: &mut [f32]) {
        let (n, isa) = (states.rows.len(), self.isa);
        let (row, key_row) = (heads.values * heads.value_dim, heads.keys * heads.key_dim);
        assert_eq!(heads.values % heads.keys, 0, "as many value heads to each key head");
        assert!([x.queries.len(), x.keys.len()] == [n * key_row; 2], "all keys");
        assert!([x.values.len(), out.len()] == [n * row; 2], "all values");
        assert!([x.decays.len(), x.betas.len()] == [n * heads.values; 2], "all gates");
        let (pages, out) = (Shared::rows(states.pages, 1), Shared::rows(out, row));
        let units = heads.values * heads.blocks();
        self.split(units, n * heads.state_len(), &|units| {
            for (head, block) in units.map(|i| (i / heads.blocks(), i % heads.blocks())) {
                let first = block * COLUMNS;
                let width = COLUMNS.min(heads.value_dim - first);
                let at = states.offset + head * heads.matrix_len() + first * heads.key_dim;
                let len = width * heads.key_dim;
                let key_head = heads.key_head(head);
                for run in runs(states.rows) {
                    // SAFETY: this block of all pages is visited by one thread, and the page that
                    // is found is another than that which is left.
                    let state = unsafe { begin(&pages, &run, at, len) };
                    for i in run.rows {
                        let key = i * key_row + key_head * heads.key_dim;
                        let row = Row {
                            query: &x.queries[key..][..heads.key_dim],
                            key: &x.keys[key..][..heads.key_dim],
                            value: &x.values[i * row + head * heads.value_dim + first..][..width],
                            by: (
                                x.decays[i * heads.values + head],
                                x.betas[i * heads.values + head],
                            ),
                        };
                        // SAFETY: these columns of each row are visited by one thread.
                        let out = unsafe { out.part(i, head * heads.value_dim + first, width) };
                        pass(isa, state, &row, out);
                    }
                }
            }
        });
    }

    /// Makes decays and betas of what the products gave, `(n, heads)` each, with a rate and a bias
    /// for each head.
    pub fn delta_gates(&self, decays: &mut [f32], betas: &mut [f32], by: (&[f32], &[f32])) {
        /// A decay costs as much as so many numbers elsewhere.
        const COST: usize = 64;
        let (isa, heads) = (self.isa, by.0.len());
        assert!(decays.len() == betas.len() && decays.len().is_multiple_of(heads), "whole rows");
        let n = decays.len() / heads;
        let (decays, betas) = (Shared::rows(decays, heads), Shared::rows(betas, heads));
        self.split(n, n * heads * COST, &|rows| {
            for row in rows {
                // SAFETY: each row is visited by one thread.
                let (decays, betas) = unsafe { (decays.row(row), betas.row(row)) };
                gates(isa, decays, betas, by);
            }
        });
    }

    /// Weighs each number of the rows of `x` with those before it in its sequence, and puts silu of
    /// the sums in `outs`, of which each takes as many of a row's numbers as it has room for.
    /// `taps` is `(taps, numbers of a row)`; all but one of the rows are kept.
    ///
    /// # Panics
    /// When the shapes do not fit together.
    pub fn convolve(&self, taps: &[f32], states: States, x: &[f32], outs: &mut [&mut [f32]]) {
        let n = states.rows.len();
        let (width, isa, offset) = (x.len() / n, self.isa, states.offset);
        assert_eq!((x.len() % n, taps.len() % width), (0, 0), "whole rows");
        let kept = taps.len() / width - 1;
        let pages = Shared::rows(states.pages, 1);
        let mut before = 0;
        for out in outs {
            let (first, len) = (before, out.len() / n);
            before += len;
            let out = Shared::rows(out, len);
            self.split(len.div_ceil(CHANNELS), x.len(), &|units| {
                for at in units.map(|i| i * CHANNELS) {
                    let (channel, len) = (first + at, CHANNELS.min(len - at));
                    for run in runs(states.rows) {
                        // SAFETY: these channels of all pages are visited by one thread; the page
                        // that is found is another than that which is left.
                        let part = |page, i: usize| unsafe {
                            pages.piece(page, offset + i * width + channel, len)
                        };
                        // What stands `back` rows before the row `i`, if the sequence has it.
                        let past = |i: usize, back: usize| match i.checked_sub(back) {
                            Some(i) if i >= run.rows.start => {
                                Some(&x[i * width + channel..][..len])
                            }
                            _ => {
                                let missing = back - (i - run.rows.start);
                                run.from.map(|page| &*part(page, kept - missing))
                            }
                        };
                        for i in run.rows.clone() {
                            // SAFETY: these channels of each row are visited by one thread.
                            let out = unsafe { out.part(i, at, len) };
                            out.fill(0.0);
                            for (tap, taps) in taps.chunks_exact(width).enumerate() {
                                if let Some(x) = past(i, kept - tap) {
                                    add_products(isa, out, x, &taps[channel..][..len]);
                                }
                            }
                            silu_each(isa, out);
                        }
                        for i in 0..kept {
                            let to = part(run.to, i);
                            match past(run.rows.end, kept - i) {
                                Some(x) => to.copy_from_slice(x),
                                None => to.fill(0.0),
                            }
                        }
                    }
                }
            });
        }
        assert_eq!(before, width, "room for every number");
    }
}

/// The part of the page that a run leaves, with what it finds.
///
/// # Safety
/// Nobody else may use this part of any page.
unsafe fn begin<'a>(
    pages: &Shared<'a, Box<[f32]>>,
    run: &Run,
    at: usize,
    len: usize,
) -> &'a mut [f32] {
    // SAFETY: the caller's promise.
    let state = unsafe { pages.piece(run.to, at, len) };
    match run.from {
        // SAFETY: as above.
        Some(from) => state.copy_from_slice(unsafe { pages.piece(from, at, len) }),
        None => state.fill(0.0),
    }
    state
}
