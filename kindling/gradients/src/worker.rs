//! One thread's share of a step: through the layers to the loss, and all the way back.

use crate::attention::{BEHIND, Came, Head, Room};
use crate::math::{Unit, exps, highest, sigmoid, weighted};
use crate::model::{Chunk, Model, Shape};
use crate::tile::{BLOCK, Half, Lines, Out, Right, float, half, halves, product, transpose};

/// Rows that go from one product to the next while they are in the caches.
const ROWS: usize = 128;

/// What the way back through a layer needs of the way there.
#[derive(Default)]
struct Kept {
    units: Vec<Half>,
    overs: Vec<f32>,
    /// Queries, keys and values as the product gave them.
    raw: Vec<Half>,
    /// Queries and keys behind norm and rotation.
    rotated: Vec<Half>,
    logs: Vec<f32>,
    out: Vec<Half>,
    units2: Vec<Half>,
    overs2: Vec<f32>,
    gate_up: Vec<Half>,
}

/// Room for what is needed for a moment.
#[derive(Default)]
struct Scratch {
    sums: Vec<f32>,
    more_sums: Vec<f32>,
    /// What a product reads, a block of rows or all.
    rows: Vec<Half>,
    /// The gradient of a layer's output.
    changes: Vec<Half>,
    /// That of what is inside of it.
    inner_changes: Vec<Half>,
    inner: Vec<Half>,
    learning: Learning,
    attention: Room,
}

/// Room for a chunk, and the gradients of all that this thread was given.
pub struct Worker {
    shape: Shape,
    kept: Vec<Kept>,
    x: Vec<f32>,
    /// The gradient of `x`.
    dx: Vec<f32>,
    scratch: Scratch,
    /// As parameters lie, but matrices in blocks; those of `qkv`, `gate_up`, words transposed.
    pub gradients: Vec<f32>,
    /// Of the words as they were read.
    pub read: Vec<f32>,
    /// All losses, each times what it counts.
    pub loss: f64,
}

/// A chunk on its way, in whole blocks of rows.
struct Way<'a> {
    model: &'a Model<'a>,
    chunk: &'a Chunk<'a>,
    rows: usize,
}

impl Way<'_> {
    /// The rows that belong to no sequence.
    fn idle(&self, wide: usize) -> std::ops::Range<usize> {
        self.chunk.tokens.len() * wide..self.rows * wide
    }

    fn blocks(&self) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let rows = self.rows;
        (0..rows).step_by(ROWS).map(move |at| at..(at + ROWS).min(rows))
    }
}

fn room<T: Clone + Default>(of: &mut Vec<T>, size: usize) -> &mut [T] {
    if of.len() < size {
        of.resize(size, T::default());
    }
    &mut of[..size]
}

/// How matrices learn.
#[derive(Default)]
struct Learning {
    columns: Vec<Half>,
    right: Right,
}

impl Learning {
    /// Adds `left`, transposed, times `right` to gradients in blocks; both have `rows` rows.
    fn add(&mut self, rows: usize, left: Lines, right: Lines, to: &mut [f32]) {
        let (wide, across) = (left.stride, right.stride);
        let columns = room(&mut self.columns, rows * wide);
        transpose(left, [rows, wide], columns, rows);
        self.right.pack(right, rows, across);
        product(Lines::new(columns, rows), wide, &self.right.all(), Out::blocks(to, wide));
    }
}

impl Worker {
    pub fn new(shape: Shape) -> Worker {
        Worker {
            shape,
            kept: (0..shape.layers).map(|_| Kept::default()).collect(),
            x: Vec::new(),
            dx: Vec::new(),
            scratch: Scratch::default(),
            gradients: vec![0.0; shape.parameters()],
            read: vec![0.0; shape.words().len()],
            loss: 0.0,
        }
    }

    /// Forgets all gradients.
    pub fn clear(&mut self) {
        self.gradients.fill(0.0);
        self.read.fill(0.0);
        self.loss = 0.0;
    }

