//! The folder where hearth keeps what outlives a run: keys today, models later.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::failure::Failure;

/// `$HEARTH_HOME`, else `$XDG_DATA_HOME/hearth`, else `~/.local/share/hearth`. It need not be
/// there.
pub fn folder() -> Result<PathBuf, Failure> {
    let (own, data) = (std::env::var_os("HEARTH_HOME"), std::env::var_os("XDG_DATA_HOME"));
    let folder = choose(own, data, std::env::home_dir());
    folder.ok_or_else(|| {
        let message = "no folder for hearth's data is known; HEARTH_HOME names one";
        Failure::Machine(message.to_owned())
    })
}

fn choose(own: Option<OsString>, data: Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    let own = own.filter(|path| !path.is_empty()).map(PathBuf::from);
    // The standard says that a relative path is to be ignored.
    let data = data.map(PathBuf::from).filter(|path| path.is_absolute());
    let home = home.filter(|path| path.is_absolute()).map(|home| home.join(".local/share"));
    own.or_else(|| Some(data.or(home)?.join("hearth")))
}

#[cfg(test)]
#[cfg(unix)] // Where such paths are absolute.
mod tests {
    use super::*;

    #[test]
    fn the_nearest_wins() {
        let folder = |own: &str, data: &str, home: &str| {
            let given = |text: &str| (text != "-").then(|| text.into());
            choose(given(own), given(data), given(home).map(PathBuf::from))
                .map(|path| path.display().to_string())
        };
        for (own, data, home, expected) in [
            ("/own", "/data", "/home", "/own"),
            ("own", "/data", "/home", "own"),
            ("", "/data", "/home", "/data/hearth"),
            ("-", "data", "/home", "/home/.local/share/hearth"),
            ("-", "", "/home", "/home/.local/share/hearth"),
            ("-", "-", "/home", "/home/.local/share/hearth"),
        ] {
            assert_eq!(folder(own, data, home).as_deref(), Some(expected));
        }
        assert_eq!(folder("-", "-", "-"), None);
        assert_eq!(folder("", "", ""), None);
    }
}
