//! Container registries: a manifest, and the layers that it lists.

use serde_json::Value;

use super::address::Origin;
use super::document::{Document, get, refusal};
use super::session::{Ask, Session};
use super::{Address, Error, Manner, Place, Role, Wanted};
use crate::Digest;

const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json";
/// Layers of one artefact.
const LAYERS: usize = 1000;

/// A repository of a registry.
pub struct Repository {
    pub registry: Address,
    pub name: String,
}

/// What is asked for, as in `latest` or `sha256:…`, came with this digest.
pub struct Manifest {
    pub digest: Digest,
    pub value: Value,
}

/// A blob of an artefact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    pub kind: String,
    pub digest: Digest,
    pub size: u64,
    pub title: Option<String>,
}

/// The address of a registry that a user named by its host: `http:` for this machine alone.
pub fn address(host: &str) -> Result<Address, Error> {
    let host = if host == "docker.io" { "registry-1.docker.io" } else { host };
    let secure = format!("https://{host}/");
    let address = Address::parse(&secure).and_then(|address| match address.origin() {
        Origin { secure: true, port: 443, .. } => Ok(address),
        origin if origin.is_loopback() => Address::parse(&format!("http://{host}/")),
        _ => Ok(address),
    });
    address.map_err(|why| Error::Address { address: secure, why })
}

impl Repository {
    pub fn manifest(&self, session: &Session, reference: &str) -> Result<Manifest, Error> {
        let address = self.below(&format!("manifests/{reference}"))?;
        let ask = Ask { registry: true, ..Ask::of(&address, ACCEPT) };
        let name = format!("{}:{reference} in {}", self.name, self.registry.origin());
        let Document { bytes, value, .. } =
            get(session, ask)?.map_err(|reply| refusal(Manner::Registry, &reply, &name))?;
        let digest = Digest::of(&bytes);
        match reference.parse::<Digest>() {
            Ok(stated) if stated != digest => {
                let (stated, found) = (stated.to_string(), digest.to_string());
                Err(Error::Digest { file: name, stated, found })
            }
            _ => Ok(Manifest { digest, value }),
        }
    }

    pub fn blob(&self, layer: &Layer, name: String, role: Role) -> Result<Wanted, Error> {
        Ok(Wanted {
            name,
            role,
            place: Place::Web(self.below(&format!("blobs/{}", layer.digest))?),
            size: Some(layer.size),
            digest: Some(layer.digest),
            git: None,
            manner: Manner::Registry,
        })
    }

    fn below(&self, path: &str) -> Result<Address, Error> {
        let path = format!("/v2/{}/{path}", self.name);
        self.registry.below(&path).map_err(|why| Error::Address { address: path, why })
    }
}

/// The layers of a manifest, or what is wrong with it.
pub fn layers(manifest: &Value) -> Result<Vec<Layer>, String> {
    let layers = manifest.get("layers").and_then(Value::as_array).ok_or("it lists no layers")?;
    if layers.len() > LAYERS {
        return Err(format!("it has more than {LAYERS} layers"));
    }
    layers.iter().map(layer).collect()
}

fn layer(value: &Value) -> Result<Layer, String> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let digest = text("digest").ok_or("a layer has no digest")?;
    let title = value.get("annotations").and_then(|all| all.get("org.opencontainers.image.title"));
    Ok(Layer {
        kind: text("mediaType").unwrap_or_default().to_owned(),
        digest: digest.parse().map_err(|no: crate::NoDigest| no.to_string())?,
        size: value.get("size").and_then(Value::as_u64).ok_or("a layer has no size")?,
        title: title.and_then(Value::as_str).map(str::to_owned),
    })
}

/// The first manifest of an index.
pub fn first_of_index(value: &Value) -> Option<Digest> {
    let listed = value.get("manifests")?.as_array()?;
    listed.iter().find_map(|item| item.get("digest")?.as_str()?.parse().ok())
}
