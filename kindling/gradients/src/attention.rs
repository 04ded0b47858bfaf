//! Causal attention of one sequence and one head, there and back.

use std::ops::Range;

use crate::math::{dot_halves, exp, exps, highest};
use crate::tile::{BLOCK, Half, Lines, Out, Right, half, halves, product, transpose};

/// Keys whose gradients are found at once.
const KEYS: usize = 64;
/// Rows behind the last that a block may read.
pub const BEHIND: usize = KEYS;

/// One head of one sequence.
pub struct Head<'a> {
    /// Queries beside keys.
    pub qk: Lines<'a>,
    pub v: Lines<'a>,
    /// The sequence's rows.
    pub rows: Range<usize>,
    /// Where the head's columns begin among those of all, and how many it has.
    pub column: usize,
    pub size: usize,
    /// Columns of all heads.
    pub width: usize,
}

/// What came of the way there.
pub struct Came<'a> {
    pub out: Lines<'a>,
    /// The gradient of it.
    pub change: Lines<'a>,
    /// Of each query, the logarithm of the sum of its exponentials.
    pub logs: &'a [f32],
}

/// Room for one head of the longest sequence.
#[derive(Default)]
pub struct Room {
    /// Right sides: queries or keys and gradients or values, as columns and as rows.
    as_columns: [Right; 2],
    as_rows: [Right; 2],
    between: Right,
    scores: Vec<f32>,
    changes: Vec<f32>,
    small_weights: Vec<Half>,
    small_changes: Vec<Half>,
    keys: Vec<Half>,
    means: Vec<f32>,
    found: Vec<f32>,
    queries: Vec<f32>,
}

impl<'a> Head<'a> {
    /// The head's part of lines that hold those of all heads.
    fn part(&self, of: Lines<'a>, column: usize) -> Lines<'a> {
        of.from(self.rows.start, self.column + column)
    }

    fn scale(&self) -> f32 {
        1.0 / (self.size as f32).sqrt()
    }
}

impl Room {
    /// The head's columns of `out`, and the logarithms of [`Came::logs`].
    pub fn there(&mut self, head: &Head, out: &mut [Half], logs: &mut [f32]) {
        let (n, size, scale) = (head.rows.len(), head.size, head.scale());
        let wide = n.next_multiple_of(BLOCK);
        let [q, k] = [0, head.width].map(|column| head.part(head.qk, column));
        let ([keys, _], [values, _]) = (&mut self.as_columns, &mut self.as_rows);
        keys.pack_transposed(k, n, size);
        values.pack(head.part(head.v, 0), n, size);
        self.scores.resize(BLOCK * wide, 0.0);
        self.small_weights.resize(BLOCK * wide, 0);
        self.found.resize(KEYS * size, 0.0);
        for first in (0..n).step_by(BLOCK) {
            let seen = first + BLOCK;
            let scores = Out::rows(&mut self.scores, wide);
            product(q.from(first, 0), BLOCK, &keys.columns(0..seen), scores);
            let many = BLOCK.min(n - first);
            for r in 0..many {
                let row = &mut self.scores[r * wide..][..seen];
                let (before, later) = row.split_at_mut(first + r + 1);
                let top = highest(before);
                let total = exps(before, scale, top);
                later.fill(0.0);
                logs[first + r] = top * scale + total.ln();
                let over = 1.0 / total;
                for (w, &x) in self.small_weights[r * wide..][..seen].iter_mut().zip(&*row) {
                    *w = half(x * over);
                }
            }
            let weights = Lines::new(&self.small_weights, wide);
            product(weights, BLOCK, &values.depth(0..seen), Out::rows(&mut self.found, size));
            for (r, found) in self.found.chunks_exact(size).take(many).enumerate() {
                let at = (head.rows.start + first + r) * head.width + head.column;
                halves(&mut out[at..][..size], found);
            }
        }
    }

