//! Signatures of what was fetched: which are wanted, where they are, and whether they are right.

use std::fmt::Display;

use models::Digest;
use models::pull::{self, Found, Source, Wanted};
use models::store::{Health, Pinned, PinnedFile};
use models::trust::{Key, cosign};

use super::{Courier, RULES, broken, compared, refused};
use crate::failure::Failure;
use crate::interrupt::{self, unless_requested};
use crate::output::{self, one_line, visible};

impl Courier {
    /// Who has signed it, where somebody must have.
    pub fn signer(&self, found: &Found, pinned: &Pinned) -> Result<Option<String>, Failure> {
        let wanted = self.policy.keys(&compared(&found.source)).map_err(refused)?;
        let mut names: Vec<String> = Vec::new();
        for keys in wanted {
            let signed = match found.source {
                Source::Oci { .. } => self.signed_artefact(found, &keys)?,
                _ => None,
            };
            names.push(match signed {
                Some(name) => name,
                None => self.signed_files(found, (pinned, &keys))?,
            });
        }
        names.dedup();
        Ok((!names.is_empty()).then(|| names.join(", ")))
    }

    /// The key that has signed the manifest of an artefact.
    fn signed_artefact(&self, found: &Found, keys: &[&Key]) -> Result<Option<String>, Failure> {
        let Some(Ok(manifest)) = found.revision.as_ref().map(|text| text.parse::<Digest>()) else {
            return Ok(None);
        };
        let watch = |_| unless_requested();
        let attached = |tag: &str| pull::tagged(&self.client, &found.source, tag, &watch);
        let Some(list) = attached(&cosign::tag(manifest)).map_err(broken)? else { return Ok(None) };
        let list = cosign::attached(&list).map_err(|error| unsigned(&found.source, error))?;
        for one in list {
            let blob = pull::layer(&self.client, &found.source, one.payload, &watch);
            let payload = blob.map_err(broken)?;
            for key in keys {
                if let Key::Cosign(cosign) = key
                    && cosign.verify_artefact(manifest, &payload, &one.signature).is_ok()
                {
                    return Ok(Some(key.name()));
                }
            }
        }
        Ok(None)
    }

    /// The key that has signed every file.
    fn signed_files(
        &self,
        found: &Found,
        (pinned, keys): (&Pinned, &[&Key]),
    ) -> Result<String, Failure> {
        let mut last = None;
        for key in keys {
            let mut all = Ok(());
            for (wanted, file) in found.files.iter().zip(&pinned.files) {
                all = self.is_signed(key, (wanted, file));
                if all.is_err() {
                    break;
                }
            }
            match all {
                Ok(()) => return Ok(key.name()),
                Err(Failure::Interrupted) => return Err(Failure::Interrupted),
                Err(failure) => last = Some(failure),
            }
        }
        Err(last.unwrap_or_else(|| unsigned(&found.source, "no key fits")))
    }

    fn is_signed(&self, key: &Key, (wanted, file): (&Wanted, &PinnedFile)) -> Result<(), Failure> {
        let ending = match key {
            Key::Minisign(_) => ".minisig",
            Key::Cosign(_) => ".sig",
        };
        let name = format!("{}{ending}", wanted.name);
        let beside = pull::beside(&self.client, wanted, ending, &|_| unless_requested());
        let Some(signature) = beside.map_err(broken)? else {
            return Err(unsigned(&wanted.name, format!("there is no {name}")));
        };
        let (signature, path) = (String::from_utf8_lossy(&signature), self.store.place(file));
        self.bar.set_message(format!("{}: checking its signature", visible(&wanted.name)));
        let signed = match key {
            Key::Minisign(key) => key.verify(&path, &signature, &mut |_| unless_requested()),
            Key::Cosign(key) => key.verify_file(&path, &signature),
        };
        let signed = signed.map_err(|error| match interrupt::requested() {
            true => Failure::Interrupted,
            false => unsigned(&wanted.name, error),
        })?;
        // In others' care it may have become another file between the two times it was read.
        let health = match file.at {
            Some(_) => self.store.verify(file, &mut |_| unless_requested()),
            None => Some(Health::Sound),
        };
        if health != Some(Health::Sound) {
            return Err(unsigned(&wanted.name, "it changes while it is looked at"));
        }
        if let Some(comment) = signed.comment {
            output::note(&format!("{} is signed: {}", wanted.name, one_line(&comment)));
        }
        Ok(())
    }
}

fn unsigned(what: impl Display, why: impl Display) -> Failure {
    let way_out = format!("A signature is wanted by {RULES}; nothing was pinned.");
    Failure::Model(format!("{what} is not signed as it must be: {why}"), way_out)
}
