//! The families whose folders are imported, and in what their GGUF files differ.

use arch::Source;
use serde_json::Value;

use crate::Error;

/// A family of which a GGUF file can say everything.
pub(super) struct Family {
    /// As `arch` calls it.
    name: &'static str,
    /// As GGUF calls it.
    pub architecture: &'static str,
    /// Sizes besides those that all have: what they are called behind the architecture in GGUF, and
    /// in `config.json`.
    pub sizes: &'static [(&'static str, &'static str)],
    /// Whether the halves of a head's queries and keys are stored as pairs.
    pub pairs: bool,
    /// What else would be lost: settings, with the values that say so.
    refused: &'static [(&'static str, Refused)],
}

/// Values of a setting that cannot come over.
#[derive(Clone, Copy)]
enum Refused {
    True,
    False,
    Any,
}

const QWEN: Family = Family {
    name: "qwen2",
    architecture: "qwen2",
    sizes: &[],
    pairs: false,
    refused: &[("use_sliding_window", Refused::True)],
};

const LLAMA: Family = Family {
    name: "llama",
    architecture: "llama",
    sizes: &[("vocab_size", "vocab_size")],
    pairs: true,
    refused: &[("attention_bias", Refused::True), ("mlp_bias", Refused::True)],
};

const EXPERTS: &[(&str, &str)] = &[
    ("expert_count", "num_experts"),
    ("expert_count", "num_local_experts"),
    ("expert_used_count", "num_experts_per_tok"),
    ("expert_feed_forward_length", "moe_intermediate_size"),
];

const FAMILIES: [Family; 5] = [
    QWEN,
    Family { name: "qwen3", architecture: "qwen3", ..QWEN },
    Family {
        name: "qwen3-moe",
        architecture: "qwen3moe",
        sizes: EXPERTS,
        // GGUF readers always renormalise what the router chooses.
        refused: &[("use_sliding_window", Refused::True), ("norm_topk_prob", Refused::False)],
        ..QWEN
    },
    LLAMA,
    // Its files say `llama`, and have no place for a window.
    Family { name: "mistral", refused: &[("sliding_window", Refused::Any)], ..LLAMA },
];

impl Family {
    /// That of a folder.
    pub fn of(source: &Source) -> Result<&'static Family, Error> {
        let found = source.architecture()?;
        let family = arch::FAMILIES.iter().find(|family| family.hugging_face.contains(&&found[..]));
        let found = family.map_or(found, |family| family.name.to_owned());
        FAMILIES.iter().find(|family| family.name == found).ok_or_else(|| {
            let names: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
            Error::Family { found, known: names.join(", ") }
        })
    }

    /// Refuses settings for which its GGUF files have no key.
    pub fn check(&self, config: &Value) -> Result<(), Error> {
        for (key, refused) in self.refused {
            let value = &config[*key];
            let is_refused = match refused {
                Refused::True => *value == true,
                Refused::False => *value == false,
                Refused::Any => !value.is_null(),
            };
            if is_refused {
                let family = self.name;
                let what = format!("{key} is {value}, which a GGUF file of {family} cannot say");
                return Err(Error::Unsaid { what });
            }
        }
        Ok(())
    }

    /// How wide its heads are.
    pub fn head(&self, config: &Value) -> usize {
        let size = |key: &str| config[key].as_u64();
        let derived = || Some(size("hidden_size")? / size("num_attention_heads")?.max(1));
        size("head_dim").or_else(derived).unwrap_or_default() as usize
    }

    /// How the rotary positions may be stretched.
    pub fn rope_types(&self) -> &'static [&'static str] {
        if self.pairs { &["default", "llama3"] } else { &["default"] }
    }
}
