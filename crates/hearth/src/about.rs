//! What is told of a model: how large it is, how it is stored, what it can do.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use api::About;
use arch::Source;
use formats::gguf::Gguf;

use crate::failure::Failure;
use crate::load;
use crate::models::Model;

/// Names of mixtures of storages, by `general.file_type` of GGUF files. Others are called by the
/// storage that most of their bytes have.
const MIXTURES: [(u32, &str); 18] = [
    (10, "Q2_K"),
    (11, "Q3_K_S"),
    (12, "Q3_K_M"),
    (13, "Q3_K_L"),
    (14, "Q4_K_S"),
    (15, "Q4_K_M"),
    (16, "Q5_K_S"),
    (17, "Q5_K_M"),
    (19, "IQ2_XXS"),
    (20, "IQ2_XS"),
    (21, "Q2_K_S"),
    (22, "IQ3_XS"),
    (23, "IQ3_XXS"),
    (26, "IQ3_S"),
    (27, "IQ3_M"),
    (28, "IQ2_S"),
    (29, "IQ2_M"),
    (30, "IQ4_XS"),
];

/// Looks at a model's files. The tokenizer is read for its abilities, and let go again.
pub fn about(model: &Model) -> Result<About, Failure> {
    let path = &model.path;
    let source = load::source(path)?;
    let language = load::language(path, &source)?;
    let (parameters, _) = totals(&source);
    Ok(About {
        bytes: bytes(path, &source)?,
        digest: model.digest.clone(),
        format: if source.is_gguf() { "gguf" } else { "safetensors" },
        architecture: architecture(&source),
        storage: storage(&source),
        parameters,
        layers: model.layers,
        vocabulary: model.vocabulary,
        template: language.template().map(str::to_owned),
        abilities: language.abilities(),
        sampling: model.sampling.clone(),
    })
}

/// Numbers and bytes of all tensors.
pub fn totals(source: &Source) -> (u64, u64) {
    let tensors = source.tensors();
    let add = |(numbers, bytes), tensor: &formats::Tensor| {
        (numbers + tensor.count() as u64, bytes + tensor.bytes.len() as u64)
    };
    tensors.iter().fold((0, 0), add)
}

/// Tensors and bytes of each storage.
pub fn storages(source: &Source) -> BTreeMap<&'static str, (usize, u64)> {
    let mut storages = BTreeMap::new();
    for tensor in source.tensors() {
        let (tensors, bytes) = storages.entry(tensor.storage.name()).or_insert((0, 0));
        *tensors += 1;
        *bytes += tensor.bytes.len() as u64;
    }
    storages
}

/// Bytes of all files.
fn bytes(path: &Path, source: &Source) -> Result<u64, Failure> {
    if let Some(gguf) = source.gguf() {
        return Ok(gguf.bytes_total());
    }
    let failed = |error| Failure::model(path, error, load::SHOW);
    let mut sum = 0;
    for entry in fs::read_dir(load::folder(path)).map_err(failed)? {
        // A link may lead nowhere, and is no file of the model's then.
        let metadata = entry.and_then(|entry| fs::metadata(entry.path()));
        sum += metadata.ok().filter(fs::Metadata::is_file).map_or(0, |file| file.len());
    }
    Ok(sum)
}

/// What a model's files say that it is, in the short form of both formats.
fn architecture(source: &Source) -> String {
    let stated = source.config().and_then(|config| config["model_type"].as_str());
    stated.map(str::to_owned).or_else(|| source.architecture().ok()).unwrap_or_default()
}

/// How the weights are stored.
pub fn storage(source: &Source) -> String {
    let mixture = |gguf: &Gguf| {
        let kind = gguf.u32("general.file_type").ok()??;
        MIXTURES.iter().find(|(known, _)| *known == kind).map(|(_, name)| *name)
    };
    let most = || {
        let storages = storages(source);
        storages.into_iter().max_by_key(|(_, (_, bytes))| *bytes).map(|(name, _)| name)
    };
    source.gguf().and_then(mixture).or_else(most).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use engine::{Policy, Settings};
    use testkit::golden;

    use super::*;
    use crate::fit::Checked;

    #[test]
    fn a_models_files_are_described() {
        let how = (Settings::default(), Checked { refuses: true, demand: None });
        let open = |name: &str| {
            Model::open(&golden(name).display().to_string(), how, Policy::default()).unwrap()
        };
        let about = about(&open("models/qwen3")).unwrap();
        assert_eq!((about.format, &about.architecture[..]), ("safetensors", "qwen3"));
        assert!(about.bytes > 4 * about.parameters.min(100_000) && about.digest.len() == 64);
        assert!(about.abilities.converses && about.template.is_some());
        assert_eq!((about.abilities.fills_gaps, about.abilities.thinking), (false, None));
        // The same model, named by its weights.
        let by_weights = self::about(&open("models/qwen3/model.safetensors")).unwrap();
        assert_eq!((by_weights.bytes, by_weights.sampling), (about.bytes, about.sampling));
    }
}
