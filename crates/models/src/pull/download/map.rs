//! Which pieces of a file are on disk: what a download goes on from after it was killed.
//!
//! A file beside the partial one: a line that says of what, a mark for each piece, and what a
//! server calls its version. A piece is marked when the disk has it, so that a mark is never ahead
//! of its bytes.
//!
//! ```text
//!   hearth pieces 1 SIZE PIECE IDENTITY
//!   ##.#......
//!   "etag"
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::disk::write_at;

const DONE: u8 = b'#';
const MISSING: u8 = b'.';
/// The disk is asked to be done at least so often.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a map is of. With another one nothing of it can be used.
pub struct Stated {
    pub size: u64,
    pub piece: u64,
    /// The disk is asked to be done no more often than for so many bytes.
    pub batch: u64,
    /// A digest, or an address.
    pub identity: String,
}

impl Stated {
    fn line(&self) -> String {
        let Stated { size, piece, identity, .. } = self;
        format!("hearth pieces 1 {size} {piece} {identity}\n")
    }

    fn pieces(&self) -> usize {
        usize::try_from(self.size.div_ceil(self.piece)).unwrap_or(usize::MAX)
    }

    /// The bytes of a piece.
    pub fn bytes(&self, piece: usize) -> Range<u64> {
        let start = (piece as u64).saturating_mul(self.piece);
        start..start.saturating_add(self.piece).min(self.size)
    }
}

/// The marks, here and on disk.
pub struct Map {
    file: File,
    pub stated: Stated,
    marks: Vec<u8>,
    version: Option<String>,
    /// Pieces that are written, and of which the disk may not have all.
    pending: Vec<usize>,
    pending_bytes: u64,
    asked: Instant,
    /// The disk has failed: what it says afterwards is not to be believed.
    is_broken: bool,
}

impl Map {
    /// The map of an earlier download of the same, or a new one. `length` is that of the partial
    /// file, which has no piece that lies behind its end.
    pub fn open(path: &Path, stated: Stated, length: u64) -> io::Result<Map> {
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let (line, pieces) = (stated.line(), stated.pieces());
        let most = (line.len() + pieces) as u64 + (64 << 10);
        let mut bytes = Vec::new();
        Read::by_ref(&mut file).take(most).read_to_end(&mut bytes)?;
        let kept = read(&bytes, &line, pieces).filter(|(marks, _)| {
            let last = marks.iter().rposition(|mark| *mark == DONE);
            last.is_none_or(|last| stated.bytes(last).end <= length)
        });
        let is_kept = kept.is_some();
        let (marks, version) = kept.unwrap_or_else(|| (vec![MISSING; pieces], None));
        if !is_kept {
            file.set_len(0)?;
            write_at(&file, &[line.as_bytes(), &marks, b"\n"].concat(), 0)?;
        }
        let (pending, asked) = (Vec::new(), Instant::now());
        let pending_bytes = 0;
        Ok(Map { file, stated, marks, version, pending, pending_bytes, asked, is_broken: false })
    }

    /// Bytes that need not come again.
    pub fn done(&self) -> u64 {
        let pieces = self.marks.iter().enumerate().filter(|(_, mark)| **mark == DONE);
        pieces.map(|(piece, _)| self.stated.bytes(piece)).map(|bytes| bytes.end - bytes.start).sum()
    }

    /// What is missing: piece by piece, or in runs as long as can be.
    pub fn missing(&self, by_piece: bool) -> Vec<Range<u64>> {
        let mut runs: Vec<Range<u64>> = Vec::new();
        for piece in (0..self.marks.len()).filter(|piece| self.marks[*piece] == MISSING) {
            let bytes = self.stated.bytes(piece);
            match runs.last_mut() {
                Some(last) if !by_piece && last.end == bytes.start => last.end = bytes.end,
                _ => runs.push(bytes),
            }
        }
        runs
    }

