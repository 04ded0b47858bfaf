//! How many threads are worth starting: one for each physical core that this process may use.
//!
//! Two threads on one core share its arithmetic and its caches, and a thread beyond a container's
//! quota makes all of them wait, so neither is counted. What Linux tells about this is read below
//! a root folder, which tests make up; where it is not told, the standard library's count of
//! processors has to do.

use std::collections::BTreeSet;
use std::path::Path;

use crate::groups::{self, Group};

/// The highest number of a processor that is believed; Linux stops at 8191.
const CPU_MAX: usize = 65_535;

/// The physical cores that this process may use, no more than its share of time fills; at least 1.
pub fn usable() -> usize {
    let told = if cfg!(target_os = "linux") { count(Path::new("/")) } else { None };
    told.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// Nothing when a file is missing that every Linux has, or one holds what no Linux writes.
fn count(root: &Path) -> Option<usize> {
    let cores = physical(root)?;
    Some(cores.min(quota(root)?).max(1))
}

/// Physical cores with at least one processor that is running and open to this process.
fn physical(root: &Path) -> Option<usize> {
    let cpus = root.join("sys/devices/system/cpu");
    // The allowed ones may include what is switched off, or was never plugged in.
    let (allowed, online) = (allowed(root)?, list(&groups::text(&cpus.join("online"))?)?);
    let mut cores = BTreeSet::new();
    for cpu in allowed.intersection(&online) {
        let siblings = cpus.join(format!("cpu{cpu}/topology/thread_siblings_list"));
        let siblings = list(&groups::text(&siblings)?)?;
        if !siblings.contains(cpu) {
            return None;
        }
        cores.insert(*siblings.first()?);
    }
    Some(cores.len())
}

fn allowed(root: &Path) -> Option<BTreeSet<usize>> {
    let status = groups::text(&root.join("proc/self/status"))?;
    list(status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?)
}

/// `0-2,5` as its numbers.
fn list(text: &str) -> Option<BTreeSet<usize>> {
    let mut numbers = BTreeSet::new();
    for run in text.trim().split(',') {
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || last > CPU_MAX {
            return None;
        }
        numbers.extend(first..=last);
    }
    Some(numbers)
}

/// Processors' worth of time that control groups leave to this process, rounded up; `usize::MAX`
/// where none limits it.
fn quota(root: &Path) -> Option<usize> {
    let mut least = usize::MAX;
    for group in groups::of_process(root, "cpu")? {
        least = least.min(match group {
            Group::Version2(path) => version_2(&path)?,
            Group::Version1(path) => version_1(&path)?,
        });
    }
    Some(least)
}

/// The limit that a group of version 2 sets: microseconds, or `max`, in a period.
fn version_2(group: &Path) -> Option<usize> {
    let Some(text) = groups::text(&group.join("cpu.max")) else { return Some(usize::MAX) };
    match text.trim().split_once(' ')? {
        ("max", _) => Some(usize::MAX),
        (quota, period) => share(quota, period),
    }
}

/// The same of version 1, where -1 is no limit.
fn version_1(group: &Path) -> Option<usize> {
    let Some(quota) = groups::text(&group.join("cpu.cfs_quota_us")) else {
        return Some(usize::MAX);
    };
    match quota.trim() {
        "-1" => Some(usize::MAX),
        quota => share(quota, groups::text(&group.join("cpu.cfs_period_us"))?.trim()),
    }
}

fn share(quota: &str, period: &str) -> Option<usize> {
    let (quota, period): (usize, usize) = (quota.parse().ok()?, period.parse().ok()?);
    (period > 0).then(|| quota.div_ceil(period))
}

#[cfg(test)]
mod tests;
