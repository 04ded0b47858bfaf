//! Where models lie on this machine, and what their names stand for.
//!
//! ```text
//! models/
//!   models.lock              what each name stands for: source, revision, the digest of each file
//!   blobs/sha256-…           files, named by what is in them; one copy, however many names it has
//!   views/qwen3-4b-1a2b3c…/  the same files under their own names, as links
//!   incoming/                downloads that are not complete
//!   .changing .pulling       locks, which processes take
//! ```
//!
//! Whatever is killed whenever, `models.lock` is the old one or the new one, and every file it
//! names is there in full: a blob takes its name when its bytes are on the disk, and a model its
//! name when its blobs have theirs. What nothing names is swept away later.

mod error;
mod files;
mod pins;
mod sweep;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod verify;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::Digest;
use crate::pull::settled;
pub use error::Error;
pub(crate) use error::is_full;
use files::{failed, lock_file};
pub use pins::{Pinned, PinnedFile, Pins, check_file_name, check_name};
pub use sweep::Swept;
pub use verify::Health;

/// The folder of models. It need not be there.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// A promise to the sweeper that blobs which nothing names yet are wanted. Others may hold it too.
pub struct Pulling {
    _lock: File,
}

/// A place for the bytes of a file that is on its way, which nobody else has.
pub struct Incoming {
    /// Where they are to be written.
    pub path: PathBuf,
    _lock: File,
}

impl Store {
    /// The store in this folder.
    pub fn at(root: impl Into<PathBuf>) -> Store {
        Store { root: root.into() }
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What the names stand for. Without a store there are none.
    ///
    /// # Errors
    /// When the file cannot be read, or hearth did not write it.
    pub fn pins(&self) -> Result<Pins, Error> {
        Pins::read(&self.pins_path())
    }

    /// What this name stands for.
    ///
    /// # Errors
    /// When it stands for nothing; with names that are alike.
    pub fn pinned(&self, name: &str) -> Result<Pinned, Error> {
        let pins = self.pins()?;
        pins.find(name).cloned().ok_or_else(|| pins.unknown(name))
    }

    /// Says that files are about to come.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn pulling(&self) -> Result<Pulling, Error> {
        if !self.pins_path().exists() {
            self.found()?;
        }
        let (path, file) = lock_file(&self.root, ".pulling")?;
        file.lock_shared().map_err(failed("lock", &path))?;
        Ok(Pulling { _lock: file })
    }

    /// Makes a store of a folder that is none: where blobs lie already, they are somebody else's.
    fn found(&self) -> Result<(), Error> {
        for theirs in ["blobs", "manifests"] {
            if self.root.join(theirs).exists() {
                return Err(Error::NotOurs { path: self.root.clone() });
            }
        }
        self.change(|_| Ok(()))
    }

