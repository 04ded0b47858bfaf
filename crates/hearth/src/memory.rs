//! How much memory there is, where the system tells.

use engine::memory::kibibytes;

/// Bytes that this process may still take.
pub fn available() -> Option<u64> {
    engine::memory::usable().map(|memory| memory.bytes)
}

/// The most bytes that this process had in memory at any time.
pub fn peak() -> Option<u64> {
    kibibytes(&std::fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}
