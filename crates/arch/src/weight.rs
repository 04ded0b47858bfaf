//! Weights as the recipe holds them: matrices that stay in the mapped file, and small f32 rows.

use std::sync::Arc;

use formats::{Place, Storage, Tensor};
use kernels::{Format, Matrix};

use crate::Error;
use crate::source::{Files, Name, Source};

/// A matrix in the mapped file, kept open for as long as the matrix lives.
pub(crate) struct Weight {
    files: Arc<Files>,
    place: Place,
    format: Format,
    rows: usize,
    cols: usize,
}

/// A matrix and what is added to its outputs.
pub(crate) struct Linear {
    pub weight: Weight,
    pub bias: Option<Vec<f32>>,
}

/// Whether a linear layer has a bias.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bias {
    No,
    Yes,
    /// The file has one or not; GGUF files have no key for it.
    IfThere,
}

impl Bias {
    /// What a flag of `config.json` says; GGUF files have no such flags.
    pub fn by_flag(source: &Source, flag: &'static str) -> Result<Bias, Error> {
        Ok(match (source.is_gguf(), source.flag(flag, false)?) {
            (true, _) => Bias::IfThere,
            (false, true) => Bias::Yes,
            (false, false) => Bias::No,
        })
    }
}

impl Weight {
    /// Finds a matrix and checks it against what the hyper-parameters say.
    pub fn find(source: &Source, name: &str, rows: usize, cols: usize) -> Result<Weight, Error> {
        let tensor = source.tensor(name)?;
        expect_shape(&tensor, &[rows, cols])?;
        let format = format_of(&tensor)?;
        if Matrix::new(format, rows, cols, tensor.bytes).is_none() {
            let why = format!("is no multiple of the {} weights in a block", format.block_len());
            return Err(Error::Value { key: format!("width {cols} of {name}"), why });
        }
        let place = source.files.place(&tensor).expect("a tensor lies in the files it came from");
        Ok(Weight { files: Arc::clone(&source.files), place, format, rows, cols })
    }

    /// The matrix where it lies.
    pub fn view(&self) -> Matrix<'_> {
        let bytes = self.files.bytes_at(&self.place);
        Matrix::new(self.format, self.rows, self.cols, bytes).expect("checked when it was found")
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Bytes that a product with this matrix reads.
    pub fn bytes(&self) -> u64 {
        self.format.row_bytes(self.cols).map_or(0, |bytes| (bytes * self.rows) as u64)
    }

    /// Writes row `row` as f32.
    pub fn row(&self, row: usize, out: &mut [f32]) {
        kernels::blocks::decode(self.format, self.view().row(row), out);
    }
}

impl Linear {
    /// Finds a layer's matrix and bias.
    pub fn find(
        source: &Source,
        name: (Name, usize),
        (rows, cols): (usize, usize),
        bias: Bias,
    ) -> Result<Linear, Error> {
        let (name, layer) = name;
        let weight =
            Weight::find(source, &source.tensor_name(name, Some(layer), "weight"), rows, cols)?;
        let name = source.tensor_name(name, Some(layer), "bias");
        let bias = match bias {
            Bias::No => None,
            Bias::Yes => Some(row(source, &name, rows)?),
            Bias::IfThere => source.find(&name).map(|_| row(source, &name, rows)).transpose()?,
        };
        Ok(Linear { weight, bias })
    }
}

/// Reads a short row, such as a norm's weights, as f32.
pub(crate) fn row(source: &Source, name: &str, len: usize) -> Result<Vec<f32>, Error> {
    let tensor = source.tensor(name)?;
    expect_shape(&tensor, &[len])?;
    let mut values = vec![0.0; len];
    kernels::blocks::decode(format_of(&tensor)?, tensor.bytes, &mut values);
    Ok(values)
}

fn expect_shape(tensor: &Tensor, expected: &[usize]) -> Result<(), Error> {
    if *tensor.shape == *expected {
        return Ok(());
    }
    let (expected, found) = (expected.to_vec(), tensor.shape.to_vec());
    Err(Error::Shape { name: tensor.name.to_owned(), expected, found })
}

fn format_of(tensor: &Tensor) -> Result<Format, Error> {
    format_for(tensor.storage).ok_or_else(|| Error::Storage {
        name: tensor.name.to_owned(),
        storage: tensor.storage.name(),
    })
}

/// The kernels' format for a storage of files, where there is one.
pub fn format_for(storage: Storage) -> Option<Format> {
    Format::ALL.into_iter().find(|format| format!("{format:?}") == storage.name())
}
