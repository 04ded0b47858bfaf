use super::*;

#[test]
fn patterns_of_whole_texts() {
    for (pattern, regex) in [
        ("^a+$", Some("(a+)")),
        ("a|b", Some("(?s:.)*(a|b)(?s:.)*")),
        ("^(a|b)", Some("((a|b))(?s:.)*")),
        ("[^$|]\\$$", Some("(?s:.)*([^$|]\\$)")),
        ("a\\$", Some("(?s:.)*(a\\$)(?s:.)*")),
        ("^a|b$", None),
        ("(^a)b", None),
    ] {
        assert_eq!(whole(pattern).as_deref(), regex, "{pattern}");
    }
}
