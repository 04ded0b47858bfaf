//! Normalisers, pre-tokenizers and decoders of `tokenizer.json`, in this crate's own terms.

use super::spec;
use crate::tokenizer::error::Error;
use crate::tokenizer::normal::{self, Bert, Normal, Pattern, Prepend};
use crate::tokenizer::pre::{self, Behavior, General, Splitter};

/// What happens to text before the model sees it.
#[derive(Default)]
pub(super) struct Before {
    pub(super) normal: Vec<Normal>,
    pub(super) rules: Vec<Splitter>,
    /// The model works on bytes.
    pub(super) bytes: bool,
}

impl Before {
    pub(super) fn new(file: &spec::File) -> Result<Before, Error> {
        let mut before = Before::default();
        if let Some(spec) = &file.normalizer {
            before.normalizer(spec)?;
        }
        if let Some(spec) = &file.pre_tokenizer {
            before.pre_tokenizer(spec)?;
        }
        normal::check(&before.normal)?;
        Ok(before)
    }

    fn normalizer(&mut self, spec: &spec::Normalizer) -> Result<(), Error> {
        use spec::Normalizer as N;
        let step = match spec {
            N::Sequence { normalizers } => {
                return normalizers.iter().try_for_each(|spec| self.normalizer(spec));
            }
            N::Nfc => Normal::Nfc,
            N::Nfd => Normal::Nfd,
            N::Nfkc => Normal::Nfkc,
            N::Nfkd => Normal::Nfkd,
            N::Lowercase => Normal::Lowercase,
            N::StripAccents => Normal::StripAccents,
            &N::Strip { strip_left: left, strip_right: right } => Normal::Strip { left, right },
            N::Prepend { prepend } => {
                let what = prepend.clone();
                Normal::Prepend(Prepend { what, first_only: false, unless_there: false })
            }
            N::Replace { pattern, content } => replace(pattern, content)?,
            &N::Bert { clean_text, handle_chinese_chars, strip_accents, lowercase } => {
                let accents = strip_accents.unwrap_or(lowercase);
                let (clean, chinese) = (clean_text, handle_chinese_chars);
                Normal::Bert(Bert { clean, chinese, accents, lowercase })
            }
        };
        self.normal.push(step);
        Ok(())
    }

    fn pre_tokenizer(&mut self, spec: &spec::PreTokenizer) -> Result<(), Error> {
        use spec::PreTokenizer as P;
        match spec {
            P::Sequence { pretokenizers } => {
                pretokenizers.iter().try_for_each(|spec| self.pre_tokenizer(spec))
            }
            P::Split { pattern, behavior, invert } => self.split(pattern, *behavior, *invert),
            &P::ByteLevel { add_prefix_space, use_regex } => {
                self.byte_level(add_prefix_space, use_regex)
            }
            &P::Digits { individual_digits } => {
                self.scanner(if individual_digits { r"\p{N}" } else { r"\p{N}+" })
            }
            P::Metaspace(spec) => self.metaspace(spec),
            P::Punctuation { behavior } => {
                let behavior = behavior.unwrap_or(spec::Behavior::Isolated);
                self.pattern(r"[!-/:-@\[-`{-~\p{P}]", behavior, false)
            }
            P::Bert => {
                self.rules.extend(pre::bert_words()?);
                Ok(())
            }
            P::Whitespace => self.pattern(r"\w+|[^\w\s]+", spec::Behavior::Removed, true),
            P::WhitespaceSplit => self.pattern(r"\s+", spec::Behavior::Removed, false),
        }
    }

    fn split(
        &mut self,
        pattern: &spec::Pattern,
        behavior: spec::Behavior,
        invert: bool,
    ) -> Result<(), Error> {
        match pattern {
            spec::Pattern::String(text) => self.pattern(&pre::literal(text), behavior, invert),
            spec::Pattern::Regex(pattern) => self.pattern(pattern, behavior, invert),
        }
    }

    /// A scanner where there is one, else the regex engine.
    fn pattern(
        &mut self,
        pattern: &str,
        behavior: spec::Behavior,
        invert: bool,
    ) -> Result<(), Error> {
        let isolates = behavior == spec::Behavior::Isolated && !invert;
        // Where a pattern matches all there is, keeping the matches only is the same.
        let keeps = behavior == spec::Behavior::Removed && invert;
        let scanner = pre::by_pattern(pattern)
            .filter(|scanner| isolates || keeps && scanner.matches_everything());
        let rule = match scanner {
            Some(scanner) => scanner,
            None => Splitter::General(Box::new(General::new(pattern, own(behavior), invert)?)),
        };
        self.rules.push(rule);
        Ok(())
    }

    fn scanner(&mut self, pattern: &str) -> Result<(), Error> {
        self.pattern(pattern, spec::Behavior::Isolated, false)
    }

