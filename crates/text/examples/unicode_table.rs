//! Prints `src/tokenizer/unicode_table.rs`: the general category of every character, as ranges.
//!
//! The source is the regex engine's own Unicode data, so that a hand-written splitter and a
//! pattern that runs on the engine never disagree about a character.

use regex_automata::meta::Regex;

/// In the order of `unicode::Category`; `Cc` is split by the property White_Space.
const CATEGORIES: [&str; 30] = [
    "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe",
    "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Co", "Cs",
];
const CONTROL: u8 = 26;
const SPACING_CONTROL: u8 = 30;

fn main() {
    let mut category = vec![0u8; 0x11_0000];
    for (number, name) in CATEGORIES.iter().enumerate().skip(1) {
        if *name == "Cs" {
            continue; // Surrogates are no `char`.
        }
        let class = Regex::new(&format!("^\\p{{{name}}}$")).expect("a known category");
        for c in '\0'..=char::MAX {
            if class.is_match(c.encode_utf8(&mut [0; 4]).as_bytes()) {
                category[c as usize] = number as u8;
            }
        }
    }
    for c in '\0'..=char::MAX {
        if category[c as usize] == CONTROL && c.is_whitespace() {
            category[c as usize] = SPACING_CONTROL;
        }
    }
    print(&category);
}

fn print(category: &[u8]) {
    let starts: Vec<usize> =
        (0..category.len()).filter(|&i| i == 0 || category[i] != category[i - 1]).collect();
    println!("//! The general category of every character, as the starts of ranges.");
    println!("//!");
    println!(
        "//! Printed by `cargo run -p text --example unicode_table`. A range ends where the next"
    );
    println!("//! one starts; the numbers are those of `unicode::Category`.");
    println!();
    println!("#[rustfmt::skip]");
    println!("pub(super) static RANGES: [(u32, u8); {}] = [", starts.len());
    for row in starts.chunks(6) {
        let cells: Vec<String> =
            row.iter().map(|&i| format!("({i:#x}, {}),", category[i])).collect();
        println!("    {}", cells.join(" "));
    }
    println!("];");
}