    /// Adds the gradients of a chunk.
    pub fn learn(&mut self, model: &Model, chunk: &Chunk) {
        let rows = chunk.tokens.len().next_multiple_of(BLOCK);
        let way = Way { model, chunk, rows };
        let width = self.shape.width;
        let x = room(&mut self.x, rows * width);
        x[way.idle(width)].fill(0.0);
        for (&token, x) in chunk.tokens.iter().zip(x.chunks_exact_mut(width)) {
            x.copy_from_slice(&model.weights[usize::from(token) * width..][..width]);
        }
        for layer in 0..self.shape.layers {
            self.queries(&way, layer);
            self.attend(&way, layer);
            self.feed(&way, layer);
        }
        self.lose(&way);
        for layer in (0..self.shape.layers).rev() {
            self.feed_back(&way, layer);
            self.attend_back(&way, layer);
            self.queries_back(&way, layer);
        }
        for (&token, dx) in chunk.tokens.iter().zip(self.dx.chunks_exact(width)) {
            for (g, d) in self.read[usize::from(token) * width..].iter_mut().zip(dx) {
                *g += d;
            }
        }
    }

    /// Norm, queries, keys and values, and the rotations by position.
    fn queries(&mut self, way: &Way, layer: usize) {
        let Shape { width, head: size, .. } = self.shape;
        let inside = self.shape.inside();
        let (model, at) = (way.model, self.shape.places(layer));
        let norm = model.norm(&at.norm);
        let kept = &mut self.kept[layer];
        let units = room(&mut kept.units, way.rows * width);
        let overs = room(&mut kept.overs, way.rows);
        let raw = room(&mut kept.raw, (way.rows + BEHIND) * 3 * inside);
        let rotated = room(&mut kept.rotated, (way.rows + BEHIND) * 2 * inside);
        let small = room(&mut self.scratch.rows, ROWS * width);
        let sums = room(&mut self.scratch.sums, ROWS * 3 * inside);
        let mut positions = way.chunk.positions();
        for range in way.blocks() {
            for (r, row) in range.clone().enumerate() {
                let unit = &mut units[row * width..][..width];
                let out = &mut small[r * width..][..width];
                overs[row] = norm.there(&self.x[row * width..][..width], unit, out);
            }
            let qkv = model.packed.layers[layer].qkv.there.all();
            let out = Out::rows(sums, 3 * inside);
            product(Lines::new(small, width), range.len(), &qkv, out);
            for (row, sums) in range.zip(sums.chunks_exact(3 * inside)) {
                let raw = &mut raw[row * 3 * inside..][..3 * inside];
                halves(raw, sums);
                let position = positions.next().unwrap_or(0);
                let rotated = rotated[row * 2 * inside..][..2 * inside].chunks_exact_mut(size);
                for (h, (out, raw)) in rotated.zip(raw.chunks_exact(size)).enumerate() {
                    model.angles.there(raw, model.place(&at, h, position), out);
                }
            }
        }
    }

    /// Attention, and its output added to `x`.
    fn attend(&mut self, way: &Way, layer: usize) {
        let (width, inside) = (self.shape.width, self.shape.inside());
        let kept = &mut self.kept[layer];
        let out = room(&mut kept.out, way.rows * inside);
        let logs = room(&mut kept.logs, self.shape.heads * way.rows);
        out[way.idle(inside)].fill(0);
        for rows in way.chunk.sequences() {
            for h in 0..self.shape.heads {
                let logs = &mut logs[h * way.rows..][rows.clone()];
                let head = head(self.shape, (&kept.rotated, &kept.raw), rows.clone(), h);
                self.scratch.attention.there(&head, out, logs);
            }
        }
        for range in way.blocks() {
            let o = way.model.packed.layers[layer].o.there.all();
            let left = Lines::new(out, inside).from(range.start, 0);
            let x = Out::sums(&mut self.x[range.start * width..], width);
            product(left, range.len(), &o, x);
        }
    }

