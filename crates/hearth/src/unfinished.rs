//! A file that takes its name only when it is complete, and goes when it is not.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// What stands under another name until then.
pub struct Unfinished {
    part: PathBuf,
    path: PathBuf,
    /// What had the name before.
    old: Option<fs::Metadata>,
}

impl Unfinished {
    /// Beside the path that it is to have. A link goes on leading there. Devices, pipes and folders
    /// are refused: they would be gone.
    pub fn beside(path: &Path) -> io::Result<Unfinished> {
        let path = match fs::canonicalize(path) {
            Ok(path) => path,
            Err(_) if path.is_symlink() => {
                return Err(io::Error::other("it is a link that leads nowhere"));
            }
            Err(_) => path.to_owned(),
        };
        let old = fs::metadata(&path).ok();
        if old.as_ref().is_some_and(|old| !old.is_file()) {
            return Err(io::Error::other("it is there already, and is no regular file"));
        }
        let mut part = path.as_os_str().to_owned();
        part.push(format!(".{}.part", std::process::id()));
        Ok(Unfinished { part: part.into(), path, old })
    }

    /// For those to read who could read what had the name before, or else whom the system lets.
    pub fn create(&self) -> io::Result<File> {
        let file = File::create(&self.part)?;
        if let Some(old) = &self.old {
            // Not everybody may give files away.
            #[cfg(unix)]
            let _ = keep_owner(&file, old);
            file.set_permissions(old.permissions())?;
        }
        Ok(file)
    }

    /// For its owner's eyes only, where the system knows that; its owner stays who it was.
    pub fn create_private(&self) -> io::Result<File> {
        // What another run has left may have been open to others.
        let _ = fs::remove_file(&self.part);
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.write(true).create_new(true).open(&self.part)?;
        #[cfg(unix)]
        if let Some(old) = &self.old {
            keep_owner(&file, old)?;
        }
        Ok(file)
    }

    /// Gives it its name, once its bytes are on the disk.
    pub fn finish(self, file: &File) -> io::Result<()> {
        file.sync_all()?;
        fs::rename(&self.part, &self.path)?;
        #[cfg(unix)]
        sync_folder(&self.path);
        Ok(())
    }

    /// The same, but takes nobody's place: fails where something has that name.
    pub fn finish_new(self, file: &File) -> io::Result<()> {
        file.sync_all()?;
        match fs::hard_link(&self.part, &self.path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
            // Some file systems have no second names.
            Err(_) if self.path.symlink_metadata().is_ok() => {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            Err(_) => fs::rename(&self.part, &self.path)?,
            Ok(()) => {}
        }
        #[cfg(unix)]
        sync_folder(&self.path);
        Ok(())
    }
}

/// An administrator changes a file that somebody else's server reads.
#[cfg(unix)]
fn keep_owner(file: &File, old: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let new = file.metadata()?;
    match (new.uid(), new.gid()) == (old.uid(), old.gid()) {
        true => Ok(()),
        false => fchown(file, Some(old.uid()), Some(old.gid())),
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After `finish` there is nothing under this name, or what has another name by now.
        let _ = fs::remove_file(&self.part);
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
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let name = format!("hearth-unfinished-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_new_file_takes_nobodys_place() {
        let folder = folder("new");
        let path = folder.join("model.gguf");
        let write = |what: &str| {
            let unfinished = Unfinished::beside(&path).unwrap();
            let file = unfinished.create().unwrap();
            fs::write(&unfinished.part, what).unwrap();
            unfinished.finish_new(&file)
        };
        write("first").unwrap();
        assert_eq!(write("second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    #[cfg(unix)]
    fn what_is_no_file_stays_and_links_and_modes_do_too() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = folder("kept");
        let (path, link) = (folder.join("logits"), folder.join("link"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&path, &link).unwrap();
        let unfinished = Unfinished::beside(&link).unwrap();
        let file = unfinished.create().unwrap();
        fs::write(&unfinished.part, "new").unwrap();
        unfinished.finish(&file).unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(Unfinished::beside(&folder).is_err());
        assert!(Unfinished::beside(Path::new("/dev/null")).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
