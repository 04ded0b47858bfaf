//! Every source file begins by saying what it owns.

use super::tree::{File, Finding, Tree};

pub fn check(tree: &Tree) -> Vec<Finding> {
    let concerned = tree.own(".rs").filter(|file| needs_header(file));
    let silent = concerned.filter(|file| !file.text.trim_start().starts_with("//!"));
    let message = "the file does not begin with a `//!` header that says what it owns";
    silent.map(|file| Finding::new(&file.path, 1, message)).collect()
}

fn needs_header(file: &File) -> bool {
    let is_source = file.path.starts_with("crates/") || file.path.starts_with("xtask/");
    is_source && file.path.contains("/src/") && !file.is_table() && !file.is_test()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_with_headers_and_tests_pass() {
        let tree = Tree::of(&[
            ("crates/a/src/lib.rs", "//! Owns a.\n"),
            ("crates/a/src/x/tests.rs", "use super::*;\n"),
            ("crates/a/src/x_table.rs", "pub const X: [u8; 0] = [];\n"),
            ("crates/a/tests/golden.rs", "fn main() {}\n"),
        ]);
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn a_silent_file_is_found() {
        let tree = Tree::of(&[("crates/a/src/lib.rs", "// Not a header.\nfn a() {}\n")]);
        assert_eq!(check(&tree).len(), 1);
        assert_eq!(check(&tree)[0].path, "crates/a/src/lib.rs");
    }
}