    /// Norm and feed forward, added to `x`.
    fn feed(&mut self, way: &Way, layer: usize) {
        let Shape { width, inner, .. } = self.shape;
        let packed = &way.model.packed.layers[layer];
        let norm = way.model.norm(&self.shape.places(layer).norm2);
        let kept = &mut self.kept[layer];
        let units = room(&mut kept.units2, way.rows * width);
        let overs = room(&mut kept.overs2, way.rows);
        let gate_up = room(&mut kept.gate_up, way.rows * 2 * inner);
        let small = room(&mut self.scratch.rows, ROWS * width.max(inner));
        let sums = room(&mut self.scratch.sums, ROWS * 2 * inner);
        for range in way.blocks() {
            let x = &mut self.x[range.start * width..];
            for (r, row) in range.clone().enumerate() {
                let unit = &mut units[row * width..][..width];
                let out = &mut small[r * width..][..width];
                overs[row] = norm.there(&x[r * width..][..width], unit, out);
            }
            let out = Out::rows(sums, 2 * inner);
            product(Lines::new(small, width), range.len(), &packed.gate_up.there.all(), out);
            for (r, row) in range.clone().enumerate() {
                let gate_up = &mut gate_up[row * 2 * inner..][..2 * inner];
                halves(gate_up, &sums[r * 2 * inner..]);
                let (gate, up) = gate_up.split_at(inner);
                for ((o, &g), &u) in small[r * inner..][..inner].iter_mut().zip(gate).zip(up) {
                    let g = float(g);
                    *o = half(g * sigmoid(g) * float(u));
                }
            }
            let out = Out::sums(x, width);
            product(Lines::new(small, inner), range.len(), &packed.down.there.all(), out);
        }
    }

    /// The loss, what the words learn of it, and the gradient of the last layer's output.
    fn lose(&mut self, way: &Way) {
        let Shape { width, vocabulary, .. } = self.shape;
        let Way { model, chunk, rows } = way;
        let norm = model.norm(&self.shape.last_norm());
        let counts = |&at: &usize| chunk.counts[at] != 0.0;
        let wanted: Vec<usize> = (0..chunk.tokens.len()).filter(counts).collect();
        let many = wanted.len().next_multiple_of(BLOCK);
        let dx = room(&mut self.dx, rows * width);
        dx.fill(0.0);
        let s = &mut self.scratch;
        let hidden = room(&mut s.rows, many * width);
        let units = room(&mut s.inner, many * width);
        let changes = room(&mut s.changes, many * vocabulary);
        let logits = room(&mut s.sums, BLOCK * vocabulary);
        let back = room(&mut s.more_sums, BLOCK * width);
        hidden[wanted.len() * width..].fill(0);
        changes[wanted.len() * vocabulary..].fill(0);
        let mut overs = Vec::with_capacity(many);
        let units_of = units.chunks_exact_mut(width).zip(hidden.chunks_exact_mut(width));
        for (&row, (unit, out)) in wanted.iter().zip(units_of) {
            overs.push(norm.there(&self.x[row * width..][..width], unit, out));
        }
        for (block, wanted) in wanted.chunks(BLOCK).enumerate() {
            let first = block * BLOCK;
            let left = Lines::new(hidden, width).from(first, 0);
            let words = &model.packed.words;
            product(left, BLOCK, &words.there.all(), Out::rows(logits, vocabulary));
            let changes = &mut changes[first * vocabulary..][..BLOCK * vocabulary];
            let lines =
                logits.chunks_exact_mut(vocabulary).zip(changes.chunks_exact_mut(vocabulary));
            for (&row, (logits, changes)) in wanted.iter().zip(lines) {
                let (target, counts) = (usize::from(chunk.targets[row]), chunk.counts[row]);
                self.loss += f64::from(lost(logits, target, counts, changes));
            }
            let left = Lines::new(changes, vocabulary);
            product(left, BLOCK, &words.back.all(), Out::rows(back, width));
            for ((r, &row), of) in wanted.iter().enumerate().zip(back.chunks_exact_mut(width)) {
                let at = first + r;
                let unit = Unit { row: &units[at * width..][..width], over: overs[at] };
                let to_weight = &mut self.gradients[self.shape.last_norm()];
                norm.back(of, unit, &mut dx[row * width..][..width], to_weight);
            }
        }
        let (left, right) = (Lines::new(hidden, width), Lines::new(changes, vocabulary));
        s.learning.add(many, left, right, &mut self.gradients[self.shape.words()]);
    }