    /// What the server calls the version of which there are pieces.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    pub fn set_version(&mut self, version: &str) -> io::Result<()> {
        self.version = Some(version.to_owned());
        let at = self.stated.line().len() + self.marks.len() + 1;
        write_at(&self.file, format!("{version}\n").as_bytes(), at as u64)
    }

    /// All bytes of a piece were written to `data`.
    pub fn written(&mut self, piece: usize, data: &File) -> io::Result<()> {
        let bytes = self.stated.bytes(piece);
        self.pending.push(piece);
        self.pending_bytes += bytes.end - bytes.start;
        if self.pending_bytes >= self.stated.batch || self.asked.elapsed() >= PATIENCE {
            self.mark(data)?;
        }
        Ok(())
    }

    /// Marks what was written, once the disk has it.
    pub fn mark(&mut self, data: &File) -> io::Result<()> {
        if self.pending.is_empty() || self.is_broken {
            return Ok(());
        }
        // A system tells once that something could not be written, and then no more.
        data.sync_data().inspect_err(|_| self.is_broken = true)?;
        let first = self.stated.line().len();
        for piece in self.pending.drain(..) {
            write_at(&self.file, &[DONE], (first + piece) as u64)?;
            self.marks[piece] = DONE;
        }
        self.file.flush()?;
        (self.pending_bytes, self.asked) = (0, Instant::now());
        Ok(())
    }
}

/// The marks and the version of a map's file; `None` when it is of something else, or damaged.
fn read(bytes: &[u8], line: &str, pieces: usize) -> Option<(Vec<u8>, Option<String>)> {
    let rest = bytes.strip_prefix(line.as_bytes())?;
    let (marks, rest) = rest.split_at_checked(pieces)?;
    let is_mark = |mark: &u8| [DONE, MISSING].contains(mark);
    let rest = rest.strip_prefix(b"\n").filter(|_| marks.iter().all(is_mark))?;
    let version = rest.split(|byte| *byte == b'\n').next()?;
    let version = String::from_utf8(version.to_vec()).ok()?;
    let is_whole = rest.ends_with(b"\n") && !version.is_empty();
    Some((marks.to_vec(), is_whole.then_some(version)))
}

/// The path of the map of a partial file.
pub fn beside(partial: &Path) -> PathBuf {
    let mut name = partial.as_os_str().to_owned();
    name.push(".map");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated() -> Stated {
        Stated { size: 25, piece: 10, batch: 100, identity: "sha256:x".to_owned() }
    }

    #[test]
    fn marks_outlive_the_map_and_only_for_the_same_file() {
        let folder = std::env::temp_dir().join(format!("hearth-map-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (data, path) = (File::create(folder.join("x")).unwrap(), folder.join("x.map"));
        let mut map = Map::open(&path, stated(), 0).unwrap();
        assert_eq!(map.missing(true), [0..10, 10..20, 20..25]);
        assert_eq!(map.missing(false), [0..25; 1]);
        map.set_version("\"v1\"").unwrap();
        map.written(2, &data).unwrap();
        assert_eq!(Map::open(&path, stated(), 25).unwrap().done(), 0, "the disk was not asked");
        map.mark(&data).unwrap();
        let again = Map::open(&path, stated(), 25).unwrap();
        assert_eq!((again.done(), again.version()), (5, Some("\"v1\"")));
        assert_eq!(again.missing(false), [0..20; 1]);
        assert_eq!(Map::open(&path, stated(), 24).unwrap().done(), 0, "the file is too short");
        map.mark(&data).unwrap();
        let other = Stated { identity: "sha256:y".to_owned(), ..stated() };
        assert_eq!(Map::open(&path, other, 25).unwrap().done(), 0);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_last_piece_of_the_longest_file_has_an_end() {
        let stated = Stated { size: u64::MAX, piece: 1 << 62, ..stated() };
        assert_eq!(stated.bytes(3), 3 << 62..u64::MAX);
    }

    #[test]
    fn a_damaged_map_is_none() {
        let line = stated().line();
        let good = format!("{line}#.#\n");
        assert_eq!(read(good.as_bytes(), &line, 3), Some((b"#.#".to_vec(), None)));
        let torn = format!("{line}#.#\n\"v");
        assert_eq!(read(torn.as_bytes(), &line, 3), Some((b"#.#".to_vec(), None)));
        for bad in ["", &line, &format!("{line}#.#"), &format!("{line}#x#\n"), &good[1..]] {
            assert_eq!(read(bad.as_bytes(), &line, 3), None, "{bad}");
        }
    }
}
