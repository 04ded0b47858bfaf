//! Signatures that `cosign` makes with a key of its own: of an artefact in a registry, and of a
//! file. No certificates, no log of the public.

use std::path::Path;

use formats::map::Mapped;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde::Deserialize;

use super::{Error, Signed, base64};
use crate::Digest;

/// What stands before the point of a key on P-256 in a PEM file: that it is one.
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// Bytes of a point that is written out.
const POINT: usize = 65;

const KIND: &str = "cosign container image signature";
const LAYER: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    point: [u8; POINT],
    fingerprint: Digest,
}

/// A signature as it lies in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The blob that was signed.
    pub payload: Digest,
    /// Its length, as the registry has it.
    pub bytes: u64,
    /// What [`Key::verify_artefact`] takes.
    pub signature: String,
}

impl Key {
    /// Reads a PEM file's text.
    ///
    /// # Errors
    /// A sentence on what is wrong with it.
    pub(super) fn parse(pem: &str) -> Result<Key, &'static str> {
        let lines: Vec<&str> = pem.lines().filter(|line| !line.is_empty()).collect();
        let ["-----BEGIN PUBLIC KEY-----", inner @ .., "-----END PUBLIC KEY-----"] = &lines[..]
        else {
            return Err("it is no PEM file with one PUBLIC KEY in it");
        };
        let der = base64::decode(&inner.concat()).ok_or("what is in the PEM file is no base64")?;
        let point = der.strip_prefix(&P256).filter(|point| point.first() == Some(&4));
        let point = point.and_then(|point| point.try_into().ok());
        let point = point.ok_or(
            "it is no key on P-256, which `cosign generate-key-pair` makes; others are not known",
        )?;
        Ok(Key { point, fingerprint: Digest::of(&der) })
    }

    /// What `models.lock` calls it: the digest of the key in DER.
    pub fn name(&self) -> String {
        format!("cosign {}", self.fingerprint)
    }

    /// Checks that the owner of the key has signed an artefact of a registry. `payload` is the
    /// blob and `signature` its annotation, as [`attached`] finds them.
    ///
    /// # Errors
    /// When nobody has, and when what was signed is something else.
    pub fn verify_artefact(
        &self,
        manifest: Digest,
        payload: &[u8],
        signature: &str,
    ) -> Result<Signed, Error> {
        self.check(payload, signature)?;
        let no_payload = |_| Error::NoSignature { why: "what was signed is no payload of cosign" };
        let Payload { critical } = serde_json::from_slice(payload).map_err(no_payload)?;
        if critical.kind != KIND {
            return Err(Error::NoSignature { why: "what was signed is no artefact" });
        }
        if critical.image.digest != manifest.to_string() {
            return Err(Error::OtherArtefact { signed: critical.image.digest, wanted: manifest });
        }
        let name = critical.identity.map(|identity| identity.name);
        Ok(Signed { by: self.name(), comment: name.filter(|name| !name.is_empty()) })
    }

    /// Checks that a file is what the owner of the key has signed by `cosign sign-blob`.
    /// The file is mapped, whatever its length, and read once.
    ///
    /// # Errors
    /// When it is not, and when the file cannot be read.
    pub fn verify_file(&self, file: &Path, signature: &str) -> Result<Signed, Error> {
        let mapped = Mapped::open(file).map_err(Error::File)?;
        self.check(&mapped, signature)?;
        Ok(Signed { by: self.name(), comment: None })
    }

    fn check(&self, message: &[u8], signature: &str) -> Result<(), Error> {
        let line = signature.strip_suffix("\r\n").or(signature.strip_suffix('\n'));
        let signature = base64::decode(line.unwrap_or(signature));
        let signature = signature.ok_or(Error::NoSignature { why: "it is no base64" })?;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.point);
        key.verify(message, &signature).map_err(|_| Error::Mismatch)
    }
}

#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    #[serde(rename = "type")]
    kind: String,
    identity: Option<Identity>,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

#[derive(Deserialize)]
struct Identity {
    #[serde(rename = "docker-reference", default)]
    name: String,
}

/// The tag under which a repository keeps the signatures of an artefact.
pub fn tag(manifest: Digest) -> String {
    format!("sha256-{}.sig", manifest.hexadecimal())
}

/// The signatures in the manifest that has such a tag. None of them is checked yet.
///
/// # Errors
/// When it is no manifest.
pub fn attached(manifest: &[u8]) -> Result<Vec<Attached>, Error> {
    let no_manifest = |_| Error::NoSignature { why: "what has the tag is no manifest" };
    let Manifest { layers } = serde_json::from_slice(manifest).map_err(no_manifest)?;
    let attached = |layer: Layer| {
        let signature = layer.annotations.unwrap_or_default().signature?;
        let is_one = layer.media_type == LAYER;
        is_one.then_some(Attached { payload: layer.digest, bytes: layer.size, signature })
    };
    Ok(layers.into_iter().filter_map(attached).collect())
}

#[derive(Deserialize)]
struct Manifest {
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
struct Layer {
    #[serde(rename = "mediaType")]
    media_type: String,
    digest: Digest,
    size: u64,
    annotations: Option<Annotations>,
}

#[derive(Default, Deserialize)]
struct Annotations {
    #[serde(rename = "dev.cosignproject.cosign/signature")]
    signature: Option<String>,
}

#[cfg(test)]
#[path = "cosign_tests.rs"]
mod tests;
