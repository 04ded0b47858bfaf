use std::path::PathBuf;

use super::*;

/// A made-up machine: files of `/proc` and `/sys` in a folder that goes with it.
struct Tree(PathBuf);

impl Tree {
    /// Processors that are all running and allowed; `cores` are their siblings' lists.
    fn new(name: &str, cores: &[&str]) -> Tree {
        let path = std::env::temp_dir().join(format!("cores-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        let tree = Tree(path);
        let online = cores.join(",");
        for siblings in cores {
            for cpu in list(siblings).unwrap() {
                tree.siblings(cpu, siblings);
            }
        }
        tree.online(&online).allowed(&online).cgroup("0::/\n")
    }

    fn write(&self, path: &str, text: &str) -> &Tree {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn siblings(&self, cpu: usize, text: &str) -> &Tree {
        let path = format!("sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
        self.write(&path, &format!("{text}\n"))
    }

    fn online(self, text: &str) -> Tree {
        self.write("sys/devices/system/cpu/online", &format!("{text}\n"));
        self
    }

    fn allowed(self, text: &str) -> Tree {
        let status = format!("Name:\thearth\nCpus_allowed:\tff\nCpus_allowed_list:\t{text}\n");
        self.write("proc/self/status", &status);
        self
    }

    fn cgroup(self, text: &str) -> Tree {
        self.write("proc/self/cgroup", text);
        self
    }

    fn group(self, path: &str, text: &str) -> Tree {
        self.write(&format!("sys/fs/cgroup/{path}"), text);
        self
    }

    fn count(&self) -> Option<usize> {
        count(&self.0)
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn siblings_count_once() {
    assert_eq!(Tree::new("plain", &["0", "1", "2", "3"]).count(), Some(4));
    assert_eq!(Tree::new("pairs", &["0,4", "1,5", "2,6", "3,7"]).count(), Some(4));
    assert_eq!(Tree::new("neighbours", &["0-1", "2-3"]).count(), Some(2));
    assert_eq!(Tree::new("four-a-core", &["0-3", "4-7"]).count(), Some(2));
    // Two fast cores with two threads each, four slow ones with one.
    assert_eq!(Tree::new("hybrid", &["0-1", "2-3", "4", "5", "6", "7"]).count(), Some(6));
}

#[test]
fn only_what_is_allowed_and_running_counts() {
    let pairs = ["0,4", "1,5", "2,6", "3,7"];
    for (allowed, cores) in [("0", 1), ("0,4", 1), ("4-5", 2), ("0-2,5,7", 4), ("1,3,6", 3)] {
        let tree = Tree::new("affinity", &pairs).allowed(allowed);
        assert_eq!(tree.count(), Some(cores), "{allowed}");
    }
    // Virtual machines with room for more processors than they have.
    assert_eq!(Tree::new("room", &["0", "1"]).allowed("0-127").count(), Some(2));
    // The kernel has taken a processor out of its sibling's list along with the processor.
    let tree = Tree::new("offline", &["0", "1,5"]).online("0-1,5").allowed("0-7");
    assert_eq!(tree.count(), Some(2));
}

#[test]
fn quotas_are_rounded_up() {
    let eight = ["0", "1", "2", "3", "4", "5", "6", "7"];
    for (max, cores) in [
        ("max 100000", 8),
        ("150000 100000", 2),
        ("100000 100000", 1),
        ("100001 100000", 2),
        ("1000 100000", 1),
        ("0 100000", 1),
        ("1600000 100000", 8),
    ] {
        let tree = Tree::new("quota", &eight).group("cpu.max", &format!("{max}\n"));
        assert_eq!(tree.count(), Some(cores), "{max}");
    }
    for (quota, cores) in [("-1", 8), ("25000", 1), ("125000", 3)] {
        let tree = Tree::new("quota-1", &eight).cgroup("3:cpu,cpuacct:/a\n0::/a\n");
        let tree = tree.group("cpu,cpuacct/a/cpu.cfs_quota_us", &format!("{quota}\n"));
        let tree = tree.group("cpu,cpuacct/a/cpu.cfs_period_us", "50000\n");
        assert_eq!(tree.count(), Some(cores), "{quota}");
    }
}

#[test]
fn the_narrowest_of_nested_groups_counts() {
    let eight = ["0", "1", "2", "3", "4", "5", "6", "7"];
    let nested = |name: &str| Tree::new(name, &eight).cgroup("0::/slice/pod/box\n");
    let tree = nested("inner").group("slice/cpu.max", "600000 100000\n");
    let tree = tree.group("slice/pod/box/cpu.max", "300000 100000\n");
    assert_eq!(tree.count(), Some(3));
    let tree = nested("outer").group("slice/cpu.max", "200000 100000\n");
    let tree = tree.group("slice/pod/cpu.max", "max 100000\n");
    let tree = tree.group("slice/pod/box/cpu.max", "300000 100000\n");
    assert_eq!(tree.count(), Some(2));
    let tree = nested("others").group("slice/pod/other/cpu.max", "100000 100000\n");
    assert_eq!(tree.count(), Some(8));
}

#[test]
fn containers_see_their_own_group_as_the_root() {
    let four = ["0", "1", "2", "3"];
    let seen_from_outside = "4:memory:/docker/1\n3:cpu,cpuacct:/docker/1\n2:cpuset:/docker/1\n";
    let tree = Tree::new("container-1", &four).cgroup(seen_from_outside);
    let tree = tree.group("cpu/cpu.cfs_quota_us", "200000\n");
    assert_eq!(tree.group("cpu/cpu.cfs_period_us", "100000\n").count(), Some(2));
    let tree = Tree::new("beside", &four).cgroup("0::/../other\n");
    let tree = tree.group("cpu.max", "300000 100000\n");
    assert_eq!(tree.group("../other/cpu.max", "100000 100000\n").count(), Some(3));
    let tree = Tree::new("colon", &four).cgroup("0::/a:b\n");
    assert_eq!(tree.group("a:b/cpu.max", "100000 100000\n").count(), Some(1));
}

#[test]
fn what_no_linux_writes_is_not_believed() {
    let two = ["0", "1"];
    for garbage in ["", "x", "0-", "-1", "1-0", "0,,1", "0-99999999999999999999", "0-4000000000"] {
        let name = "garbage";
        assert_eq!(Tree::new(name, &two).allowed(garbage).count(), None, "allowed {garbage}");
        assert_eq!(Tree::new(name, &two).online(garbage).count(), None, "online {garbage}");
        assert_eq!(Tree::new(name, &two).siblings(1, garbage).count(), None, "{garbage}");
    }
    assert_eq!(Tree::new("not-its-own", &two).siblings(1, "0").count(), None);
    for garbage in ["", "100000", "100000 0", "-5 100000", "a b", "100000 100000 100000"] {
        let tree = Tree::new("garbage-max", &two).group("cpu.max", garbage);
        assert_eq!(tree.count(), None, "{garbage}");
    }
    let tree = Tree::new("no-period", &two).cgroup("1:cpu:/\n");
    assert_eq!(tree.group("cpu/cpu.cfs_quota_us", "100000").count(), None);
    assert_eq!(Tree::new("garbage-groups", &two).cgroup("who knows\n").count(), None);
}

#[test]
fn what_is_missing() {
    let without = |path: &str| {
        let tree = Tree::new("missing", &["0", "1"]);
        std::fs::remove_file(tree.0.join(path)).unwrap();
        tree.count()
    };
    assert_eq!(without("proc/self/status"), None);
    assert_eq!(without("sys/devices/system/cpu/online"), None);
    assert_eq!(without("sys/devices/system/cpu/cpu1/topology/thread_siblings_list"), None);
    assert_eq!(without("proc/self/cgroup"), Some(2), "a kernel without control groups");
}

#[test]
fn this_machine_has_a_core() {
    // The standard library rounds a quota down, so that ours may be one more.
    let most = std::thread::available_parallelism().map_or(1, usize::from) + 1;
    assert!((1..=most).contains(&usable()), "{} of {most}", usable());
}
