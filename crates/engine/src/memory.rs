//! How much memory this process may still take, and what sets the bound.
//!
//! That is the least of what the machine has free, of what control groups leave, and of the
//! limits of the process itself. What the system keeps of files and can drop counts as free; swap
//! does not count. What Linux tells about this is read below a root folder, which tests make up.

use std::fmt;
use std::path::Path;

use crate::groups::{self, Group};

/// Memory that may still be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Bytes of it.
    pub bytes: u64,
    /// Why it is not more.
    pub bound: Bound,
}

/// What sets the bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// No more is free.
    Machine,
    /// The limit of a control group, such as a container's, in bytes.
    Group(u64),
    /// A limit of the process, as `ulimit` sets it.
    Process,
}

/// Bytes as people read them, in three digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
        let (mut value, mut unit) = (self.0 as f64, 0);
        while value >= 999.5 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        let digits = match value {
            _ if unit == 0 => 0,
            ..9.995 => 2,
            ..99.95 => 1,
            _ => 0,
        };
        write!(f, "{value:.digits$} {}", UNITS[unit])
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Bound::Machine => "the machine has no more free",
            Bound::Group(_) => "the container or control group is limited",
            Bound::Process => "the process is limited, see `ulimit -v` and `ulimit -d`",
        })
    }
}

/// What this process may still take; nothing where the system does not tell.
pub fn usable() -> Option<Memory> {
    if cfg!(target_os = "linux") { read(Path::new("/")) } else { None }
}

fn read(root: &Path) -> Option<Memory> {
    let meminfo = groups::text(&root.join("proc/meminfo"))?;
    let machine = Memory { bytes: kibibytes(&meminfo, "MemAvailable:")?, bound: Bound::Machine };
    let limits = [process(root), group(root)].into_iter().flatten();
    Some(limits.fold(machine, |least, other| if other.bytes < least.bytes { other } else { least }))
}

/// What the narrowest control group leaves.
fn group(root: &Path) -> Option<Memory> {
    let groups = groups::of_process(root, "memory")?;
    let left = groups.iter().filter_map(|group| {
        let (limit, used) = match group {
            Group::Version2(path) => {
                let limit = ["memory.max", "memory.high"].map(|name| number(&path.join(name)));
                (limit.into_iter().flatten().min()?, used(path, "memory.current", "inactive_file")?)
            }
            Group::Version1(path) => (
                number(&path.join("memory.limit_in_bytes"))?,
                used(path, "memory.usage_in_bytes", "total_inactive_file")?,
            ),
        };
        Some(Memory { bytes: limit.saturating_sub(used), bound: Bound::Group(limit) })
    });
    left.min_by_key(|memory| memory.bytes)
}

/// Bytes that a group uses and cannot do without.
fn used(group: &Path, usage: &str, droppable: &str) -> Option<u64> {
    let used = number(&group.join(usage))?;
    let stat = groups::text(&group.join("memory.stat")).unwrap_or_default();
    let droppable = stat.lines().find_map(|line| match line.split_once(' ') {
        Some((name, bytes)) if name == droppable => bytes.trim().parse().ok(),
        _ => None,
    });
    Some(used.saturating_sub(droppable.unwrap_or(0)))
}

/// A file with one number. `max` is none, and so is what no machine has.
fn number(path: &Path) -> Option<u64> {
    /// The first version writes the largest whole page instead of `max`.
    const NONE: u64 = 1 << 60;
    groups::text(path)?.trim().parse().ok().filter(|number| *number < NONE)
}

/// What the limits of the process leave.
fn process(root: &Path) -> Option<Memory> {
    let limits = groups::text(&root.join("proc/self/limits"))?;
    let status = groups::text(&root.join("proc/self/status"))?;
    let left = |(limit, used): (&str, &str)| {
        let limit = limits.lines().find_map(|line| line.strip_prefix(limit))?;
        let limit: u64 = limit.split_whitespace().next()?.parse().ok()?;
        Some(limit.saturating_sub(kibibytes(&status, used)?))
    };
    let all = [("Max address space", "VmSize:"), ("Max data size", "VmData:")];
    let bytes = all.into_iter().filter_map(left).min()?;
    Some(Memory { bytes, bound: Bound::Process })
}

/// The bytes that a text of the system has first under a name, where they are in kibibytes.
pub fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = value.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests;
