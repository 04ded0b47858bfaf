//! Whether the files are what they were.

use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;

use super::files::failed;
use super::{Error, PinnedFile, Store};
use crate::Digest;

/// How a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Every bit is as it was.
    Sound,
    /// It is gone.
    Missing,
    /// Something else is in it now.
    Changed(Digest),
}

impl Store {
    /// Reads a whole file and compares. `progress` is told how many bytes have been read; when it
    /// ends it, nothing is known.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn verify(
        &self,
        file: &PinnedFile,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Option<Health>, Error> {
        let path = self.place(file);
        let opened = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Some(Health::Missing));
            }
            opened => opened.map_err(failed("open", &path))?,
        };
        let found = Digest::read(opened, progress).map_err(failed("read", &path))?;
        Ok(found.map(|found| match found == file.digest {
            true => Health::Sound,
            false => Health::Changed(found),
        }))
    }

    /// Takes a damaged blob out of the way, so that no model is run from it and the next pull
    /// fetches it again. What lies outside of the store is not touched.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub fn set_aside(&self, file: &PinnedFile) -> Result<bool, Error> {
        if file.at.is_some() {
            return Ok(false);
        }
        let path = self.blob_path(file.digest);
        fs::rename(&path, path.with_extension("damaged")).map_err(failed("rename", &path))?;
        Ok(true)
    }
}
