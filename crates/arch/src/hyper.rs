//! Hyper-parameters, read by either of their names and checked before anything is built from them.

use formats::gguf::Value as Metadata;
use kernels::Kept;
use serde_json::Value;

use crate::source::{Name, Source, name};
use crate::weight::too_wide;
use crate::{Error, Pooling};

/// The sizes that every decoder has.
#[derive(Clone, Debug)]
pub(crate) struct Hyper {
    pub vocabulary: usize,
    pub hidden: usize,
    pub layers: usize,
    pub heads: usize,
    pub key_heads: usize,
    pub head_dim: usize,
    /// The first layer's; models whose layers all have experts need not state it.
    pub feed_forward: Option<usize>,
    pub context: usize,
    pub pooling: Pooling,
    pub eps: f32,
}

const HIDDEN: Name = name("embedding_length", "hidden_size");
const LAYERS: Name = name("block_count", "num_hidden_layers");
pub(crate) const HEADS: Name = name("attention.head_count", "num_attention_heads");
pub(crate) const KEY_HEADS: Name = name("attention.head_count_kv", "num_key_value_heads");
pub(crate) const HEAD_DIM: Name = name("attention.key_length", "head_dim");
const VALUE_DIM: Name = name("attention.value_length", "head_dim");
pub(crate) const FEED_FORWARD: Name = name("feed_forward_length", "intermediate_size");
const FURTHER: Name = name("nextn_predict_layers", "num_nextn_predict_layers");
const CONTEXT: Name = name("context_length", "max_position_embeddings");
const EPS: Name = name("attention.layer_norm_rms_epsilon", "rms_norm_eps");
const POOLING: Name = name("pooling_type", "");
const VOCABULARY: Name = name("vocab_size", "vocab_size");
pub(crate) const EMBEDDING: Name = name("token_embd", "model.embed_tokens");

/// Embeddings have no more rows.
pub(crate) const VOCABULARY_MAX: usize = WIDTH_MAX;

/// Several times what any model has. Buffers are as wide as matrices, so this bounds what a row of
/// a step takes.
pub(crate) const WIDTH_MAX: usize = 1 << 20;

/// Experts, or heads with a matrix of their own, of all layers; several times what any model has.
pub(crate) const STACKED_MAX: usize = 1 << 17;

/// No size of a model that could run is larger; products of three sizes stay far below 2^64.
const SIZE_MAX: usize = 1 << 24;

/// Far more than any model has; something is kept for each before its tensors are looked for.
const LAYERS_MAX: usize = 1 << 12;

/// Wider heads have no room in the kernels' buffers.
const HEAD_DIM_MAX: usize = 512;

/// The cosines of positions are exact up to here.
pub(crate) const CONTEXT_MAX: usize = 1 << 20;

impl Hyper {
    /// Reads them, and refuses what contradicts itself.
    pub fn read(source: &Source) -> Result<Hyper, Error> {
        let hyper = Hyper::read_but_heads(source)?;
        hyper.check_heads(source)?;
        Ok(hyper)
    }

    /// The same for a family that says by other names how wide its heads are.
    pub fn read_but_heads(source: &Source) -> Result<Hyper, Error> {
        let hidden = source.size(HIDDEN)?;
        let heads = source.size(HEADS)?;
        let head_dim = source.size_or(HEAD_DIM, hidden / heads)?;
        let hyper = Hyper {
            vocabulary: vocabulary(source)?,
            hidden,
            layers: layers(source)?,
            heads,
            // Listed, layers without attention have none.
            key_heads: source.sizes(KEY_HEADS)?.into_iter().max().unwrap_or(heads),
            head_dim,
            feed_forward: source.sizes(FEED_FORWARD)?.first().copied().filter(|width| *width > 0),
            context: source.size(CONTEXT)?.min(CONTEXT_MAX),
            pooling: pooling(source)?,
            eps: match source.number(EPS)?.or_else(|| source.unstated(EPS)) {
                Some(eps) => eps,
                None => return Err(source.missing(EPS)),
            },
        };
        hyper.check(source)?;
        Ok(hyper)
    }

    /// The sizes as callers see them; those of cache and weights are known when all are found.
    pub fn shape(&self, family: &'static str) -> crate::Shape {
        let &Hyper { vocabulary, hidden, layers, context, pooling, .. } = self;
        crate::Shape {
            family,
            vocabulary,
            hidden,
            layers,
            context,
            caches: Vec::new(),
            kept: Kept::F32,
            keeps_others: false,
            pooling,
            weight_bytes: 0,
        }
    }

