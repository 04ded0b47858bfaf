//! Words and names that are not used: unnumbered reminders, stray prints, names that say nothing,
//! and the paths of somebody's own machine.

use super::source::Source;
use super::tree::{File, Finding, Tree};

/// Good only with a number: a reminder that nobody tracks is a wish.
const REMINDERS: [&str; 3] = ["TODO", "FIXME", "XXX"];
/// Names of files, folders and modules that say nothing about what is inside.
const EMPTY_NAMES: [&str; 8] =
    ["util", "utils", "helper", "helpers", "common", "misc", "manager", "managers"];
const PRINTS: [&str; 4] = ["println", "eprintln", "print", "eprint"];
/// Where printing is the job; build scripts speak to cargo in this way.
const PRINTERS: [&str; 2] = ["crates/hearth/", "xtask/"];
/// Written in halves, for this file is checked as well.
const MACHINE_PATHS: [&str; 3] =
    [concat!("/wor", "k/"), concat!("/roo", "t/"), concat!("/tmp/ba", "sh_jobs")];

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.sources() {
        findings.extend(reminders(file, source));
        findings.extend(prints(file, source));
        findings.extend(empty_names(file, source));
    }
    findings.extend(tree.files.iter().flat_map(machine_paths));
    findings
}

fn reminders(file: &File, source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for comment in &source.comments {
        for (offset, line) in comment.text.lines().enumerate() {
            for word in REMINDERS.iter().filter(|word| has_unnumbered(line, word)) {
                let message = format!("{word} without a number, as in {word}(#12)");
                findings.push(Finding::new(&file.path, source.line(comment.at) + offset, message));
            }
        }
    }
    findings
}

fn has_unnumbered(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let is_inside = |c: char| c.is_alphanumeric() || c == '_';
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        let number = after.strip_prefix("(#").and_then(|rest| rest.split_once(')'));
        let is_numbered = number.is_some_and(|(digits, _)| digits.parse::<u32>().is_ok());
        !before.ends_with(is_inside) && !after.starts_with(is_inside) && !is_numbered
    })
}

fn prints(file: &File, source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let calls = |name: &'static str| {
        let places = source.words(name).map(move |at| (at, name));
        places.filter(|(at, name)| source.code[at + name.len()..].starts_with('!'))
    };
    for (at, name) in calls("dbg").chain(calls("todo")) {
        let message = format!("`{name}!` is for a working copy only");
        findings.push(Finding::new(&file.path, source.line(at), message));
    }
    let is_printer = PRINTERS.iter().any(|folder| file.path.starts_with(folder))
        || file.path.contains("/examples/");
    if is_printer || file.is_test() || file.name() == "build.rs" {
        return findings;
    }
    let regions = source.test_regions();
    for (at, name) in PRINTS.into_iter().flat_map(calls) {
        if !regions.iter().any(|region| region.contains(&at)) {
            let message = format!("`{name}!` in a library: return what there is to say");
            findings.push(Finding::new(&file.path, source.line(at), message));
        }
    }
    findings
}

fn empty_names(file: &File, source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let stem = file.path.trim_end_matches(".rs");
    for name in stem.split('/').filter(|part| EMPTY_NAMES.contains(part)) {
        let message = format!("a path with `{name}` in it does not say what is inside");
        findings.push(Finding::new(&file.path, 1, message));
    }
    for at in source.words("mod") {
        let after = source.code[at + "mod".len()..].trim_start();
        let name = after.split(|c: char| !c.is_alphanumeric() && c != '_').next();
        if let Some(name) = name.filter(|name| EMPTY_NAMES.contains(name)) {
            let message = format!("a module called `{name}` does not say what is inside");
            findings.push(Finding::new(&file.path, source.line(at), message));
        }
    }
    findings
}

fn machine_paths(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for path in MACHINE_PATHS.iter().filter(|path| line.contains(*path)) {
            let message = format!("`{path}` exists on somebody's machine only");
            findings.push(Finding::new(&file.path, index + 1, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        let findings = check(&Tree::of(&[(path, text)]));
        findings.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn clean_text_passes() {
        let library = "crates/text/src/bpe.rs";
        for text in [
            "// TODO(#12): faster. Not a TODOLIST, and no xxx.\nlet s = \"FIXME\";",
            "// println! is not called\nlet println = 1; writeln!(out)?;",
            "#[cfg(test)]\nmod tests {\n  fn t() { println!(); }\n}",
            "mod commonly; let manager = 1;",
        ] {
            assert_eq!(messages(library, text), Vec::<String>::new(), "{text}");
        }
        for path in [
            "crates/hearth/src/main.rs",
            "xtask/src/ci.rs",
            "crates/text/examples/a.rs",
            "x/tests.rs",
        ] {
            assert_eq!(messages(path, "eprintln!();"), Vec::<String>::new(), "{path}");
        }
    }

    #[test]
    fn unnumbered_reminders_are_found() {
        for text in ["// TODO: x", "/* \n FIXME(later) */", "//! XXX", "x; // TODO(#a)"] {
            assert_eq!(messages("crates/text/src/bpe.rs", text).len(), 1, "{text}");
        }
        let second_line = check(&Tree::of(&[("a.rs", "/*\nFIXME */")]));
        assert_eq!(second_line[0].line, 2);
    }

    #[test]
    fn prints_in_libraries_are_found() {
        for text in ["println!()", "fn f() { eprint!(\"x\") }", "std::dbg!(x)", "todo!()"] {
            assert_eq!(messages("crates/text/src/bpe.rs", text).len(), 1, "{text}");
        }
        assert_eq!(messages("crates/hearth/src/main.rs", "dbg!(x)").len(), 1);
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        assert_eq!(messages("crates/text/src/utils.rs", "").len(), 1);
        assert_eq!(messages("crates/text/tests/common/mod.rs", "").len(), 1);
        assert_eq!(messages("crates/text/src/lib.rs", "mod helpers { }").len(), 1);
    }

    #[test]
    fn machine_paths_are_found_in_any_file() {
        for path in MACHINE_PATHS {
            assert_eq!(messages("docs/a.md", &format!("one\nsee {path}x")).len(), 1, "{path}");
        }
    }
}
