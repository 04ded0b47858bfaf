//! Decision records: one page each, and a number that is given once.

use std::collections::BTreeMap;

use super::tree::{Finding, Tree};

const FOLDER: &str = "docs/decisions";
const LINES: usize = 60;

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut numbers = BTreeMap::new();
    for file in tree.own(".md").filter(|file| file.folder() == FOLDER) {
        if file.name() == "README.md" {
            continue;
        }
        let Some(number) = number(file.name()) else {
            let message = "a decision is named by four digits, a dash and words";
            findings.push(Finding::new(&file.path, 1, message));
            continue;
        };
        if let Some(first) = numbers.insert(number, &file.path) {
            let message = format!("the number {number} is already that of {first}");
            findings.push(Finding::new(&file.path, 1, message));
        }
        let count = file.text.lines().count();
        if count > LINES {
            let message = format!("{count} lines: a decision fits on one page, {LINES} lines");
            findings.push(Finding::new(&file.path, LINES + 1, message));
        }
    }
    findings
}

fn number(name: &str) -> Option<&str> {
    let (number, words) = name.split_once('-')?;
    let is_number = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && words.len() > ".md".len()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_numbered_passes() {
        let page = "line\n".repeat(LINES);
        let tree = Tree::of(&[
            ("docs/decisions/0001-one-binary.md", &page),
            ("docs/decisions/0002-own-engine.md", ""),
            ("docs/decisions/README.md", ""),
        ]);
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn a_long_a_doubled_and_an_unnumbered_one_are_found() {
        let page = "line\n".repeat(LINES + 1);
        let tree = Tree::of(&[
            ("docs/decisions/0001-one-binary.md", &page),
            ("docs/decisions/0001-two-binaries.md", ""),
            ("docs/decisions/three.md", ""),
        ]);
        let lines: Vec<_> = check(&tree).into_iter().map(|finding| finding.message).collect();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[0].starts_with("61 lines"));
        assert!(lines[1].starts_with("the number 0001 is already"));
        assert!(lines[2].starts_with("a decision is named"));
    }
}