    /// Back through feed forward: from the gradient of the layer's output to that of attention's.
    fn feed_back(&mut self, way: &Way, layer: usize) {
        let Shape { width, inner, .. } = self.shape;
        let packed = &way.model.packed.layers[layer];
        let at = self.shape.places(layer);
        let norm = way.model.norm(&at.norm2);
        let kept = &self.kept[layer];
        let s = &mut self.scratch;
        let changes = room(&mut s.changes, way.rows * width);
        let inside = room(&mut s.inner, way.rows * inner);
        let gate_up_changes = room(&mut s.inner_changes, way.rows * 2 * inner);
        let sums = room(&mut s.sums, ROWS * inner);
        let more_sums = room(&mut s.more_sums, ROWS * width);
        halves(changes, &self.dx);
        for range in way.blocks() {
            let left = Lines::new(changes, width).from(range.start, 0);
            product(left, range.len(), &packed.down.back.all(), Out::rows(sums, inner));
            for (row, sums) in range.clone().zip(sums.chunks_exact(inner)) {
                let (gate, up) = kept.gate_up[row * 2 * inner..][..2 * inner].split_at(inner);
                let changes = &mut gate_up_changes[row * 2 * inner..][..2 * inner];
                let (gate_changes, up_changes) = changes.split_at_mut(inner);
                let of = sums.iter().zip(&mut inside[row * inner..][..inner]);
                let to = gate_changes.iter_mut().zip(up_changes);
                for (((&d, o), (&g, &u)), (dg, du)) in of.zip(gate.iter().zip(up)).zip(to) {
                    let (g, u) = (float(g), float(u));
                    let open = sigmoid(g);
                    *o = half(g * open * u);
                    *dg = half(d * u * open * (1.0 + g * (1.0 - open)));
                    *du = half(d * g * open);
                }
            }
            let left = Lines::new(gate_up_changes, 2 * inner).from(range.start, 0);
            product(left, range.len(), &packed.gate_up.back.all(), Out::rows(more_sums, width));
            for (row, of) in range.zip(more_sums.chunks_exact_mut(width)) {
                let unit =
                    Unit { row: &kept.units2[row * width..][..width], over: kept.overs2[row] };
                let to = &mut self.dx[row * width..][..width];
                norm.back(of, unit, to, &mut self.gradients[at.norm2.clone()]);
            }
        }
        let (left, right) = (Lines::new(changes, width), Lines::new(inside, inner));
        s.learning.add(way.rows, left, right, &mut self.gradients[at.down]);
        let inputs = room(&mut s.rows, way.rows * width);
        weighted(inputs, &kept.units2, norm.weight);
        let (left, right) = (Lines::new(inputs, width), Lines::new(gate_up_changes, 2 * inner));
        s.learning.add(way.rows, left, right, &mut self.gradients[at.gate_up]);
    }

