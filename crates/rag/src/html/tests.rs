use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::text_of;

fn text(page: &str) -> String {
    text_of(page).text().to_owned()
}

/// The first line of the source of each line of the text.
fn lines(page: &str) -> Vec<usize> {
    let found = text_of(page);
    let starts = found.text().match_indices('\n').map(|(at, _)| at + 1);
    [0].into_iter().chain(starts).map(|at| found.line_at(at)).collect()
}

#[test]
fn a_page_becomes_its_text() {
    let page = "<!doctype html><html><head><title>T</title><style>p { color: red }</style>\n\
                <body><h1>Öffnungs&shy;zeiten\n<br>im <b>M&auml;rz</b></h1>\n\
                <p>Wir   &ouml;ffnen\num 9&nbsp;Uhr.</p><p></p>\
                <p>Kommen Sie<br>vorbei!<br><br>Gern.\n\
                <ul><li>Brot<li><p>Kuchen</p></li><li></li></ul>\
                <div>Ende<div>gut</div></div></body>";
    let expected = "# Öffnungszeiten im März\n\nWir öffnen um 9 Uhr.\n\n\
                    Kommen Sie\nvorbei!\n\nGern.\n\n- Brot\n- Kuchen\n\nEnde\ngut";
    assert_eq!(text(page), expected);
}

#[test]
fn rows_are_lines() {
    let page = "<p>Prices<table><caption>2026</caption><thead><tr><th><th>A<th>B</thead>\
                <tr><td>Bread</td><td><p>2 &euro;</p><p>each</p></td><td></td></tr>\
                <tr><td></td></tr><tr> <td>Cake</td> <td></td> <td>3 €</td> </tr></table>after";
    let expected = "Prices\n\n2026\n| A | B\nBread | 2 € each\nCake | | 3 €\n\nafter";
    assert_eq!(text(page), expected);
}

#[test]
fn a_page_laid_out_in_a_table_keeps_its_lines() {
    let page = "<table><tr><td>Menu</td><td><h2>News</h2><p>We moved.</p>\
                <table><tr><td>a<td>b<tr><td>c<td>d</table>Bye</td><td>Ads</td></tr></table>";
    assert_eq!(text(page), "Menu\n\n## News\n\nWe moved.\n\na | b\nc | d\n\nBye\n\nAds");
}

#[test]
fn preformatted_text_keeps_its_blanks() {
    let page = "<pre>\nfn a() {\n    b();\n\n\n}\n</pre>x   y";
    assert_eq!(text(page), "fn a() {\n    b();\n\n}\n\nx y");
}

#[test]
fn lines_are_those_of_the_source() {
    let page = "<!-- a\ncomment -->\n<p>one\r\ntwo</p>\r\n\r\n<script>\n\n</script><p\nid=a>three";
    assert_eq!(text(page), "one two\n\nthree");
    assert_eq!(lines(page), [3, 4, 9]);
    assert_eq!(text_of(page).line_at("one t".len()), 4);
}

#[test]
fn time_is_linear_for_pages_made_to_be_slow() {
    for piece in [
        "<",
        "<!--",
        "<a b=\"",
        "<a b='\"",
        "</",
        "&",
        "&#1",
        "<table><td>",
        "<script></s",
        "<pre>\n ",
    ] {
        let page = piece.repeat(1_000_000 / piece.len());
        let start = Instant::now();
        text_of(&page);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(20), "{piece}: {took:?}");
    }
}

proptest! {
    #[test]
    fn mangled_pages_have_a_text_with_lines_in_order(
        pieces in prop::collection::vec(
            prop_oneof![
                Just("<p>"), Just("</p>"), Just("<table>"), Just("</table>"), Just("<tr>"),
                Just("<td>"), Just("</td>"), Just("<ul>"), Just("</ul>"), Just("<li>"),
                Just("<pre>"), Just("</pre>"), Just("<h2>"), Just("</h2>"), Just("<br>"),
                Just("<!--"), Just("-->"), Just("<script>"), Just("</script>"), Just("<a b='"),
                Just("'>"), Just("<"), Just("&"), Just("&#x"), Just(";"), Just("&uuml;"),
                Just("\n"), Just("\r\n"), Just(" "), Just("word"), Just("ß"), Just("\u{ad}"),
            ],
            0..60,
        )
    ) {
        let page = pieces.concat();
        let found = text_of(&page);
        let text = found.text();
        prop_assert!(text.len() <= page.len() + 3 * pieces.len());
        prop_assert!(!text.contains("\n\n\n") && !text.starts_with('\n'), "{text:?}");
        let lines: Vec<usize> = (0..text.len()).map(|at| found.line_at(at)).collect();
        prop_assert!(lines.is_sorted());
        let last = page.matches('\n').count() + 1;
        prop_assert!(lines.iter().all(|line| (1..=last).contains(line)));
    }

    #[test]
    fn any_bytes_are_a_page(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        text_of(&String::from_utf8_lossy(&bytes));
    }
}
