//! The names that GGUF files give their rules, in `tokenizer.ggml.pre`.
//!
//! The file has no other word on how text is normalised, whether words that are tokens skip the
//! joins, or whether a text begins with a mark; all that follows from the name.

use super::Splitter;
use super::cased::Cased;
use super::deepseek::{self, number};
use super::gpt2::Gpt2;
use super::runs::Run;
use super::words::Words;
use crate::tokenizer::unicode::{PUNCTUATION, Set};

/// What a name stands for.
pub(in crate::tokenizer) struct Rules {
    pub(in crate::tokenizer) steps: Vec<Splitter>,
    /// Text is composed (NFC) first.
    pub(in crate::tokenizer) nfc: bool,
    /// Words that are tokens need no joins.
    pub(in crate::tokenizer) whole_words: bool,
    /// Where the file does not say, a text begins with the mark of the beginning.
    pub(in crate::tokenizer) adds_bos: bool,
}

type Make = fn() -> Rules;

/// Families of rules, with every name they go by.
const FAMILIES: [(&[&str], Make); 13] = [
    (
        &[
            "gpt-2",
            "phi-2",
            "gigachat",
            "a.x-4.0",
            "mellum",
            "exaone4",
            "jais",
            "trillion",
            "granite-docling",
        ],
        || plain(vec![Splitter::Gpt2(Gpt2)]),
    ),
    (&["olmo", "mpt"], || Rules { nfc: true, ..plain(vec![Splitter::Gpt2(Gpt2)]) }),
    (
        &[
            "smollm",
            "starcoder",
            "refact",
            "command-r",
            "codeshell",
            "exaone",
            "minerva-7b",
            "mellum2",
        ],
        || plain(vec![Splitter::Run(Run::single(number)), Splitter::Gpt2(Gpt2)]),
    ),
    (
        &["llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"],
        || Rules { whole_words: true, adds_bos: true, ..plain(words(3, false)) },
    ),
    (&["glm4", "chatglm-bpe", "dbrx", "smaug-bpe"], || plain(words(3, false))),
    (&["qwen2", "deepseek-r1-qwen", "megrez"], || Rules { nfc: true, ..plain(words(1, false)) }),
    (&["stablelm2", "hunyuan", "solar-open", "grok-2", "kormo"], || plain(words(1, false))),
    (&["qwen35"], || plain(words(1, true))),
    (&["gpt-4o", "llama4", "kanana2", "minimax-m2"], || plain(cased(3, true))),
    (&["tekken"], || Rules { whole_words: true, adds_bos: true, ..plain(cased(1, false)) }),
    (&["deepseek-llm"], || plain(deepseek::llm())),
    (&["deepseek-coder"], || plain(deepseek::coder())),
    (&["deepseek-v3", "hunyuan-dense", "joyai-llm"], || plain(deepseek::v3())),
];

/// The name of old files, and the rule of files without a name.
const DEFAULT: &str = "default";

fn plain(steps: Vec<Splitter>) -> Rules {
    Rules { steps, nfc: false, whole_words: false, adds_bos: false }
}

fn words(digits: usize, marks: bool) -> Vec<Splitter> {
    vec![Splitter::Words(Words { digits, marks })]
}

fn cased(digits: usize, contractions: bool) -> Vec<Splitter> {
    vec![Splitter::Cased(Cased { digits, contractions })]
}

/// ``[\p{P}$+<=>^~|]+``, GPT-2's rule, then digits by threes.
fn default() -> Vec<Splitter> {
    let signs = |c: char, set: Set| {
        set.meets(PUNCTUATION) || matches!(c, '$' | '+' | '<' | '=' | '>' | '^' | '~' | '|')
    };
    let digits = Run { least: 3, most: 3, ..Run::of(|c, _| c.is_ascii_digit()) };
    vec![
        Splitter::Run(Run::of(signs)),
        Splitter::Gpt2(Gpt2),
        Splitter::Run(Run::of(number)),
        Splitter::Run(digits),
    ]
}

/// The rules of that name.
pub(in crate::tokenizer) fn by_name(name: &str) -> Option<Rules> {
    if name == DEFAULT {
        return Some(plain(default()));
    }
    let family = FAMILIES.iter().find(|(names, _)| names.contains(&name))?;
    Some(family.1())
}

/// All known names, for messages.
pub(in crate::tokenizer) fn names() -> String {
    let mut names: Vec<&str> =
        FAMILIES.iter().flat_map(|(names, _)| names.iter().copied()).collect();
    names.push(DEFAULT);
    names.sort_unstable();
    names.join(", ")
}
