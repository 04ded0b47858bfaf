//! Tokenizers from `tokenizer.json` and the files beside it.
//!
//! Only what the published files of the supported families use is read; anything else is an
//! error that names it.

mod folder;
mod parts;
mod spec;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use super::bpe::{Bpe, Fallback, Start};
use super::chars::Seams;
use super::error::Error;
use super::markup::{Added, Markup};
use super::merge::{Merge, Merges, cut_merge, join};
use super::spell::{byte_piece, byte_tokens, fallback_bytes};
use super::vocab::{Entry, Kind, Vocab};
use super::wordpiece::WordPiece;
use super::{Cut, Model, Tokenizer, bytes, ends, normal, spm};
use parts::{After, Before};

const FILE: &str = "tokenizer.json";
const CONFIG: &str = "tokenizer_config.json";

impl Tokenizer {
    /// The tokenizer of a `tokenizer.json`, and of the `tokenizer_config.json` beside it.
    pub fn from_json(tokenizer: &[u8], config: Option<&[u8]>) -> Result<Tokenizer, Error> {
        let file: spec::File = parse(FILE, tokenizer)?;
        let config = match config {
            Some(config) => parse(CONFIG, config)?,
            None => spec::Config::default(),
        };
        check_model(&file.model)?;
        let mut before = Before::new(&file)?;
        let after = After::new(&file, before.bytes)?;
        let vocab = vocab(&file, &after)?;
        let (raw, normalised) = markup(&file, &vocab, &before)?;
        let frame = frame(&file, &config, &vocab)?;
        let id = |token: &Option<spec::Token>| vocab.id(token.as_ref()?.text());
        let (bos, eos) = (id(&config.bos_token), id(&config.eos_token));
        let normal = std::mem::take(&mut before.normal);
        let model = model(&file.model, &vocab, before)?;
        Ok(Tokenizer {
            raw,
            normalised,
            normal,
            model,
            bos: bos.or_else(|| frame[0].first().copied()),
            frame,
            eos,
            ends: ends::all(&vocab, eos.as_slice()),
            strips_first_space: after.strips_first_space,
            templates: templates(config.chat_template),
            rooms: Vec::new().into(),
            vocab,
        })
    }
}

fn parse<'a, T: serde::Deserialize<'a>>(file: &'static str, json: &'a [u8]) -> Result<T, Error> {
    serde_json::from_slice(json).map_err(|error| Error::Json { file, error })
}

fn check_model(model: &spec::Model) -> Result<(), Error> {
    let kind = model.kind.as_deref().unwrap_or("BPE");
    if !matches!(kind, "BPE" | "WordPiece") {
        let known = "BPE, WordPiece";
        return Err(Error::UnknownModel { name: kind.to_owned(), known });
    }
    let unsupported = |name: &str| Err(Error::Unsupported { what: "model", name: name.to_owned() });
    let filled = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    if model.dropout.is_some_and(|dropout| dropout != 0.0) {
        return unsupported("dropout");
    }
    if filled(&model.end_of_word_suffix) {
        return unsupported("end_of_word_suffix");
    }
    if kind == "BPE" && filled(&model.continuing_subword_prefix) {
        return unsupported("continuing_subword_prefix");
    }
    Ok(())
}

fn model(spec: &spec::Model, vocab: &Vocab, before: Before) -> Result<Model, Error> {
    if spec.kind.as_deref() == Some("WordPiece") {
        return Ok(Model::Pieces(word_pieces(spec, vocab)?, before.rules));
    }
    let bpe = pairs(spec, vocab, before.bytes)?;
    let cut = if before.rules.is_empty() && !before.bytes {
        Cut::Seams(Box::new(Seams::of(vocab)))
    } else {
        Cut::Rules(before.rules)
    };
    Ok(Model::Pairs(bpe, cut))
}

fn pairs(model: &spec::Model, vocab: &Vocab, bytes: bool) -> Result<Bpe, Error> {
    let unknown = model.unk_token.as_ref().and_then(|piece| vocab.id(piece));
    let start =
        if bytes { Start::Bytes(byte_tokens(vocab)) } else { Start::Chars(spm::chars(vocab)) };
    Ok(Bpe {
        start,
        merges: merges(model, vocab)?,
        fallback: Fallback { bytes: fallback_bytes(vocab), unknown, fuse: model.fuse_unk },
        whole_words: model.ignore_merges,
    })
}

