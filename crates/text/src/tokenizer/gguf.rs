//! Tokenizers from the metadata of a GGUF file.

use formats::gguf::{Gguf, Value};

use super::bpe::{Bpe, Fallback, Start};
use super::chars::Seams;
use super::error::Error;
use super::markup::{Added, Markup};
use super::merge::{Merge, Merges, cut_merge};
use super::normal::{Normal, Pattern, Prepend};
use super::pre;
use super::spell::{Spelling, byte_tokens, bytes_of, fallback_bytes};
use super::vocab::{Entry, Kind, Vocab};
use super::wordpiece::WordPiece;
use super::{Cut, Model, Tokenizer, ends, normal, spm};

const TOKENS: &str = "tokenizer.ggml.tokens";
const TYPES: &str = "tokenizer.ggml.token_type";
const SCORES: &str = "tokenizer.ggml.scores";
const MERGES: &str = "tokenizer.ggml.merges";
const TEMPLATE: &str = "tokenizer.chat_template";
const GEMMA_4: &str = include_str!("gemma4.jinja");
const KNOWN_MODELS: &str = "gpt2, gemma4, llama, bert";

/// The parts in which tokenizers of the four kinds differ.
struct Parts {
    vocab: Vocab,
    normal: Vec<Normal>,
    model: Model,
    /// Tokens of `Kind::Defined` are found in the normalised text.
    defined_in_normalised: bool,
    adds: [bool; 2],
    strips_first_space: bool,
}

impl Tokenizer {
    /// The tokenizer that a GGUF file describes.
    pub fn from_gguf(file: &Gguf) -> Result<Tokenizer, Error> {
        let model = file.str("tokenizer.ggml.model")?;
        let model = model.ok_or(Error::Missing { what: "tokenizer.ggml.model" })?;
        let parts = match model {
            "gpt2" => byte_level(file),
            "gemma4" => spaced_pairs(file),
            "llama" if is_gemma_4_of_ollama(file)? => spaced_pairs(file),
            "llama" => scored(file),
            "bert" => word_pieces(file),
            name => Err(Error::UnknownModel { name: name.to_owned(), known: KNOWN_MODELS }),
        }?;
        finish(file, parts)
    }
}

fn byte_level(file: &Gguf) -> Result<Parts, Error> {
    let name = rules_of(file)?;
    let rules = pre::by_name(name)
        .ok_or_else(|| Error::UnknownPre { name: name.to_owned(), known: pre::names() })?;
    let vocab = vocab(file, Spelling::Bytes)?;
    let bpe = Bpe {
        start: Start::Bytes(byte_tokens(&vocab)),
        merges: merges(file, &vocab)?,
        fallback: Fallback { unknown: special(file, &vocab, "unknown")?, ..Fallback::default() },
        whole_words: rules.whole_words,
    };
    Ok(Parts {
        vocab,
        normal: if rules.nfc { vec![Normal::Nfc] } else { Vec::new() },
        model: Model::Pairs(bpe, Cut::Rules(rules.steps)),
        defined_in_normalised: false,
        adds: [rules.adds_bos, false],
        strips_first_space: false,
    })
}

/// The name of the rules by which words are cut. Llama 3 was published before files had one, and
/// Ollama's first files of gpt-oss name others than its own.
fn rules_of(file: &Gguf) -> Result<&str, Error> {
    if file.str("general.architecture")? == Some("gptoss") {
        return Ok("gpt-4o");
    }
    let stated = file.str("tokenizer.ggml.pre")?.unwrap_or("default");
    let is_llama_3 = || {
        let Some(Value::Array(tokens)) = file.get(TOKENS) else { return false };
        let token = tokens.strings().and_then(|mut tokens| tokens.nth(128_009));
        token == Some(Ok("<|eot_id|>"))
    };
    Ok(if stated == "default" && is_llama_3() { "llama-bpe" } else { stated })
}

/// Ollama's converter calls the tokenizer of Gemma 4 by the kind of Gemma 3's.
fn is_gemma_4_of_ollama(file: &Gguf) -> Result<bool, Error> {
    let [model, rules] = ["tokenizer.ggml.model", "tokenizer.ggml.pre"].map(|key| file.str(key));
    Ok(model? == Some("llama") && rules? == Some("gemma4"))
}

fn spaced_pairs(file: &Gguf) -> Result<Parts, Error> {
    let vocab = vocab(file, Spelling::Spaces)?;
    let merges = merges(file, &vocab)?;
    let bpe = spaced(file, &vocab, merges)?;
    let prefix = file.bool("tokenizer.ggml.add_space_prefix")?.unwrap_or(false);
    Ok(Parts {
        model: Model::Pairs(bpe, Cut::Seams(Box::new(Seams::of(&vocab)))),
        vocab,
        normal: escape(prefix),
        defined_in_normalised: false,
        adds: [false, false],
        strips_first_space: prefix,
    })
}

