//! A walk through a tar stream that keeps a few named files.
//!
//! Only what those files need is understood: plain entries with names of up to 255 bytes. Entries
//! of other kinds, long names among them, are passed over.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

const BLOCK: usize = 512;
const CHECKSUM: std::ops::Range<usize> = 148..156;

/// Writes each of the `wanted` entries into a folder under its last name, and stops reading as soon
/// as it has them all. Returns the names that the archive does not have.
pub fn extract(
    mut archive: impl Read,
    wanted: &[String],
    into: &Path,
) -> Result<Vec<String>, String> {
    let mut missing: Vec<String> = wanted.to_vec();
    let mut block = [0; BLOCK];
    while !missing.is_empty() {
        archive
            .read_exact(&mut block)
            .map_err(|error| format!("the archive ends early: {error}"))?;
        if block == [0; BLOCK] {
            break;
        }
        let entry = Entry::parse(&block)?;
        let mut content = archive.by_ref().take(entry.size.next_multiple_of(BLOCK as u64));
        if let Some(at) = missing.iter().position(|name| *name == entry.name && entry.is_file) {
            let name = missing.remove(at);
            let file = into.join(name.rsplit('/').next().unwrap_or_default());
            save(&mut content, entry.size, &file)
                .map_err(|error| format!("{}: {error}", file.display()))?;
        }
        io::copy(&mut content, &mut io::sink()).map_err(|error| error.to_string())?;
    }
    Ok(missing)
}

fn save(content: &mut impl Read, size: u64, file: &Path) -> io::Result<()> {
    let copied = io::copy(&mut content.take(size), &mut File::create(file)?)?;
    if copied < size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// What a header block says.
struct Entry {
    name: String,
    size: u64,
    is_file: bool,
}

impl Entry {
    fn parse(block: &[u8; BLOCK]) -> Result<Entry, String> {
        let damaged = || "the archive has a damaged header".to_owned();
        let counted = block
            .iter()
            .enumerate()
            .map(|(at, &byte)| u64::from(if CHECKSUM.contains(&at) { b' ' } else { byte }));
        if octal(&block[CHECKSUM]).ok_or_else(damaged)? != counted.sum::<u64>() {
            return Err(damaged());
        }
        let size = octal(&block[124..136]).ok_or_else(damaged)?;
        let (name, prefix) = (text(&block[..100]), text(&block[345..500]));
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        Ok(Entry { name, size, is_file: matches!(block[156], b'0' | 0) })
    }
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

fn octal(field: &[u8]) -> Option<u64> {
    let digits = text(field);
    u64::from_str_radix(digits.trim_matches(' '), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, content: &[u8]) -> Vec<u8> {
        let mut header = [0; BLOCK];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[156] = b'0';
        header[CHECKSUM].fill(b' ');
        let sum: u64 = header.iter().map(|&byte| u64::from(byte)).sum();
        header[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
        header[154] = 0;
        let mut bytes = header.to_vec();
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        bytes
    }

    fn archive() -> Vec<u8> {
        let mut bytes = entry("p/other", &[7; 1000]);
        bytes.extend(entry("p/kept", b"kept content"));
        bytes.extend(entry("q/kept2", &[9; BLOCK]));
        bytes.extend([0; 2 * BLOCK]);
        bytes
    }

    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("fetch-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn keeps_what_is_wanted_and_names_what_is_missing() {
        let into = folder("keeps");
        let wanted = ["p/kept", "q/kept2", "p/absent"].map(str::to_owned);
        let missing = extract(&archive()[..], &wanted, &into).unwrap();
        assert_eq!(missing, ["p/absent"]);
        assert_eq!(std::fs::read(into.join("kept")).unwrap(), b"kept content");
        assert_eq!(std::fs::read(into.join("kept2")).unwrap(), [9; BLOCK]);
        assert!(!into.join("other").exists());
        std::fs::remove_dir_all(into).unwrap();
    }

    #[test]
    fn refuses_damage() {
        let into = folder("refuses");
        let wanted = ["q/kept2".to_owned()];
        let mut bytes = archive();
        bytes[0] ^= 1;
        assert!(extract(&bytes[..], &wanted, &into).unwrap_err().contains("damaged"));
        let whole = archive();
        let cut = &whole[..whole.len() - 2 * BLOCK - 1];
        assert!(extract(cut, &wanted, &into).is_err());
        std::fs::remove_dir_all(into).unwrap();
    }
}
