//! The files of the repository as the checks see them, from disk or from a test.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::source::Source;

/// One thing that is not as it should be.
#[derive(Debug, PartialEq)]
pub struct Finding {
    pub path: String,
    pub line: usize,
    pub message: String,
}

impl Finding {
    pub fn new(path: &str, line: usize, message: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, message: message.into() }
    }
}

/// All files that are tracked or about to be, sorted by path.
pub struct Tree {
    pub files: Vec<File>,
}

pub struct File {
    /// From the root, with forward slashes.
    pub path: String,
    pub size: u64,
    /// Empty for files that are not text, and for everything under `golden/` but its Markdown.
    pub text: String,
    /// For Rust only.
    pub source: Option<Source>,
}

impl File {
    fn new(path: &str, size: u64, text: String) -> File {
        let source = path.ends_with(".rs").then(|| Source::new(&text));
        File { path: path.to_owned(), size, text, source }
    }

    /// The name without its folders.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The path up to and without the last slash.
    pub fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Data written as code, which no limit fits.
    pub fn is_table(&self) -> bool {
        self.path.ends_with("_table.rs")
    }

    /// Whether the whole file exists for tests.
    pub fn is_test(&self) -> bool {
        let in_folder = |folder: &str| self.path.split('/').any(|part| part == folder);
        self.name() == "tests.rs" || in_folder("tests") || in_folder("benches")
    }
}

impl Tree {
    /// Reads the repository at `root`.
    pub fn load(root: &Path) -> Result<Tree, String> {
        let paths = listed(root)?;
        let files = paths.iter().filter_map(|path| load_file(root, path)).collect();
        Ok(Tree { files })
    }

    /// A tree that exists only in a test.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Tree {
        let file =
            |(path, text): &(&str, &str)| File::new(path, text.len() as u64, (*text).to_owned());
        Tree { files: files.iter().map(file).collect() }
    }

    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether a path is a file or a folder of the tree.
    pub fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        self.files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
    }

    /// The files of Rust with what was read in them.
    pub fn sources(&self) -> impl Iterator<Item = (&File, &Source)> {
        self.files.iter().filter_map(|file| Some((file, file.source.as_ref()?)))
    }

    /// Files whose path ends so, those of `golden/` aside: they come from outside.
    pub fn own(&self, ending: &str) -> impl Iterator<Item = &File> {
        let is_own = |file: &&File| !file.path.starts_with("golden/");
        self.files.iter().filter(move |file| file.path.ends_with(ending)).filter(is_own)
    }
}

/// The paths of all files that are tracked or about to be, sorted.
pub fn listed(root: &Path) -> Result<Vec<String>, String> {
    let mut paths = match listed_by_git(root) {
        Some(paths) => paths,
        None => walk(root)?,
    };
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// Files that git tracks or would track; a deleted one may still be listed.
fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    let listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(listing).current_dir(root).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let paths: Vec<String> = text.split_terminator('\0').map(str::to_owned).collect();
    (output.status.success() && !paths.is_empty()).then_some(paths)
}

/// Without git: everything that is not built and not hidden, but for the hidden folders we own.
fn walk(root: &Path) -> Result<Vec<String>, String> {
    let mut paths = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(root.join(&folder)).map_err(|error| error.to_string())?;
        for entry in entries {
            let entry = entry.map_err(|error| error.to_string())?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_hidden = name.starts_with('.') && name != ".ci" && name != ".cargo";
            if is_hidden || matches!(name.as_str(), "target" | "artifacts" | "coverage") {
                continue;
            }
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                _ => paths.push(path),
            }
        }
    }
    Ok(paths)
}

fn load_file(root: &Path, path: &str) -> Option<File> {
    let full = root.join(path);
    let size = fs::metadata(&full).ok().filter(fs::Metadata::is_file)?.len();
    let is_data = path.starts_with("golden/") && !path.ends_with(".md");
    let text = if is_data { None } else { fs::read_to_string(&full).ok() };
    Some(File::new(path, size, text.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_and_a_walk_find_this_file() {
        let root = crate::repository_root();
        let this = "xtask/src/tidy/tree.rs".to_owned();
        assert!(walk(&root).unwrap().contains(&this));
        assert!(Tree::load(&root).unwrap().has(&this));
    }

    #[test]
    fn folders_are_part_of_the_tree() {
        let tree = Tree::of(&[("a/b/c.rs", "")]);
        assert!(tree.has("a/b") && tree.has("a/b/c.rs"));
        assert!(!tree.has("a/b/c") && !tree.has("b"));
    }
}
