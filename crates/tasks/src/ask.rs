//! A question about a text, answered by quoting it.

use turn::{Form, Reply};

use crate::{Task, confidence, ended, quoted};

/// What a model says when the answer is not there.
pub const ABSENT: &str = "not in the text";

/// Words that a passage should have at most for a small model to find its way.
pub const PASSAGE_WORDS: usize = 150;

/// Passages that are asked, unless somebody wants more.
pub const PASSAGES: u16 = 4;

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The quotation; `None` if the answer is not in the text.
    pub quote: Option<String>,
    /// How sure the model is, from 0 to 1.
    pub confidence: f64,
}

/// Asks this of a text. The reply is words of the text, or [`ABSENT`].
///
/// The question stands before the text, so that the text is read with it in mind, and after it.
pub fn task(text: &str, question: &str) -> Task {
    let text = text.trim();
    let question = question.trim();
    let prompt = format!(
        "Answer with a quotation from the text, or with: {ABSENT}.\n\nQuestion: {question}\n\n\
         Text:\n{text}\n\nQuestion: {question}"
    );
    // Without words there is nothing to quote.
    let quote = match text.is_empty() {
        true => String::new(),
        false => format!(" | QUOTE\nQUOTE: %regex {{ \"substring_words\": {} }}", quoted(text)),
    };
    let grammar = format!("start: {}{quote}", quoted(ABSENT));
    Task { prompt, form: Form::Grammar(grammar) }
}

/// Reads a reply.
///
/// # Errors
/// When it did not come to its end.
pub fn read(reply: &Reply) -> Result<Answer, String> {
    ended(reply)?;
    let quote = reply.text.trim();
    let is_there = !quote.is_empty() && quote != ABSENT;
    Ok(Answer { quote: is_there.then(|| quote.to_owned()), confidence: confidence(reply) })
}

/// Of answers from several texts, the better ones first, the one that counts: the surest quotation,
/// or that none of them has it, of which one can be no surer than of the least sure of them.
pub fn best(answers: Vec<Answer>) -> Option<(usize, Answer)> {
    let surest = |a: &(usize, Answer), b: &(usize, Answer)| {
        b.1.confidence.total_cmp(&a.1.confidence).then(a.0.cmp(&b.0))
    };
    let (mut found, mut absent): (Vec<_>, Vec<_>) =
        answers.into_iter().enumerate().partition(|(_, answer)| answer.quote.is_some());
    found.sort_by(surest);
    absent.sort_by(surest);
    found.into_iter().next().or_else(|| absent.pop())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(quote: Option<&str>, confidence: f64) -> Answer {
        Answer { quote: quote.map(str::to_owned), confidence }
    }

    #[test]
    fn the_surest_quotation_counts_and_absence_only_where_all_agree() {
        let (none, low, high) =
            (answer(None, 0.99), answer(Some("a"), 0.2), answer(Some("b"), 0.6));
        let best_of = |answers: &[&Answer]| best(answers.iter().map(|a| (*a).clone()).collect());
        assert_eq!(best_of(&[&none, &low, &high]), Some((2, high.clone())));
        assert_eq!(best_of(&[&high, &high]), Some((0, high)));
        let unsure = answer(None, 0.4);
        assert_eq!(best_of(&[&none, &unsure, &none]), Some((1, unsure)));
        assert_eq!(best_of(&[]), None);
    }

    #[test]
    fn a_text_cannot_change_the_form() {
        let Form::Grammar(grammar) = task("a \"b\"\nstart: X", "?").form else { panic!() };
        assert_eq!(grammar.lines().count(), 2, "{grammar}");
        let Form::Grammar(grammar) = task("  ", "?").form else { panic!() };
        assert_eq!(grammar, "start: \"not in the text\"");
    }
}
