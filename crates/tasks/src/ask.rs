//! A question about a text, answered by quoting it.

use turn::{Form, Reply};

use crate::{Task, confidence, ended, quoted};

/// What a model says when the answer is not there.
pub const ABSENT: &str = "not in the text";

/// Words that a passage should have at most for a small model to find its way.
pub const PASSAGE_WORDS: usize = 150;

/// Passages that are asked, unless somebody wants more.
pub const PASSAGES: u16 = 4;

/// How sure a quotation has to be to be the answer, unless somebody wants it otherwise: of those
/// that are less sure few are right.
pub const SURE: f64 = 0.2;

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
        false => format!(
            " | QUOTE\nQUOTE: WORDS & /(.|\\n)+/\nWORDS: %regex {{ \"substring_words\": {} }}",
            quoted(text)
        ),
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

/// What several texts say together.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The answer that counts.
    pub answer: Answer,
    /// The surest quotation, where it is not sure enough to be the answer.
    pub closest: Option<Answer>,
    /// Which of the texts the quotation is from.
    pub from: usize,
}

/// Of answers from several texts, the better ones first: the surest quotation, if it is as `sure`
/// as is wanted. Else none of them has it, of which one can be no surer than that this quotation is
/// wrong, and than the text is that says so least surely.
pub fn verdict(answers: Vec<Answer>, sure: f64) -> Option<Verdict> {
    let surest = |a: &(usize, Answer), b: &(usize, Answer)| {
        b.1.confidence.total_cmp(&a.1.confidence).then(a.0.cmp(&b.0))
    };
    let (mut found, mut absent): (Vec<_>, Vec<_>) =
        answers.into_iter().enumerate().partition(|(_, answer)| answer.quote.is_some());
    found.sort_by(surest);
    absent.sort_by(surest);
    let Some((from, quoted)) = found.into_iter().next() else {
        return absent.pop().map(|(from, answer)| Verdict { answer, closest: None, from });
    };
    if quoted.confidence >= sure {
        return Some(Verdict { answer: quoted, closest: None, from });
    }
    let unsure = absent.last().map_or(1.0, |(_, least)| least.confidence);
    let answer = Answer { quote: None, confidence: unsure.min(1.0 - quoted.confidence) };
    Some(Verdict { answer, closest: Some(quoted), from })
}

#[cfg(test)]
mod tests {
    use llguidance::api::TopLevelGrammar;
    use llguidance::toktrie::ApproximateTokEnv;
    use llguidance::{Matcher, ParserFactory};

    use super::*;

    fn answer(quote: Option<&str>, confidence: f64) -> Answer {
        Answer { quote: quote.map(str::to_owned), confidence }
    }

    #[test]
    fn the_surest_quotation_is_the_answer_if_it_is_sure_enough() {
        let (none, low, high) =
            (answer(None, 0.99), answer(Some("a"), 0.25), answer(Some("b"), 0.6));
        let of = |answers: &[&Answer], sure| {
            verdict(answers.iter().map(|a| (*a).clone()).collect(), sure)
        };
        let plain =
            |answer: &Answer, from| Some(Verdict { answer: answer.clone(), closest: None, from });
        assert_eq!(of(&[&none, &low, &high], 0.6), plain(&high, 2));
        assert_eq!(of(&[&high, &high], SURE), plain(&high, 0));
        assert_eq!(of(&[&none, &low], 0.0), plain(&low, 1));
        let doubtful = Verdict { answer: answer(None, 0.75), closest: Some(low.clone()), from: 1 };
        assert_eq!(of(&[&none, &low], 0.5), Some(doubtful));
        let unsure = answer(None, 0.4);
        let doubtful = Verdict { answer: unsure.clone(), closest: Some(low.clone()), from: 1 };
        assert_eq!(of(&[&unsure, &low, &none], 0.5), Some(doubtful));
        assert_eq!(of(&[&none, &unsure, &none], SURE), plain(&unsure, 1));
        assert_eq!(of(&[], SURE), None);
    }

    /// Whether the form of a question about a text allows this reply.
    fn allows(text: &str, reply: &str) -> bool {
        let Form::Grammar(grammar) = task(text, "?").form else { panic!() };
        let bytes = ApproximateTokEnv::single_byte_env();
        let parser = ParserFactory::new_simple(&bytes).unwrap();
        let parser = parser.create_parser(TopLevelGrammar::from_lark(grammar));
        let mut matcher = Matcher::new(parser);
        let goes_on = |byte: u8| matcher.consume_token(u32::from(byte)).is_ok();
        reply.bytes().all(goes_on) && matcher.is_accepting().unwrap()
    }

    #[test]
    fn an_answer_is_words_of_the_text_and_never_nothing() {
        let text = "It opens at nine,\nnot (see below) at ten.";
        for reply in ["not in the text", "nine", "It opens at nine,\nnot", "see below", "nine,"] {
            assert!(allows(text, reply), "{reply:?}");
        }
        for reply in ["", "It is", "ine", "not in the", "nine not"] {
            assert!(!allows(text, reply), "{reply:?}");
        }
        assert!(allows(" ", ABSENT) && !allows(" ", ""));
    }

    #[test]
    fn a_text_cannot_change_the_form() {
        let Form::Grammar(grammar) = task("a \"b\"\nstart: X", "?").form else { panic!() };
        assert_eq!(grammar.lines().count(), 3, "{grammar}");
        let Form::Grammar(grammar) = task("  ", "?").form else { panic!() };
        assert_eq!(grammar, "start: \"not in the text\"");
    }
}
