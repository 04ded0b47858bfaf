//! Every cap on what a file may ask for, in one place, each with its reason.
//!
//! A cap is far above anything seen in real files and far below what would hurt. Lengths are
//! checked against the bytes that are left as well; the caps only make errors come earlier and
//! keep sums of lengths from overflowing.

/// Bytes of a metadata key; the GGUF specification allows 65535.
pub const KEY_BYTES: u64 = 65_535;

/// Bytes of a tensor's name. GGUF readers stop at 64; other formats write longer ones.
pub const NAME_BYTES: u64 = 1024;

/// Bytes of one string value. The longest real ones are whole `tokenizer.json` files, near 30 MB.
pub const STRING_BYTES: u64 = 1 << 28;

/// Elements of one array. The longest real ones are vocabularies, below a million.
pub const ARRAY_ELEMENTS: u64 = 1 << 28;

/// How deep arrays may lie in arrays. Real files have no array in an array at all.
pub const ARRAY_DEPTH: usize = 4;

/// Metadata entries of one file. Real files have fewer than a hundred.
pub const KEYS: u64 = 1 << 20;

/// Tensors of one file. A mixture of experts stored expert by expert comes near 100 000.
pub const TENSORS: u64 = 1 << 20;

/// Dimensions of a GGUF tensor; ggml has no room for a fifth.
pub const GGUF_DIMENSIONS: usize = 4;

/// Dimensions of any tensor; `Shape` has room for these.
pub const DIMENSIONS: usize = 8;

/// The largest alignment of a tensor's bytes. 32 is usual, 4096 (a page) has a use, more has none.
pub const ALIGNMENT: u64 = 1 << 20;

/// Bytes before the tensors' data. The index keeps positions as 32-bit numbers.
pub const METADATA_BYTES: u64 = u32::MAX as u64;

/// Files of one split or sharded model. Larger counts would only exhaust file handles.
pub const PARTS: u64 = 1000;

/// Bytes of a safetensors header; the format itself says so.
pub const HEADER_BYTES: u64 = 100_000_000;

/// How deep JSON may nest in the fields of a safetensors header that mean nothing to us.
pub const JSON_DEPTH: usize = 16;