    /// Where a file is to be written whose digest, or else whose address, is `key`. What an
    /// earlier process left of it is still there. While another process fetches it, `wait` is
    /// called again and again, and may fail.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn incoming(
        &self,
        key: &str,
        wait: &mut dyn FnMut() -> Result<(), Error>,
    ) -> Result<Incoming, Error> {
        let key = match key.parse::<Digest>() {
            Ok(digest) => digest,
            Err(_) => Digest::of(key.as_bytes()),
        };
        let folder = self.root.join("incoming");
        let (path, lock) = lock_file(&folder, &format!("{}.lock", key.hexadecimal()))?;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(fs::TryLockError::WouldBlock) => {
                    wait()?;
                    std::thread::sleep(Duration::from_millis(100));
                }
                Err(fs::TryLockError::Error(error)) => return Err(failed("lock", &path)(error)),
            }
        }
        Ok(Incoming { path: folder.join(key.hexadecimal()), _lock: lock })
    }

    /// A file has come: from now on it is the blob of this digest. Whoever calls this has checked
    /// that.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub fn accept(&self, incoming: Incoming, digest: Digest) -> Result<(), Error> {
        let Incoming { path: from, _lock } = incoming;
        let to = self.blob_path(digest);
        let folder = self.root.join("blobs");
        fs::create_dir_all(&folder).map_err(failed("make", &folder))?;
        let file = File::options().write(true).open(&from).map_err(failed("open", &from))?;
        file.sync_all().map_err(failed("write", &from))?;
        fs::rename(&from, &to).map_err(failed("write", &to))?;
        settled(&from);
        // Not before: whoever goes on with what a kill has left here writes to it.
        files::read_only(&file).map_err(failed("protect", &to))?;
        files::sync_folder(&folder);
        Ok(())
    }

    /// The blob of this digest, if it is here.
    pub fn blob(&self, digest: Digest) -> Option<PathBuf> {
        Some(self.blob_path(digest)).filter(|path| path.is_file())
    }

    fn blob_path(&self, digest: Digest) -> PathBuf {
        self.root.join("blobs").join(format!("sha256-{}", digest.hexadecimal()))
    }

    fn pins_path(&self) -> PathBuf {
        self.root.join("models.lock")
    }

    /// Lets a name stand for these files, that stood for `was` when this was decided. What it stood
    /// for before can be had again by [`Store::roll_back`].
    ///
    /// # Errors
    /// When one of the files is not here, the name has come to stand for something else meanwhile,
    /// or the store cannot be written.
    pub fn pin(&self, mut pinned: Pinned, was: Option<&Pinned>) -> Result<(), Error> {
        self.check(&pinned)?;
        self.view(&pinned)?;
        self.change(|pins| {
            let before = pins.remove(&pinned.name);
            // Who has pinned the same meanwhile has done what was wanted.
            let is_done = before.as_ref().is_some_and(|before| before.same_files(&pinned));
            if !is_done && before.as_ref().map(Pinned::digest) != was.map(Pinned::digest) {
                return Err(Error::Overtaken { name: pinned.name.clone() });
            }
            if let Some(before) = before {
                match before.same_files(&pinned) {
                    true => pinned.before = before.before,
                    false => pinned.before = Some(Box::new(before.without_history())),
                }
            }
            pins.models.push(pinned);
            Ok(())
        })
    }

    /// Gives a name back what it stood for before, and keeps the present for another change of
    /// mind.
    ///
    /// # Errors
    /// When there was nothing before, or it is gone.
    pub fn roll_back(&self, name: &str) -> Result<Pinned, Error> {
        let name = self.pinned(name)?.name;
        self.change(|pins| {
            let Some(now) = pins.remove(&name) else { return Err(pins.unknown(&name)) };
            let before = now.before.clone().ok_or(Error::NoHistory { name })?;
            self.check(&before)?;
            self.view(&before)?;
            let back = Pinned { before: Some(Box::new(now.without_history())), ..*before };
            pins.models.push(back.clone());
            Ok(back)
        })
    }

    /// Changes what names stand for, one process at a time.
    fn change<T>(&self, how: impl FnOnce(&mut Pins) -> Result<T, Error>) -> Result<T, Error> {
        let (path, lock) = lock_file(&self.root, ".changing")?;
        lock.lock().map_err(failed("lock", &path))?;
        let mut pins = self.pins()?;
        let made = how(&mut pins)?;
        pins.write(&self.pins_path())?;
        Ok(made)
    }

    /// What a model's file is read from: a blob, or where it lies outside of the store.
    pub fn place(&self, file: &PinnedFile) -> PathBuf {
        file.at.clone().unwrap_or_else(|| self.blob_path(file.digest))
    }

    /// Whether all files are there, at the length that they had, and those in others' care not
    /// written since.
    ///
    /// # Errors
    /// With the first that is not.
    pub fn check(&self, pinned: &Pinned) -> Result<(), Error> {
        for file in &pinned.files {
            let (path, name) = (self.place(file), pinned.name.clone());
            let is_theirs = file.at.is_some();
            match fs::metadata(&path) {
                Ok(found) if is_theirs && file.modified != modified(&found) => {
                    return Err(Error::Written { name, path });
                }
                Ok(found) if found.len() == file.bytes => {}
                Ok(found) => {
                    let (found, wanted) = (found.len(), file.bytes);
                    return Err(Error::Length { name, path, found, wanted });
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(match is_theirs {
                        true => Error::Gone { name, path },
                        false => Error::Missing { name, path },
                    });
                }
                Err(error) => return Err(failed("read", &path)(error)),
            }
        }
        Ok(())
    }

    /// A path that hearth can open: the model's one file, or a folder with all of them.
    ///
    /// # Errors
    /// When a file is gone, or has another length than it had.
    pub fn path(&self, pinned: &Pinned) -> Result<PathBuf, Error> {
        self.check(pinned)?;
        let view = self.view_path(pinned);
        if !self.is_viewed(pinned) {
            // A store that cannot be written may still be read, where one file is enough.
            match (self.view(pinned), &pinned.files[..]) {
                (Ok(()), _) => {}
                (Err(_), [file]) => return Ok(self.place(file)),
                (Err(error), _) => return Err(error),
            }
        }
        Ok(match pinned.entrance() {
            Some(file) => view.join(&file.name),
            None => view,
        })
    }

    fn view_path(&self, pinned: &Pinned) -> PathBuf {
        self.root.join("views").join(pinned.view_name())
    }

    fn is_viewed(&self, pinned: &Pinned) -> bool {
        let view = self.view_path(pinned);
        pinned.files.iter().all(|file| files::leads_to(&view.join(&file.name), &self.place(file)))
    }

    /// Links a model's files under their own names.
    fn view(&self, pinned: &Pinned) -> Result<(), Error> {
        if self.is_viewed(pinned) {
            return Ok(());
        }
        let view = self.view_path(pinned);
        for file in &pinned.files {
            let link = view.join(&file.name);
            let folder = link.parent().unwrap_or(&view);
            fs::create_dir_all(folder).map_err(failed("make", folder))?;
            let target = match &file.at {
                Some(at) => at.clone(),
                // The store may be moved, or be seen from another machine.
                None => {
                    let up = "../".repeat(file.name.split('/').count() + 1);
                    Path::new(&up).join(
                        self.blob_path(file.digest)
                            .strip_prefix(&self.root)
                            .unwrap_or(Path::new("")),
                    )
                }
            };
            files::link((&self.place(file), &target), &link).map_err(failed("write", &link))?;
        }
        Ok(())
    }

    /// Remembers that a model was used now. A store that cannot be written forgets it.
    pub fn used(&self, pinned: &Pinned) {
        if let Ok(marker) = File::create(self.view_path(pinned).join(".used")) {
            // Creating it alone changes nothing where it is empty already.
            let _ = marker.set_modified(SystemTime::now());
        }
    }

    /// When a model was used last.
    pub fn last_used(&self, pinned: &Pinned) -> Option<SystemTime> {
        fs::metadata(self.view_path(pinned).join(".used")).ok()?.modified().ok()
    }
}

/// When a file was written last, in nanoseconds since 1970; it tells a change, and is no time for
/// people.
pub fn modified(found: &fs::Metadata) -> Option<u64> {
    let since = found.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}
