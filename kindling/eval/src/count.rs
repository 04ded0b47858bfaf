//! Counting what was right.

use std::collections::BTreeMap;

use serde_json::Value;

/// What came of one case.
#[derive(Default)]
pub struct Tally {
    pub right: bool,
    /// The right tool, whatever the arguments.
    pub nearly: bool,
    pub confidence: f64,
    /// Values that were said and right, said at all, and wanted.
    pub values: (usize, usize, usize),
    pub said: String,
}

/// A quotation as it is compared: its words, without what stands around them.
pub fn plain(text: &str) -> String {
    let around = |c: char| c.is_whitespace() || ".,;:!?\"'()“”„‚‘’|*".contains(c);
    let words = text.trim_matches(around).split_whitespace();
    words.collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Values of JSON by their places; what is null is not there.
pub fn leaves(value: &Value) -> BTreeMap<String, String> {
    fn walk(value: &Value, place: &str, out: &mut BTreeMap<String, String>) {
        match value {
            Value::Null => {}
            Value::Object(map) => {
                map.iter().for_each(|(key, value)| walk(value, &format!("{place}.{key}"), out));
            }
            Value::Array(items) => {
                let items = items.iter().enumerate();
                items.for_each(|(i, value)| walk(value, &format!("{place}[{i}]"), out));
            }
            Value::Number(number) => {
                out.insert(place.to_owned(), number.as_f64().unwrap_or(f64::NAN).to_string());
            }
            Value::String(text) => _ = out.insert(place.to_owned(), plain(text)),
            Value::Bool(yes) => _ = out.insert(place.to_owned(), yes.to_string()),
        }
    }
    let mut out = BTreeMap::new();
    walk(value, "", &mut out);
    out
}

/// Precision and recall of values in one.
pub fn f1(tallies: &[&Tally]) -> f64 {
    let sum = |part: fn(&Tally) -> usize| tallies.iter().map(|tally| part(tally)).sum::<usize>();
    let (right, said, wanted) = (sum(|t| t.values.0), sum(|t| t.values.1), sum(|t| t.values.2));
    2.0 * right as f64 / (said + wanted) as f64
}

/// How often a right answer is surer than a wrong one; nothing where there are none of either.
pub fn auroc(tallies: &[&Tally]) -> Option<f64> {
    let (right, wrong): (Vec<&&Tally>, Vec<&&Tally>) = tallies.iter().partition(|t| t.right);
    let pairs = (right.len() * wrong.len()) as f64;
    let above = |r: f64, w: f64| match r.total_cmp(&w) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    };
    let sum: f64 = right
        .iter()
        .flat_map(|r| wrong.iter().map(move |w| above(r.confidence, w.confidence)))
        .sum();
    (pairs > 0.0).then(|| sum / pairs)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quotations_are_compared_by_their_words() {
        assert_eq!(plain(" \"After 10  pm.\" "), "after 10 pm");
        assert_ne!(plain("10 pm"), plain("10 am"));
        assert_eq!(plain("1.250,00 €"), "1.250,00 €");
    }

    #[test]
    fn values_are_counted_by_place() {
        let value = json!({ "a": 1, "b": { "c": null, "d": "X " }, "e": [true, 2.50] });
        let found: Vec<_> = leaves(&value).into_iter().collect();
        let told = [(".a", "1"), (".b.d", "x"), (".e[0]", "true"), (".e[1]", "2.5")];
        assert_eq!(found, told.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn the_area_is_one_where_confidence_tells_right_from_wrong() {
        let tally = |right, confidence| Tally { right, confidence, ..Tally::default() };
        let of = |pairs: &[(bool, f64)]| {
            let tallies: Vec<Tally> = pairs.iter().map(|(r, c)| tally(*r, *c)).collect();
            auroc(&tallies.iter().collect::<Vec<_>>())
        };
        assert_eq!(of(&[(true, 0.9), (true, 0.8), (false, 0.5)]), Some(1.0));
        assert_eq!(of(&[(true, 0.1), (false, 0.5)]), Some(0.0));
        assert_eq!(of(&[(true, 0.5), (false, 0.5)]), Some(0.5));
        assert_eq!(of(&[(true, 0.5)]), None);
    }
}
