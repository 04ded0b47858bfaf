//! Files that lie, and a few tiny ones that do not, each with what the reader must say about it.
//!
//! The seeds of the fuzz targets are these same files: `cargo run -p formats --example seeds`
//! writes them to `fuzz/corpus`, and a test holds that they have not drifted.

pub mod gguf;
pub mod safetensors;

/// One file and its verdict.
pub struct Case {
    /// The file's name among the seeds.
    pub name: &'static str,
    pub bytes: Vec<u8>,
    /// A piece of the error's message; `None` for a file that is in order.
    pub says: Option<&'static str>,
}

/// Bytes that are put together field by field.
#[derive(Clone, Default)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    pub fn raw(mut self, bytes: &[u8]) -> Bytes {
        self.0.extend_from_slice(bytes);
        self
    }

    pub fn u32(self, number: u32) -> Bytes {
        self.raw(&number.to_le_bytes())
    }

    pub fn u64(self, number: u64) -> Bytes {
        self.raw(&number.to_le_bytes())
    }

    pub fn text(self, text: &str) -> Bytes {
        self.u64(text.len() as u64).raw(text.as_bytes())
    }

    pub fn zeros(mut self, count: usize) -> Bytes {
        self.0.resize(self.0.len() + count, 0);
        self
    }

    /// Zeros up to the next multiple.
    pub fn align(mut self, to: usize) -> Bytes {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
        self
    }
}
