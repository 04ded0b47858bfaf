use std::path::PathBuf;

use super::*;

const GIB: u64 = 1 << 30;

/// A made-up machine: files of `/proc` and `/sys` in a folder that goes with it.
struct Tree(PathBuf);

impl Tree {
    /// 16 GiB are free, and nothing limits the process.
    fn new(name: &str) -> Tree {
        let path = std::env::temp_dir().join(format!("memory-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        let meminfo = "MemTotal:       32768000 kB\nMemFree:          500000 kB\n\
                       MemAvailable:   16777216 kB\nSwapFree:        8388608 kB\n";
        Tree(path)
            .with("proc/meminfo", meminfo)
            .with("proc/self/cgroup", "0::/\n")
            .limits("unlimited", "unlimited")
            .with("proc/self/status", "VmSize:\t 1048576 kB\nVmData:\t  524288 kB\n")
    }

    fn with(self, path: &str, text: &str) -> Tree {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn group(self, path: &str, text: &str) -> Tree {
        self.with(&format!("sys/fs/cgroup/{path}"), &format!("{text}\n"))
    }

    fn limits(self, address_space: &str, data: &str) -> Tree {
        let text = format!(
            "Limit                     Soft Limit           Hard Limit           Units     \n\
             Max data size             {data}            unlimited            bytes     \n\
             Max address space         {address_space}            unlimited            bytes     \n"
        );
        self.with("proc/self/limits", &text)
    }

    fn read(&self) -> (u64, Bound) {
        let memory = read(&self.0).unwrap();
        (memory.bytes, memory.bound)
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn without_limits_it_is_what_the_machine_has() {
    assert_eq!(Tree::new("plain").read(), (16 * GIB, Bound::Machine));
    // A kernel without control groups.
    let tree = Tree::new("no-groups");
    std::fs::remove_file(tree.0.join("proc/self/cgroup")).unwrap();
    assert_eq!(tree.read(), (16 * GIB, Bound::Machine));
    let unlimited = Tree::new("unlimited").group("memory.max", "max").group("memory.high", "max");
    assert_eq!(unlimited.group("memory.current", "5000").read(), (16 * GIB, Bound::Machine));
}

#[test]
fn where_nothing_is_told_nothing_is_known() {
    assert_eq!(read(Path::new("/nowhere/at/all")), None);
    let tree = Tree::new("strange").with("proc/meminfo", "MemTotal: 1 kB\n");
    assert_eq!(read(&tree.0), None);
}

#[test]
fn a_container_is_limited_and_what_it_keeps_of_files_is_free() {
    let stat = format!("anon 1000\nfile 2000\ninactive_file {GIB}\nactive_file 7");
    let tree = Tree::new("container")
        .group("memory.max", &(4 * GIB).to_string())
        .group("memory.high", "max")
        .group("memory.current", &(2 * GIB).to_string())
        .group("memory.stat", &stat);
    assert_eq!(tree.read(), (3 * GIB, Bound::Group(4 * GIB)));
    // The group may ask to be slowed down before it is stopped.
    let tree = tree.group("memory.high", &(3 * GIB).to_string());
    assert_eq!(tree.read(), (2 * GIB, Bound::Group(3 * GIB)));
    // It may even use more than that.
    let tree = tree.group("memory.high", &(GIB / 2).to_string());
    assert_eq!(tree.read(), (0, Bound::Group(GIB / 2)));
}

#[test]
fn the_narrowest_of_nested_groups_counts() {
    let tree = Tree::new("nested")
        .with("proc/self/cgroup", "0::/user.slice/run-7.scope\n")
        .group("user.slice/memory.max", &(2 * GIB).to_string())
        .group("user.slice/memory.current", &GIB.to_string())
        .group("user.slice/run-7.scope/memory.max", &(8 * GIB).to_string())
        .group("user.slice/run-7.scope/memory.current", "0");
    assert_eq!(tree.read(), (GIB, Bound::Group(2 * GIB)));
}

#[test]
fn the_first_version_has_other_names() {
    let stat = format!("cache 1\ninactive_file 5\ntotal_inactive_file {GIB}");
    let tree = Tree::new("first")
        .with("proc/self/cgroup", "5:cpu,cpuacct:/other\n4:memory:/docker/abc\n0::/\n")
        .group("memory/memory.limit_in_bytes", "9223372036854771712")
        .group("memory/memory.usage_in_bytes", &(20 * GIB).to_string())
        .group("memory/docker/abc/memory.limit_in_bytes", &(6 * GIB).to_string())
        .group("memory/docker/abc/memory.usage_in_bytes", &(2 * GIB).to_string())
        .group("memory/docker/abc/memory.stat", &stat);
    assert_eq!(tree.read(), (5 * GIB, Bound::Group(6 * GIB)));
}

#[test]
fn limits_of_the_process_count_from_what_it_has() {
    let tree = Tree::new("ulimit").limits(&(5 * GIB).to_string(), "unlimited");
    assert_eq!(tree.read(), (4 * GIB, Bound::Process));
    let tree = tree.limits(&(5 * GIB).to_string(), &GIB.to_string());
    assert_eq!(tree.read(), (GIB / 2, Bound::Process));
}

#[test]
fn sizes_have_three_digits() {
    for (bytes, text) in [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "0.98 KiB"),
        (5 << 20, "5.00 MiB"),
        (1023 << 20, "1.00 GiB"),
        (19 * GIB / 2, "9.50 GiB"),
        (24 * GIB, "24.0 GiB"),
        (240 * GIB, "240 GiB"),
    ] {
        assert_eq!(Size(bytes).to_string(), text);
    }
}
