//! Files of expected tensors, and the difference between two rows of numbers.

use std::path::Path;

use formats::safetensors::Safetensors;

/// An opened file of expected values.
pub struct Expected(Safetensors);

impl Expected {
    /// Opens a `*.safetensors` file.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn open(path: &Path) -> Expected {
        let file = Safetensors::open(path);
        Expected(file.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// The numbers of an f32 tensor.
    ///
    /// # Panics
    /// When there is none of this name.
    pub fn floats(&self, name: &str) -> Vec<f32> {
        self.words(name, "F32").map(f32::from_le_bytes).collect()
    }

    /// The numbers of an i32 tensor of ids.
    ///
    /// # Panics
    /// When there is none of this name.
    pub fn ids(&self, name: &str) -> Vec<u32> {
        self.words(name, "I32").map(u32::from_le_bytes).collect()
    }

    fn words(&self, name: &str, storage: &str) -> impl Iterator<Item = [u8; 4]> {
        let tensor = self.0.tensor(name).unwrap_or_else(|| panic!("no tensor {name}"));
        assert_eq!(tensor.storage.name(), storage, "{name}");
        tensor.bytes.as_chunks::<4>().0.iter().copied()
    }
}

/// How far two rows of numbers are apart.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// The largest difference.
    pub max: f64,
    /// The mean difference.
    pub mean: f64,
}

impl Difference {
    /// Compares two rows.
    ///
    /// # Panics
    /// When they are not equally long or empty.
    pub fn between(got: &[f32], want: &[f32]) -> Difference {
        assert_eq!(got.len(), want.len());
        assert!(!got.is_empty());
        let differences = got.iter().zip(want).map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs());
        let (mut max, mut sum) = (0.0_f64, 0.0);
        for difference in differences {
            // NaN must not look like agreement.
            max = if difference > max || difference.is_nan() { difference } else { max };
            sum += difference;
        }
        Difference { max, mean: sum / got.len() as f64 }
    }
}
