//! Weights as the recipe holds them: matrices, in the mapped file or packed in memory, and small
//! f32 rows.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use formats::{Place, Storage, Tensor};
use kernels::{Format, Machine, Matrix, PANEL_ROWS, Product, Rounding, packed_len};

use crate::arena::{Arena, Plan};
use crate::hyper::WIDTH_MAX;
use crate::source::{Files, Name, Source};
use crate::{Error, Model, stored};

/// A matrix in the mapped file, which is kept open for as long as the matrix lives.
pub struct Weight {
    origin: Origin,
    format: Format,
    rows: usize,
    cols: usize,
    packed: Option<Packed>,
}

/// Where the bytes of a matrix come from.
enum Origin {
    File {
        files: Arc<Files>,
        place: Place,
    },
    /// The file has it in another form, from which it is made when it is wanted.
    Made {
        make: Make,
        made: OnceLock<Vec<u8>>,
    },
    /// Addresses in place of what would be made, for a rehearsal.
    Promised(Arc<Arena>),
}

/// Makes the rows of a matrix.
pub(crate) type Make = Box<dyn Fn() -> Vec<u8> + Send + Sync>;

/// Where a matrix is in memory.
struct Packed {
    arena: Arc<Arena>,
    range: Range<usize>,
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
    pub(crate) fn find(
        source: &Source,
        name: &str,
        rows: usize,
        cols: usize,
    ) -> Result<Weight, Error> {
        Weight::of_tensor(source, name, &[rows, cols], 0..rows)
    }

    /// A matrix of whole blocks that `make` makes of what the file has.
    pub(crate) fn made(format: Format, (rows, cols): (usize, usize), make: Make) -> Weight {
        let origin = Origin::Made { make, made: OnceLock::new() };
        Weight { origin, format, rows, cols, packed: None }
    }

    /// Finds one of the matrices that a tensor holds one after the other; `part` is its number and
    /// how many there are.
    pub(crate) fn find_part(
        source: &Source,
        name: &str,
        (part, count): (usize, usize),
        (rows, cols): (usize, usize),
    ) -> Result<Weight, Error> {
        Weight::of_tensor(source, name, &[count, rows, cols], part * rows..(part + 1) * rows)
    }

    /// The same matrix turned: rows become columns. Numbers that do not stand on their own are
    /// written out.
    pub(crate) fn turned(self) -> Weight {
        let (rows, cols) = (self.rows, self.cols);
        let plain = self.format.block_len() == 1;
        let format = if plain { self.format } else { Format::F32 };
        let make = move || {
            let size = format.block_bytes();
            let numbers = match plain {
                true => std::borrow::Cow::Borrowed(self.plain().bytes()),
                false => {
                    let mut row = vec![0.0; cols];
                    let mut numbers = Vec::with_capacity(rows * cols * size);
                    for i in 0..rows {
                        self.row(i, &mut row);
                        numbers.extend(row.iter().flat_map(|x| x.to_le_bytes()));
                    }
                    numbers.into()
                }
            };
            let places = (0..cols).flat_map(|col| (0..rows).map(move |row| row * cols + col));
            places.flat_map(|place| &numbers[place * size..][..size]).copied().collect()
        };
        Weight::made(format, (cols, rows), Box::new(make))
    }

    /// Some of the rows that a tensor of this shape holds; the last length is a row's.
    pub(crate) fn of_tensor(
        source: &Source,
        name: &str,
        shape: &[usize],
        rows: Range<usize>,
    ) -> Result<Weight, Error> {
        let [before @ .., cols] = shape else { unreachable!("a tensor of rows has a length") };
        if rows.len().max(*cols) > WIDTH_MAX {
            return Err(too_wide(name, (rows.len(), *cols)));
        }
        if let Some(made) = stored::find(source, name, shape, rows.clone())? {
            return Ok(made);
        }
        let tensor = source.tensor(name)?;
        expect_shape(&tensor, shape)?;
        let (format, all) = (format_of(&tensor)?, before.iter().product::<usize>());
        if Matrix::new(format, all, *cols, tensor.bytes).is_none() {
            return Err(no_whole_blocks(format, name, *cols));
        }
        let (len, files) = (tensor.bytes.len() / all, Arc::clone(&source.files));
        let place = source.place(&tensor).part(rows.start * len..rows.end * len);
        let origin = Origin::File { files, place };
        Ok(Weight { origin, format, rows: rows.len(), cols: *cols, packed: None })
    }

