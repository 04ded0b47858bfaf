//! `kindling`: the small model that comes inside the binary.
//!
//! Its name is known wherever a command takes a model. It names nothing on the disk: a file or
//! folder that is called so is `./kindling`.

use std::path::Path;

use arch::Source;

use crate::failure::Failure;
use crate::output;

/// What it is called, and what is asked where no model is given.
pub const NAME: &str = "kindling";

/// What its file is called, from which [`bytes`] are taken.
pub const FILE_NAME: &str = "kindling.gguf";

/// Bytes that begin where a cache line does, so that weights lie as they would in a map.
#[repr(C, align(64))]
struct Aligned<T: ?Sized>(T);

static FILE: &Aligned<[u8]> = &Aligned(*include_bytes!("../../../kindling/kindling.gguf"));

/// Its whole file.
pub fn bytes() -> &'static [u8] {
    &FILE.0
}

/// Whether what was given as a model means this one.
pub fn is(model: &Path) -> bool {
    // Two paths are equal that are written differently, such as `kindling/`, which is a folder.
    model.as_os_str() == NAME
}

/// Opens it, without reading its weights.
pub fn source() -> Result<Source, Failure> {
    let way_out = "That is a defect of this build of hearth.";
    Source::open_static(bytes()).map_err(|error| Failure::model(Path::new(NAME), error, way_out))
}

/// What it is, in one line.
pub fn described() -> String {
    let size = output::size(bytes().len() as u64);
    format!(
        "kindling is the small model inside hearth ({size}): no chatbot; it answers from a text \
         that you give it, fills in fields, chooses labels and tools."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_alone_means_it() {
        for (given, expected) in [
            ("kindling", true),
            ("./kindling", false),
            ("kindling/", false),
            ("kindling.gguf", false),
            ("kindling/kindling.gguf", false),
            ("Kindling", false),
        ] {
            assert_eq!(is(Path::new(given)), expected, "{given}");
        }
    }

    #[test]
    fn its_bytes_lie_as_vectors_like_them() {
        assert!(bytes().as_ptr().addr().is_multiple_of(64));
    }
}
