//! What a pass asks memory for while it multiplies: what the passes after it will read.

use crate::simd::{BYTES, prefetch_far};

/// Stretches of memory that are asked for together: of activations, and of two panels.
const RANGES: usize = 3;

/// Where they begin, and their lines.
#[derive(Clone, Copy)]
pub(crate) struct Soon(pub [(*const u8, usize); RANGES]);

impl Soon {
    /// Nothing.
    pub const NOTHING: Soon = Soon([(std::ptr::null(), 0); RANGES]);

    /// The same, in so many steps.
    pub fn over(self, steps: usize) -> Steps {
        Steps(self.0.map(|(start, lines)| (start, lines.div_ceil(steps.max(1)))))
    }
}

/// What is left of it: where, and the lines of each step.
pub(crate) struct Steps([(*const u8, usize); RANGES]);

impl Steps {
    /// Asks for the lines of the next step. Those behind the end do no harm.
    #[inline(always)]
    pub fn ask(&mut self) {
        for (start, lines) in &mut self.0 {
            for _ in 0..*lines {
                prefetch_far(*start);
                *start = start.wrapping_add(BYTES);
            }
        }
    }
}
