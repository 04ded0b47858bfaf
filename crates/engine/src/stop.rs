//! Stop strings in streamed text, wherever the tokens happen to be cut.

/// Watches a stream of text for stop strings, holding back what may be the beginning of one.
pub(crate) struct Stops {
    stops: Vec<String>,
    held: String,
    /// The one that was met.
    met: Option<String>,
}

impl Stops {
    pub fn new(stops: &[String]) -> Stops {
        Stops { stops: stops.to_vec(), held: String::new(), met: None }
    }

    /// Takes more text. Returns what may be shown now, and whether a stop string was met.
    pub fn push(&mut self, text: &str) -> (String, bool) {
        self.held.push_str(text);
        let stops = self.stops.iter().filter(|stop| !stop.is_empty());
        // The one that is complete first wins: that does not depend on where the tokens are cut.
        let met = |stop: &String| self.held.find(stop).map(|at| (at + stop.len(), at));
        let first = stops.filter_map(|stop| Some((met(stop)?, stop))).min();
        if let Some(((_, at), stop)) = first {
            self.met = Some(stop.clone());
            self.held.truncate(at);
            return (std::mem::take(&mut self.held), true);
        }
        let kept = self.held.split_off(self.held.len() - self.longest_beginning());
        (std::mem::replace(&mut self.held, kept), false)
    }

    /// What is held back, when nothing more comes.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// The stop string that was met.
    pub fn met(self) -> Option<String> {
        self.met
    }

    /// Length of the longest end of the held text with which some stop string begins.
    fn longest_beginning(&self) -> usize {
        let ends = self.held.char_indices().map(|(at, _)| &self.held[at..]);
        ends.filter(|end| self.stops.iter().any(|stop| stop.starts_with(end)))
            .map(str::len)
            .max()
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(stops: &[&str], pieces: &[&str]) -> (String, bool) {
        let stops: Vec<String> = stops.iter().map(|stop| (*stop).to_owned()).collect();
        let (mut watch, mut shown) = (Stops::new(&stops), String::new());
        for piece in pieces {
            let (text, stopped) = watch.push(piece);
            shown += &text;
            if stopped {
                return (shown, true);
            }
        }
        (shown + &watch.take(), false)
    }

    #[test]
    fn a_stop_string_may_span_pieces() {
        assert_eq!(stream(&["</end>"], &["one <", "/e", "nd", "> two"]), ("one ".to_owned(), true));
        assert_eq!(stream(&["</end>"], &["one <", "/e", "nx"]), ("one </enx".to_owned(), false));
    }

    #[test]
    fn the_stop_string_that_is_complete_first_wins_however_the_text_is_cut() {
        assert_eq!(stream(&["abcde", "c"], &["abcde"]), ("ab".to_owned(), true));
        assert_eq!(stream(&["abcde", "c"], &["abc", "de"]), ("ab".to_owned(), true));
        assert_eq!(stream(&["bc", "c"], &["abc"]), ("a".to_owned(), true));
        assert_eq!(stream(&["cd", "b"], &["abcd"]), ("a".to_owned(), true));
        assert_eq!(stream(&["aab"], &["aa", "ab"]), ("a".to_owned(), true));
        assert_eq!(stream(&["ß!"], &["Fu", "ß", "!"]), ("Fu".to_owned(), true));
    }

    #[test]
    fn no_stop_strings_hold_nothing_back() {
        let mut watch = Stops::new(&[]);
        assert_eq!(watch.push("abc"), ("abc".to_owned(), false));
    }
}