fn merges(model: &spec::Model, vocab: &Vocab) -> Result<Merges, Error> {
    let merges = model.merges.as_ref().ok_or(Error::Missing { what: "model.merges" })?;
    let mut list = Vec::with_capacity(merges.len());
    for (index, merge) in merges.iter().enumerate() {
        let found = match merge {
            spec::Merge::Line(line) => cut_merge(vocab, line),
            spec::Merge::Pair(left, right) => join(vocab, left, right),
        };
        let Some((left, right, id)) = found else {
            let text = match merge {
                spec::Merge::Line(line) => line.clone(),
                spec::Merge::Pair(left, right) => format!("{left} {right}"),
            };
            return Err(Error::Merge { index, text });
        };
        list.push((left, right, Merge { rank: index as u32, id }));
    }
    Ok(Merges::new(&list))
}

fn word_pieces(model: &spec::Model, vocab: &Vocab) -> Result<WordPiece, Error> {
    const MOST_CHARS: usize = 200;
    let chars = model.max_input_chars_per_word.unwrap_or(100);
    if chars > MOST_CHARS {
        let name = format!("max_input_chars_per_word of {chars}");
        return Err(Error::Unsupported { what: "model", name });
    }
    let prefix = model.continuing_subword_prefix.as_deref().unwrap_or("##");
    let unknown = vocab.id(model.unk_token.as_deref().unwrap_or("[UNK]"));
    let unknown = unknown.ok_or(Error::Missing { what: "model.unk_token" })?;
    let mut pieces = WordPiece::new(unknown, chars);
    for (id, piece, _) in vocab.iter().filter(|(_, piece, _)| !piece.is_empty()) {
        match piece.strip_prefix(prefix).filter(|rest| !rest.is_empty()) {
            Some(rest) => pieces.insert(rest, true, id),
            None => pieces.insert(piece, false, id),
        }
    }
    Ok(pieces)
}

/// All tokens by id: those of the model, and those added to it.
fn vocab(file: &spec::File, after: &After) -> Result<Vocab, Error> {
    let model = file.model.vocab.0.iter().map(|(piece, id)| (*id, piece.as_str()));
    let known: HashSet<&str> = model.clone().map(|(_, piece)| piece).collect();
    let added = file.added_tokens.iter().map(|token| (token.id, token.content.as_str()));
    let added = added.filter(|(_, piece)| !known.contains(piece));
    let count = model.len() + file.added_tokens.len();
    let most = 2 * count + 4096; // Published files have gaps, but small ones.
    let len = model.clone().chain(added.clone()).map(|(id, _)| id as usize + 1).max().unwrap_or(0);
    if len > most {
        return Err(Error::Id { what: "the last piece", id: len as u64 - 1, len: count });
    }
    let mut pieces = vec![""; len];
    for (id, piece) in model {
        let first = std::mem::replace(&mut pieces[id as usize], piece);
        if !first.is_empty() {
            return Err(Error::Id { what: "one of two pieces", id: id.into(), len: count });
        }
    }
    for (id, piece) in added {
        if pieces[id as usize].is_empty() {
            pieces[id as usize] = piece;
        }
    }
    let kinds = kinds(file);
    let mut vocab = Vocab::default();
    for piece in pieces {
        let kind = kinds(piece);
        vocab.push(&Entry { piece, bytes: &bytes_of(piece, kind, after), kind })?;
    }
    Ok(vocab)
}

/// What each piece is for.
fn kinds(file: &spec::File) -> impl Fn(&str) -> Kind {
    let added: HashMap<&str, bool> =
        file.added_tokens.iter().map(|token| (token.content.as_str(), token.special)).collect();
    let byte_fallback = file.model.byte_fallback;
    let unknown = file.model.unk_token.as_deref();
    move |piece| match added.get(piece) {
        _ if piece.is_empty() => Kind::Control, // a gap between the ids
        Some(true) => Kind::Control,
        Some(false) => Kind::Defined,
        None if Some(piece) == unknown => Kind::Unknown,
        None if byte_fallback && byte_piece(piece).is_some() => Kind::Byte,
        None => Kind::Text,
    }
}

