//! The data of the examples; the examples themselves are in `src/bin`.

use std::error::Error;

/// Handwritten digits: 64 pixels each, scaled to 0 to 1, and the digit shown.
#[derive(Clone, Debug, Default)]
pub struct Digits {
    /// Pixels, row by row.
    pub images: Vec<[f32; 64]>,
    /// What the images show, 0 to 9.
    pub labels: Vec<usize>,
}

/// The 1 797 images of `data/digits.csv`: the first 1 437 to train with, the other 360 to test with.
///
/// # Errors
/// Where the file is not what it should be.
pub fn digits() -> Result<(Digits, Digits), Box<dyn Error>> {
    let mut training = Digits::default();
    let mut test = Digits::default();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(include_str!("../data/digits.csv").as_bytes());
    for (number, row) in reader.deserialize().enumerate() {
        let row: Vec<f32> = row?;
        let (label, pixels) = row.split_last().ok_or("an empty row")?;
        let mut image = <[f32; 64]>::try_from(pixels)?;
        for pixel in &mut image {
            *pixel /= 16.0;
        }
        let part = if number < 1437 { &mut training } else { &mut test };
        part.images.push(image);
        part.labels.push(format!("{label:.0}").parse()?);
    }
    Ok((training, test))
}

/// The snippets of `docs/services.md`, to compile them.
#[cfg(all(doctest, feature = "docs"))]
#[doc = include_str!("../../docs/services.md")]
struct Services;
