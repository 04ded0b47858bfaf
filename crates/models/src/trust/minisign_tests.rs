//! Signatures that minisign 0.11 has made, and those with a bit less right.

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;

use super::*;

const FILE: &[u8] = b"hearth signs models\n";
const KEY: &str = "RWTthvgcaKwwUHnsMaUkaE3yKLw6tRT5IegaFSUxvfrseiOAJuJ3dB6+";
const PUB: &str = "untrusted comment: minisign public key 5030AC681CF886ED\n\
    RWTthvgcaKwwUHnsMaUkaE3yKLw6tRT5IegaFSUxvfrseiOAJuJ3dB6+\n";
const OF_DIGEST: &str = "untrusted comment: signature from minisign secret key\n\
    RUTthvgcaKwwUEvTrYAkqNBB3BPvAacu7CSz8cVQqRrJB5ck+g+9kUrkElAsQji0veSx7TyXwvFyWxaQMw1DAt51\
    mpBz23fcsAI=\n\
    trusted comment: timestamp:1700000000\tfile:model.gguf\n\
    zbot+AMqxQrVyt1htyFMoncjpYqIKsrNT4c6N3XN1zQn4OXJrTVcBMJU2Lcga7MMeOyLFZIyw67GhELVN6qQDg==\n";
const OF_FILE: &str = "untrusted comment: signature from minisign secret key\n\
    RWTthvgcaKwwULV1hYMSp0S/ctWkE8Rxgg5SIMzqvAfvg3Fj/0yFBm4tcVSqcLSNi6oLGfrvRNkodW9I9WzdQmQc\
    ONqqtcsI9wA=\n\
    trusted comment: an old one\n\
    s8OTO23k3q33+NrLRdPajKFWzRzt+KzcrL5ofuY+p9jb8n9j3Fu81E0Wox6P5RB3NhWOSPIMZzA6Ux/8HuVoCA==\n";
const OF_ANOTHER_KEY: &str = "untrusted comment: signature from minisign secret key\n\
    RUTLipT2NCNtnmkS7vtc5z/MCzSlMuq1vI9Jsl+FZovcIuaeReK+r7isUunuGVtPqJwNcYUU6bzPwhYZu8ij4GTp\
    5wAvsWhYwA8=\n\
    trusted comment: of another key\n\
    KQUQ6J2zD0s7sfSr6oE1SL3LO8Obngcx2AFFt/sd5qIwixGLJL6iEZquFExGQg2wEwEAAs7t0Dv8tYtWeetBDQ==\n";
/// Of the bytes 0 to 250 over and over, for a bit more than 3 MiB.
const OF_LONG: &str = "untrusted comment: signature from minisign secret key\n\
    RUTthvgcaKwwUFF2/1QnDMD1AicO9YkQ+qVff/5ODiAnYX8aD2ViYkIIaTPRJ8uxAaoFAKQ9w6h+/+DZKSGlnoRO\
    VgmKw3OFRQU=\n\
    trusted comment: a long one\n\
    KAc/48Rz1rZBp1K/dOm+eQs4obzHaa6X3NHMzNGy6jCKR6muyPE76OWDSF8GZRJcRdkXaUIK2hamjtUwDmNHDg==\n";

fn written(name: &str, bytes: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("hearth-minisign-{}-{name}", std::process::id()));
    fs::write(&path, bytes).unwrap();
    path
}

fn verify(key: &Key, path: &Path, signature: &str) -> Result<Signed, Error> {
    key.verify(path, signature, &mut |_| ControlFlow::Continue(()))
}

#[test]
fn both_kinds_are_known() {
    let path = written("good", FILE);
    let key = Key::parse(KEY).unwrap();
    assert_eq!(Key::parse(PUB), Ok(key.clone()));
    let with_returns = OF_DIGEST.replace('\n', "\r\n");
    let without_end = OF_DIGEST.trim_end();
    let another_comment = OF_DIGEST.replace("secret key", "anybody");
    for text in [OF_DIGEST, &with_returns, without_end, &another_comment] {
        let signed = verify(&key, &path, text).unwrap();
        assert_eq!(signed.comment.as_deref(), Some("timestamp:1700000000\tfile:model.gguf"));
        assert_eq!(signed.by, format!("minisign {KEY}"));
    }
    let signed = verify(&key, &path, OF_FILE).unwrap();
    assert_eq!(signed.comment.as_deref(), Some("an old one"));
    fs::remove_file(path).unwrap();
}

