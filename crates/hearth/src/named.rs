//! What somebody means who gives a model: a name that stands for files in the store, or a path.

use std::path::{Path, PathBuf};

use models::catalogue::{self, Known};
use models::store::{self, Pinned, Store, check_name};

use crate::failure::Failure;
use crate::{home, kindling};

/// The folder of models, where it is not within that of hearth's data.
const FOLDER: &str = "HEARTH_MODELS";

/// A model that is on this machine.
pub struct Named {
    pub path: PathBuf,
    /// What its name stands for, if it was given by one.
    pub pinned: Option<Pinned>,
}

/// The store of this user.
pub fn store() -> Result<Store, Failure> {
    match std::env::var_os(FOLDER).filter(|folder| !folder.is_empty()) {
        Some(folder) => Ok(Store::at(folder)),
        None => Ok(Store::at(home::folder()?.join("models"))),
    }
}

/// Where a model lies that was given by its name or its path. A name comes first: a file that is
/// called like it is `./NAME`.
pub fn find(given: &Path) -> Result<Named, Failure> {
    let as_path = || Named { path: given.to_owned(), pinned: None };
    let name = given.to_str().filter(|name| check_name(name).is_ok());
    let Some(name) = name.filter(|_| !kindling::is(given)) else { return Ok(as_path()) };
    let store = store()?;
    let pinned = match store.pinned(name) {
        Err(store::Error::Unknown { .. }) => return Ok(as_path()),
        // A store that cannot be read keeps nobody from a file of theirs.
        Err(_) if given.exists() => return Ok(as_path()),
        pinned => pinned.map_err(failure)?,
    };
    let path = store.path(&pinned).map_err(failure)?;
    store.used(&pinned);
    Ok(Named { path, pinned: Some(pinned) })
}

/// The path alone.
pub fn path(given: &Path) -> Result<PathBuf, Failure> {
    Ok(find(given)?.path)
}

/// What the catalogue knows by this name, where nothing of that name is here.
pub fn known(given: &Path) -> Option<&'static Known> {
    catalogue::find(given.to_str()?).filter(|_| !given.exists())
}

/// What went wrong in the store, and the way out.
pub fn failure(error: store::Error) -> Failure {
    use store::Error::{
        File, Gone, Length, Missing, Name, NoHistory, NotOurs, Overtaken, Pins, Stopped, Unknown,
        Written,
    };
    let message = error.to_string();
    match error {
        File { .. } | Pins { .. } | NotOurs { .. } | Overtaken { .. } => Failure::Machine(message),
        Name { .. } | NoHistory { .. } => Failure::Request(message),
        Stopped => Failure::Interrupted,
        Unknown { .. } => {
            let way_out = "`hearth list` tells which there are, `hearth pull` gets another; a \
                           file or folder is given by its path.";
            Failure::Model(message, way_out.to_owned())
        }
        Written { name, .. } => {
            let way_out = format!("`hearth update {name}` looks what it is now.");
            Failure::Model(message, way_out)
        }
        Gone { name, .. } => {
            let way_out = format!("Put it back, or `hearth rm {name}` and pull it from elsewhere.");
            Failure::Model(message, way_out)
        }
        Missing { name, .. } | Length { name, .. } => {
            Failure::Model(message, format!("`hearth pull {name}` fetches what is missing."))
        }
    }
}
