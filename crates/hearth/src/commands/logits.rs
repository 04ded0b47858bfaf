//! `hearth logits`: the numbers behind an answer, for anyone to check against a reference.

use std::io::{BufWriter, Write};
use std::path::Path;

use engine::{Engine, Feed, Sequence, Wanted};
use formats::safetensors::Safetensors;
use rag::MOST_BYTES;

use crate::documents::text_within;
use crate::failure::Failure;
use crate::fit::Checked;
use crate::flags::Logits as Flags;
use crate::unfinished::Unfinished;
use crate::{load, named};

pub fn logits(flags: &Flags) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::writing(&flags.out, &error);
    let unfinished = Unfinished::beside(&flags.out).map_err(failed)?;
    let settings = load::settings(&flags.machine)?;
    let ids = read_ids(&flags.ids)?;
    if ids.is_empty() {
        return Err(Failure::Request(format!("{} holds no token ids", flags.ids.display())));
    }
    let model = named::path(&flags.model)?;
    let source = load::source(&model)?;
    let mut engine = load::engine(&model, &source, (settings, Checked::of(&flags.machine)))?;
    let (needed, context) = (ids.len().saturating_add(flags.greedy), engine.shape().context);
    if needed > context {
        return Err(engine::Error::ContextFull { needed, context }.into());
    }
    let mut out = BufWriter::with_capacity(1 << 20, unfinished.create().map_err(failed)?);
    out.write_all(&header(ids.len(), engine.shape().vocabulary, flags.greedy)).map_err(failed)?;
    let mut sequence = Sequence::default();
    let mut last = Vec::new();
    for tokens in ids.chunks(settings.chunk) {
        let feed = Feed { sequence: &mut sequence, tokens, wanted: Wanted::All };
        let logits = engine.step(&mut [feed])?;
        write_floats(&mut out, logits).map_err(failed)?;
        last.splice(.., logits[logits.len() - logits.len() / tokens.len()..].iter().copied());
    }
    for token in greedy(&mut engine, &mut sequence, (last, flags.greedy))? {
        out.write_all(&(token as i32).to_le_bytes()).map_err(failed)?;
    }
    let out = out.into_inner().map_err(|error| failed(error.into_error()))?;
    unfinished.finish(&out).map_err(failed)
}

/// The most probable continuation, token by token; of equals the lowest.
fn greedy(
    engine: &mut Engine,
    sequence: &mut Sequence,
    (mut last, count): (Vec<f32>, usize),
) -> Result<Vec<u32>, Failure> {
    let mut tokens = Vec::new();
    for _ in 0..count {
        tokens.push(engine::best(&last, engine.isa()));
        let feed = Feed { sequence, tokens: &tokens[tokens.len() - 1..], wanted: Wanted::Last };
        last.splice(.., engine.step(&mut [feed])?.iter().copied());
    }
    Ok(tokens)
}

/// The head of a safetensors file with both tensors, padded so that numbers lie at multiples of 8.
fn header(tokens: usize, vocabulary: usize, greedy: usize) -> Vec<u8> {
    let end = tokens * vocabulary * 4;
    let mut tensors = serde_json::json!({
        "logits": { "dtype": "F32", "shape": [tokens, vocabulary], "data_offsets": [0, end] },
    });
    if greedy > 0 {
        tensors["greedy"] = serde_json::json!({
            "dtype": "I32", "shape": [greedy], "data_offsets": [end, end + greedy * 4],
        });
    }
    let mut text = tensors.to_string();
    text.push_str(&" ".repeat(text.len().next_multiple_of(8) - text.len()));
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

fn write_floats(out: &mut impl Write, floats: &[f32]) -> std::io::Result<()> {
    floats.iter().try_for_each(|x| out.write_all(&x.to_le_bytes()))
}

fn read_ids(path: &Path) -> Result<Vec<u32>, Failure> {
    let wrong = |why: String| Failure::Request(format!("{}: {why}", path.display()));
    if path.extension().is_some_and(|extension| extension == "safetensors") {
        let file = Safetensors::open(path).map_err(|error| wrong(error.to_string()))?;
        let tensor =
            file.tensor("input_ids").ok_or_else(|| wrong("has no `input_ids`".to_owned()))?;
        return match tensor.storage.name() {
            "I32" | "U32" => words(tensor.bytes.as_chunks::<4>().0, |b| u32::from_le_bytes(*b)),
            "I64" | "U64" => words(tensor.bytes.as_chunks::<8>().0, |b| u64::from_le_bytes(*b)),
            other => Err(wrong(format!("`input_ids` is {other}; it must be I32 or I64"))),
        };
    }
    let text = text_within(path, MOST_BYTES as u64).map_err(wrong)?;
    let numbers =
        text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    let number = |word: &str| word.parse().map_err(|_| wrong(format!("`{word}` is no token id")));
    numbers.map(number).collect()
}

fn words<const N: usize, T: TryInto<u32>>(
    words: &[[u8; N]],
    read: impl Fn(&[u8; N]) -> T,
) -> Result<Vec<u32>, Failure> {
    let negative = || Failure::Request("`input_ids` holds a number that is no token id".to_owned());
    words.iter().map(|word| read(word).try_into().map_err(|_| negative())).collect()
}
