use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::Index;
use crate::{Document, Kind};

/// An index in which each text is a document with one passage.
fn index(texts: &[&str]) -> Index {
    let mut index = Index::new().unwrap();
    for (number, text) in texts.iter().enumerate() {
        let document = Document::parse(&number.to_string(), Kind::Text, text).unwrap();
        index.add(document.passages(200)).unwrap();
    }
    index
}

/// The names of the documents that are found, the best first.
fn found(index: &Index, question: &str) -> String {
    let hits = index.search(question, 10).unwrap();
    hits.iter().map(|hit| hit.passage.document()).collect()
}

const HOUSE: [&str; 5] = [
    "Die Hausordnung gilt für alle Mieter.",
    "Die Kündigungsfrist beträgt drei Monate.",
    "Rechnungen sind binnen 14 Tagen zu zahlen.",
    "The office opens at nine. Invoices are sent by e-mail.",
    "Öffnungszeiten: Mo-Fr 9-17 Uhr. Ansprechpartner: Frau Müller, Große Straße 5.",
];

#[test]
fn words_are_found_in_other_forms() {
    let index = index(&HOUSE);
    for (question, first) in [
        ("Wann muss ich die Rechnung bezahlen?", '2'),
        ("When is the opening of the office?", '3'),
        ("how is an invoice sent", '3'),
        ("OEFFNUNGSZEITEN", '4'),
        ("Wo finde ich Frau Mueller?", '4'),
        ("grosse strassen", '4'),
        ("Öffnung", '4'),
        ("Gilt eine Frist?", '0'),
        ("Welche Frist?", '1'),
        ("Kündigungsfristen der Mieterin", '1'),
        ("Hausordnungsverstoß", '0'),
    ] {
        let found = found(&index, question);
        assert_eq!(found.chars().next(), Some(first), "{question}: {found}");
    }
}

#[test]
fn what_is_part_of_a_word_counts_less_than_the_word() {
    let texts = ["Kündigungsfrist und Zahlungsfrist", "Eine Frist", "Zahlung", "nichts"];
    assert_eq!(found(&index(&texts), "Frist"), "1");
    assert_eq!(found(&index(&texts[..1]), "Frist"), "0");
    assert_eq!(
        found(&index(&["Rechnungsnummer 5", "Rechnung 6", "a", "b", "c"]), "Rechnung"),
        "10"
    );
}

#[test]
fn stop_words_count_only_alone() {
    let texts = ["Was ist das? Das ist es.", "Der Preis.", "b", "c"];
    let index = index(&texts);
    assert_eq!(found(&index, "Was ist der Preis?"), "1");
    assert_eq!(found(&index, "Was ist das?"), "0");
}

#[test]
fn equals_come_in_the_order_of_adding() {
    let index = index(&["rent one", "other", "rent two", "other", "rent six", "other", "other"]);
    assert_eq!(found(&index, "rent"), "024");
    let hits = index.search("rent", 2).unwrap();
    assert_eq!(hits.len(), 2);
    assert!(hits[0].score > 0.0);
}

#[test]
fn when_nothing_fits_the_first_ones_come() {
    let index = index(&HOUSE);
    for question in ["", "???", "xylophone", "\"", "日本"] {
        let hits = index.search(question, 2).unwrap();
        let names: Vec<_> = hits.iter().map(|hit| (hit.passage.document(), hit.score)).collect();
        assert_eq!(names, [("0", 0.0), ("1", 0.0)], "{question}");
    }
    assert!(Index::new().unwrap().search("anything", 3).unwrap().is_empty());
    assert!(self::index(&["", "\n"]).search("anything", 3).unwrap().is_empty());
}

#[test]
fn the_syntax_of_searches_is_only_text() {
    let index = index(&["one", "two near", "three and", "four not", "five"]);
    for (question, expected) in [
        ("NEAR(", "1"),
        ("\" OR * NOT stems:five ^", "4"),
        ("AND", "2"),
        ("-four", "3"),
        ("(five OR \"one\")) AND NEAR(two, 5) {stems} + *", "014"),
        ("five\0'; DROP TABLE passages; --", "4"),
    ] {
        let mut names: Vec<char> = found(&index, question).chars().collect();
        names.sort_unstable();
        assert_eq!(names.into_iter().collect::<String>(), expected, "{question}");
    }
}

#[test]
fn a_long_question_and_a_large_file_take_bounded_time() {
    let start = Instant::now();
    let mut text = String::new();
    for number in 0..250_000 {
        text.push_str(&format!(
            "Position {number}: Lieferung am Werktag, bezahlt und geprüft, nach Plan.\n"
        ));
    }
    let mut index = Index::new().unwrap();
    let document = Document::parse("large", Kind::Text, &text).unwrap();
    index.add(document.passages(160)).unwrap();
    let hits = index.search("Was war Position 123456?", 3).unwrap();
    let citation = hits[0].passage.cite("123456", "").unwrap();
    assert_eq!(citation.to_string(), "large:123457");
    let many: String = (0..100_000).map(|number| format!("Wort{number} ")).collect();
    index.search(&many, 3).unwrap();
    assert!(start.elapsed() < Duration::from_secs(120), "{:?}", start.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_question_is_answered(question in ".{0,80}", most in 0_usize..4) {
        let index = index(&HOUSE);
        let hits = index.search(&question, most).unwrap();
        prop_assert!(hits.len() <= most);
        prop_assert!(hits.is_sorted_by(|one, other| one.score >= other.score));
        prop_assert!(most == 0 || !hits.is_empty());
    }
}
