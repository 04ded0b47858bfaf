//! Short names for models that people ask for, and which of their forms fits a machine.

use std::sync::LazyLock;

use toml::de::{DeTable, DeValue};

static FILE: &str = include_str!("../catalogue.toml");

/// A model that has a short name.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The short name.
    pub name: String,
    /// What it is good for, in a few words.
    pub about: String,
    /// Where it comes from, without its form.
    pub source: String,
    /// What its maker allows.
    pub licence: String,
    /// The form to take where it fits.
    pub usual: String,
    /// Its forms with their bytes, the smallest first.
    pub forms: Vec<(String, u64)>,
}

/// All of them, families together and small ones first.
pub fn all() -> &'static [Known] {
    // A test reads the file; a build with another one does not pass it.
    static ALL: LazyLock<Vec<Known>> = LazyLock::new(|| read(FILE).unwrap_or_default());
    &ALL
}

/// Nothing when the file is not as it must be.
fn read(text: &str) -> Option<Vec<Known>> {
    let file = DeTable::parse(text).ok()?;
    let models = file.get_ref().get("model")?.get_ref().as_array()?;
    models.iter().map(|model| known(model.get_ref().as_table()?)).collect()
}

fn known(model: &DeTable) -> Option<Known> {
    let text = |name: &str| Some(model.get(name)?.get_ref().as_str()?.to_owned());
    let mut forms = Vec::new();
    for (form, size) in model.get("sizes")?.get_ref().as_table()? {
        let DeValue::Float(gigabytes) = size.get_ref() else { return None };
        let gigabytes: f64 = gigabytes.as_str().parse().ok()?;
        forms.push((form.get_ref().clone().into_owned(), (gigabytes * 1e9) as u64));
    }
    forms.sort_by_key(|(_, bytes)| *bytes);
    Some(Known {
        name: text("name")?,
        about: text("about")?,
        source: text("source")?,
        licence: text("licence")?,
        usual: text("usual")?,
        forms,
    })
}

/// The model of this name; of a name without a tag the smallest.
pub fn find(name: &str) -> Option<&'static Known> {
    let exact = all().iter().find(|known| known.name.eq_ignore_ascii_case(name));
    exact.or_else(|| {
        let base = |known: &&Known| {
            known.name.split(':').next().is_some_and(|base| base.eq_ignore_ascii_case(name))
        };
        all().iter().find(base)
    })
}

impl Known {
    /// Bytes of one of its forms.
    pub fn bytes_of(&self, form: &str) -> u64 {
        self.forms.iter().find(|(other, _)| other == form).map_or(0, |(_, bytes)| *bytes)
    }

    /// The form to take on a machine with so much memory: the usual one, or the largest below it of
    /// which, with a quarter besides for the conversation, all fits.
    pub fn fitting(&self, memory: u64) -> Option<&str> {
        let usual = self.forms.iter().position(|(form, _)| *form == self.usual)?;
        let fits = |(_, bytes): &&(String, u64)| bytes + bytes / 4 <= memory;
        self.forms[..=usual].iter().rev().find(fits).map(|(form, _)| &form[..])
    }

    /// The source of one of its forms.
    pub fn source_of(&self, form: &str) -> String {
        format!("{}:{form}", self.source)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::store::check_name;

    #[test]
    fn the_file_is_sound() {
        let models = read(FILE).unwrap();
        for (at, model) in models.iter().enumerate() {
            assert!(check_name(&model.name).is_ok() && model.name.contains(':'), "{model:?}");
            assert!(model.forms.iter().any(|(form, _)| *form == model.usual), "{model:?}");
            assert!(model.source.starts_with("hf:"), "{model:?}");
            assert!(models[..at].iter().all(|other| other.name != model.name), "{model:?}");
        }
    }

    #[test]
    fn what_fits_is_chosen() {
        let model = find("qwen3:8b").unwrap();
        assert_eq!(model.fitting(64 << 30), Some("Q4_K_M"));
        assert_eq!(model.fitting(6 << 30), Some("Q4_K_M"));
        assert_eq!(model.fitting(5 << 30), None);
        let two = Known { usual: "Q8_0".to_owned(), ..model.clone() };
        assert_eq!(two.fitting(10 << 30), Some("Q6_K"));
        assert_eq!(find("Qwen3").unwrap().name, "qwen3:0.6b");
        assert!(find("qwen").is_none());
    }
}
