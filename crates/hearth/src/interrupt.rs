//! Ctrl-C: during an answer it ends the answer, otherwise (and the second time) the program.

use std::sync::atomic::{AtomicU8, Ordering};

const IDLE: u8 = 0;
const ANSWERING: u8 = 1;
const REQUESTED: u8 = 2;

static STATE: AtomicU8 = AtomicU8::new(IDLE);

/// Begins to listen. Without it Ctrl-C ends the program at once, which is good enough elsewhere.
pub fn listen() {
    let handler =
        || match STATE.compare_exchange(ANSWERING, REQUESTED, Ordering::Relaxed, Ordering::Relaxed)
        {
            Ok(_) => {}
            Err(_) => std::process::exit(130),
        };
    // A system that refuses the handler keeps its own, which ends the program.
    let _ = ctrlc::set_handler(handler);
}

/// Whether this answer is to end.
pub fn requested() -> bool {
    STATE.load(Ordering::Relaxed) == REQUESTED
}

/// An answer is being given for as long as this value lives.
pub struct Answering;

impl Answering {
    pub fn begin() -> Answering {
        STATE.store(ANSWERING, Ordering::Relaxed);
        Answering
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        STATE.store(IDLE, Ordering::Relaxed);
    }
}
