//! What a display shows, pixel by pixel.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// Numbers in the header of an X window dump that matter here, by their place (`XWDFile.h`): all big-endian.
const HEADER_SIZE: usize = 0;
const HEIGHT: usize = 5;
const BITS_PER_PIXEL: usize = 11;
const BYTES_PER_LINE: usize = 12;
const COLOURS: usize = 19;
/// Bytes of one entry of its colour map.
const COLOUR: usize = 12;

/// A display's pixels at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pixels: Vec<[u8; 4]>,
}

impl Picture {
    /// Reads an X window dump of 32 bits a pixel.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let number = |place: usize| -> Result<usize> {
            let four = bytes.get(place * 4..place * 4 + 4).context("the dump of the display is cut short")?;
            Ok(u32::from_be_bytes(four.try_into()?) as usize)
        };
        ensure!(number(BITS_PER_PIXEL)? == 32, "the display has {} bits a pixel, not 32", number(BITS_PER_PIXEL)?);
        let begin = number(HEADER_SIZE)? + number(COLOURS)? * COLOUR;
        let end = begin + number(BYTES_PER_LINE)? * number(HEIGHT)?;
        let pixels = bytes.get(begin..end).context("the dump of the display is cut short")?;
        Ok(Self { pixels: pixels.as_chunks().0.to_vec() })
    }

    /// The number of different colours in it: a window that has not painted anything yet has two or three.
    #[must_use]
    pub fn colours(&self) -> usize {
        self.pixels.iter().collect::<HashSet<_>>().len()
    }

    /// Every so many pixels of it only: what changes over a window is seen in them too.
    #[must_use]
    pub fn thinned(&self, every: usize) -> Self {
        Self { pixels: self.pixels.iter().copied().step_by(every.max(1)).collect() }
    }

    /// The part of its pixels that are the same in the other, 0 … 1.
    #[must_use]
    pub fn alike(&self, other: &Self) -> f64 {
        let same = self.pixels.iter().zip(&other.pixels).filter(|(one, another)| one == another).count();
        same as f64 / self.pixels.len().max(other.pixels.len()).max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::Picture;

    /// A dump of a display one line high, with one colour in its map.
    fn dump(pixels: &[[u8; 4]]) -> Vec<u8> {
        let mut header = [0_u32; 25];
        header[0] = 100;
        header[5] = 1;
        header[11] = 32;
        header[12] = u32::try_from(pixels.len() * 4).unwrap_or_default();
        header[19] = 1;
        let header = header.iter().flat_map(|number| number.to_be_bytes());
        header.chain([0; 12]).chain(pixels.iter().flatten().copied()).collect()
    }

    fn picture(bytes: &[u8]) -> anyhow::Result<Picture> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), bytes)?;
        Picture::read(file.path())
    }

    #[test]
    fn pixels_are_counted_and_compared() -> anyhow::Result<()> {
        let (black, red) = ([0, 0, 0, 0], [0, 0, 255, 0]);
        let one = picture(&dump(&[black, black, red, red]))?;
        let other = picture(&dump(&[black, red, red, red]))?;
        assert_eq!((one.colours(), one.alike(&other), one.alike(&one)), (2, 0.75, 1.0));
        Ok(())
    }

    #[test]
    fn a_dump_cut_short_is_refused() {
        let whole = dump(&[[1; 4]; 3]);
        for length in [0, 40, 99, whole.len() - 1] {
            assert!(picture(&whole[..length]).is_err(), "{length} bytes");
        }
    }
}