    /// Back through attention: the gradients of rotated queries and keys, and of values.
    fn attend_back(&mut self, way: &Way, layer: usize) {
        let (width, inside) = (self.shape.width, self.shape.inside());
        let kept = &self.kept[layer];
        let s = &mut self.scratch;
        let changes = room(&mut s.changes, way.rows * width);
        halves(changes, &self.dx);
        let (left, right) = (Lines::new(changes, width), Lines::new(&kept.out, inside));
        let o = self.shape.places(layer).o;
        s.learning.add(way.rows, left, right, &mut self.gradients[o]);
        let out_changes = room(&mut s.rows, way.rows * inside);
        let sums = room(&mut s.sums, ROWS * inside);
        for range in way.blocks() {
            let left = Lines::new(changes, width).from(range.start, 0);
            let o = way.model.packed.layers[layer].o.back.all();
            product(left, range.len(), &o, Out::rows(sums, inside));
            halves(&mut out_changes[range.start * inside..range.end * inside], sums);
        }
        let qkv_changes = room(&mut s.inner_changes, way.rows * 3 * inside);
        qkv_changes[way.idle(3 * inside)].fill(0);
        for rows in way.chunk.sequences() {
            for h in 0..self.shape.heads {
                let came = Came {
                    out: Lines::new(&kept.out, inside),
                    change: Lines::new(out_changes, inside),
                    logs: &kept.logs[h * way.rows..][rows.clone()],
                };
                let head = head(self.shape, (&kept.rotated, &kept.raw), rows.clone(), h);
                s.attention.back(&head, &came, qkv_changes);
            }
        }
    }

    /// Back through rotations, queries, keys, values and norm: to the gradient of the input.
    fn queries_back(&mut self, way: &Way, layer: usize) {
        let Shape { width, head: size, .. } = self.shape;
        let inside = self.shape.inside();
        let (model, at) = (way.model, self.shape.places(layer));
        let kept = &self.kept[layer];
        let s = &mut self.scratch;
        let changes = room(&mut s.inner_changes, way.rows * 3 * inside);
        for (row, position) in way.chunk.positions().enumerate() {
            let raw = kept.raw[row * 3 * inside..].chunks_exact(size);
            let of = changes[row * 3 * inside..][..2 * inside].chunks_exact_mut(size);
            for (h, (of, raw)) in of.zip(raw).enumerate() {
                let to_weight = &mut self.gradients[at.head_norm(self.shape, h).clone()];
                model.angles.back(of, raw, model.place(&at, h, position), to_weight);
            }
        }
        let norm = model.norm(&at.norm);
        let sums = room(&mut s.sums, ROWS * width);
        for range in way.blocks() {
            let left = Lines::new(changes, 3 * inside).from(range.start, 0);
            let qkv = model.packed.layers[layer].qkv.back.all();
            product(left, range.len(), &qkv, Out::rows(sums, width));
            for (row, of) in range.zip(sums.chunks_exact_mut(width)) {
                let unit = Unit { row: &kept.units[row * width..][..width], over: kept.overs[row] };
                let to = &mut self.dx[row * width..][..width];
                norm.back(of, unit, to, &mut self.gradients[at.norm.clone()]);
            }
        }
        let inputs = room(&mut s.rows, way.rows * width);
        weighted(inputs, &kept.units, norm.weight);
        let (left, right) = (Lines::new(inputs, width), Lines::new(changes, 3 * inside));
        s.learning.add(way.rows, left, right, &mut self.gradients[at.qkv]);
    }
}

/// One head of one sequence, of what a layer keeps.
fn head<'a>(
    shape: Shape,
    (rotated, raw): (&'a [Half], &'a [Half]),
    rows: std::ops::Range<usize>,
    h: usize,
) -> Head<'a> {
    let width = shape.inside();
    Head {
        qk: Lines::new(rotated, 2 * width),
        v: Lines::new(&raw[2 * width..], 3 * width),
        rows,
        column: h * shape.head,
        size: shape.head,
        width,
    }
}

/// What is lost where `target` would have been right, times what it counts, and the gradients of
/// the logits.
fn lost(logits: &mut [f32], target: usize, counts: f32, changes: &mut [Half]) -> f32 {
    let top = highest(logits);
    let right = logits[target] - top;
    let total = exps(logits, 1.0, top);
    let over = counts / total;
    for (c, &x) in changes.iter_mut().zip(&*logits) {
        *c = half(x * over);
    }
    changes[target] = half(logits[target] * over - counts);
    counts * (total.ln() - right)
}
