//! Files and folders of this machine. Nothing is copied: it is said where things lie.

use std::fs;
use std::path::{Path, PathBuf};

use arch::POOLING_FILE;

use super::choose::{Entry, choose};
use super::hub::undecided;
use super::{Error, Found, Manner, Place, Role, Source, Wanted};

/// The files of a model on this machine, a file or a folder, by the rules of `hearth pull`.
///
/// # Errors
/// When it is none, or cannot be read.
pub fn files_of(path: &Path) -> Result<Vec<(PathBuf, Role)>, Error> {
    let place = |wanted: Wanted| match wanted.place {
        Place::Disk(at) => Some((at, wanted.role)),
        Place::Web(_) => None,
    };
    Ok(find(path)?.files.into_iter().filter_map(place).collect())
}

pub fn find(path: &Path) -> Result<Found, Error> {
    let disk = |error| Error::disk(path, error);
    let source = Source::Local(path.to_owned());
    let found = |files| Found { source: source.clone(), revision: None, files, licence: None };
    let about = fs::metadata(path).map_err(disk)?;
    if about.is_dir() {
        return Ok(found(folder(path, &source)?));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // The parts of a split file belong together; its folder knows them.
    let beside = path.parent().filter(|_| name.contains("-of-"));
    let entries = match beside {
        Some(folder) => list(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?,
        None => vec![Entry { path: name.clone(), size: about.len() }],
    };
    let chosen = choose(&entries, Some(&name)).map_err(|why| undecided(&source, why))?;
    let wanted =
        |(at, role): (usize, _)| wanted(path.with_file_name(&entries[at].path), &entries[at], role);
    Ok(found(chosen.into_iter().map(wanted).collect()))
}

fn folder(path: &Path, source: &Source) -> Result<Vec<Wanted>, Error> {
    let mut entries = list(path)?;
    // All else lies at the top.
    let pooling = fs::metadata(path.join(POOLING_FILE)).ok().filter(fs::Metadata::is_file);
    entries.extend(pooling.map(|about| Entry { path: POOLING_FILE.to_owned(), size: about.len() }));
    let chosen = choose(&entries, None).map_err(|why| undecided(source, why))?;
    let file = |(at, role): (usize, _)| wanted(path.join(&entries[at].path), &entries[at], role);
    Ok(chosen.into_iter().map(file).collect())
}

fn list(folder: &Path) -> Result<Vec<Entry>, Error> {
    let disk = |error| Error::disk(folder, error);
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(disk)? {
        let entry = entry.map_err(disk)?;
        let Ok(about) = fs::metadata(entry.path()) else { continue };
        let Some(path) = entry.file_name().to_str().map(str::to_owned) else { continue };
        if about.is_file() {
            entries.push(Entry { path, size: about.len() });
        }
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

fn wanted(path: PathBuf, entry: &Entry, role: Role) -> Wanted {
    Wanted {
        name: entry.path.clone(),
        role,
        place: Place::Disk(path),
        size: Some(entry.size),
        digest: None,
        git: None,
        manner: Manner::Web,
    }
}
