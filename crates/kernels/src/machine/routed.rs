//! Products in which each row of activations has the weights of its own choice: mixtures of
//! experts.
//!
//! A row chooses some experts, each with a weight. A *slot* is one such choice; slots are ordered
//! by expert and then by row, so that an expert's weights are read once however many rows chose it.
//!
//! ```text
//!   rows 0 1 2, two choices each      slots   0 1 | 2 3 4 | 5
//!   0: a b   1: b c   2: a b          expert  a   | b     | c
//!                                     row     0 2 | 0 1 2 | 1
//! ```

use std::ops::Range;

use super::Machine;
use super::packed::Inputs;
use super::product::{Input, Job, Matrix, Rounding, Scratch, TOGETHER_MAX};
use super::shared::Shared;
use crate::isa::per_isa;
use crate::portable::row;
use crate::room::room;

per_isa!(add_scaled = row::add_scaled; (out: &mut [f32], x: &[f32], factor: f32));

/// Which rows chose which experts, and with what weight.
#[derive(Debug, Default)]
pub struct Routing {
    /// Where the slots of each expert begin; behind the last, the number of slots.
    starts: Vec<u32>,
    /// The row of each slot.
    rows: Vec<u32>,
    /// The weight of each slot.
    weights: Vec<f32>,
    /// Slots of each row, ascending.
    slots: Vec<u32>,
    /// Choices of a row.
    choices: usize,
    /// Where the next slot of each expert is, while slots are given away.
    next: Vec<u32>,
}

/// What a row may choose: an expert and its weight.
pub type Choice = (u32, f32);

impl Routing {
    /// Orders the choices of rows, of which each has `each`.
    ///
    /// # Panics
    /// When a choice names no expert.
    pub fn set(&mut self, experts: usize, choices: &[Choice], each: usize) {
        self.choices = each;
        self.starts.clear();
        self.starts.resize(experts + 1, 0);
        for (expert, _) in choices {
            self.starts[*expert as usize + 1] += 1;
        }
        for expert in 0..experts {
            self.starts[expert + 1] += self.starts[expert];
        }
        self.next.clone_from(&self.starts);
        self.rows.resize(choices.len(), 0);
        self.weights.resize(choices.len(), 0.0);
        self.slots.resize(choices.len(), 0);
        for (i, (expert, weight)) in choices.iter().enumerate() {
            let slot = self.next[*expert as usize];
            self.next[*expert as usize] += 1;
            self.rows[slot as usize] = (i / each) as u32;
            self.weights[slot as usize] = *weight;
            self.slots[i] = slot;
        }
        self.slots.chunks_exact_mut(each).for_each(<[u32]>::sort_unstable);
    }

    /// Bytes of it.
    pub fn bytes(&self) -> u64 {
        let numbers = [&self.starts, &self.rows, &self.slots, &self.next];
        numbers.into_iter().map(room).sum::<u64>() + room(&self.weights)
    }

    /// How many slots there are.
    pub fn slots(&self) -> usize {
        self.rows.len()
    }

    /// The weight of each slot.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Slots of an expert.
    pub fn of(&self, expert: usize) -> Range<usize> {
        self.starts[expert] as usize..self.starts[expert + 1] as usize
    }

    fn experts(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }
}

/// An expert's part in a product.
#[derive(Clone, Copy)]
pub struct Expert<'a> {
    /// Its weights.
    pub weights: Matrix<'a>,
    /// Added to each output row.
    pub bias: Option<&'a [f32]>,
}

/// Experts of the same shape.
pub trait Experts: Sync {
    /// One of them.
    fn expert(&self, index: usize) -> Expert<'_>;
}

/// Products of several experts.
pub struct RoutedProduct<'a> {
    /// Who they are.
    pub experts: &'a dyn Experts,
    /// How finely the activations are rounded for it.
    pub rounding: Rounding,
    /// `(slots, rows of the weights)`
    pub out: &'a mut [f32],
}

/// Where the activations of a slot are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// In the slot's row.
    Row,
    /// In a row of its own.
    Slot,
}

impl Routing {
    /// The rows that an expert takes of `x`.
    fn input<'a>(&'a self, x: &'a [f32], cols: usize, take: Take, expert: usize) -> Input<'a> {
        let slots = self.of(expert);
        match take {
            Take::Row => Input { x, rows: Some(&self.rows[slots]) },
            Take::Slot => Input { x: &x[slots.start * cols..slots.end * cols], rows: None },
        }
    }
}

