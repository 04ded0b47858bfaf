//! Ctrl-C: during an answer it ends the answer, otherwise (and the second time) the program.

use std::io::{IsTerminal, Write, stderr};
use std::ops::ControlFlow;
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
            Err(_) => end(),
        };
    // A system that refuses the handler keeps its own, which ends the program.
    let _ = ctrlc::set_handler(handler);
}

/// Ends the program; what stands in the terminal's last line, as a progress bar does, stays there.
fn end() {
    if stderr().is_terminal() {
        let _ = writeln!(stderr());
    }
    std::process::exit(130);
}

/// Whether this answer is to end.
pub fn requested() -> bool {
    STATE.load(Ordering::Relaxed) == REQUESTED
}

/// The same for what goes on until it is told to stop.
pub fn unless_requested() -> ControlFlow<()> {
    if requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
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
