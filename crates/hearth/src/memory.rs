//! How much memory there is, where the system tells.

/// Bytes that this process may still take.
pub fn available() -> Option<u64> {
    engine::memory::usable().map(|memory| memory.bytes)
}

/// The most bytes that this process had in memory at any time.
pub fn peak() -> Option<u64> {
    kibibytes("/proc/self/status", "VmHWM:")
}

fn kibibytes(path: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = value.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}
