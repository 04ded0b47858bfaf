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
    /// AVX-512, and products of many rows by tiles.
    #[cfg(target_arch = "x86_64")]
    Amx,
    /// The same with a tile unit in plain Rust.
    #[cfg(target_arch = "x86_64")]
    AmxEmulated,
    #[cfg(target_arch = "aarch64")]
    Neon,
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
        #[allow(unused_mut)] // Other processors have only the portable one.
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
                    if crate::amx::available() {
                        found.push(Isa(Level::Amx));
                    }
                }
            }
        }
        #[cfg(target_arch = "aarch64")]
        {
            use std::arch::is_aarch64_feature_detected;
            if is_aarch64_feature_detected!("dotprod") && is_aarch64_feature_detected!("fp16") {
                found.push(Isa(Level::Neon));
            }
        }
        found
    }

    /// One that tests the kernels of `amx` wherever AVX-512 is: slow, equal, and not in the list.
    #[doc(hidden)]
    pub fn emulated_amx() -> Option<Isa> {
        #[cfg(target_arch = "x86_64")]
        if Isa::available().contains(&Isa(Level::Avx512)) {
            return Some(Isa(Level::AmxEmulated));
        }
        None
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

    /// Whether products of many rows go by tiles.
    pub(crate) fn has_tiles(self) -> bool {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Level::Amx | Level::AmxEmulated => true,
            _ => false,
        }
    }

    /// Its name, as flags and reports have it.
    pub fn name(self) -> &'static str {
        match self.0 {
            Level::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Level::Amx => "amx",
            #[cfg(target_arch = "x86_64")]
            Level::AmxEmulated => "amx-emulated",
            #[cfg(target_arch = "aarch64")]
            Level::Neon => "neon",
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
                use $crate::isa::Level;
                match isa.level() {
                    Level::Portable => {}
                    // SAFETY: an `Isa` of this level exists only where its features were detected.
                    Level::Avx2 => return unsafe { avx2($($arg),*) },
                    Level::Avx512 | Level::Amx | Level::AmxEmulated => {
                        // SAFETY: as above; the levels of tiles have these features too.
                        return unsafe { avx512($($arg),*) };
                    }
                }
            }
            #[cfg(target_arch = "aarch64")]
            {
                #[target_feature(enable = "neon,dotprod,fp16")]
                #[allow(clippy::too_many_arguments)]
                fn neon($($arg: $kind),*) {
                    $portable($($arg),*)
                }
                use $crate::isa::Level;
                match isa.level() {
                    Level::Portable => {}
                    // SAFETY: an `Isa` of this level exists only where its features were detected.
                    Level::Neon => return unsafe { neon($($arg),*) },
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

    #[test]
    fn the_emulated_set_is_for_tests_alone() {
        let Some(emulated) = Isa::emulated_amx() else { return };
        assert!(!Isa::available().contains(&emulated));
        assert!(Isa::by_name(emulated.name()).is_err());
    }
}
