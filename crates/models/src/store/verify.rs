//! Whether the files are what they were.

use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;

use super::files::{is_same, set_aside_as};
use super::{PinnedFile, Store};
use crate::Digest;

/// How a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Every bit is as it was.
    Sound,
    /// It is gone.
    Missing,
    /// It is there and cannot be read, for this reason.
    Unreadable(String),
    /// Something else is in it now.
    Changed {
        /// What is.
        found: Digest,
        /// Why it could not be taken out of the way.
        in_the_way: Option<String>,
    },
}

impl Store {
    /// Reads a whole file and compares. A damaged blob, or one that cannot be read, is taken out of
    /// the way, so that no model is run from it and the next pull fetches it again; what lies
    /// outside of the store is not touched. `progress` is told how many bytes have been read; when
    /// it ends it, nothing is known.
    pub fn verify(
        &self,
        file: &PinnedFile,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Option<Health> {
        loop {
            match self.compare(file, progress) {
                Ok(Compared::Known(health)) => return Some(health),
                Ok(Compared::Stopped) => return None,
                Ok(Compared::Replaced) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Some(Health::Missing);
                }
                Err(error) => {
                    // On a disk that fails, names can often still be changed.
                    let _ = self.set_aside(file);
                    return Some(Health::Unreadable(error.to_string()));
                }
            }
        }
    }

    /// Takes a blob out of the way; what lies outside of the store is not touched.
    fn set_aside(&self, file: &PinnedFile) -> io::Result<()> {
        let path = self.place(file);
        if file.at.is_some() { Ok(()) } else { fs::rename(&path, set_aside_as(&path)) }
    }

    fn compare(
        &self,
        file: &PinnedFile,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> io::Result<Compared> {
        let path = self.place(file);
        let opened = File::open(&path)?;
        let was = opened.metadata()?;
        let Some(found) = Digest::read(opened, progress)? else { return Ok(Compared::Stopped) };
        if found == file.digest {
            return Ok(Compared::Known(Health::Sound));
        }
        if !is_same(&was, &fs::metadata(&path)?) {
            // A pull has brought a sound one meanwhile.
            return Ok(Compared::Replaced);
        }
        let in_the_way = self.set_aside(file).err().map(|error| error.to_string());
        Ok(Compared::Known(Health::Changed { found, in_the_way }))
    }
}

/// What one reading has shown.
enum Compared {
    Known(Health),
    /// The file is another one by now.
    Replaced,
    Stopped,
}