fn bytes_of(piece: &str, kind: Kind, after: &After) -> Vec<u8> {
    match kind {
        Kind::Byte => byte_piece(piece).into_iter().collect(),
        Kind::Text if after.bytes => {
            bytes::decode(piece).unwrap_or_else(|| piece.as_bytes().to_vec())
        }
        Kind::Text | Kind::Defined if !after.bytes => after.text(piece).into_bytes(),
        _ => piece.as_bytes().to_vec(),
    }
}

fn markup(file: &spec::File, vocab: &Vocab, before: &Before) -> Result<(Markup, Markup), Error> {
    let (mut raw, mut normalised) = (Vec::new(), Vec::new());
    for token in &file.added_tokens {
        let Some(id) = vocab.id(&token.content) else { continue };
        let text = if token.normalized {
            normal::apply(&before.normal, &token.content, false).into_owned()
        } else {
            token.content.clone()
        };
        let strips = (token.lstrip, token.rstrip);
        let (control, single_word) = (token.special, token.single_word);
        let added = Added { text, id, control, strips, single_word };
        if token.normalized { normalised.push(added) } else { raw.push(added) }
    }
    Ok((Markup::new(raw)?, Markup::new(normalised)?))
}

/// The ids before and after a whole text.
fn frame(file: &spec::File, config: &spec::Config, vocab: &Vocab) -> Result<[Vec<u32>; 2], Error> {
    let mut frame = [Vec::new(), Vec::new()];
    if let Some(spec) = &file.post_processor {
        post_process(spec, vocab, &mut frame)?;
    }
    let id = |wanted: Option<bool>, token: &Option<spec::Token>| {
        let token = token.as_ref().filter(|_| wanted == Some(true))?;
        vocab.id(token.text())
    };
    if frame.iter().all(Vec::is_empty) {
        frame[0].extend(id(config.add_bos_token, &config.bos_token));
        frame[1].extend(id(config.add_eos_token, &config.eos_token));
    }
    Ok(frame)
}

fn post_process(
    spec: &spec::PostProcessor,
    vocab: &Vocab,
    frame: &mut [Vec<u32>; 2],
) -> Result<(), Error> {
    use spec::PostProcessor as P;
    match spec {
        P::Sequence { processors } => {
            processors.iter().try_for_each(|spec| post_process(spec, vocab, frame))
        }
        P::ByteLevel => Ok(()),
        P::BertProcessing { sep, cls } | P::RobertaProcessing { sep, cls } => {
            for (side, (_, id)) in [(0, cls), (1, sep)] {
                frame[side].push(checked(*id, vocab)?);
            }
            Ok(())
        }
        P::TemplateProcessing { single, special_tokens } => {
            let mut side = 0;
            for piece in single {
                match piece {
                    spec::Piece::Sequence {} => side = 1,
                    spec::Piece::SpecialToken { id } => {
                        frame[side].extend(template_ids(id, special_tokens, vocab)?);
                    }
                }
            }
            Ok(())
        }
    }
}

fn template_ids(
    name: &str,
    tokens: &serde_json::Map<String, serde_json::Value>,
    vocab: &Vocab,
) -> Result<Vec<u32>, Error> {
    let listed = tokens.get(name).and_then(|token| token.get("ids")?.as_array());
    let Some(listed) = listed else {
        return Ok(vocab.id(name).into_iter().collect());
    };
    let id = |id: &serde_json::Value| {
        let id = id.as_u64().and_then(|id| u32::try_from(id).ok()).unwrap_or(u32::MAX);
        checked(id, vocab)
    };
    listed.iter().map(id).collect()
}

fn checked(id: u32, vocab: &Vocab) -> Result<u32, Error> {
    if (id as usize) < vocab.len() {
        return Ok(id);
    }
    Err(Error::Id { what: "a token of the post-processor", id: id.into(), len: vocab.len() })
}

fn templates(templates: Option<spec::Templates>) -> Vec<(String, String)> {
    match templates {
        None => Vec::new(),
        Some(spec::Templates::One(source)) => vec![("default".to_owned(), source)],
        Some(spec::Templates::Named(list)) => {
            list.into_iter().map(|named| (named.name, named.template)).collect()
        }
    }
}
