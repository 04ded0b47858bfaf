//! Models as artefacts of container registries, as ORAS and Docker's model runner write them.

use serde_json::Value;

use super::choose::{Entry, choose};
use super::hub::undecided;
use super::registry::{Layer, Manifest, Repository, address, first_of_index, layers};
use super::session::{Session, watched};
use super::{At, Client, Error, Found, Role, Source, Watch, names};

pub fn find(client: &Client, source: &Source, watch: Watch) -> Result<Found, Error> {
    let Source::Oci { host, repo, at } = source else {
        unreachable!("the source is a registry");
    };
    let reference = match at {
        At::Tag(tag) => tag.clone(),
        At::Digest(digest) => digest.to_string(),
    };
    let registry = address(host)?;
    let origin = registry.origin().clone();
    let repository = Repository { registry, name: repo.clone() };
    let (revision, Manifest { value, .. }) =
        watched(client, &origin, watch, |session| artefact(session, &repository, &reference))?;
    let malformed = |why| Error::Malformed { what: format!("the manifest of {source}"), why };
    let layers = layers(&value).map_err(malformed)?;
    let named: Vec<(&Layer, String)> = layers.iter().filter_map(name).collect();
    // Checked before the choice too, which must not see the same name twice.
    names::check_all(named.iter().map(|(_, name)| name.as_str()))?;
    let entry = |(layer, name): &(&Layer, String)| Entry { path: name.clone(), size: layer.size };
    let entries: Vec<Entry> = named.iter().map(entry).collect();
    let chosen = choose(&entries, None).map_err(|why| undecided(source, why))?;
    let mut files = Vec::new();
    for (at, role) in chosen {
        let (layer, name) = &named[at];
        files.push(repository.blob(layer, name.clone(), role)?);
    }
    for (at, layer) in layers.iter().filter(|layer| layer.kind == LICENCE).enumerate() {
        files.push(repository.blob(layer, format!("license-{}", at + 1), Role::Licence)?);
    }
    let licence = value.get("annotations").and_then(|all| all.get(LICENCES)?.as_str());
    Ok(Found {
        source: source.clone(),
        revision: Some(revision),
        files,
        licence: licence.map(|word| word.chars().take(100).collect()),
    })
}

const LICENCE: &str = "application/vnd.docker.ai.license";
const LICENCES: &str = "org.opencontainers.image.licenses";

/// The manifest, through an index where there is one. The revision is that of what was named.
fn artefact(
    session: &Session,
    repository: &Repository,
    reference: &str,
) -> Result<(String, Manifest), Error> {
    let manifest = repository.manifest(session, reference)?;
    let revision = manifest.digest.to_string();
    if manifest.value.get("manifests").is_none_or(Value::is_null) {
        return Ok((revision, manifest));
    }
    let first = first_of_index(&manifest.value).ok_or_else(|| Error::Malformed {
        what: format!("the index of {}", repository.name),
        why: "it lists no manifest".to_owned(),
    })?;
    Ok((revision, repository.manifest(session, &first.to_string())?))
}

/// The name of a layer; weights in GGUF need none.
pub fn name(layer: &Layer) -> Option<(&Layer, String)> {
    let is_gguf = layer.kind.to_lowercase().contains("gguf") && !layer.kind.contains("mmproj");
    match &layer.title {
        Some(title) => Some((layer, title.clone())),
        None if is_gguf => Some((layer, "model.gguf".to_owned())),
        None => None,
    }
}