#[test]
fn a_file_is_read_in_pieces() {
    let bytes: Vec<u8> = (0..3 * CHUNK + 5).map(|i| (i % 251) as u8).collect();
    let (path, mut seen) = (written("pieces", &bytes), Vec::new());
    let signed = Key::parse(KEY).unwrap().verify(&path, OF_LONG, &mut |done| {
        seen.push(done);
        ControlFlow::Continue(())
    });
    assert_eq!(signed.unwrap().comment.as_deref(), Some("a long one"));
    assert_eq!((seen.len(), seen.last()), (4, Some(&(bytes.len() as u64))));
    fs::remove_file(path).unwrap();
}

#[test]
fn another_key_is_named() {
    let path = written("other", FILE);
    let error = verify(&Key::parse(KEY).unwrap(), &path, OF_ANOTHER_KEY).unwrap_err();
    let told = "it is signed with the key 9E6D2334F6948ACB, and 5030AC681CF886ED is wanted";
    assert_eq!(error.to_string(), told);
    fs::remove_file(path).unwrap();
}

#[test]
fn a_bit_of_the_file_is_enough_to_fail() {
    let key = Key::parse(KEY).unwrap();
    let path = written("file", FILE);
    for at in 0..FILE.len() * 8 {
        let mut bytes = FILE.to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        fs::write(&path, &bytes).unwrap();
        for signature in [OF_DIGEST, OF_FILE] {
            let verified = verify(&key, &path, signature);
            assert!(matches!(verified, Err(Error::Mismatch)), "bit {at}: {verified:?}");
        }
    }
    for bytes in [&FILE[..19], b"", b"hearth signs models\n\n"] {
        fs::write(&path, bytes).unwrap();
        for signature in [OF_DIGEST, OF_FILE] {
            assert!(matches!(verify(&key, &path, signature), Err(Error::Mismatch)));
        }
    }
    fs::remove_file(path).unwrap();
}

/// But for the words of the untrusted comment.
#[test]
fn a_bit_of_the_signature_is_enough_to_fail() {
    let (key, path) = (Key::parse(KEY).unwrap(), written("signature", FILE));
    for text in [OF_DIGEST, OF_FILE] {
        let unsigned = COMMENT.len()..text.find('\n').unwrap();
        for at in (0..text.len() * 8).filter(|at| !unsigned.contains(&(at / 8))) {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at / 8] ^= 1 << (at % 8);
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert!(verify(&key, &path, &changed).is_err(), "bit {at}: {changed}");
        }
        // The kinds cannot be taken for each other.
        let (digest, file) = ("\nRUT", "\nRWT");
        let is_of_digest = text.contains(digest);
        let (from, to) = if is_of_digest { (digest, file) } else { (file, digest) };
        let changed = text.replace(from, to);
        assert!(matches!(verify(&key, &path, &changed), Err(Error::Mismatch)));
        for end in 0..text.trim_end().len() {
            assert!(verify(&key, &path, &text[..end]).is_err(), "the first {end} bytes");
        }
    }
    fs::remove_file(path).unwrap();
}

#[test]
fn a_bit_of_the_key_is_enough_to_fail() {
    let path = written("key", FILE);
    for at in 0..KEY.len() * 8 {
        let mut bytes = KEY.as_bytes().to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        let Ok(changed) = String::from_utf8(bytes) else { continue };
        let Ok(key) = Key::parse(&changed) else { continue };
        assert!(verify(&key, &path, OF_DIGEST).is_err(), "bit {at}: {changed}");
    }
    for wrong in ["", "RW", &KEY[..52], &format!("{KEY}{KEY}"), &format!("{KEY}\n{KEY}")] {
        assert!(Key::parse(wrong).is_err(), "{wrong}");
    }
    fs::remove_file(path).unwrap();
}

#[test]
fn who_waits_can_end_it_and_long_files_of_the_old_kind_are_refused() {
    let (key, path) = (Key::parse(KEY).unwrap(), written("long", FILE));
    let stopped = key.verify(&path, OF_DIGEST, &mut |_| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(Error::Stopped)), "{stopped:?}");
    // A hole takes no room.
    File::options().write(true).open(&path).unwrap().set_len(LONGEST + 1).unwrap();
    let refused = verify(&key, &path, OF_FILE);
    assert!(matches!(refused, Err(Error::TooLong { .. })), "{refused:?}");
    fs::remove_file(&path).unwrap();
    assert!(matches!(verify(&key, &path, OF_DIGEST), Err(Error::File(_))));
}

#[test]
fn comments_do_not_write_on_a_terminal() {
    let text = OF_DIGEST.replace("timestamp", "\u{1b}[2J");
    let refused = Signature::parse(&text).err();
    assert!(matches!(refused, Some(Error::NoSignature { .. })), "{refused:?}");
}
