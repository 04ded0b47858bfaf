//! What a file is when it is not what it should be, judged by its first bytes.

/// Ends the sentence "this is not a GGUF file: …".
pub(crate) fn looks_like(bytes: &[u8]) -> &'static str {
    let text = bytes.trim_ascii_start();
    match bytes {
        [] => "it is empty",
        [b'G', b'G', b'U', b'F', ..] => "it is a GGUF file",
        [b'l' | b't' | b'f', b'm' | b'j', b'g', b'g', ..] => {
            "it is in a format from before GGUF; convert the model again"
        }
        [b'P', b'K', 3, 4, ..] => "it is a zip archive, such as PyTorch writes",
        [0x80, 2..=5, ..] => "it is a Python pickle, such as PyTorch wrote",
        [0x1f, 0x8b, ..] => "it is compressed with gzip",
        [0x89, b'H', b'D', b'F', ..] => "it is an HDF5 file",
        _ if bytes.starts_with(b"version https://git-lfs") => {
            "it is a Git LFS pointer; `git lfs pull` fetches the model itself"
        }
        _ if is_safetensors(bytes) => "it is a safetensors file",
        _ if text.starts_with(b"<") => "it is a web page; perhaps the download asked for a login",
        _ if text.starts_with(b"{") => "it is JSON",
        _ if bytes.iter().take(4096).all(|&byte| byte == 0) => {
            "it begins with zeros; perhaps the download has not finished"
        }
        _ => "its first bytes are those of no known format",
    }
}

/// A length that leads no further than the end, and then the brace of a JSON header.
fn is_safetensors(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk() else {
        return false;
    };
    rest.starts_with(b"{") && u64::from_le_bytes(*length) <= rest.len() as u64
}
