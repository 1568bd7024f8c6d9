//! The pixels of a display.

use std::collections::HashSet;
use std::fs::File;
use std::os::unix::fs::FileExt;
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

/// A rectangle of a display, in its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// From the left edge.
    pub left: usize,
    /// From the upper edge.
    pub top: usize,
    /// Its width.
    pub width: usize,
    /// Its height.
    pub height: usize,
}

/// A display's pixels, or those of a part of it, at one moment: blue, green, red and a byte that says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pixels: Vec<[u8; 4]>,
    /// Pixels in a line.
    width: usize,
}

/// Where the pixels of a dump lie.
struct Layout {
    begin: usize,
    line: usize,
    height: usize,
}

impl Layout {
    fn of(header: &[u8]) -> Result<Layout> {
        let number = |place: usize| -> Result<usize> {
            let four = header.get(place * 4..place * 4 + 4).context("the dump of the display is cut short")?;
            Ok(u32::from_be_bytes(four.try_into()?) as usize)
        };
        ensure!(number(BITS_PER_PIXEL)? == 32, "the display has {} bits a pixel, not 32", number(BITS_PER_PIXEL)?);
        let begin = number(HEADER_SIZE)? + number(COLOURS)? * COLOUR;
        Ok(Layout { begin, line: number(BYTES_PER_LINE)?, height: number(HEIGHT)? })
    }
}

impl Picture {
    /// Reads an X window dump of 32 bits a pixel.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let Layout { begin, line, height } = Layout::of(&bytes)?;
        let pixels = bytes.get(begin..begin + line * height).context("the dump of the display is cut short")?;
        Ok(Self { pixels: pixels.as_chunks().0.to_vec(), width: line / 4 })
    }

    /// Reads a part of such a dump, and no more of the file than that.
    pub(crate) fn read_area(path: &Path, area: Area) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
        let mut header = [0; 100];
        file.read_exact_at(&mut header, 0)?;
        let Layout { begin, line, height } = Layout::of(&header)?;
        let Area { left, top, width, height: lines } = area;
        ensure!((left + width) * 4 <= line && top + lines <= height, "{area:?} is not on the display");
        let mut bytes = vec![0; width * lines * 4];
        for (number, row) in (top..).zip(bytes.chunks_exact_mut((width * 4).max(1))) {
            file.read_exact_at(row, (begin + number * line + left * 4) as u64)?;
        }
        Ok(Self { pixels: bytes.as_chunks().0.to_vec(), width })
    }

    /// Its lines from the top.
    pub fn lines(&self) -> impl Iterator<Item = &[[u8; 4]]> {
        self.pixels.chunks_exact(self.width.max(1))
    }

    /// The smallest area that holds all pixels of this colour: blue, green and red.
    #[must_use]
    pub fn area_of(&self, colour: [u8; 3]) -> Option<Area> {
        let places = self.pixels.iter().zip(0_usize..).filter(|(pixel, _)| pixel[..3] == colour);
        let places = places.map(|(_, place)| (place % self.width.max(1), place / self.width.max(1)));
        let (left, top, right, bottom) = places
            .fold((usize::MAX, usize::MAX, 0, 0), |(left, top, right, bottom), (x, y)| {
                (left.min(x), top.min(y), right.max(x), bottom.max(y))
            });
        (left <= right).then(|| Area { left, top, width: right + 1 - left, height: bottom + 1 - top })
    }

    /// The number of different colours in it: a window that has not painted anything yet has two or three.
    #[must_use]
    pub fn colours(&self) -> usize {
        self.pixels.iter().collect::<HashSet<_>>().len()
    }

    /// Every so many pixels of it only: what changes over a window is seen in them too.
    #[must_use]
    pub fn thinned(&self, every: usize) -> Self {
        let pixels: Vec<_> = self.pixels.iter().copied().step_by(every.max(1)).collect();
        Self { width: pixels.len(), pixels }
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
    use super::{Area, Picture};

    /// A dump of a display one line high, with one colour in its map.
    fn dump(pixels: &[[u8; 4]]) -> Vec<u8> {
        dump_of(pixels, pixels.len())
    }

    /// The same with lines of so many pixels.
    fn dump_of(pixels: &[[u8; 4]], width: usize) -> Vec<u8> {
        let mut header = [0_u32; 25];
        header[0] = 100;
        header[5] = u32::try_from(pixels.len() / width).unwrap_or_default();
        header[11] = 32;
        header[12] = u32::try_from(width * 4).unwrap_or_default();
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
    fn a_part_is_read_and_a_colour_is_found() -> anyhow::Result<()> {
        let (black, red) = ([0, 0, 0, 0], [0, 0, 255, 0]);
        let file = tempfile::NamedTempFile::new()?;
        let pixels = [black, black, black, black, black, red, red, black, black, black, red, black];
        std::fs::write(file.path(), dump_of(&pixels, 4))?;
        let whole = Picture::read(file.path())?;
        let found = Area { left: 1, top: 1, width: 2, height: 2 };
        assert_eq!((whole.area_of([0, 0, 255]), whole.area_of([1; 3])), (Some(found), None));
        let part = Picture::read_area(file.path(), found)?;
        assert_eq!(part.lines().collect::<Vec<_>>(), [&[red, red][..], &[black, red]]);
        assert!(Picture::read_area(file.path(), Area { left: 3, ..found }).is_err());
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