    /// The matrix for products.
    pub(crate) fn view(&self) -> Matrix<'_> {
        let Some(Packed { arena, range }) = &self.packed else { return self.plain() };
        let bytes = arena.bytes(range.clone());
        Matrix::packed(self.format, self.rows, self.cols, bytes).expect("it was packed for this")
    }

    /// The matrix as its rows lie in the file, or would lie there.
    fn plain(&self) -> Matrix<'_> {
        let bytes = match &self.origin {
            Origin::File { files, place } => files.bytes_at(place),
            Origin::Made { make, made } => made.get_or_init(make),
            Origin::Promised(arena) => arena.bytes(0..self.bytes() as usize),
        };
        self.matrix(bytes)
    }

    fn matrix<'a>(&self, bytes: &'a [u8]) -> Matrix<'a> {
        Matrix::new(self.format, self.rows, self.cols, bytes).expect("checked when it was found")
    }

    /// This matrix as one product of a step.
    pub(crate) fn product<'a>(&'a self, rounding: Rounding, out: &'a mut [f32]) -> Product<'a> {
        Product { weights: self.view(), rounding, bias: None, out }
    }

    /// Its bytes in the file, if products read it there.
    pub fn in_file(&self) -> Option<&[u8]> {
        match (&self.packed, &self.origin) {
            (None, Origin::File { files, place }) => Some(files.bytes_at(place)),
            _ => None,
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn cols(&self) -> usize {
        self.cols
    }

    /// Bytes that a product with this matrix reads.
    pub(crate) fn bytes(&self) -> u64 {
        self.format.row_bytes(self.cols).map_or(0, |bytes| (bytes * self.rows) as u64)
    }

    fn packed_len(&self) -> Option<usize> {
        packed_len(self.format, self.rows, self.cols)
    }

    /// Packs the matrix piece by piece, so that no large part of it is in memory twice.
    fn pack(&self, machine: &Machine, out: &mut [u8], progress: &mut dyn FnMut(u64)) {
        const PIECE: usize = 16 << 20;
        let (files, place) = match &self.origin {
            Origin::File { files, place } => (files, place),
            Origin::Made { make, .. } => {
                machine.pack(&self.matrix(&make()), out);
                return progress(self.bytes());
            }
            Origin::Promised(_) => return,
        };
        let bytes = files.bytes_at(place);
        let row_bytes = bytes.len() / self.rows;
        let together = (PIECE / row_bytes).next_multiple_of(PANEL_ROWS).max(PANEL_ROWS);
        let mut out = out;
        for first in (0..self.rows).step_by(together) {
            let rows = together.min(self.rows - first);
            let range = first * row_bytes..(first + rows) * row_bytes;
            let piece = Matrix::new(self.format, rows, self.cols, &bytes[range.clone()]);
            let len = packed_len(self.format, rows, self.cols);
            let (piece, len) = piece.zip(len).expect("whole rows of a matrix are a matrix");
            machine.pack(&piece, out.split_off_mut(..len).expect("the pieces fill the matrix"));
            files.release(&place.part(range.clone()));
            progress(range.len() as u64);
        }
    }

    /// Reads a byte of every page, so that the first answer does not wait for the disk.
    fn touch(&self) {
        const PAGE: usize = 4096;
        let bytes = self.plain().bytes().iter().step_by(PAGE);
        std::hint::black_box(bytes.fold(0, |sum, byte| sum ^ byte));
    }

    /// Writes row `row` as f32, from the file: rows are read here and there, and few of them.
    pub(crate) fn row(&self, row: usize, out: &mut [f32]) {
        kernels::blocks::decode(self.format, self.plain().row(row), out);
    }
}

/// Brings the weights of a model into memory, packed as `machine` likes them, and tells after each
/// how many bytes are there. Weights that it takes as they are stay in the mapped file.
///
/// # Errors
/// When the system does not give the memory; then nothing has changed.
pub fn pack(
    model: &mut dyn Model,
    machine: &Machine,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    let mut plan = Plan::default();
    let mut places = Vec::new();
    for weight in model.weights() {
        let len = weight.packed_len().filter(|_| machine.packs(weight.format));
        places.push((len.map(|len| plan.take(len)), weight));
    }
    let needed = plan.len();
    let mut arena = Arena::new(needed).map_err(|source| Error::Memory { needed, source })?;
    let mut done = 0;
    let mut progress = |bytes| {
        done += bytes;
        progress(done);
    };
    for (range, weight) in &places {
        match range {
            Some(range) => weight.pack(machine, arena.bytes_mut(range.clone()), &mut progress),
            None => {
                weight.touch();
                progress(weight.bytes());
            }
        }
    }
    let arena = Arc::new(arena);
    for (range, weight) in places {
        weight.packed = range.map(|range| Packed { arena: Arc::clone(&arena), range });
    }
    Ok(())
}

/// Where the weights of a packed model are, in bytes, and how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// In panels.
    pub packed: u64,
    /// In the mapped file, from which each step reads them.
    pub in_file: u64,
    /// Made of what the file has.
    pub made: u64,
    /// How many numbers they are.
    pub numbers: u64,
}

