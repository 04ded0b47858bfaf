//! How large things may be. Data written as code, in `*_table.rs`, is exempt.

use super::tree::{File, Finding, Tree};

const FILE_LINES: usize = 800;
const FUNCTION_LINES: usize = 70;
const ARGUMENTS: usize = 4;
const COLUMNS: usize = 100;

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.sources().filter(|(file, _)| !file.is_table()) {
        findings.extend(check_lines(file));
        for function in source.functions() {
            let (name, lines, count) = (&function.name, function.lines.len(), function.arguments);
            let at = function.lines.start;
            if lines > FUNCTION_LINES {
                let message = format!("`{name}` has {lines} lines, more than {FUNCTION_LINES}");
                findings.push(Finding::new(&file.path, at, message));
            }
            if count > ARGUMENTS {
                let message = format!("`{name}` has {count} arguments, more than {ARGUMENTS}");
                findings.push(Finding::new(&file.path, at, message));
            }
        }
    }
    findings
}

fn check_lines(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let count = file.text.lines().count();
    if count > FILE_LINES {
        let message = format!("the file has {count} lines, more than {FILE_LINES}");
        findings.push(Finding::new(&file.path, FILE_LINES + 1, message));
    }
    for (index, line) in file.text.lines().enumerate() {
        let columns = line.chars().count();
        if columns > COLUMNS {
            let message = format!("{columns} columns, more than {COLUMNS}");
            findings.push(Finding::new(&file.path, index + 1, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)])).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn the_limits_themselves_pass() {
        let lines = "\n".repeat(FILE_LINES);
        assert_eq!(messages("a.rs", &lines), Vec::<String>::new());
        let body = "\n".repeat(FUNCTION_LINES - 1);
        let function = format!("fn f(&self, a: A, b: B, c: C, d: D) {{{body}}}");
        assert_eq!(messages("a.rs", &function), Vec::<String>::new());
        assert_eq!(messages("a.rs", &"ä".repeat(COLUMNS)), Vec::<String>::new());
    }

    #[test]
    fn one_more_than_each_limit_is_found() {
        let lines = "\n".repeat(FILE_LINES + 1);
        assert_eq!(messages("a.rs", &lines), ["the file has 801 lines, more than 800"]);
        assert_eq!(messages("a_table.rs", &lines), Vec::<String>::new());
        let body = "\n".repeat(FUNCTION_LINES);
        let function = format!("fn f(a: A, b: B, c: C, d: D, e: E) {{{body}}}");
        let found = messages("tests.rs", &function);
        assert_eq!(found, ["`f` has 71 lines, more than 70", "`f` has 5 arguments, more than 4"]);
        assert_eq!(messages("a.rs", &"x".repeat(101)), ["101 columns, more than 100"]);
    }
}
