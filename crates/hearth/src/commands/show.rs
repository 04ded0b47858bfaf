//! `hearth show`: what is in a model file, without loading it.

mod measure;

use std::io::{Write, stdout};
use std::path::Path;

use arch::{Keeps, Shape, Source};
use engine::memory::Size;
use engine::{Demand, Need};
use formats::gguf::Value as Metadata;
use serde_json::{Value, json};

use crate::about::{storages, totals};
use crate::failure::Failure;
use crate::flags::{Kv, Show as Flags};
use crate::named::{self, Named};
use crate::output::{count, size, visible};
use crate::{fit, load};

pub fn show(flags: &Flags) -> Result<(), Failure> {
    let named = named::find(&flags.model)?;
    if flags.measure {
        return measure::measure(flags, &named.path);
    }
    let source = load::source(&named.path)?;
    if flags.json {
        let mut report = as_json(&source);
        report["memory"] = needed((flags, &named.path), &source)
            .map_or(Value::Null, |(need, demand)| measure::as_json(&need, demand));
        report["pinned"] = json!(named.pinned);
        return Ok(writeln!(stdout(), "{report:#}")?);
    }
    if flags.template {
        return print_template(&named.path, &source);
    }
    print_summary((flags, &named), &source)?;
    if flags.keys {
        print_keys(&source)?;
    }
    if flags.tensors {
        print_tensors(&source)?;
    }
    Ok(())
}

fn print_summary((flags, named): (&Flags, &Named), source: &Source) -> Result<(), Failure> {
    let (mut out, tensors) = (stdout(), source.tensors());
    let (numbers, bytes) = totals(source);
    let kind = match source.gguf() {
        Some(gguf) => format!("GGUF version {}", gguf.version()),
        None => "Hugging Face folder".to_owned(),
    };
    writeln!(out, "{}\n", flags.model.display())?;
    let mut line = |name: &str, value: String| writeln!(out, "  {name:<14} {}", visible(&value));
    if let Some(pinned) = &named.pinned {
        line("source", pinned.source.clone())?;
        line("revision", pinned.revision.clone())?;
        line("pinned", format!("{} by {}", pinned.pinned, pinned.by))?;
        line("digest", pinned.digest().to_string())?;
        if let Some(key) = &pinned.signed {
            line("signed by", key.clone())?;
        }
        if let Some(licence) = &pinned.licence {
            line("licence", licence.clone())?;
        }
    }
    line("format", kind)?;
    line("architecture", source.architecture().unwrap_or_else(|_| "not stated".to_owned()))?;
    if let Some(name) = source.gguf().and_then(|gguf| gguf.str("general.name").ok().flatten()) {
        line("name", name.to_owned())?;
    }
    line("parameters", count(numbers))?;
    line("tensors", format!("{}, {} in all", tensors.len(), size(bytes)))?;
    for (storage, (tensors, bytes)) in storages(source) {
        line("", format!("{storage:<8} {tensors:>5} tensors {:>8}", size(bytes)))?;
    }
    match arch::load_keeping(source, flags.machine.kv.map(Kv::kept)) {
        Ok(model) => {
            let shape = model.shape();
            line("family", shape.family.to_owned())?;
            line("layers", format!("{} of width {}", shape.layers, shape.hidden))?;
            line("vocabulary", shape.vocabulary.to_string())?;
            line("context", format!("{} tokens", shape.context))?;
            line("cache", cache(shape))?;
            if let Ok((need, demand)) = needed((flags, &named.path), source) {
                line("memory", fit::parts(&need, demand))?;
                line("", format!("{} in all", Size(need.total())))?;
            }
        }
        Err(error) => line("cannot run", error.to_string())?,
    }
    match load::tokenizer(&named.path, source) {
        Ok(tokenizer) => {
            line("tokenizer", format!("{} tokens", tokenizer.len()))?;
            let template = tokenizer.chat_template().is_some();
            line("chat template", if template { "yes" } else { "none" }.to_owned())?;
        }
        Err(_) => line("tokenizer", "none that hearth can use".to_owned())?,
    }
    Ok(())
}

/// What the model will take for what is asked of it.
fn needed((flags, path): (&Flags, &Path), source: &Source) -> Result<(Need, Demand), Failure> {
    let settings = load::settings(&flags.machine)?;
    let fit = fit::of(path, source, settings)?;
    let demand = fit::demand(&fit, settings, flags.users.into());
    Ok((fit.need(demand), demand))
}

