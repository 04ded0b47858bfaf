//! What the memory of this machine gives: the upper limit for a model that answers one user.

use std::hint::black_box;
use std::time::{Duration, Instant};

use engine::Settings;
use kernels::{Isa, Machine};
use memmap2::MmapMut;

use crate::failure::Failure;
use crate::memory;

/// Memory that is read: more than any cache holds.
const MOST: u64 = 1 << 30;

/// Of several passes the best counts, because whatever disturbs one makes it slower and never
/// faster; there are at least this many, and as many as fit into the time.
const PASSES: usize = 3;
const TIME: Duration = Duration::from_millis(300);

/// How fast memory is read, and with what.
pub struct Reading {
    pub gb_s: f64,
    pub isa: Isa,
    pub threads: usize,
}

/// All threads together read memory in order, in huge pages where the system has them.
pub fn measure(settings: Settings) -> Result<Reading, Failure> {
    let machine = Machine::new(settings.isa, settings.threads);
    let bytes = memory::available().map_or(MOST, |available| MOST.min(available / 4));
    let no_memory = |error| Failure::Machine(format!("no memory to measure its speed: {error}"));
    let mut buffer = MmapMut::map_anon(bytes as usize).map_err(no_memory)?;
    // Without huge pages it is the ordinary ones that are measured.
    #[cfg(target_os = "linux")]
    let _ = buffer.advise(memmap2::Advice::HugePage);
    // Only memory that was written is there.
    buffer.fill(1);
    let (begin, mut gb_s, mut passes) = (Instant::now(), 0.0_f64, 0);
    while passes < PASSES || begin.elapsed() < TIME {
        let begin = Instant::now();
        black_box(machine.read(&buffer));
        gb_s = gb_s.max(buffer.len() as f64 / 1e9 / begin.elapsed().as_secs_f64());
        passes += 1;
    }
    Ok(Reading { gb_s, isa: machine.isa(), threads: machine.threads() })
}