    /// The gradients of the head's queries, keys and values, which lie beside each other in `to`.
    pub fn back(&mut self, head: &Head, came: &Came, to: &mut [Half]) {
        let (n, size) = (head.rows.len(), head.size);
        self.prepare(head, came);
        let wide = n.next_multiple_of(BLOCK);
        let tall = n.next_multiple_of(KEYS);
        let place = |row: usize| (head.rows.start + row) * 3 * head.width + head.column;
        for first in (0..n).step_by(KEYS) {
            let many = KEYS.min(n - first);
            // Queries from the first of these keys on see them; keys stand below each other now.
            let rows = many.next_multiple_of(BLOCK);
            self.weigh(head, came.logs, first);
            let sides = [(&self.small_changes, 0, 1), (&self.small_weights, 1, 2)];
            for (left, right, third) in sides {
                let right = self.as_rows[right].depth(first..wide);
                product(Lines::new(left, wide), rows, &right, Out::rows(&mut self.found, size));
                for (r, found) in self.found.chunks_exact(size).take(many).enumerate() {
                    halves(&mut to[place(first + r) + third * head.width..][..size], found);
                }
            }
            self.between.pack(Lines::new(&self.small_changes, wide), rows, wide - first);
            let queries = Out::sums(&mut self.queries[first..], wide);
            let keys = Lines::new(&self.keys, tall).from(0, first);
            product(keys, size, &self.between.all(), queries);
        }
        for r in 0..n {
            for (c, out) in to[place(r)..][..size].iter_mut().enumerate() {
                *out = half(self.queries[c * wide + r]);
            }
        }
    }

    fn prepare(&mut self, head: &Head, came: &Came) {
        let (n, size) = (head.rows.len(), head.size);
        let wide = n.next_multiple_of(BLOCK);
        let tall = n.next_multiple_of(KEYS);
        let [q, k] = [0, head.width].map(|column| head.part(head.qk, column));
        let out = came.out.from(head.rows.start, head.column);
        let change = came.change.from(head.rows.start, head.column);
        self.means.clear();
        self.means.extend((0..n).map(|r| dot_halves(out.row(r, size), change.row(r, size))));
        for (side, right) in [q, change].into_iter().zip(&mut self.as_columns) {
            right.pack_transposed(side, n, size);
        }
        for (side, right) in [q, change].into_iter().zip(&mut self.as_rows) {
            right.pack(side, n, size);
        }
        self.keys.clear();
        self.keys.resize(size * tall, 0);
        transpose(k, [n, size], &mut self.keys, tall);
        self.scores.resize(KEYS * wide, 0.0);
        self.changes.resize(KEYS * wide, 0.0);
        self.small_weights.resize(KEYS * wide, 0);
        self.small_changes.resize(KEYS * wide, 0);
        self.found.resize(KEYS * size, 0.0);
        self.queries.clear();
        self.queries.resize(size * wide, 0.0);
    }

    /// The weights that the queries from `first` on give the keys from there on, a row for each
    /// key, and the gradients of their scores.
    fn weigh(&mut self, head: &Head, logs: &[f32], first: usize) {
        let (n, scale) = (head.rows.len(), head.scale());
        let wide = n.next_multiple_of(BLOCK);
        let many = KEYS.min(n - first);
        let rows = many.next_multiple_of(BLOCK);
        let [queries, changes] = self.as_columns.each_ref().map(|right| right.columns(first..wide));
        let k = head.part(head.qk, head.width).from(first, 0);
        let v = head.part(head.v, 0).from(first, 0);
        product(k, rows, &queries, Out::rows(&mut self.scores, wide));
        product(v, rows, &changes, Out::rows(&mut self.changes, wide));
        for r in 0..rows {
            let line = r * wide..r * wide + wide - first;
            let weights = &mut self.small_weights[line.clone()];
            let changes = &mut self.small_changes[line.clone()];
            // Queries before a key do not see it, and there are none behind the last.
            let these = if r < many { r..n - first } else { 0..0 };
            for small in [&mut *weights, &mut *changes] {
                small[..these.start].fill(0);
                small[these.end..].fill(0);
            }
            let scores = self.scores[line.clone()][these.clone()].iter();
            let of = scores.zip(&self.changes[line][these.clone()]);
            let rows = logs[first..][these.clone()].iter().zip(&self.means[first..][these.clone()]);
            let to = weights[these.clone()].iter_mut().zip(&mut changes[these]);
            for (((w, c), (&score, &change)), (&log, &mean)) in to.zip(of).zip(rows) {
                let weight = exp(score * scale - log);
                *w = half(weight);
                *c = half(weight * (change - mean) * scale);
            }
        }
    }
}