    fn check(&self, source: &Source) -> Result<(), Error> {
        let stated = if source.is_gguf() { None } else { source.size_if(VOCABULARY)? };
        if stated.is_some_and(|stated| stated != self.vocabulary) {
            let why = format!("is not {}, the rows of the embedding", self.vocabulary);
            return Err(source.bad(VOCABULARY, why));
        }
        source.expect_setting("hidden_act", "silu")?;
        if self.layers > LAYERS_MAX {
            let why = format!("is {}; hearth runs at most {LAYERS_MAX} layers", self.layers);
            return Err(source.bad(LAYERS, why));
        }
        if self.key_heads == 0 {
            return Err(source.bad(KEY_HEADS, "is 0".to_owned()));
        }
        if !(0.0..1.0).contains(&self.eps) {
            return Err(source.bad(EPS, format!("is {}", self.eps)));
        }
        Ok(())
    }

    fn check_heads(&self, source: &Source) -> Result<(), Error> {
        if !self.heads.is_multiple_of(self.key_heads) {
            let why = format!("is {}, which does not divide {} heads", self.key_heads, self.heads);
            return Err(source.bad(KEY_HEADS, why));
        }
        check_head(source, HEAD_DIM, self.head_dim)?;
        let value_dim = source.size_or(VALUE_DIM, self.head_dim)?;
        if value_dim != self.head_dim {
            let why = format!("is {value_dim}, but keys are {} wide", self.head_dim);
            return Err(source.bad(VALUE_DIM, why));
        }
        Ok(())
    }
}

/// Refuses heads of a width that kernels cannot do.
pub(crate) fn check_head(source: &Source, name: Name, width: usize) -> Result<(), Error> {
    let fits = width.is_multiple_of(2) && (2..=HEAD_DIM_MAX).contains(&width);
    let why = || format!("is {width}; heads are even and at most {HEAD_DIM_MAX} wide");
    if fits { Ok(()) } else { Err(source.bad(name, why())) }
}

/// Layers that make predictions of further tokens stand behind the others: GGUF files count them,
/// and some have their tensors. hearth does without.
fn layers(source: &Source) -> Result<usize, Error> {
    let all = source.size(LAYERS)?;
    let Some(further) = source.count_if(FURTHER)? else { return Ok(all) };
    let layers = if source.is_gguf() { all.saturating_sub(further) } else { all };
    if further > LAYERS_MAX || layers == 0 {
        return Err(source.bad(FURTHER, format!("is {further}")));
    }
    for layer in layers..layers + further {
        let prefix =
            if source.is_gguf() { format!("blk.{layer}.") } else { source.in_layer(layer, "") };
        source.may_skip_all(&prefix);
    }
    Ok(layers)
}

/// GGUF files of models that were made for embeddings number the way: 3 is the last row. Folders
/// name it.
fn pooling(source: &Source) -> Result<Pooling, Error> {
    // Once it was a flag for each way, now it is a word.
    const MODE: &str = "pooling_mode";
    let settings = source.pooling().as_object().into_iter().flatten();
    let modes = settings.filter_map(|(key, value)| match key.strip_prefix(MODE)? {
        "" => value.as_str(),
        way => way.strip_prefix('_').filter(|_| *value == true),
    });
    match modes.collect::<Vec<_>>()[..] {
        ["lasttoken"] => return Ok(Pooling::Last),
        [] | ["mean_tokens" | "mean"] => {}
        ref others => {
            let why = format!("is {}; hearth knows lasttoken and mean", others.join(" and "));
            return Err(Error::Value { key: MODE.to_owned(), why });
        }
    }
    let stated = source.gguf().map(|gguf| gguf.u64(&source.key(POOLING))).transpose()?.flatten();
    Ok(if stated == Some(3) { Pooling::Last } else { Pooling::Mean })
}

/// A GGUF file need not state the size of its vocabulary; the embedding has it.
fn vocabulary(source: &Source) -> Result<usize, Error> {
    let name = source.tensor_name(EMBEDDING, None, "weight");
    let tensor = source.tensor(&name)?;
    match tensor.shape[..] {
        [vocabulary @ 1..=VOCABULARY_MAX, _] => Ok(vocabulary),
        [vocabulary, cols] if vocabulary > 0 => Err(too_wide(&name, (vocabulary, cols))),
        _ => Err(Error::Shape { name, expected: vec![], found: tensor.shape.to_vec() }),
    }
}

impl Source {
    /// A size that must be there and positive.
    pub(crate) fn size(&self, name: Name) -> Result<usize, Error> {
        self.size_if(name)?.ok_or_else(|| self.missing(name))
    }

    /// A size, or what follows from others when it is absent.
    pub(crate) fn size_or(&self, name: Name, otherwise: usize) -> Result<usize, Error> {
        Ok(self.size_if(name)?.unwrap_or(otherwise))
    }

    /// A size that may be absent (or null).
    pub(crate) fn size_if(&self, name: Name) -> Result<Option<usize>, Error> {
        match self.count_if(name)? {
            Some(0) => Err(self.bad(name, format!("is out of range (1 to {SIZE_MAX})"))),
            found => Ok(found),
        }
    }

