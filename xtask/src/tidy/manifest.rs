//! As much of a `Cargo.toml` as the checks need: the members, and who depends on whom.
//!
//! Reads the plain style in which the manifests of this repository are written: one key a line,
//! arrays over several lines, sections in brackets.

/// A dependency: its name and the line that asks for it.
#[derive(Debug, PartialEq)]
pub struct Dependency {
    pub name: String,
    pub line: usize,
    /// Only tests and benchmarks see it.
    pub is_dev: bool,
}

/// The members of a workspace in their order, each with its line.
pub fn members(text: &str) -> Vec<(String, usize)> {
    let mut members = Vec::new();
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        let line = without_comment(line).trim();
        inside |= line.starts_with("members") && line.contains('[');
        if inside {
            let names = line.split('"').skip(1).step_by(2);
            members.extend(names.map(|name| (name.to_owned(), index + 1)));
            inside = !line.ends_with(']');
        }
    }
    members
}

/// All direct dependencies of a package, those for some platforms only included.
pub fn dependencies(text: &str) -> Vec<Dependency> {
    let mut found = Vec::new();
    let mut section = Section::Other;
    for (index, line) in text.lines().enumerate() {
        let (line, number) = (without_comment(line).trim(), index + 1);
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = Section::read(header);
            if let Section::One { name, is_dev } = &section {
                found.push(Dependency { name: name.clone(), line: number, is_dev: *is_dev });
            }
        } else if let (Section::Table { is_dev }, Some((key, _))) = (&section, line.split_once('='))
        {
            let name = key.trim().split('.').next().unwrap_or_default().trim_matches('"').trim();
            found.push(Dependency { name: name.to_owned(), line: number, is_dev: *is_dev });
        }
    }
    found
}

/// Packages that are used under another name, each with its line.
pub fn renamed(text: &str) -> Vec<(String, usize)> {
    let lines = text.lines().map(without_comment).enumerate();
    let names = lines.filter_map(|(index, line)| {
        let (key, value) = line.rsplit_once("package").map(|(_, rest)| rest.split_once('='))??;
        let name = value.split('"').nth(1)?;
        key.trim().is_empty().then(|| (name.to_owned(), index + 1))
    });
    names.collect()
}

enum Section {
    /// `[dependencies]`, its relatives, and the same behind `target.….`.
    Table {
        is_dev: bool,
    },
    /// `[dependencies.name]`.
    One {
        name: String,
        is_dev: bool,
    },
    Other,
}

impl Section {
    fn read(header: &str) -> Section {
        for (kind, is_dev) in
            [("dev-dependencies", true), ("build-dependencies", false), ("dependencies", false)]
        {
            let Some(at) = header.rfind(kind) else { continue };
            let is_ours = at == 0 || header.starts_with("target.");
            let rest = &header[at + kind.len()..];
            return match (is_ours, rest.strip_prefix('.')) {
                (true, None) => Section::Table { is_dev },
                (true, Some(name)) => Section::One { name: name.trim_matches('"').into(), is_dev },
                (false, _) => Section::Other,
            };
        }
        Section::Other
    }
}

/// Good for manifests, where a `#` inside a string does not happen.
fn without_comment(line: &str) -> &str {
    line.split('#').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order() {
        let text = "[workspace]\nmembers = [\n  # The door.\n  \"crates/b\",\n\
                    \"crates/a\", # a\n]\nexclude = [\"fuzz\"]\n";
        assert_eq!(members(text), [("crates/b".to_owned(), 4), ("crates/a".to_owned(), 5)]);
        assert_eq!(members("members = [\"x\"]\n\"y\""), [("x".to_owned(), 1)]);
    }

    #[test]
    fn new_names_hide_nothing() {
        let text = "[dependencies]\na = { package = \"b\" }\n[dependencies.c]\npackage=\"d\"\n\
                    e.workspace = true\nf = \"package\"\n[package]\n";
        assert_eq!(renamed(text), [("b".to_owned(), 2), ("d".to_owned(), 4)]);
    }

    #[test]
    fn all_kinds_of_dependencies_are_read() {
        let text = "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\n\
                    b = { version = \"1\" }\n[dev-dependencies]\nc = \"1\"\n\
                    [target.'cfg(unix)'.dependencies]\nd = \"1\"\n\
                    [dependencies.e]\nversion = \"1\"\n\
                    [build-dependencies]\nf = \"1\"\n[lints]\nworkspace = true\n\
                    [workspace.dependencies]\ng = \"1\"\n";
        let found = dependencies(text);
        let names: Vec<_> = found.iter().map(|one| (one.name.as_str(), one.is_dev)).collect();
        let expected =
            [("a", false), ("b", false), ("c", true), ("d", false), ("e", false), ("f", false)];
        assert_eq!(names, expected);
        assert_eq!(found[0].line, 4);
    }
}
