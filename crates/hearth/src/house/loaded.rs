//! A model on the shelf, whose coming and going is logged.

use std::ops::Deref;
use std::time::{Duration, Instant};

use engine::Shelved;
use flow::Local;
use turn::Fault;

use crate::failure::Failure;
use crate::log;

/// A model that is there.
pub struct Loaded {
    name: String,
    local: Local,
}

impl Loaded {
    /// Loads a model of this name, for which so many bytes are set aside.
    pub fn bring(
        (name, bytes): (&str, u64),
        load: impl FnOnce() -> Result<Local, Failure>,
    ) -> Result<Loaded, Fault> {
        let begun = Instant::now();
        let local = load().map_err(Fault::from).inspect_err(|fault| {
            let why = [("model", name.into()), ("error", fault.message.as_str().into())];
            log::error("model cannot be loaded", &why);
        })?;
        let ms = begun.elapsed().as_millis() as u64;
        let fields = [("model", name.into()), ("ms", ms.into()), ("bytes", bytes.into())];
        log::info("model loaded", &fields);
        Ok(Loaded { name: name.to_owned(), local })
    }
}

impl Deref for Loaded {
    type Target = Local;

    fn deref(&self) -> &Local {
        &self.local
    }
}

impl Shelved for Loaded {
    fn is_alive(&self) -> bool {
        self.local.is_alive()
    }

    fn stop(&self, within: Duration) {
        self.local.stop(within);
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        log::info("model unloaded", &[("model", self.name.as_str().into())]);
    }
}
