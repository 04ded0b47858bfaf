//! Events that a server sends, as two of the dialects write them.

use serde_json::Value;

/// What such streams are marked as.
pub const KIND: &str = "text/event-stream";

/// A comment, which clients skip.
pub const KEEP_ALIVE: &str = ": still here\n\n";

/// A piece without a name.
pub fn frame(piece: &Value, out: &mut String) {
    out.push_str("data: ");
    out.push_str(&piece.to_string());
    out.push_str("\n\n");
}

/// A piece that is named after its `type`.
pub fn named(piece: &Value, out: &mut String) {
    out.push_str("event: ");
    out.push_str(piece["type"].as_str().unwrap_or_default());
    out.push('\n');
    frame(piece, out);
}
