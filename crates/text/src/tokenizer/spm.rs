//! Byte pairs from scores: vocabularies of SentencePiece have no merges, but a score per piece.
//!
//! Two neighbours join when together they are a piece, the piece of highest score first. So every
//! cut of every piece into two pieces, or characters, is a merge whose rank is that of its score.

use super::bpe::NO_TOKEN;
use super::chars::{CharMap, single};
use super::error::Error;
use super::merge::{Merge, Merges};
use super::vocab::{Kind, Vocab};

/// Longer pieces would make building a square; the longest real one has 48 bytes.
const MOST_PIECE_BYTES: usize = 256;

/// The merges that the scores imply.
pub(super) fn merges(vocab: &Vocab, scores: &[f32]) -> Result<Merges, Error> {
    let ranks = ranks(scores)?;
    let mut list = Vec::new();
    for (id, piece, kind) in vocab.iter() {
        if kind != Kind::Text {
            continue;
        }
        if piece.len() > MOST_PIECE_BYTES {
            return Err(Error::Token { id, reason: "is longer than 256 bytes" });
        }
        let merge = Merge { rank: ranks[id as usize], id };
        for (at, _) in piece.char_indices().skip(1) {
            let (left, right) = piece.split_at(at);
            if let (Some(left), Some(right)) = (symbol(vocab, left), symbol(vocab, right)) {
                list.push((left, right, merge));
            }
        }
    }
    Ok(Merges::new(&list))
}

/// The symbols of single characters.
pub(super) fn chars(vocab: &Vocab) -> CharMap {
    let mut map = CharMap::default();
    for (id, piece, kind) in vocab.iter() {
        if let Some(c) = single(piece).filter(|_| kind == Kind::Text) {
            map.insert(c, id);
        }
    }
    map
}

fn symbol(vocab: &Vocab, piece: &str) -> Option<u32> {
    vocab.text_id(piece).or_else(|| single(piece).map(|c| NO_TOKEN | c as u32))
}

/// Rank 0 for the highest score; equal scores have equal ranks.
fn ranks(scores: &[f32]) -> Result<Vec<u32>, Error> {
    if let Some(id) = scores.iter().position(|score| score.is_nan()) {
        return Err(Error::Token { id: id as u32, reason: "has a score that is not a number" });
    }
    let mut order: Vec<u32> = (0..scores.len() as u32).collect();
    order.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]));
    let mut ranks = vec![0; scores.len()];
    for pair in order.windows(2) {
        let (last, id) = (pair[0] as usize, pair[1] as usize);
        // -0.0 sorts below 0.0 and is equal to it.
        ranks[id] = ranks[last] + u32::from(scores[last] != scores[id]);
    }
    Ok(ranks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_scores_have_equal_ranks() {
        assert_eq!(ranks(&[-1.0, 5.0, 0.0, -0.0, 5.0]).unwrap(), [2, 0, 1, 1, 0]);
        assert!(ranks(&[0.0, f32::NAN]).is_err());
        assert!(ranks(&[]).unwrap().is_empty());
    }
}
