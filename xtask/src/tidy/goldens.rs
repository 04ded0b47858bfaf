//! Every golden file is read by a test.
//!
//! A test claims files by naming them in a string: any string in a call of `golden(…)`, any string
//! with a slash in it, and what follows `golden/` in a longer path. A folder claims what is beneath
//! it; `{…}` stands for one part of a name. Whether a test fails when a value is wrong is shown by
//! `cargo xtask mutate`, not here.

use super::source::{Piece, Source};
use super::tree::{File, Finding, Tree};

const FOLDER: &str = "golden/";
/// The scripts that made the files, and what they reported.
const EXEMPT: [&str; 4] = [".py", ".c", ".md", "report.json"];
const TOTAL_BYTES: u64 = 60_000_000;

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut claims = Vec::new();
    for (file, source) in tree.sources() {
        claims.extend(claims_of(file, source));
    }
    let mut findings = Vec::new();
    let mut total = 0;
    for file in &tree.files {
        let Some(path) = file.path.strip_prefix(FOLDER) else { continue };
        total += file.size;
        let is_exempt = EXEMPT.iter().any(|ending| path.ends_with(ending));
        if !is_exempt && !claims.iter().any(|claim| claim.covers(path)) {
            findings.push(Finding::new(&file.path, 1, "no test names this file or its folder"));
        }
    }
    if total > TOTAL_BYTES {
        let message = format!("{total} bytes in all, more than {TOTAL_BYTES}");
        findings.push(Finding::new("golden", 1, message));
    }
    findings
}

/// A path under `golden/`, cut where a placeholder stands.
struct Claim {
    parts: Vec<String>,
}

impl Claim {
    /// A claim begins with the name of a folder or a file: a lone placeholder claims nothing.
    fn new(literal: &str) -> Option<Claim> {
        let mut parts = vec![String::new()];
        let mut rest = literal.trim_end_matches('/');
        while let Some((before, after)) = rest.split_once('{') {
            parts.last_mut()?.push_str(before);
            parts.push(String::new());
            rest = after.split_once('}')?.1;
        }
        parts.last_mut()?.push_str(rest);
        let begins = parts[0].starts_with(|c: char| c.is_alphanumeric());
        let is_whole = parts.len() == 1 || parts[0].contains('/');
        (begins && is_whole).then_some(Claim { parts })
    }

    /// Whether a path, or a folder it lies in, fits.
    fn covers(&self, path: &str) -> bool {
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        folders.chain([path]).any(|path| fits(&self.parts, path))
    }
}

/// Whether a path consists of the parts, with anything but a slash between them.
fn fits(parts: &[String], path: &str) -> bool {
    let Some((first, others)) = parts.split_first() else { return path.is_empty() };
    let Some(rest) = path.strip_prefix(first.as_str()) else { return false };
    if others.is_empty() {
        return rest.is_empty();
    }
    let reach = rest.find('/').unwrap_or(rest.len());
    (0..=reach).filter(|at| rest.is_char_boundary(*at)).any(|at| fits(others, &rest[at..]))
}

fn claims_of(file: &File, source: &Source) -> Vec<Claim> {
    let is_test = file.is_test() || file.path.starts_with("crates/testkit/");
    let regions = source.test_regions();
    let in_test = |at: usize| is_test || regions.iter().any(|region| region.contains(&at));
    let strings = source.strings.iter().filter(|piece| in_test(piece.at));
    strings.filter_map(|piece| claim(source, piece)).collect()
}

fn claim(source: &Source, piece: &Piece) -> Option<Claim> {
    if let Some((_, path)) = piece.text.split_once("/golden/") {
        return Claim::new(path);
    }
    if piece.text.contains('/') || is_argument_of_golden(source, piece.at) {
        return Claim::new(&piece.text);
    }
    None
}

fn is_argument_of_golden(source: &Source, at: usize) -> bool {
    source.words("golden").any(|word| {
        let open = word + "golden".len();
        let is_call = source.code[open..].starts_with('(');
        is_call && source.closing(open).is_some_and(|close| (open..close).contains(&at))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDENS: [(&str, &str); 5] = [
        ("golden/README.md", ""),
        ("golden/blocks/blocks.safetensors", ""),
        ("golden/quant/dense.Q4_0.gguf", ""),
        ("golden/quant/dense.Q4_0.expected.safetensors", ""),
        ("golden/models/llama/config.json", ""),
    ];

    fn unclaimed(path: &str, text: &str) -> Vec<String> {
        let mut files = GOLDENS.to_vec();
        files.push((path, text));
        check(&Tree::of(&files)).into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn claims_by_name_by_folder_and_by_pattern() {
        let text = "fn t() {\n  golden(\"blocks\");\n\
                    let q = format!(\"quant/dense.{name}.gguf\");\n\
                    let e = root.join(\"../../golden/quant/dense.Q4_0.expected.safetensors\");\n\
                    golden(&format!(\"models/{family}/config.json\"));\n}";
        assert_eq!(unclaimed("crates/a/tests/golden.rs", text), Vec::<String>::new());
    }

    #[test]
    fn a_file_that_nobody_reads_is_found() {
        let text = "golden(\"blocks/blocks.safetensors\"); golden(\"quant/dense.{name}.gguf\");";
        let missing =
            ["golden/quant/dense.Q4_0.expected.safetensors", "golden/models/llama/config.json"];
        assert_eq!(unclaimed("crates/a/tests/golden.rs", text), missing);
    }

    #[test]
    fn only_tests_can_claim_and_only_by_saying_what() {
        let reading = "fn f() { golden(\"blocks\"); }";
        assert_eq!(unclaimed("crates/a/src/lib.rs", reading).len(), 4);
        let module = format!("#[cfg(test)]\nmod tests {{ {reading} }}");
        assert_eq!(unclaimed("crates/a/src/lib.rs", &module).len(), 3);
        for text in ["golden(&format!(\"{path}\"))", "\"blocks\"", "golden(path)", "\"{a}/{b}\""] {
            assert_eq!(unclaimed("crates/a/tests/golden.rs", text).len(), 4, "{text}");
        }
    }

    #[test]
    fn too_much_in_all_is_found() {
        let mut tree = Tree::of(&[("golden/README.md", "")]);
        tree.files[0].size = TOTAL_BYTES;
        assert_eq!(check(&tree), []);
        tree.files[0].size += 1;
        assert_eq!(check(&tree).len(), 1);
    }
}
