//! A file that takes its name only when it is complete, and goes when it is not.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// What stands under another name until then.
pub struct Unfinished(PathBuf);

impl Unfinished {
    /// Beside the path that it is to have.
    pub fn beside(path: &Path) -> Unfinished {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        Unfinished(name.into())
    }

    /// For all to read whom the system lets.
    pub fn create(&self) -> io::Result<File> {
        File::create(&self.0)
    }

    /// For its owner's eyes only, where the system knows that.
    pub fn create_private(&self) -> io::Result<File> {
        // What another run has left may have been open to others.
        let _ = std::fs::remove_file(&self.0);
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.write(true).create_new(true).open(&self.0)
    }

    /// Gives it its name, once its bytes are on the disk.
    pub fn finish(self, file: &File, path: &Path) -> io::Result<()> {
        file.sync_all()?;
        std::fs::rename(&self.0, path)?;
        #[cfg(unix)]
        sync_folder(path);
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After `finish` there is nothing under this name.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The new name outlives a loss of power when its folder is on the disk. Some file systems cannot
/// be asked for that, and the file is there all the same.
#[cfg(unix)]
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
}