fn scored(file: &Gguf) -> Result<Parts, Error> {
    let vocab = vocab(file, Spelling::Spaces)?;
    let scores = file.array(SCORES)?.ok_or(Error::Missing { what: SCORES })?;
    let Some(list) = scores.f32s().filter(|list| list.len() == vocab.len()) else {
        return Err(wrong_array(SCORES, "f32", vocab.len(), &scores));
    };
    let merges = spm::merges(&vocab, &list.collect::<Vec<_>>())?;
    let bpe = spaced(file, &vocab, merges)?;
    let prefix = file.bool("tokenizer.ggml.add_space_prefix")?.unwrap_or(true);
    Ok(Parts {
        model: Model::Pairs(bpe, Cut::Seams(Box::new(Seams::of(&vocab)))),
        vocab,
        normal: escape(prefix),
        defined_in_normalised: true,
        adds: [true, false],
        strips_first_space: prefix,
    })
}

/// Byte pairs that start from characters and fall back on byte tokens.
fn spaced(file: &Gguf, vocab: &Vocab, merges: Merges) -> Result<Bpe, Error> {
    let unknown = special(file, vocab, "unknown")?;
    let by_kind = || vocab.iter().find(|&(_, _, kind)| kind == Kind::Unknown).map(|(id, _, _)| id);
    let fallback =
        Fallback { bytes: fallback_bytes(vocab), unknown: unknown.or_else(by_kind), fuse: true };
    Ok(Bpe { start: Start::Chars(spm::chars(vocab)), merges, fallback, whole_words: false })
}

fn escape(prefix: bool) -> Vec<Normal> {
    let mut steps = Vec::new();
    if prefix {
        let what = " ".to_owned();
        steps.push(Normal::Prepend(Prepend { what, first_only: false, unless_there: false }));
    }
    let pattern = Pattern::Text(" ".to_owned());
    steps.push(Normal::Replace { pattern, with: "▁".to_owned() });
    steps
}

fn word_pieces(file: &Gguf) -> Result<Parts, Error> {
    const MOST_CHARS: usize = 100;
    let vocab = vocab(file, Spelling::Spaces)?;
    let unknown = special(file, &vocab, "unknown")?.or_else(|| vocab.id("[UNK]"));
    let unknown = unknown.ok_or(Error::Missing { what: "tokenizer.ggml.unknown_token_id" })?;
    let mut model = WordPiece::new(unknown, MOST_CHARS);
    for (id, piece, kind) in vocab.iter() {
        match piece.strip_prefix('▁') {
            _ if kind != Kind::Text || piece.is_empty() || piece == "▁" => {}
            Some(start) => model.insert(start, false, id),
            None => model.insert(piece, true, id),
        }
    }
    let switches = normal::Bert { clean: true, chinese: true, accents: true, lowercase: true };
    Ok(Parts {
        vocab,
        normal: vec![Normal::Bert(switches)],
        model: Model::Pieces(model, pre::bert_words()?),
        defined_in_normalised: false,
        adds: [true, true],
        strips_first_space: false,
    })
}

fn finish(file: &Gguf, parts: Parts) -> Result<Tokenizer, Error> {
    let vocab = parts.vocab;
    let bos = special(file, &vocab, "bos")?.or(special(file, &vocab, "cls")?);
    let eos = special(file, &vocab, "eos")?;
    let last = special(file, &vocab, "seperator")?.or(eos); // The key is spelled so.
    let mut named = Vec::new();
    for key in ["eos", "eot", "eom"] {
        named.extend(special(file, &vocab, key)?);
    }
    let adds = |key, default| Ok::<_, Error>(file.bool(key)?.unwrap_or(default));
    let before = adds("tokenizer.ggml.add_bos_token", parts.adds[0])?;
    let after = adds("tokenizer.ggml.add_eos_token", parts.adds[1])?;
    let (raw, normalised) = markup(&vocab, parts.defined_in_normalised)?;
    Ok(Tokenizer {
        raw,
        normalised,
        normal: parts.normal,
        model: parts.model,
        frame: [bos.filter(|_| before), last.filter(|_| after)].map(Vec::from_iter),
        bos,
        eos,
        ends: ends::all(&vocab, &named),
        strips_first_space: parts.strips_first_space,
        templates: templates(file)?,
        rooms: Vec::new().into(),
        vocab,
    })
}

