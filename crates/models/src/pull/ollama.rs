//! Ollama's registry: what each layer of a name is.

use super::registry::{Layer, Manifest, Repository, address, layers};
use super::session::watched;
use super::{Client, Error, Found, Role, Source, Wanted, Watch};

const KIND: &str = "application/vnd.ollama.image.";

pub fn find(client: &Client, source: &Source, watch: Watch) -> Result<Found, Error> {
    let Source::Ollama { host, name, tag } = source else {
        unreachable!("the source is Ollama's");
    };
    let registry = match host {
        Some(host) => address(host)?,
        None => client.options().ollama.clone(),
    };
    let origin = registry.origin().clone();
    let repository = Repository { registry, name: name.clone() };
    let Manifest { digest, value } =
        watched(client, &origin, watch, |session| repository.manifest(session, tag))?;
    let malformed = |why| Error::Malformed { what: format!("the manifest of {source}"), why };
    let layers = layers(&value).map_err(malformed)?;
    let named =
        names(&layers).map_err(|why| Error::Unsupported { source: source.to_string(), why })?;
    let wanted = |(layer, (name, role))| repository.blob(layer, name, role);
    let files: Vec<Wanted> = named.into_iter().map(wanted).collect::<Result<_, _>>()?;
    let revision = Some(digest.to_string());
    Ok(Found { source: source.clone(), revision, files, licence: None })
}

/// A layer, and the file that it becomes.
type Named<'a> = (&'a Layer, (String, Role));

/// What each layer becomes. Those that have no part in answers are passed over.
pub fn names(layers: &[Layer]) -> Result<Vec<Named<'_>>, String> {
    let mut named = Vec::new();
    let mut licences = 0;
    for layer in layers {
        let (name, role) = match layer.kind.strip_prefix(KIND) {
            Some("model") => ("model.gguf", Role::Weights),
            Some("projector") => ("projector.gguf", Role::Projector),
            Some("template") => ("template", Role::Template),
            Some("params") => ("params.json", Role::Params),
            Some("system") => ("system", Role::System),
            Some("messages") => ("messages.json", Role::Messages),
            Some("license") => {
                licences += 1;
                named.push((layer, (format!("license-{licences}"), Role::Licence)));
                continue;
            }
            Some("adapter") => {
                return Err("it has an adapter, which hearth does not run yet; take the model \
                            that it was made for"
                    .to_owned());
            }
            Some("tensor") => {
                return Err("it has its weights in single tensors, which only Ollama reads; take \
                            a name with a GGUF file"
                    .to_owned());
            }
            _ => continue,
        };
        named.push((layer, (name.to_owned(), role)));
    }
    if !named.iter().any(|(_, (_, role))| *role == Role::Weights) {
        return Err("it has no model in it; it may run in Ollama's cloud only".to_owned());
    }
    Ok(named)
}
