//! Copies that are kept between runs: what has not changed keeps its time, and so its build.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Makes `to` hold exactly the listed files of `from`, its own `target` aside.
pub fn mirror(from: &Path, to: &Path, files: &[String]) -> Result<(), String> {
    fs::create_dir_all(to).map_err(|error| format!("{}: {error}", to.display()))?;
    // A file may be listed by git and deleted in the working tree.
    let present: BTreeSet<&String> =
        files.iter().filter(|file| from.join(file).is_file()).collect();
    for file in files_under(to)?.iter().filter(|file| !present.contains(file)) {
        let stale = to.join(file);
        fs::remove_file(&stale).map_err(|error| format!("{}: {error}", stale.display()))?;
    }
    for file in present {
        update(&from.join(file), &to.join(file)).map_err(|error| format!("{file}: {error}"))?;
    }
    Ok(())
}

fn update(from: &Path, to: &Path) -> std::io::Result<()> {
    let content = fs::read(from)?;
    if fs::read(to).is_ok_and(|old| old == content) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(to, content)
}

/// All files beneath a folder, from there; `target` at its top is left out.
pub fn files_under(folder: &Path) -> Result<Vec<String>, String> {
    let mut files = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(inner) = folders.pop() {
        let full = folder.join(&inner);
        let at = |error: std::io::Error| format!("{}: {error}", full.display());
        for entry in fs::read_dir(&full).map_err(at)? {
            let entry = entry.map_err(at)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if inner.is_empty() { name } else { format!("{inner}/{name}") };
            if entry.path().is_file() {
                files.push(path);
            } else if path != "target" {
                folders.push(path);
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_holds_what_is_listed_and_keeps_its_target() {
        let folder = std::env::temp_dir().join(format!("mirror-{}", std::process::id()));
        let (from, to) = (folder.join("from"), folder.join("to"));
        for (path, text) in [("from/a", "new"), ("from/b/c", "c"), ("from/unlisted", "")] {
            fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
            fs::write(folder.join(path), text).unwrap();
        }
        for (path, text) in [("to/a", "old"), ("to/stale", ""), ("to/target/kept", "")] {
            fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
            fs::write(folder.join(path), text).unwrap();
        }
        mirror(&from, &to, &["a", "b/c", "deleted"].map(str::to_owned)).unwrap();
        let mut files = files_under(&to).unwrap();
        files.sort();
        assert_eq!(files, ["a", "b/c"]);
        assert_eq!(fs::read(to.join("a")).unwrap(), b"new");
        assert!(to.join("target/kept").exists());
        let before = fs::metadata(to.join("a")).unwrap().modified().unwrap();
        mirror(&from, &to, &["a", "b/c"].map(str::to_owned)).unwrap();
        assert_eq!(fs::metadata(to.join("a")).unwrap().modified().unwrap(), before);
        fs::remove_dir_all(folder).unwrap();
    }
}
