//! The instruction set, as a value: what this machine has, and what a flag or a test forces.
//!
//! Every operation of `portable` is compiled once per instruction set by [`per_isa!`], and one is
//! chosen by the value at run time. Holding an [`Isa`] proves that this machine has it.

use std::fmt;

/// An instruction set that this machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Level);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// A name that is no instruction set, or one that this machine lacks.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownIsa {
    /// The name that was asked for.
    pub name: String,
    /// What this machine has.
    pub available: Vec<&'static str>,
}

impl fmt::Display for UnknownIsa {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let available = self.available.join(", ");
        write!(f, "this machine has no instruction set `{}`; it has {available}", self.name)
    }
}

impl std::error::Error for UnknownIsa {}

impl Isa {
    /// Plain code for any processor: the definition of the canon.
    pub const PORTABLE: Isa = Isa(Level::Portable);

    /// All that this machine has, slowest first.
    pub fn available() -> Vec<Isa> {
        #[allow(unused_mut)] // Other processors have only the portable one yet.
        let mut found = vec![Isa::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("f16c")
            {
                found.push(Isa(Level::Avx2));
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512vnni")
                {
                    found.push(Isa(Level::Avx512));
                }
            }
        }
        found
    }

    /// The fastest that this machine has.
    pub fn best() -> Isa {
        *Isa::available().last().unwrap_or(&Isa::PORTABLE)
    }

    /// The one with this name.
    ///
    /// # Errors
    /// When there is none of this name, or this machine lacks it.
    pub fn by_name(name: &str) -> Result<Isa, UnknownIsa> {
        let available = Isa::available();
        available.iter().copied().find(|isa| isa.name() == name).ok_or_else(|| UnknownIsa {
            name: name.to_owned(),
            available: available.iter().map(|isa| isa.name()).collect(),
        })
    }

    pub(crate) fn level(self) -> Level {
        self.0
    }

    /// Its name, as flags and reports have it.
    pub fn name(self) -> &'static str {
        match self.0 {
            Level::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => "avx512",
        }
    }
}

/// Compiles a portable operation once per instruction set, and chooses by the first argument.
macro_rules! per_isa {
    ($(#[$meta:meta])* $name:ident = $portable:path; ($($arg:ident: $kind:ty),*)) => {
        $(#[$meta])*
        #[inline]
        #[allow(clippy::too_many_arguments)] // One more than the operation: the set.
        pub(crate) fn $name(isa: $crate::Isa, $($arg: $kind),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma,f16c")]
                #[allow(clippy::too_many_arguments)]
                fn avx2($($arg: $kind),*) {
                    $portable($($arg),*)
                }
                #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")]
                #[allow(clippy::too_many_arguments)]
                fn avx512($($arg: $kind),*) {
                    $portable($($arg),*)
                }
                match isa.level() {
                    // SAFETY: an `Isa` of this level exists only where its features were detected.
                    $crate::isa::Level::Avx2 => return unsafe { avx2($($arg),*) },
                    // SAFETY: as above.
                    $crate::isa::Level::Avx512 => return unsafe { avx512($($arg),*) },
                    $crate::isa::Level::Portable => {}
                }
            }
            let _ = isa;
            $portable($($arg),*)
        }
    };
}
pub(crate) use per_isa;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_sets() {
        for isa in Isa::available() {
            assert_eq!(Isa::by_name(isa.name()), Ok(isa));
        }
        let error = Isa::by_name("avx9000").unwrap_err();
        assert!(error.to_string().contains("portable"), "{error}");
    }
}
