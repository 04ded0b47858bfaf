//! What a model keeps of a sequence, in pages of which each belongs to the layers of one kind.

use kernels::{Kept, RowTable};

/// Positions in a page of keys and values.
const PAGE: usize = kernels::portable::attend::TILE;

/// Kinds of layers that a model has at most: those that keep all positions, those of a window and
/// of a chunk, and those with a state.
pub const CACHES_MAX: usize = 4;

/// What layers of one kind keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    /// Which pages are kept.
    pub keeps: Keeps,
    /// Places in a page, each for a float or for two halves or whole numbers.
    pub page_len: usize,
}

/// Which pages a sequence keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// Those of all positions, 64 in each.
    All,
    /// Those of so many of the last positions.
    Last(usize),
    /// One, with what has become of all positions. A step leaves it alone and makes another.
    State,
}

/// The pages of one kind of layers in a step.
#[derive(Default)]
pub struct Store<'a> {
    /// All of them, of all sequences.
    pub pages: &'a mut [Box<[f32]>],
    /// Where each row stands and has its pages. In a store of states these are two: the one that
    /// the row finds, unless it is the first of its sequence, and the one that it leaves.
    pub rows: &'a [RowTable<'a>],
}

/// Where a layer has its part of each page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat {
    pub store: usize,
    pub offset: usize,
}

impl Cache {
    /// Pages that a sequence of so many tokens has at most, when they pass in steps of at most
    /// `rows`.
    pub fn pages(&self, tokens: usize, rows: usize) -> usize {
        let all = tokens.div_ceil(PAGE);
        match self.keeps {
            Keeps::All => all,
            Keeps::Last(last) => {
                // The first row of a step sees `last` positions, itself included. A page more is
                // kept, so that the last tokens can be taken back.
                let seen = PAGE + last - 1 + rows.clamp(1, tokens.max(1));
                all.min((seen + PAGE - 2) / PAGE + 1)
            }
            Keeps::State => 2 * all.min(1),
        }
    }

    /// Pages that a sequence of so many tokens has when its last step is over, if it is read from
    /// the beginning.
    pub fn kept_pages(&self, tokens: usize) -> usize {
        match self.keeps {
            Keeps::Last(last) => {
                tokens.div_ceil(PAGE) - first_kept(tokens, last).min(tokens / PAGE)
            }
            Keeps::All | Keeps::State => self.pages(tokens, 1),
        }
    }

    /// The most pages that it has while it is read in steps of `rows`.
    pub fn peak_pages(&self, tokens: usize, rows: usize) -> usize {
        let Keeps::Last(last) = self.keeps else { return self.pages(tokens, rows) };
        let begins = (0..tokens).step_by(rows.max(1));
        let has =
            |begin: usize| (begin + rows).min(tokens).div_ceil(PAGE) - first_kept(begin, last);
        begins.map(has).max().unwrap_or(0)
    }

    /// The same for a sequence that can also be cut at so many marks on its way.
    pub fn pages_with_marks(&self, tokens: usize, rows: usize, marks: usize) -> usize {
        let one = match self.keeps {
            Keeps::All => 0,
            Keeps::Last(last) => (last + PAGE).div_ceil(PAGE),
            Keeps::State => 1,
        };
        self.pages(tokens, rows) + marks * one
    }

    /// Bytes of all its pages, without marks.
    pub fn bytes(&self, tokens: usize, rows: usize) -> u64 {
        (self.pages(tokens, rows) * self.page_len) as u64 * 4
    }
}

/// The first page that a sequence of so many tokens keeps, where rows see the `last` positions: a
/// page more than they see.
fn first_kept(tokens: usize, last: usize) -> usize {
    (tokens + 1).saturating_sub(last + PAGE) / PAGE
}

/// Gives layers their seats.
#[derive(Default)]
pub(crate) struct Seats {
    /// How keys and values are kept in them.
    pub kept: Kept,
    /// Whether something else is kept, as f32 in any case.
    pub keeps_others: bool,
    pub caches: Vec<Cache>,
    /// Of each layer that has one.
    of: Vec<(usize, Seat)>,
}

impl Seats {
    pub fn keeping(kept: Kept) -> Seats {
        Seats { kept, ..Seats::default() }
    }

    /// Adds room for a layer to the cache of its kind.
    pub fn give(&mut self, layer: usize, keeps: Keeps, len: usize) -> Seat {
        let found = self.caches.iter().position(|cache| cache.keeps == keeps);
        let store = found.unwrap_or_else(|| {
            self.caches.push(Cache { keeps, page_len: 0 });
            assert!(self.caches.len() <= CACHES_MAX, "more kinds of layers than {CACHES_MAX}");
            self.caches.len() - 1
        });
        let cache = &mut self.caches[store];
        self.keeps_others |= keeps == Keeps::State;
        let seat = Seat { store, offset: cache.page_len };
        cache.page_len += len;
        self.of.push((layer, seat));
        seat
    }

    /// The seat of a layer before, if it has one.
    pub fn of(&self, layer: usize) -> Option<Seat> {
        self.of.iter().find(|(of, _)| *of == layer).map(|(_, seat)| *seat)
    }
}
