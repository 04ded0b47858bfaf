//! The control groups of this process: where they and their parents are mounted.

use std::path::{Component, Path, PathBuf};

/// A group that may set limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// Of the hierarchy of version 2.
    Version2(PathBuf),
    /// Of version 1, in the hierarchy of the controller that was asked for.
    Version1(PathBuf),
}

/// The groups of this process and all their parents that have to do with a controller; `None` when
/// the kernel writes what no kernel writes. The mount itself counts too: in a container it is often
/// the container's own group, and the path leads nowhere.
pub(crate) fn of_process(root: &Path, controller: &str) -> Option<Vec<Group>> {
    // A kernel without control groups has no such file.
    let lines = text(&root.join("proc/self/cgroup")).unwrap_or_default();
    let mut groups = Vec::new();
    for line in lines.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, Path::new(parts.next()?));
        let mount = root.join("sys/fs/cgroup");
        if controllers.is_empty() {
            groups.extend(down(mount, path).map(Group::Version2));
        } else if controllers.split(',').any(|name| name == controller) {
            // Mounted under the names of all its controllers, under this one alone, or both.
            for mount in [mount.join(controllers), mount.join(controller)] {
                groups.extend(down(mount, path).map(Group::Version1));
            }
        }
    }
    Some(groups)
}

/// A mount and the groups on the way down to `path`.
fn down(mount: PathBuf, path: &Path) -> impl Iterator<Item = PathBuf> {
    let mut groups = vec![mount];
    for part in path.components() {
        match part {
            Component::RootDir => {}
            Component::Normal(name) => groups.extend(groups.last().map(|group| group.join(name))),
            // A group outside of what is mounted: what lies there belongs to others.
            _ => break,
        }
    }
    groups.into_iter()
}

/// A file's text, if it is there.
pub(crate) fn text(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}