fn markup(vocab: &Vocab, defined_in_normalised: bool) -> Result<(Markup, Markup), Error> {
    let (mut raw, mut normalised) = (Vec::new(), Vec::new());
    for (id, piece, kind) in vocab.iter() {
        let control = match kind {
            Kind::Control | Kind::Unknown => true,
            Kind::Defined => false,
            Kind::Text | Kind::Byte => continue,
        };
        let later = defined_in_normalised && !control;
        let text = if later { piece.replace(' ', "▁") } else { piece.to_owned() };
        let token = Added { text, id, control, strips: (false, false), single_word: false };
        if later { normalised.push(token) } else { raw.push(token) }
    }
    Ok((Markup::new(raw)?, Markup::new(normalised)?))
}

/// Those of a file. Ollama's files of Gemma 4 have none: it writes conversations by its program.
fn templates(file: &Gguf) -> Result<Vec<(String, String)>, Error> {
    let name = |key: &str| match key.strip_prefix(TEMPLATE)? {
        "" => Some("default".to_owned()),
        rest => rest.strip_prefix('.').map(ToOwned::to_owned),
    };
    let template = |(key, value)| match value {
        Value::Str(source) => Some((name(key)?, source.to_owned())),
        _ => None,
    };
    let mut templates: Vec<_> = file.keys().filter_map(template).collect();
    if templates.is_empty() && is_gemma_4_of_ollama(file)? {
        // The smaller models, which have inputs of their own for each layer, are not shown that
        // they do not think.
        let inputs = file.u32("gemma4.embedding_length_per_layer_input")?;
        let is_small = inputs.is_some_and(|width| width > 0);
        let template = format!("{{%- set thinks_openly = {} -%}}\n{GEMMA_4}", !is_small);
        templates.push(("default".to_owned(), template));
    }
    Ok(templates)
}

/// The id under `tokenizer.ggml.NAME_token_id`, which must be a token.
fn special(file: &Gguf, vocab: &Vocab, name: &str) -> Result<Option<u32>, Error> {
    let Some(id) = file.u32(&format!("tokenizer.ggml.{name}_token_id"))? else { return Ok(None) };
    if id as usize >= vocab.len() {
        return Err(Error::Id { what: "a special token", id: id.into(), len: vocab.len() });
    }
    Ok(Some(id))
}

fn vocab(file: &Gguf, spelling: Spelling) -> Result<Vocab, Error> {
    let tokens = file.array(TOKENS)?.ok_or(Error::Missing { what: TOKENS })?;
    let Some(pieces) = tokens.byte_strings() else {
        return Err(wrong_array(TOKENS, "string", tokens.len(), &tokens));
    };
    let kinds = kinds(file, tokens.len())?;
    let mut vocab = Vocab::default();
    for ((id, piece), kind) in (0..).zip(pieces).zip(kinds) {
        let wrong = |reason| Error::Token { id, reason };
        let piece = str::from_utf8(piece).map_err(|_| wrong("is not UTF-8"))?;
        let bytes = bytes_of(piece, kind, spelling);
        let bytes = bytes.ok_or_else(|| wrong("is a byte, but not of the form <0x00>"))?;
        vocab.push(&Entry { piece, bytes: &bytes, kind })?;
    }
    Ok(vocab)
}

fn kinds(file: &Gguf, count: usize) -> Result<Vec<Kind>, Error> {
    let Some(types) = file.array(TYPES)? else { return Ok(vec![Kind::Text; count]) };
    let Some(list) = types.integers().filter(|_| types.len() == count) else {
        return Err(wrong_array(TYPES, "integer", count, &types));
    };
    let kind = |(id, number)| match number {
        2 => Ok(Kind::Unknown),
        3 => Ok(Kind::Control),
        4 => Ok(Kind::Defined),
        6 => Ok(Kind::Byte),
        0 | 1 | 5 => Ok(Kind::Text),
        _ => Err(Error::Token { id, reason: "has a type that is not known" }),
    };
    (0..).zip(list).map(kind).collect()
}

fn merges(file: &Gguf, vocab: &Vocab) -> Result<Merges, Error> {
    let array = file.array(MERGES)?.ok_or(Error::Missing { what: MERGES })?;
    let Some(lines) = array.byte_strings() else {
        return Err(wrong_array(MERGES, "string", array.len(), &array));
    };
    let mut list = Vec::with_capacity(array.len());
    for (index, line) in lines.enumerate() {
        let text = String::from_utf8_lossy(line);
        let Some((left, right, id)) = cut_merge(vocab, &text) else {
            return Err(Error::Merge { index, text: text.into_owned() });
        };
        list.push((left, right, Merge { rank: index as u32, id }));
    }
    Ok(Merges::new(&list))
}

fn wrong_array(
    key: &'static str,
    of: &str,
    count: usize,
    found: &formats::gguf::Array<'_>,
) -> Error {
    let expected = format!("{count} values of type {of}");
    Error::Array {
        key,
        expected,
        found: format!("{} of type {}", found.len(), found.kind().name()),
    }
}
