use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::{Document, Kind, Passage};

fn passages(kind: Kind, text: &str, most: usize) -> Vec<Passage> {
    Document::parse("a", kind, text).unwrap().passages(most)
}

fn texts(kind: Kind, text: &str, most: usize) -> Vec<String> {
    passages(kind, text, most).iter().map(|passage| passage.text().to_owned()).collect()
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

/// A sentence of so many words.
fn sentence(count: usize) -> String {
    format!("Word{}.", " word".repeat(count - 1))
}

#[test]
fn small_neighbours_are_one_passage() {
    let text = "# A\n\nOne.\n\n## B\n\nTwo.\n\n- three\n- four\n";
    assert_eq!(texts(Kind::Markdown, text, 100), [text.trim_end()]);
    assert_eq!(texts(Kind::Text, "", 100), Vec::<String>::new());
    assert_eq!(texts(Kind::Html, "<p> <!-- -->", 100), Vec::<String>::new());
}

#[test]
fn the_best_place_of_the_second_half_is_taken() {
    let parts = |middle: &str| format!("{}{middle}{} {}", sentence(40), sentence(20), sentence(24));
    for (middle, first) in [("\n\n", 40), ("\n- ", 40), (" ", 60), ("\n", 60)] {
        let found = texts(Kind::Text, &parts(middle), 80);
        assert_eq!(words(&found[0]), first, "{middle:?}: {found:?}");
        assert_eq!(found.len(), 2);
    }
}

#[test]
fn a_heading_goes_with_the_passages_below_it() {
    let w40 = sentence(40);
    let text = format!("# Shop\n\n{w40}\n\n## Prices\n\n{w40}\n\n{w40}\n\n## Hours\n\n{w40}");
    let found = passages(Kind::Markdown, &text, 80);
    let found: Vec<_> = found.iter().map(|one| (one.text(), one.lines())).collect();
    let expected = [
        (&*format!("# Shop\n\n{w40}"), 1..=3),
        (&*format!("# Shop\n## Prices\n\n{w40}"), 5..=7),
        (&*format!("# Shop\n## Prices\n{w40}"), 9..=9),
        (&*format!("# Shop\n## Hours\n\n{w40}"), 11..=13),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_carried_heading_is_cited_by_its_own_line() {
    let text = format!("Hausordnung\n\n{0}\n\n{0}\n\nRuhe ab 22 Uhr.", sentence(32));
    let found = passages(Kind::Text, &text, 64);
    let last = found.last().unwrap();
    assert_eq!(last.lines(), 5..=7);
    assert_eq!(last.cite("Hausordnung", "").unwrap().to_string(), "a:1");
    assert_eq!(last.cite("22 Uhr", "").unwrap().to_string(), "a:7");
}

#[test]
fn fences_have_no_headings() {
    let text = format!("# A\n\n```\n# no heading\n\n{}\n```\n\n{}", "x\n".repeat(20), sentence(20));
    let found = texts(Kind::Markdown, &text, 24);
    assert!(found.len() > 1 && found[1..].iter().all(|one| !one.contains("# no")), "{found:?}");
}

#[test]
fn what_has_no_end_is_cut_all_the_same() {
    for text in ["x".repeat(10_000), "ä ".repeat(5_000), "(\"§.".repeat(2_000), sentence(900)] {
        let found = texts(Kind::Text, &text, 60);
        assert!(found.len() > 5);
        assert!(found.iter().all(|one| words(one) <= 60 && one.len() <= 60 * 16));
    }
}

#[test]
fn time_is_linear_for_large_and_hostile_files() {
    let line = "Der Mieter zahlt am 3. Werktag. He pays 5 € (see no. 7)!\n";
    let hostile =
        ["a.", ". ", "x", "# a\n", "- \n", "(", "?)", "'. "].map(|piece| (piece, 2_000_000));
    for (piece, bytes) in [(line, 20_000_000)].into_iter().chain(hostile) {
        let text = piece.repeat(bytes / piece.len());
        let start = Instant::now();
        let found = passages(Kind::Markdown, &text, 160);
        let took = start.elapsed();
        assert!(!found.is_empty() && took < Duration::from_secs(60), "{piece}: {took:?}");
    }
}

proptest! {
    #[test]
    fn passages_have_all_words_in_order_and_are_small(
        pieces in prop::collection::vec(
            prop_oneof![
                Just("# "), Just("## "), Just("\n"), Just("\n\n"), Just("- "), Just("| "),
                Just("word "), Just("Wort. "), Just("z. B. "), Just("==="), Just("```\n"),
                Just("\r\n"), Just("§ 5"), Just("                    "),
                Just("Donaudampfschifffahrt"),
            ],
            0..200,
        ),
        most in 8_usize..60,
        kind in prop_oneof![Just(Kind::Text), Just(Kind::Markdown)],
    ) {
        let text = pieces.concat();
        let document = Document::parse("a", kind, &text).unwrap();
        let found = document.passages(most);
        let source: Vec<&str> = text.split('\n').collect();
        let mut own = String::new();
        for passage in &found {
            prop_assert!(words(passage.text()) <= most, "{passage:?}");
            // What is its own comes last, below the headings that are carried.
            let (first, last) = (*passage.lines().start(), *passage.lines().end());
            prop_assert!(first <= last && last <= source.len());
            let line = passage.text().lines().next_back().unwrap_or_default();
            prop_assert!(source[last - 1].contains(line.trim()), "{passage:?}");
            let mut at = 0;
            for line in passage.text().split_inclusive('\n') {
                if passage.body.line_at(at) >= first {
                    own.push_str(line);
                }
                at += line.len();
            }
            own.push(' ');
        }
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        prop_assert_eq!(bare(&own), bare(&text));
    }
}