    /// A size that may be absent, and may be nothing.
    pub(crate) fn count_if(&self, name: Name) -> Result<Option<usize>, Error> {
        let found = match self.gguf() {
            Some(gguf) => gguf.u64(&self.key(name))?,
            None => match self.setting(name.hugging_face) {
                Value::Null => None,
                value => Some(value.as_u64().ok_or_else(|| self.bad(name, format!("is {value}")))?),
            },
        };
        found.map(|found| self.in_range(name, found)).transpose()
    }

    /// A size that GGUF files may state for each layer; otherwise it is one, or none.
    pub(crate) fn sizes(&self, name: Name) -> Result<Vec<usize>, Error> {
        let stated = self.gguf().and_then(|gguf| gguf.get(&self.key(name)));
        let Some(Metadata::Array(sizes)) = stated else {
            return Ok(self.count_if(name)?.into_iter().collect());
        };
        let sizes = sizes.integers().ok_or_else(|| self.bad(name, "has no numbers".to_owned()))?;
        sizes.map(|size| self.in_range(name, u64::try_from(size).unwrap_or(u64::MAX))).collect()
    }

    /// A flag for each layer, where a GGUF file lists them.
    pub(crate) fn flags(&self, name: Name, layers: usize) -> Result<Option<Vec<bool>>, Error> {
        let stated = self.gguf().and_then(|gguf| gguf.get(&self.key(name)));
        let Some(Metadata::Array(flags)) = stated else { return Ok(None) };
        let flags = flags.bools().ok_or_else(|| self.bad(name, "has no flags".to_owned()))?;
        if flags.len() != layers {
            return Err(self.bad(name, format!("has {} of {layers} layers", flags.len())));
        }
        Ok(Some(flags.collect()))
    }

    /// Where a folder lists one of two kinds for each layer: whether it is the first.
    pub(crate) fn listed(
        &self,
        key: &str,
        layers: usize,
        (first, second): (&str, &str),
    ) -> Result<Option<Vec<bool>>, Error> {
        let bad = |why| Error::Value { key: key.to_owned(), why };
        let is_first = |kind: &Value| match kind.as_str() {
            Some(kind) if kind == first => Ok(true),
            Some(kind) if kind == second => Ok(false),
            _ => Err(bad(format!("names {kind}, which this family does not have"))),
        };
        match self.setting(key) {
            Value::Null => Ok(None),
            Value::Array(kinds) if kinds.len() == layers => {
                kinds.iter().map(is_first).collect::<Result<_, _>>().map(Some)
            }
            Value::Array(kinds) => Err(bad(format!("names {} layers of {layers}", kinds.len()))),
            other => Err(bad(format!("is {other}, and not a list"))),
        }
    }

    fn in_range(&self, name: Name, size: u64) -> Result<usize, Error> {
        let size = usize::try_from(size).ok().filter(|size| *size <= SIZE_MAX);
        size.ok_or_else(|| self.bad(name, format!("is out of range (1 to {SIZE_MAX})")))
    }

    /// A number that may be absent (or null).
    pub(crate) fn number(&self, name: Name) -> Result<Option<f32>, Error> {
        match self.gguf() {
            Some(gguf) => Ok(gguf.f32(&self.key(name))?),
            None => match self.setting(name.hugging_face) {
                Value::Null => Ok(None),
                value => match value.as_f64() {
                    Some(number) => Ok(Some(number as f32)),
                    None => Err(self.bad(name, format!("is {value}"))),
                },
            },
        }
    }

    /// Refuses a folder that has another value than the one which the family is known with.
    pub(crate) fn expect_setting(&self, key: &str, known: &str) -> Result<(), Error> {
        let found = self.setting(key);
        if found.is_null() || found == known {
            return Ok(());
        }
        let why = format!("is {found}; this family is known with {known} only");
        Err(Error::Value { key: key.to_owned(), why })
    }

    /// A flag of `config.json`; GGUF files have none of those that are asked for.
    pub(crate) fn flag(&self, hugging_face: &'static str, otherwise: bool) -> Result<bool, Error> {
        match self.setting(hugging_face) {
            Value::Null => Ok(otherwise),
            Value::Bool(flag) => Ok(*flag),
            other => {
                let why = format!("is {other}, and not true or false");
                Err(Error::Value { key: hugging_face.to_owned(), why })
            }
        }
    }

    /// The name under which this file has a hyper-parameter.
    pub(crate) fn key(&self, name: Name) -> String {
        match self.gguf() {
            Some(gguf) => {
                let architecture = gguf.str("general.architecture").ok().flatten().unwrap_or("");
                format!("{architecture}.{}", name.gguf)
            }
            None => name.hugging_face.to_owned(),
        }
    }

    pub(crate) fn missing(&self, name: Name) -> Error {
        Error::MissingKey { key: self.key(name) }
    }

    pub(crate) fn bad(&self, name: Name, why: String) -> Error {
        Error::Value { key: self.key(name), why }
    }
}
