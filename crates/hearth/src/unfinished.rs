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

    /// The same, but takes nobody's place: fails where something has that name.
    pub fn finish_new(self, file: &File, path: &Path) -> io::Result<()> {
        file.sync_all()?;
        match std::fs::hard_link(&self.0, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
            // Some file systems have no second names.
            Err(_) if path.symlink_metadata().is_ok() => {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            Err(_) => std::fs::rename(&self.0, path)?,
            Ok(()) => {}
        }
        #[cfg(unix)]
        sync_folder(path);
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After `finish` there is nothing under this name, or what has another name by now.
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_new_file_takes_nobodys_place() {
        let folder = std::env::temp_dir().join(format!("hearth-unfinished-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("model.gguf");
        let write = |what: &str| {
            let unfinished = Unfinished::beside(&path);
            let file = unfinished.create().unwrap();
            fs::write(&unfinished.0, what).unwrap();
            unfinished.finish_new(&file, &path)
        };
        write("first").unwrap();
        assert_eq!(write("second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }
}
