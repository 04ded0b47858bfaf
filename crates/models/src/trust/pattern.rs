//! Which sources a line of `sources.toml` is about.

use std::fmt;

use super::name::{Name, Scheme};

/// Sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// `*`
    All,
    /// `hf:*`, `https://*`
    Scheme(Scheme),
    /// A source, or those that begin like it.
    Name(Name, End),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Nothing follows.
    Here,
    /// `gemma-*`: the rest of this part of the path.
    Part,
    /// `owner/*`: whatever is below.
    Below,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// A sentence on what is wrong, which is also so when no source could ever be meant.
    pub fn parse(text: &str) -> Result<Pattern, &'static str> {
        Ok(Pattern { text: text.to_owned(), what: What::parse(text)? })
    }

    /// Whether a source is meant to the letter. What permits compares so.
    pub fn is_exactly(&self, name: &Name) -> bool {
        self.what.fits(name, str::to_owned)
    }

    /// Whether a source is meant, were it not for upper and lower case. What demands compares so.
    pub fn is_nearly(&self, name: &Name) -> bool {
        self.what.fits(name, str::to_lowercase)
    }
}

impl What {
    fn parse(text: &str) -> Result<What, &'static str> {
        let Some(start) = text.strip_suffix('*') else {
            let name = Name::parse(text).map_err(|why| {
                if text.contains('*') { "`*` stands at the end only, and once" } else { why }
            })?;
            return Ok(What::Name(name, End::Here));
        };
        if start.is_empty() {
            return Ok(What::All);
        }
        if let Some(scheme) = Scheme::of_beginning(start) {
            return Ok(What::Scheme(scheme));
        }
        // With something in the place of the star it must be a source; so the star can neither
        // stand in a host nor in the owner of a repository.
        let mut name = Name::parse(&format!("{start}x")).map_err(|why| {
            let is_twice = start.contains('*');
            if is_twice { "`*` stands at the end only, and once" } else { why }
        })?;
        name.path.pop();
        let is_below = name.path.is_empty() || name.path.ends_with('/');
        Ok(What::Name(name, if is_below { End::Below } else { End::Part }))
    }

    fn fits(&self, name: &Name, fold: fn(&str) -> String) -> bool {
        let (wanted, end) = match self {
            What::All => return true,
            What::Scheme(scheme) => return name.scheme == *scheme,
            What::Name(wanted, end) => (wanted, end),
        };
        if (name.scheme, &name.host) != (wanted.scheme, &wanted.host) {
            return false;
        }
        let path = fold(&name.path);
        let rest = path.strip_prefix(&fold(&wanted.path));
        rest.is_some_and(|rest| match end {
            End::Here => rest.is_empty(),
            End::Part => !rest.contains('/'),
            End::Below => !rest.is_empty(),
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, source: &str) -> bool {
        let pattern = Pattern::parse(pattern).unwrap_or_else(|why| panic!("{pattern}: {why}"));
        Name::parse(source).is_ok_and(|name| pattern.is_exactly(&name))
    }

    #[test]
    fn what_is_meant_fits() {
        let pairs = [
            ("*", "hf:Qwen/Qwen3-4B-GGUF"),
            ("hf:*", "hf:Qwen/Qwen3-4B-GGUF"),
            ("hf:Qwen/*", "hf:qwen/Qwen3-4B-GGUF"),
            ("hf:ggml-org/gemma-*", "hf:ggml-org/gemma-3-4b-it-GGUF"),
            ("hf:Qwen/Qwen3-4B-GGUF", "hf:Qwen/Qwen3-4B-GGUF"),
            ("ollama:*", "ollama:registry.ollama.ai/library/qwen3"),
            ("ollama:registry.ollama.ai/library/*", "ollama:registry.ollama.ai/library/qwen3"),
            ("ollama:box:11434/library/q*", "ollama:box:11434/library/qwen3"),
            ("oci:registry.firm.example/*", "oci:Registry.Firm.Example/a/b/c"),
            ("https://*", "https://models.firm.example/a"),
            ("https://models.firm.example/*", "https://models.firm.example/a/b.gguf"),
            ("https://Models.firm.example:8443/pub/*", "https://models.firm.example:8443/pub/b"),
            ("https://[::1]/a*", "https://[::1]/abc"),
            ("http://127.0.0.1:8080/*", "http://127.0.0.1:8080/x"),
            ("file:*", "file:/srv/models/x y%.gguf"),
            ("file:/*", "file:/srv"),
            ("file:/srv/models/*", "file:/srv/models/a/b@2:3.gguf"),
        ];
        for (pattern, source) in pairs {
            assert!(fits(pattern, source), "{pattern} {source}");
        }
    }

    #[test]
    fn what_looks_alike_does_not() {
        let pairs = [
            ("hf:Qwen/*", "hf:QwenEvil/x"),
            ("hf:Qwen/*", "hf:Qwen/../evil"),
            ("hf:Qwen/*", "hf:Qwen%2fx/y"),
            ("hf:Qwen/*", "HF:Qwen/x"),
            ("hf:Qwen/*", "hf:Qwen/x@main"),
            ("hf:Qwen/*", "hf:Qwen/x:Q8_0"),
            ("hf:Qwen/*", "hf:Qwen/"),
            ("hf:Qwen/*", "hf://Qwen/x"),
            ("hf:Qwen/*", "hf:\u{ff31}wen/x"),
            ("hf:Qwen/Qwen3-4B", "hf:Qwen/Qwen3-4B-GGUF"),
            ("ollama:registry.ollama.ai/library/*", "ollama:registry.ollama.ai.evil/library/x"),
            ("ollama:registry.ollama.ai/library/*", "ollama:registry.ollama.ai/evil/x"),
            ("oci:registry.firm.example/team-*", "oci:registry.firm.example/team-x/evil"),
            ("oci:registry.firm.example/*", "oci:registry.firm.example:5000/x"),
            ("https://models.firm.example/*", "https://models.firm.example.evil.com/x"),
            ("https://models.firm.example/*", "https://models.firm.example@evil.com/x"),
            ("https://models.firm.example/*", "https://evil.com/@models.firm.example/x"),
            ("https://models.firm.example/*", "https://models.firm.example:443/x"),
            ("https://models.firm.example/*", "https://models.firm.example./x"),
            ("https://models.firm.example/*", "https://models.firm.example\\.evil.com/x"),
            ("https://models.firm.example/*", "https://models.firm.example"),
            ("https://models.firm.example/*", "https://models.firm.example/"),
            ("https://models.firm.example/*", "http://models.firm.example/x"),
            ("https://h.example/pub/*", "https://h.example/pub/../secret"),
            ("https://h.example/pub/*", "https://h.example/pub/%2e%2e/secret"),
            ("https://h.example/pub/*", "https://h.example/pub/..;/secret"),
            ("https://h.example/pub/*", "https://h.example/pub//secret"),
            ("https://h.example/pub/*", "https://h.example/pub/x?../../secret"),
            ("https://h.example/pub/*", "https://h.example/Pub/x"),
            ("https://h.example/pub/*", "https://h.example/public/x"),
            ("https://127.0.0.1/*", "https://127.1/x"),
            ("file:/srv/models/*", "file:/srv/models/../secret"),
            ("file:/srv/models/*", "file:srv/models/x"),
            ("file:/srv/models/*", "file:/srv/modelsevil/x"),
            ("file:/srv/models/q*", "file:/srv/models/qwen/evil"),
        ];
        for (pattern, source) in pairs {
            assert!(!fits(pattern, source), "{pattern} {source}");
        }
    }

    #[test]
    fn patterns_that_can_mean_nothing_or_too_much_are_refused() {
        let wrong = [
            "",
            "hf",
            "hf:",
            "hf:Qwen",
            "hf:Qwen*",
            "hf:*/x",
            "hf:Qwen/**",
            "hf:Qwen/*/x",
            "h*",
            "https*",
            "https:*",
            "https://h*",
            "https://h.example*",
            "https://*.example/x",
            "https://h.example",
            "https://h.example:*",
            "https://h.example:443/*",
            "https://user@h.example/*",
            "https://0x7f000001/*",
            "https://2130706433/*",
            "https://[::01]/*",
            "https://h.example:08/*",
            "https://h.example/a b",
            "ftp://h/*",
            "oci:registry*",
            "oci:registry",
            "ollama:qwen3",
            "ollama:lib/qwen3",
            "ollama:h/l*",
            "file:x/*",
            "file:/a/../*",
            "file://h/x",
            "file:/a/*.gguf",
            "Hf:Qwen/*",
            " hf:a/*",
        ];
        for pattern in wrong {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn a_demand_cannot_be_evaded_by_case() {
        for (pattern, source) in [
            ("file:/srv/Ours/*", "file:/SRV/ours/x"),
            ("https://h.example/ours/*", "https://H.example/Ours/x"),
            ("hf:ourfirm/*", "hf:OurFirm/x"),
        ] {
            let name = Name::parse(source).unwrap();
            assert!(Pattern::parse(pattern).unwrap().is_nearly(&name), "{pattern} {source}");
        }
    }
}
