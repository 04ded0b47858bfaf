//! The tokens at which a reply ends.
//!
//! Files name one such token and sometimes two, but chat models end their turns with others, too.

use super::vocab::{Kind, Vocab};

/// Texts of tokens that end a turn, in every vocabulary that has them as markup.
const NAMES: [&str; 19] = [
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<|end_of_turn|>",
    "<end_of_turn>",
    "<turn|>",
    "<|tool_response>",
    "<|return|>",
    "<|call|>",
    "<|end|>",
    "<|eot|>",
    "<|eom|>",
    "<｜end▁of▁sentence｜>",
    "<end_of_utterance>",
    "<EOT>",
    "</s>",
    "<eos>",
];

/// The named ids and those found by name, in rising order.
pub(super) fn all(vocab: &Vocab, named: &[u32]) -> Vec<u32> {
    let by_name = |name: &&str| {
        vocab.id(name).filter(|&id| matches!(vocab.kind(id), Kind::Control | Kind::Defined))
    };
    let mut ids: Vec<u32> = NAMES.iter().filter_map(by_name).collect();
    // In the channels of gpt-oss `<|end|>` ends a message, and the turn goes on.
    if vocab.id("<|return|>").is_some() && vocab.id("<|call|>").is_some() {
        ids.retain(|&id| vocab.piece(id) != "<|end|>");
    }
    ids.extend_from_slice(named);
    ids.sort_unstable();
    ids.dedup();
    ids
}