    fn byte_level(&mut self, add_prefix_space: bool, use_regex: bool) -> Result<(), Error> {
        self.bytes = true;
        if add_prefix_space {
            self.only_first("ByteLevel with add_prefix_space")?;
            let what = " ".to_owned();
            let prepend = Prepend { what, first_only: false, unless_there: true };
            self.normal.push(Normal::Prepend(prepend));
        }
        if use_regex {
            let gpt2 = pre::by_name("gpt-2").map(|rules| rules.steps);
            self.rules.extend(gpt2.unwrap_or_default());
        }
        Ok(())
    }

    fn metaspace(&mut self, spec: &spec::Metaspace) -> Result<(), Error> {
        self.only_first("Metaspace")?;
        let what = spec.replacement.clone();
        let pattern = Pattern::Text(" ".to_owned());
        self.normal.push(Normal::Replace { pattern, with: what.clone() });
        let scheme = spec.scheme();
        if scheme != spec::Scheme::Never {
            let first_only = scheme == spec::Scheme::First;
            self.normal.push(Normal::Prepend(Prepend { what, first_only, unless_there: true }));
        }
        if spec.split {
            let pattern = pre::literal(&spec.replacement);
            self.pattern(&pattern, spec::Behavior::MergedWithNext, false)?;
        }
        Ok(())
    }

    /// What changes the text has to stand before what cuts it.
    fn only_first(&self, name: &str) -> Result<(), Error> {
        if self.rules.is_empty() {
            return Ok(());
        }
        let name = format!("{name} after another");
        Err(Error::Unsupported { what: "pre-tokenizer", name })
    }
}

fn replace(pattern: &spec::Pattern, content: &str) -> Result<Normal, Error> {
    let pattern = match pattern {
        spec::Pattern::String(text) if !text.is_empty() => Pattern::Text(text.clone()),
        spec::Pattern::String(_) => {
            let name = "replacement of nothing".to_owned();
            return Err(Error::Unsupported { what: "normalizer", name });
        }
        spec::Pattern::Regex(pattern) => {
            Pattern::Regex(Box::new(General::new(pattern, Behavior::Isolated, false)?))
        }
    };
    Ok(Normal::Replace { pattern, with: content.to_owned() })
}

fn own(behavior: spec::Behavior) -> Behavior {
    match behavior {
        spec::Behavior::Removed => Behavior::Removed,
        spec::Behavior::Isolated => Behavior::Isolated,
        spec::Behavior::MergedWithPrevious => Behavior::MergedWithPrevious,
        spec::Behavior::MergedWithNext => Behavior::MergedWithNext,
        spec::Behavior::Contiguous => Behavior::Contiguous,
    }
}

/// How pieces become text.
#[derive(Default)]
pub(super) struct After {
    pub(super) bytes: bool,
    /// What is put in the place of what.
    replace: Vec<(String, String)>,
    /// The prefix of pieces that continue a word; other pieces begin with a space.
    continuation: Option<String>,
    /// A space before the first word is no part of the text.
    pub(super) strips_first_space: bool,
}

impl After {
    pub(super) fn new(file: &spec::File, bytes: bool) -> Result<After, Error> {
        let mut after = After::default();
        match &file.decoder {
            Some(spec) => after.decoder(spec)?,
            None => after.bytes = bytes,
        }
        Ok(after)
    }

    fn decoder(&mut self, spec: &spec::Decoder) -> Result<(), Error> {
        use spec::Decoder as D;
        let unsupported =
            |name: &str| Err(Error::Unsupported { what: "decoder", name: name.to_owned() });
        match spec {
            D::Sequence { decoders } => {
                return decoders.iter().try_for_each(|spec| self.decoder(spec));
            }
            D::ByteLevel => self.bytes = true,
            D::ByteFallback | D::Fuse => {}
            D::Replace { pattern: spec::Pattern::String(from), content }
                if !from.is_empty() && content.len() <= from.len() =>
            {
                self.replace.push((from.clone(), content.clone()));
            }
            D::Replace { .. } => return unsupported("Replace by pattern or by longer text"),
            D::Strip { content, start: 1, stop: 0 } if content == " " => {
                self.strips_first_space = true;
            }
            D::Strip { .. } => return unsupported("Strip of anything but one first space"),
            D::Metaspace(spec) => {
                self.replace.push((spec.replacement.clone(), " ".to_owned()));
                self.strips_first_space = spec.scheme() != spec::Scheme::Never;
            }
            D::WordPiece { prefix } => self.continuation = Some(prefix.clone()),
        }
        Ok(())
    }

    /// The text of a piece that is neither markup nor a byte.
    pub(super) fn text(&self, piece: &str) -> String {
        let mut text = match &self.continuation {
            Some(prefix) => match piece.strip_prefix(prefix.as_str()) {
                Some(rest) => rest.to_owned(),
                None => format!(" {piece}"),
            },
            None => piece.to_owned(),
        };
        for (from, to) in &self.replace {
            text = text.replace(from.as_str(), to);
        }
        text
    }
}