/// Gives each weight the place that [`pack`] would give it, with nothing in it. From then on the
/// model is good for a rehearsal only.
///
/// # Errors
/// When the system does not even promise the memory.
pub fn place(model: &mut dyn Model, machine: Option<&Machine>) -> Result<Places, Error> {
    let (mut plan, mut places, mut ranges) = (Plan::default(), Places::default(), Vec::new());
    // Nothing is read there, so one place does for all.
    let mut needed = 0;
    for weight in model.weights() {
        let packs = machine.is_some_and(|machine| machine.packs(weight.format));
        let range = weight.packed_len().filter(|_| packs).map(|len| plan.take(len));
        places.numbers += (weight.rows * weight.cols) as u64;
        match (&range, &weight.origin) {
            (Some(range), _) => needed = needed.max(range.len()),
            (None, Origin::File { .. }) => places.in_file += weight.bytes(),
            (None, _) => {
                places.made += weight.bytes();
                needed = needed.max(weight.bytes() as usize);
            }
        }
        ranges.push(range);
    }
    places.packed = plan.len() as u64;
    let arena = Arena::promised(needed).map_err(|source| Error::Memory { needed, source })?;
    let arena = Arc::new(arena);
    for (range, weight) in ranges.into_iter().zip(model.weights()) {
        match (range, &weight.origin) {
            (Some(range), _) => {
                weight.packed = Some(Packed { arena: Arc::clone(&arena), range: 0..range.len() });
            }
            (None, Origin::File { .. }) => weight.packed = None,
            (None, _) => weight.origin = Origin::Promised(Arc::clone(&arena)),
        }
    }
    Ok(places)
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
    floats(source, name, &[len])
}

/// Bytes of all small tensors of a header, which may claim any. Known models have less than a
/// quarter of it.
const HEADER_MAX: u64 = 1 << 30;

/// Reads a small tensor as f32.
pub(crate) fn floats(source: &Source, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
    let tensor = source.tensor(name)?;
    expect_shape(&tensor, shape)?;
    let (format, len) = (format_of(&tensor)?, shape.iter().product::<usize>());
    source.take_out(len * size_of::<f32>());
    if source.is_header() && source.taken() > HEADER_MAX {
        let why = "is out of range: so large is no model's, with the others before it".to_owned();
        return Err(Error::Value { key: format!("shape of {name}"), why });
    }
    let mut values = vec![0.0; len];
    if !source.is_header() {
        kernels::blocks::decode(format, tensor.bytes, &mut values);
    }
    Ok(values)
}

pub(crate) fn expect_shape(tensor: &Tensor, expected: &[usize]) -> Result<(), Error> {
    if *tensor.shape == *expected {
        return Ok(());
    }
    let (expected, found) = (expected.to_vec(), tensor.shape.to_vec());
    Err(Error::Shape { name: tensor.name.to_owned(), expected, found })
}

/// Of a matrix wider than any that could be computed with.
pub(crate) fn too_wide(name: &str, (rows, cols): (usize, usize)) -> Error {
    let why = format!("is out of range; hearth runs matrices of at most {WIDTH_MAX} a side");
    Error::Value { key: format!("shape {rows} × {cols} of {name}"), why }
}

/// Of a tensor whose rows are not whole blocks.
pub(crate) fn no_whole_blocks(format: Format, name: &str, cols: usize) -> Error {
    let why = format!("is no multiple of the {} weights in a block", format.block_len());
    Error::Value { key: format!("width {cols} of {name}"), why }
}

pub(crate) fn format_of(tensor: &Tensor) -> Result<Format, Error> {
    format_for(tensor.storage).ok_or_else(|| Error::Storage {
        name: tensor.name.to_owned(),
        storage: tensor.storage.name(),
    })
}

/// The kernels' format for a storage of files, where there is one.
pub fn format_for(storage: Storage) -> Option<Format> {
    Format::ALL.into_iter().find(|format| format!("{format:?}") == storage.name())
}
