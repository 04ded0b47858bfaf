//! Taking names away, and then what nothing names.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::files::{failed, lock_file, set_aside_as};
use super::{Error, Pinned, Store};

/// A download that nobody has gone on with for so long is given up.
const PATIENCE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What a sweep has brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files that are gone.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl Store {
    /// Takes a name away, with what it stood for before. The files go with [`Store::sweep`].
    ///
    /// # Errors
    /// When there is no such name, or the store cannot be written.
    pub fn remove(&self, name: &str) -> Result<Pinned, Error> {
        self.change(|pins| pins.remove(name).ok_or_else(|| pins.unknown(name)))
    }

    /// Deletes what has come of downloads that are not complete, unless somebody pulls.
    ///
    /// # Errors
    /// When something cannot be deleted.
    pub fn discard_unfinished(&self) -> Result<Option<Swept>, Error> {
        self.while_nobody_pulls(|| {
            let mut swept = Swept::default();
            for file in entries(&self.root.join("incoming"))? {
                if fs::symlink_metadata(&file).is_ok_and(|found| found.is_file()) {
                    swept.delete(&file).map_err(failed("delete", &file))?;
                }
            }
            Ok(swept)
        })
    }

    /// Takes things away, of which there is nothing where there is no list: without it nothing is
    /// known to be ours, or garbage.
    fn while_nobody_pulls(
        &self,
        take: impl FnOnce() -> Result<Swept, Error>,
    ) -> Result<Option<Swept>, Error> {
        if !self.pins_path().exists() {
            return Ok(Some(Swept::default()));
        }
        let (_, pulling) = lock_file(&self.root, ".pulling")?;
        match pulling.try_lock() {
            Ok(()) => take().map(Some),
            Err(_) => Ok(None),
        }
    }

    /// Forgets what names stood for before.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn forget_history(&self) -> Result<(), Error> {
        // A list that was not there must not come to be: whatever it does not name is swept.
        if !self.pins_path().exists() {
            return Ok(());
        }
        self.change(|pins| {
            pins.models.iter_mut().for_each(|pinned| pinned.before = None);
            Ok(())
        })
    }

    /// Deletes what nothing names. Nothing is deleted while anybody pulls, since files come before
    /// their names.
    ///
    /// # Errors
    /// When something cannot be deleted.
    pub fn sweep(&self) -> Result<Option<Swept>, Error> {
        self.while_nobody_pulls(|| self.sweep_alone())
    }

    fn sweep_alone(&self) -> Result<Swept, Error> {
        let (path, changing) = lock_file(&self.root, ".changing")?;
        changing.lock().map_err(failed("lock", &path))?;
        let pins = self.pins()?;
        let (mut blobs, mut views) = (HashSet::new(), HashSet::new());
        for pinned in pins.states() {
            views.insert(self.view_path(pinned));
            let own = pinned.files.iter().filter(|file| file.at.is_none());
            for blob in own.map(|file| self.blob_path(file.digest)) {
                // What is left of a damaged one may be all that there is of it.
                if !blob.exists() {
                    blobs.insert(set_aside_as(&blob));
                }
                blobs.insert(blob);
            }
        }
        let (mut swept, mut failed) = (Swept::default(), None);
        for view in entries(&self.root.join("views"))? {
            if !views.contains(&view) && fs::symlink_metadata(&view).is_ok_and(|f| f.is_dir()) {
                failed = failed.or(fs::remove_dir_all(&view).err().map(|error| (view, error)));
            }
        }
        let named = |blob: &Path| {
            blob.file_name().is_some_and(|name| name.to_string_lossy().starts_with("sha256-"))
        };
        for blob in entries(&self.root.join("blobs"))? {
            if !blobs.contains(&blob) && named(&blob) {
                failed = failed.or(swept.delete(&blob).err().map(|error| (blob, error)));
            }
        }
        for file in entries(&self.root.join("incoming"))? {
            let Ok(found) = fs::symlink_metadata(&file) else { continue };
            // A clock that was set back has left times to come.
            let age = found.modified().ok().map(|then| {
                SystemTime::now().duration_since(then).unwrap_or_else(|ahead| ahead.duration())
            });
            let is_lock = file.extension().is_some_and(|extension| extension == "lock");
            if found.is_file() && (is_lock || age.is_some_and(|age| age > PATIENCE)) {
                failed = failed.or(swept.delete(&file).err().map(|error| (file, error)));
            }
        }
        match failed {
            None => Ok(swept),
            Some((path, error)) => Err(Error::File { verb: "delete", path, error }),
        }
    }

    /// Downloads that may be gone on with: how many, and their bytes on the disk.
    pub fn unfinished(&self) -> (usize, u64) {
        let files = entries(&self.root.join("incoming")).unwrap_or_default();
        let parts = files.iter().filter(|path| path.extension().is_none());
        let sizes = parts.filter_map(|path| Some(on_disk(&fs::metadata(path).ok()?)));
        sizes.fold((0, 0), |(count, bytes), size| (count + 1, bytes + size))
    }
}

impl Swept {
    fn delete(&mut self, path: &Path) -> io::Result<()> {
        let bytes = fs::metadata(path).map(|found| on_disk(&found)).unwrap_or(0);
        fs::remove_file(path)?;
        // Locks are empty, and nobody's loss.
        self.files += usize::from(bytes > 0);
        self.bytes += bytes;
        Ok(())
    }
}

/// A download may have holes where nothing has come yet.
fn on_disk(found: &fs::Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::blocks(found) * 512;
    #[cfg(not(unix))]
    found.len()
}

fn entries(folder: &Path) -> Result<Vec<std::path::PathBuf>, Error> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => {
            let paths = entries.and_then(|all| all.map(|entry| Ok(entry?.path())).collect());
            paths.map_err(failed("read", folder))
        }
    }
}
