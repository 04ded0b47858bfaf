//! What people put beside models to say that they are theirs.

use super::registry::{Layer, Manifest, Repository, address};
use super::session::watched;
use super::{Address, Client, Error, Place, Role, Source, Wanted, Watch, header};
use crate::Digest;

/// No signature is longer, and nothing that was signed in place of a model.
const LONGEST: u64 = 64 << 10;

/// The bytes of the file that is called like another, with this ending.
///
/// # Errors
/// When it cannot be had; that there is none is no error.
pub fn beside(
    client: &Client,
    wanted: &Wanted,
    ending: &str,
    watch: Watch,
) -> Result<Option<Vec<u8>>, Error> {
    let place = match &wanted.place {
        Place::Disk(path) => {
            let mut path = path.clone().into_os_string();
            path.push(ending);
            Place::Disk(path.into())
        }
        Place::Web(address) => {
            let text = format!("{address}{ending}");
            let parsed = Address::parse(&text);
            Place::Web(parsed.map_err(|why| Error::Address { address: text, why })?)
        }
    };
    let name = format!("{}{ending}", wanted.name);
    let file = Wanted { name, place, size: None, digest: None, git: None, ..wanted.clone() };
    if_there(header(client, &file, LONGEST, watch))
}

/// The manifest that has this tag in the repository of an artefact.
///
/// # Errors
/// When it cannot be had; that there is none is no error.
pub fn tagged(
    client: &Client,
    source: &Source,
    tag: &str,
    watch: Watch,
) -> Result<Option<Vec<u8>>, Error> {
    let Some(repository) = repository(source)? else { return Ok(None) };
    let origin = repository.registry.origin().clone();
    let asked = watched(client, &origin, watch, |session| repository.manifest(session, tag));
    if_there(asked.map(|Manifest { value, .. }| value.to_string().into_bytes()))
}

/// A small blob of the repository of an artefact.
///
/// # Errors
/// When it cannot be had, or is not what it must be.
pub fn layer(
    client: &Client,
    source: &Source,
    digest: Digest,
    watch: Watch,
) -> Result<Vec<u8>, Error> {
    let file = digest.to_string();
    let Some(repository) = repository(source)? else {
        return Err(Error::Missing { what: format!("{file} in {source}") });
    };
    let layer = Layer { kind: String::new(), digest, size: LONGEST, title: None };
    let wanted = repository.blob(&layer, file.clone(), Role::Licence)?;
    let bytes = header(client, &wanted, LONGEST, watch)?;
    match Digest::of(&bytes) {
        found if found == digest => Ok(bytes),
        found => {
            let (stated, found) = (digest.to_string(), found.to_string());
            Err(Error::Digest { file, stated, found })
        }
    }
}

fn repository(source: &Source) -> Result<Option<Repository>, Error> {
    let Source::Oci { host, repo, .. } = source else { return Ok(None) };
    Ok(Some(Repository { registry: address(host)?, name: repo.clone() }))
}

fn if_there(got: Result<Vec<u8>, Error>) -> Result<Option<Vec<u8>>, Error> {
    match got {
        Err(Error::Missing { .. }) => Ok(None),
        Err(Error::Disk { error, .. }) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        got => got.map(Some),
    }
}
