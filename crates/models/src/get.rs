//! From what a source has to files in the store.

use std::fmt;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use crate::pull::{self, Client, Found, Place, Progress, Stage, Wanted};
use crate::store::{self, PinnedFile, Store};

/// Who fetches, where to, and who is told.
pub struct Getter<'a> {
    /// Who asks the network.
    pub client: &'a Client,
    /// Where the files come to lie.
    pub store: &'a Store,
    /// Copy files of this machine too, instead of leaving them where they are.
    pub copy: bool,
    /// Told of each file how far it is; may end it.
    pub told: &'a (dyn Fn(&Wanted, Progress) -> ControlFlow<()> + Sync),
}

/// Why files cannot be got.
#[derive(Debug)]
pub enum Error {
    /// On the way here.
    Pull(pull::Error),
    /// Once here.
    Store(store::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::Pull(error) => error.fmt(f),
            Error::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<pull::Error> for Error {
    fn from(error: pull::Error) -> Error {
        Error::Pull(error)
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Error {
        Error::Store(error)
    }
}

impl Getter<'_> {
    /// Brings all files here that are not here yet. Whoever calls this holds
    /// [`Store::pulling`] until they have a name.
    ///
    /// # Errors
    /// With the first that cannot be had. The others stay, and what came of it.
    pub fn files(&self, found: &Found) -> Result<Vec<PinnedFile>, Error> {
        found.files.iter().map(|wanted| self.file(wanted)).collect()
    }

    fn file(&self, wanted: &Wanted) -> Result<PinnedFile, Error> {
        if let Some(here) = self.here(wanted) {
            return Ok(here);
        }
        if let (Place::Disk(path), false) = (&wanted.place, self.copy) {
            return self.left_there(wanted, path);
        }
        let key = match (&wanted.digest, &wanted.place) {
            (Some(digest), _) => digest.to_string(),
            (None, Place::Web(address)) => address.to_string(),
            (None, Place::Disk(path)) => path.display().to_string(),
        };
        let waits = || Progress { done: 0, total: wanted.size, stage: Stage::Asking };
        let incoming = self.store.incoming(&key, &mut || match (self.told)(wanted, waits()) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(store::Error::Stopped),
        })?;
        // Another process may have brought it meanwhile.
        if let Some(here) = self.here(wanted) {
            return Ok(here);
        }
        let told = |progress| (self.told)(wanted, progress);
        let digest = pull::download(self.client, wanted, &incoming.path, &told)?;
        let bytes = fs::metadata(&incoming.path).map(|found| found.len());
        let bytes =
            bytes.map_err(|error| pull::Error::Disk { path: incoming.path.clone(), error })?;
        self.store.accept(incoming, digest)?;
        Ok(PinnedFile { name: wanted.name.clone(), digest, bytes, at: None, modified: None })
    }

    /// A blob that is there already.
    fn here(&self, wanted: &Wanted) -> Option<PinnedFile> {
        let digest = wanted.digest?;
        let bytes = fs::metadata(self.store.blob(digest)?).ok()?.len();
        // One of another length is damaged, and fetched again.
        let is_whole = wanted.size.is_none_or(|size| size == bytes);
        is_whole.then(|| PinnedFile {
            name: wanted.name.clone(),
            digest,
            bytes,
            at: None,
            modified: None,
        })
    }

    /// A file that lies on this machine already, in somebody else's care.
    fn left_there(&self, wanted: &Wanted, path: &Path) -> Result<PinnedFile, Error> {
        let disk = |error| pull::Error::Disk { path: path.to_owned(), error };
        let at = fs::canonicalize(path).map_err(disk)?;
        // Looked at before it is read: what is written meanwhile has another time then.
        let found = fs::metadata(&at).map_err(disk)?;
        let (bytes, modified) = (found.len(), store::modified(&found));
        let mut told = |done| {
            (self.told)(wanted, Progress { done, total: Some(bytes), stage: Stage::Checking })
        };
        let digest = pull::checked(wanted, &at, &mut told)?;
        Ok(PinnedFile { name: wanted.name.clone(), digest, bytes, at: Some(at), modified })
    }
}
