//! The file of keys: `keys.json` in the folder of hearth's data.
//!
//! It is replaced as a whole, so that nobody ever reads half of it. Who changes it holds a lock on
//! a file beside it, because the file itself is another one after each change.

mod watched;

use std::fmt;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use api::keys::{self, Key};

use crate::failure::Failure;
use crate::home;
use crate::unfinished::Unfinished;

pub use watched::Watched;

/// Where keys are kept.
#[derive(Clone, Debug)]
pub struct KeyFile(PathBuf);

impl fmt::Display for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

impl KeyFile {
    /// That of this user.
    pub fn of_user() -> Result<KeyFile, Failure> {
        Ok(KeyFile(home::folder()?.join("keys.json")))
    }

    /// Its bytes; none if it is not there.
    pub fn bytes(&self) -> Result<Option<Vec<u8>>, String> {
        match fs::read(&self.0) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{self}: {error}")),
        }
    }

    /// What its bytes say.
    pub fn understood(&self, bytes: &[u8]) -> Result<Vec<Key>, String> {
        keys::read(bytes).map_err(|error| format!("{self}: {error}"))
    }

    /// The keys that there are.
    pub fn read(&self) -> Result<Vec<Key>, Failure> {
        let bytes = self.bytes().map_err(Failure::Machine)?;
        let keys = bytes.map(|bytes| self.understood(&bytes)).transpose();
        keys.map(Option::unwrap_or_default).map_err(Failure::Machine)
    }

    /// Changes them, with nobody else between reading and writing.
    pub fn change<T>(
        &self,
        change: impl FnOnce(&mut Vec<Key>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let failed = |error| Failure::writing(&self.0, &error);
        fs::create_dir_all(self.0.parent().unwrap_or(Path::new("."))).map_err(failed)?;
        // Several folders may have a link to one file, and exclude each other where that lies.
        let place = fs::canonicalize(&self.0).unwrap_or_else(|_| self.0.clone());
        let lock = place.with_extension("lock");
        // One that another user has made can be read, and that is enough.
        let mut made = File::options();
        // Windows locks no file that is open for appending alone.
        made.read(true).append(true).create(true);
        let lock = File::open(&lock).or_else(|_| made.open(&lock));
        let lock = lock.map_err(failed)?;
        // Given back when the file is closed, also by the end of the process.
        lock.lock().map_err(failed)?;
        let mut keys = self.read()?;
        let changed = change(&mut keys)?;
        let unfinished = Unfinished::beside(&place).map_err(failed)?;
        let mut file = unfinished.create_private().map_err(failed)?;
        file.write_all(keys::write(&keys).as_bytes()).map_err(failed)?;
        unfinished.finish(&file).map_err(failed)?;
        Ok(changed)
    }
}

/// Seconds since 1970.
pub fn date() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A file in a folder of its own, which goes with it.
    pub struct TestFile(pub KeyFile);

    impl TestFile {
        pub fn new(name: &str) -> TestFile {
            let folder = std::env::temp_dir().join(format!("hearth-{}-{name}", std::process::id()));
            TestFile(KeyFile(folder.join("keys.json")))
        }

        fn folder(&self) -> &Path {
            self.0.0.parent().unwrap()
        }
    }

    impl Drop for TestFile {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(self.folder());
        }
    }

    pub fn add(file: &KeyFile, key: Key) {
        file.change(|keys| {
            keys.push(key);
            Ok(())
        })
        .unwrap();
    }

    #[test]
    fn changes_at_once_are_all_kept() {
        let file = TestFile::new("at-once");
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let file = &file.0;
                let add = move |i| add(file, Key::new(&format!("{thread}-{i}"), "text"));
                scope.spawn(move || (0..5).for_each(add));
            }
        });
        assert_eq!(file.0.read().unwrap().len(), 20);
        let left: Vec<_> = fs::read_dir(file.folder()).unwrap().collect();
        assert_eq!(left.len(), 2, "the keys and their lock: {left:?}");
    }

    #[test]
    #[cfg(unix)]
    fn only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt;
        let file = TestFile::new("private");
        add(&file.0, Key::new("a", "a"));
        assert_eq!(fs::metadata(&file.0.0).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_is_no_empty_one_and_stays_as_it_is() {
        let file = TestFile::new("damaged");
        assert_eq!(file.0.read().unwrap(), []);
        add(&file.0, Key::new("a", "a"));
        let whole = fs::read(&file.0.0).unwrap();
        let half = &whole[..whole.len() / 2];
        fs::write(&file.0.0, half).unwrap();
        let Failure::Machine(message) = file.0.read().unwrap_err() else { panic!("whose side?") };
        assert!(message.contains("keys.json") && message.contains("damaged"), "{message}");
        assert!(file.0.change(|_| Ok(())).is_err());
        assert_eq!(fs::read(&file.0.0).unwrap(), half);
    }
}
