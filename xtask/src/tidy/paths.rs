//! Every path that a Markdown file names in back-ticks exists.
//!
//! A word is taken for a path when it contains a slash or ends like a file of ours. What only looks
//! like one is left out by `names_no_path`. Files under `golden/` come from outside, together with
//! their READMEs, and are not checked.

use super::tree::{File, Finding, Tree};

const ENDINGS: [&str; 9] =
    [".rs", ".md", ".toml", ".json", ".py", ".sh", ".yml", ".gguf", ".safetensors"];

/// Files that belong to users, to model folders or to other projects, named without a folder.
const FOREIGN: [&str; 8] = [
    "hearth.toml",
    "sources.toml",
    "keys.json",
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "model.safetensors",
    "model.safetensors.index.json",
];

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.own(".md") {
        for (line, span) in code_spans(&file.text) {
            for word in span.split_whitespace() {
                if let Some(message) = complaint(tree, file, word) {
                    findings.push(Finding::new(&file.path, line, message));
                }
            }
        }
    }
    findings
}

fn complaint(tree: &Tree, file: &File, word: &str) -> Option<String> {
    let word = word.trim_end_matches([',', '.', ';']);
    if word.starts_with("../shared") {
        return Some(format!("`{word}` is outside of the repository"));
    }
    let path = word.split_once(':').map_or(word, |(path, _)| path).trim_end_matches('/');
    if names_no_path(word, path) || exists(tree, file, path) {
        return None;
    }
    Some(format!("`{word}` does not exist"))
}

/// `path` is the beginning of `word` up to a colon.
fn names_no_path(word: &str, path: &str) -> bool {
    let has_ending = ENDINGS.iter().any(|ending| path.ends_with(ending) && path != *ending);
    let is_wanted = has_ending || path.contains('/');
    !is_wanted
        || FOREIGN.contains(&path)
        || !is_plain(word, path)
        || path.starts_with(['-', '/']) // A flag, or a route of a server.
        || path.starts_with("target/")
        || path.split('/').any(is_placeholder)
        || (!has_ending && is_figure_of_speech(path))
}

/// No pattern, no address, no path of Rust; only a line number may follow.
fn is_plain(word: &str, path: &str) -> bool {
    let rest = word.strip_prefix(path).unwrap_or_default().trim_start_matches('/');
    let is_line = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    let is_plain = |c: char| c.is_alphanumeric() || "._-/".contains(c);
    path.chars().all(is_plain) && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_line))
}

/// A NAME in capitals stands for something else; README.md and its kind are real.
fn is_placeholder(part: &str) -> bool {
    let name = part.split('.').next().unwrap_or_default();
    let is_document = part.ends_with(".md") || !part.contains('.') && name == "LICENSE";
    name.len() > 1 && !is_document && name.chars().all(|c| c.is_ascii_uppercase())
}

/// Media types, units and alternatives, names of models.
fn is_figure_of_speech(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    let is_short = |part: &str| part.len() <= 2 || part.chars().all(|c| c.is_ascii_digit());
    matches!(first, "application" | "text" | "image" | "audio")
        || path.split('/').any(is_short)
        || first.starts_with(|c: char| c.is_uppercase())
}

/// As seen from the root, or from the folder of the file; a bare name may be that of any file.
fn exists(tree: &Tree, file: &File, path: &str) -> bool {
    let seen_from_file = resolve(file.folder(), path);
    let is_name_of_some_file = || tree.files.iter().any(|other| other.name() == path);
    tree.has(&resolve("", path)) || tree.has(&seen_from_file) || is_name_of_some_file()
}

fn resolve(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// What stands between single back-ticks outside of fenced blocks, with its line.
fn code_spans(text: &str) -> Vec<(usize, &str)> {
    let mut spans = Vec::new();
    let mut is_fenced = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        } else if !is_fenced {
            spans.extend(line.split('`').skip(1).step_by(2).map(|span| (index + 1, span)));
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("docs/map.md", text),
            ("docs/decisions/0001-x.md", ""),
            ("crates/text/src/lib.rs", ""),
            ("golden/README.md", "see `absent/file.py`"),
        ]);
        check(&tree).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn what_exists_passes() {
        for path in [
            "crates/text/src/lib.rs",
            "crates/text/src/lib.rs:12",
            "crates/text/",
            "decisions/0001-x.md",
            "../crates/text",
            "lib.rs",
            "cargo test crates/text",
        ] {
            assert_eq!(messages(&format!("See `{path}`.")), Vec::<String>::new(), "{path}");
        }
    }

    #[test]
    fn what_is_no_path_passes() {
        for word in [
            "docs/decisions/NNNN-*.md",
            "docs/<name>.md",
            "docs/….md",
            "https://example.org/a.md",
            "formats::map",
            "/v1/chat",
            "--threads 1/2/8",
            "tokens/s",
            "text/event-stream",
            "Qwen/Qwen3-0.6B",
            "target/golden/x.gguf",
            "hearth.toml",
            "FILE.safetensors {a,b}/c.rs",
        ] {
            assert_eq!(messages(&format!("See `{word}`.")), Vec::<String>::new(), "{word}");
        }
        assert_eq!(messages("```\n`absent/file.rs`\n```\nabsent/file.rs"), Vec::<String>::new());
    }

    #[test]
    fn what_does_not_exist_is_found() {
        for path in [
            "crates/text/src/absent.rs",
            "crate/text",
            "docs/absent.md:3",
            "absent.toml",
            "cargo test crates/absent",
            "text/src/lib.py",
        ] {
            assert_eq!(messages(&format!("A line.\nSee `{path}`.")).len(), 1, "{path}");
        }
        assert_eq!(messages("`../shared/x`"), ["`../shared/x` is outside of the repository"]);
    }
}
