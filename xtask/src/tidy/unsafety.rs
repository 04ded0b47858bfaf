//! `unsafe` has three homes, and is explained wherever it stands.
//!
//! A block or an `impl` has a comment with `SAFETY:` above its statement; a function or a trait
//! says under `# Safety` what its caller owes, or has such a comment when a trait asks for it. A
//! file whose functions all ask for the same may say so once, under `# Safety` in its header.

use super::source::Source;
use super::tree::{Finding, Tree};

/// A folder with everything beneath it, or a single file.
const HOMES: [&str; 3] = ["crates/kernels/", "crates/formats/src/map.rs", "kindling/gradients/"];

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.sources() {
        let is_home = HOMES.iter().any(|home| file.path.starts_with(home));
        let lines: Vec<&str> = file.text.lines().collect();
        for at in source.words("unsafe") {
            let line = source.line(at);
            let message = if !is_home {
                "`unsafe` outside of its homes: kernels, formats::map, kindling/gradients"
            } else if let Some(message) = missing_reason(source, &lines, at) {
                if message == NO_CONTRACT && header_has_contract(&lines) {
                    continue;
                }
                message
            } else {
                continue;
            };
            findings.push(Finding::new(&file.path, line, message));
        }
    }
    findings
}

const NO_CONTRACT: &str = "no `# Safety` section says what the caller owes";

/// Whether the header of a file says what the callers of all its functions owe.
fn header_has_contract(lines: &[&str]) -> bool {
    let mut header = lines.iter().take_while(|line| line.starts_with("//!"));
    header.any(|line| line.trim_end() == "//! # Safety")
}

fn missing_reason(source: &Source, lines: &[&str], at: usize) -> Option<&'static str> {
    let reason = reason_above(lines, source.line(at));
    let is_explained = reason.contains("SAFETY:");
    match Kind::of(&source.code[at + "unsafe".len()..]) {
        Kind::Attribute | Kind::Type => None,
        Kind::Block if is_explained => None,
        Kind::Contract if is_explained || reason.contains("# Safety") => None,
        Kind::Block => Some("no `// SAFETY:` comment above this `unsafe`"),
        Kind::Contract => Some(NO_CONTRACT),
    }
}

enum Kind {
    /// `#[unsafe(no_mangle)]`
    Attribute,
    /// `unsafe fn(f32) -> f32`, a type of pointers.
    Type,
    /// A block, an `impl`, or foreign items: somebody here vouches for something.
    Block,
    /// A function or a trait: somebody else has to.
    Contract,
}

impl Kind {
    fn of(after: &str) -> Kind {
        let after = after.trim_start();
        let after = after
            .strip_prefix("extern")
            .map_or(after, |rest| rest.trim_start().trim_start_matches(['"', ' ']).trim_start());
        match after.strip_prefix("fn").map(str::trim_start) {
            Some(rest) if rest.starts_with('(') => Kind::Type,
            Some(_) => Kind::Contract,
            None if after.starts_with("trait") => Kind::Contract,
            None if after.starts_with('(') => Kind::Attribute,
            None => Kind::Block,
        }
    }
}

/// The comments of a line and of the lines above it that belong to the same statement.
fn reason_above(lines: &[&str], line: usize) -> String {
    let mut reason = lines.get(line - 1).map_or(String::new(), |own| comment_of(own));
    let mut in_comments = false;
    for above in lines[..line - 1].iter().rev().map(|above| above.trim()) {
        let is_comment = above.starts_with("//");
        let is_attribute = above.starts_with("#[") || above.ends_with(")]");
        let ends_statement = above.is_empty() || above.ends_with([';', '{', '}', ',']);
        match (is_comment, in_comments) {
            (true, _) => (in_comments, reason) = (true, format!("{reason}\n{above}")),
            (false, true) => break,
            (false, false) if ends_statement && !is_attribute => break,
            (false, false) => {}
        }
    }
    reason
}

fn comment_of(line: &str) -> String {
    line.find("//").map_or(String::new(), |at| line[at..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "crates/kernels/src/avx2.rs";

    fn messages(path: &str, text: &str) -> Vec<String> {
        let findings = check(&Tree::of(&[(path, text)]));
        findings.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn explained_unsafe_at_home_passes() {
        for text in [
            "// SAFETY: the length was checked.\nunsafe { f() }",
            "// SAFETY: the length was checked,\n// twice.\n#[inline]\nunsafe impl Send for X {}",
            "// SAFETY: the length was checked.\nlet x =\n    unsafe { f() };",
            "let x = unsafe { f() }; // SAFETY: the length was checked.",
            "/// Adds.\n///\n/// # Safety\n/// The caller has AVX2.\n\
             #[target_feature(enable = \"avx2\")]\npub unsafe fn add() {}",
            "/// # Safety\n/// Aligned.\nunsafe extern \"C\" fn f() {}",
            "type F = unsafe fn(u8);",
            "//! Kernels.\n//!\n//! # Safety\n//! The caller has AVX2.\n\nunsafe fn add() {}",
            "#[unsafe(no_mangle)]\nfn f() {}",
            "#![deny(unsafe_op_in_unsafe_fn)] // unsafe { }\nlet s = \"unsafe { }\";",
        ] {
            assert_eq!(messages(HOME, text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn unexplained_unsafe_is_found() {
        for text in [
            "unsafe { f() }",
            "// The length was checked.\nunsafe { f() }",
            "// SAFETY: for g.\nunsafe { g() };\nunsafe { f() }",
            "// SAFETY: for g.\n\nunsafe impl Send for X {}",
            "/// Adds.\nunsafe fn add() {}",
            "//! # Safety\n//! The caller has AVX2.\n\nfn add() { unsafe { f() } }",
            "mod a {\n//! # Safety\n//! Of another.\n}\nunsafe fn add() {}",
            "/// # Safety\n/// Not of this one.\nfn a() {}\nunsafe fn add() {}",
            "unsafe extern \"C\" { fn f(); }",
            "/// A trait.\nunsafe trait T {}",
        ] {
            let found = messages(HOME, text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].starts_with("no `"), "{found:?}");
        }
    }

    #[test]
    fn unsafe_elsewhere_is_found_however_well_explained() {
        let text = "// SAFETY: the length was checked.\nunsafe { f() }";
        for path in ["crates/formats/src/gguf.rs", "crates/text/src/bpe.rs", "xtask/src/main.rs"] {
            let found = messages(path, text);
            assert_eq!(found.len(), 1, "{path}");
            assert!(found[0].contains("outside of its homes"));
        }
        assert_eq!(messages("crates/formats/src/map.rs", text), Vec::<String>::new());
    }
}