impl Machine {
    /// Multiplies activations with the weights of the experts that their rows chose.
    ///
    /// # Panics
    /// When the shapes do not fit together.
    pub fn product_routed(
        &mut self,
        x: (&[f32], Take),
        routing: &Routing,
        products: &mut [RoutedProduct],
    ) {
        let mut outs = [const { None }; TOGETHER_MAX];
        assert!(products.len() <= outs.len(), "at most {TOGETHER_MAX} products of one input");
        let used = (0..routing.experts()).filter(|expert| !routing.of(*expert).is_empty());
        let Some(first) = used.clone().next() else { return };
        for (out, product) in outs.iter_mut().zip(products) {
            let rows = product.experts.expert(first).weights.rows;
            assert_eq!(product.out.len(), routing.slots() * rows, "room for every output");
            let (experts, rounding) = (product.experts, product.rounding);
            *out = Some((Shared::rows(product.out, rows), rows, experts, rounding));
        }
        let (outs, (x, take)) = (&outs, x);
        let jobs = |expert: usize| {
            outs.iter().flatten().map(move |(out, rows, experts, rounding)| {
                let Expert { weights, bias } = experts.expert(expert);
                assert_eq!(weights.rows, *rows, "experts have the same shape");
                let (rounding, first) = (*rounding, routing.of(expert).start);
                Job { input: expert, weights, rounding, bias, out: *out, first }
            })
        };
        // Not by tiles: a prompt gives an expert about as many rows as make them worth it, and the
        // room for them would depend on what the rows choose.
        let by_panels = |job: &Job| job.weights.packed;
        let cols = jobs(first).next().map_or(0, |job| job.weights.cols);
        let input = |expert| routing.input(x, cols, take, expert);
        let (count, rows) = (routing.experts(), routing.slots() / routing.choices);
        let inputs = &Inputs { of: input, count, rows };
        let mut scratch = std::mem::take(&mut self.scratch);
        let together = used.clone().flat_map(jobs).filter(by_panels);
        self.multiply_packed(inputs, together, &mut scratch.packed);
        for expert in used {
            let others = jobs(expert).filter(|job| !by_panels(job));
            self.multiply_gathered(input(expert), cols, others, &mut scratch);
        }
        self.scratch = scratch;
    }

    /// Computes jobs of one expert on a copy of its rows.
    fn multiply_gathered<'a>(
        &self,
        input: Input<'a>,
        cols: usize,
        jobs: impl Iterator<Item = Job<'a>> + Clone + Sync,
        scratch: &mut Scratch,
    ) {
        if jobs.clone().next().is_none() {
            return;
        }
        let mut rows = std::mem::take(&mut scratch.gathered);
        rows.clear();
        (0..input.len(cols)).for_each(|i| rows.extend_from_slice(input.row(i, cols)));
        let jobs = jobs.map(|job| Job { input: 0, ..job });
        self.multiply(&rows, jobs, scratch);
        scratch.gathered = rows;
    }

    /// Copies the row of each slot, multiplied by its weight, and makes all weights one.
    pub fn weigh_inputs(&self, routing: &mut Routing, x: &[f32], width: usize, out: &mut [f32]) {
        assert_eq!(out.len(), routing.slots() * width, "a row for each slot");
        let out = Shared::rows(out, width);
        self.each_row(routing.slots(), width, &|slot| {
            // SAFETY: each slot is visited by one thread.
            let out = unsafe { out.row(slot) };
            let row = &x[routing.rows[slot] as usize * width..][..width];
            out.iter_mut().zip(row).for_each(|(out, x)| *out = x * routing.weights[slot]);
        });
        routing.weights.fill(1.0);
    }

    /// Adds up what the experts of each row made, by their weights: `y` is `(slots, width)`, `out`
    /// has a row of this width for each row. Slots are added in ascending order.
    pub fn sum_slots(&self, routing: &Routing, y: &[f32], width: usize, out: &mut [f32]) {
        let (isa, each) = (self.isa, routing.choices);
        assert_eq!(y.len(), routing.slots() * width, "an output for each slot");
        assert_eq!(out.len() * each, y.len(), "as many slots to each row");
        let out = Shared::rows(out, width);
        self.split(routing.slots() / each, y.len(), &|rows| {
            for row in rows {
                // SAFETY: each row is visited by one thread.
                let out = unsafe { out.row(row) };
                out.fill(0.0);
                for slot in &routing.slots[row * each..][..each] {
                    let slot = *slot as usize;
                    add_scaled(isa, out, &y[slot * width..][..width], routing.weights[slot]);
                }
            }
        });
    }
}