/// What is kept of a conversation: what grows with it, and what does not.
fn cache(shape: &Shape) -> String {
    let (all, others): (Vec<_>, Vec<_>) =
        shape.caches.iter().partition(|cache| cache.keeps == Keeps::All);
    let per_thousand: usize = all.iter().map(|cache| cache.page_len * 4 * 1000 / 64).sum();
    let whole = others.iter().map(|cache| cache.bytes(shape.context, 1)).sum();
    match (per_thousand as u64, whole) {
        (growing, 0) => format!("{} per 1000 tokens", size(growing)),
        (growing, whole) => {
            format!("{} per 1000 tokens and at most {} besides", size(growing), size(whole))
        }
    }
}

fn print_template(path: &Path, source: &Source) -> Result<(), Failure> {
    let tokenizer = load::tokenizer(path, source)?;
    match tokenizer.chat_template() {
        Some(template) => Ok(writeln!(stdout(), "{}", visible(template))?),
        None => Err(Failure::Request("the model has no chat template".to_owned())),
    }
}

fn print_keys(source: &Source) -> Result<(), Failure> {
    let mut out = stdout();
    writeln!(out)?;
    match source.gguf() {
        Some(gguf) => {
            for (key, value) in gguf.keys() {
                writeln!(out, "  {} = {}", visible(key), printable(&value))?;
            }
        }
        None => {
            let config = format!("{:#}", source.config().unwrap_or(&Value::Null));
            writeln!(out, "{}", visible(&config))?;
        }
    }
    Ok(())
}

fn print_tensors(source: &Source) -> Result<(), Failure> {
    let mut out = stdout();
    writeln!(out)?;
    for tensor in source.tensors() {
        let (storage, shape) = (tensor.storage.name(), format!("{:?}", tensor.shape));
        writeln!(out, "  {:<44} {storage:<8} {shape}", visible(tensor.name))?;
    }
    Ok(())
}

/// A metadata value on one line: long arrays by their length, control characters escaped.
fn printable(value: &Metadata) -> String {
    const SHOWN: usize = 60;
    match value {
        Metadata::Array(array) => format!("{} × {}", array.len(), array.kind().name()),
        Metadata::Str(text) => {
            let line: String = text.chars().take(SHOWN).flat_map(escaped).collect();
            let more = if text.chars().nth(SHOWN).is_some() { "…" } else { "" };
            format!("\"{line}\"{more}")
        }
        other => plain(other).to_string(),
    }
}

fn escaped(c: char) -> impl Iterator<Item = char> {
    // Quotes are left alone, or templates could not be read.
    let escape = c.is_control() || c == '\\';
    escape.then(|| c.escape_default()).into_iter().flatten().chain((!escape).then_some(c))
}

/// A scalar as JSON; of arrays only the length, since vocabularies have a hundred thousand entries.
fn plain(value: &Metadata) -> Value {
    match value {
        Metadata::Array(array) => json!({ "array_of": array.kind().name(), "len": array.len() }),
        Metadata::Str(text) => json!(text),
        Metadata::Bool(flag) => json!(flag),
        Metadata::F32(number) => json!(number),
        Metadata::F64(number) => json!(number),
        other => match other.integer() {
            Some(number) => i64::try_from(number).map_or(json!(number as u64), |n| json!(n)),
            None => Value::Null,
        },
    }
}

fn as_json(source: &Source) -> Value {
    let tensors = source.tensors().into_iter().map(|tensor| {
        json!({
            "name": tensor.name,
            "storage": tensor.storage.name(),
            "shape": tensor.shape.to_vec(),
            "bytes": tensor.bytes.len(),
        })
    });
    let tensors: Vec<Value> = tensors.collect();
    let keys = match source.gguf() {
        Some(gguf) => gguf.keys().map(|(key, value)| (key.to_owned(), plain(&value))).collect(),
        None => source.config().cloned().unwrap_or(Value::Null),
    };
    let (parameters, bytes) = totals(source);
    json!({
        "format": if source.is_gguf() { "gguf" } else { "huggingface" },
        "architecture": source.architecture().ok(),
        "parameters": parameters,
        "bytes": bytes,
        "keys": keys,
        "tensors": tensors,
    })
}
