//! What the store does with files, such that a kill at any moment leaves the old or the new.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Error;

/// Makes an error of what the system says.
pub(super) fn failed(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |error| Error::File { verb, path, error }
}

/// Opens a file that is there to be locked.
pub(super) fn lock_file(folder: &Path, name: &str) -> Result<(PathBuf, File), Error> {
    fs::create_dir_all(folder).map_err(failed("make", folder))?;
    let path = folder.join(name);
    let file = File::options().create(true).read(true).append(true).open(&path);
    let file = file.map_err(failed("write", &path))?;
    Ok((path, file))
}

/// Writes a whole file, of which nobody ever sees a part.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let part = path.with_extension("part");
    let written = File::create(&part).and_then(|mut file| {
        // Who may read the old file may read the new one, whoever writes it.
        if let Ok(old) = fs::metadata(path) {
            file.set_permissions(old.permissions())?;
        }
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(failed("write", &part))?;
    fs::rename(&part, path).map_err(failed("write", path))?;
    sync_folder(path.parent().unwrap_or(Path::new(".")));
    Ok(())
}

/// Where a damaged blob goes.
pub(super) fn set_aside_as(blob: &Path) -> PathBuf {
    blob.with_extension("damaged")
}

/// Whether two looks at a path have seen one file.
pub(super) fn is_same(a: &fs::Metadata, b: &fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (a.dev(), a.ino()) == (b.dev(), b.ino())
    }
    #[cfg(not(unix))]
    {
        a.len() == b.len() && a.modified().ok() == b.modified().ok()
    }
}

/// Nobody writes into a blob by mistake.
pub(super) fn read_only(file: &File) -> io::Result<()> {
    let mut permissions = file.metadata()?.permissions();
    permissions.set_readonly(true);
    file.set_permissions(permissions)
}

/// Names in a folder outlive a loss of power. Some file systems cannot be asked for that.
pub(super) fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

/// Lets a file be found under another path too, whatever was there before. `target` is how the
/// link says it, where links have words.
pub(super) fn link((file, target): (&Path, &Path), link: &Path) -> io::Result<()> {
    match fs::remove_file(link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    match make_link(file, target, link) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Whether a link is there, and to this file.
pub(super) fn leads_to(link: &Path, file: &Path) -> bool {
    if cfg!(unix) {
        let (link, file) = (fs::canonicalize(link), fs::canonicalize(file));
        return link.is_ok_and(|link| file.is_ok_and(|file| link == file));
    }
    let (link, file) = (fs::metadata(link), fs::metadata(file));
    link.is_ok_and(|link| file.is_ok_and(|file| is_same(&link, &file)))
}

#[cfg(unix)]
fn make_link(_: &Path, target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

/// Links by name need privileges on other systems; those to the same file do not.
#[cfg(not(unix))]
fn make_link(file: &Path, _: &Path, link: &Path) -> io::Result<()> {
    fs::hard_link(file, link)
}
