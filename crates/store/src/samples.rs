//! Measurements, and their stored form: one block of bytes for a few seconds of one device.
//!
//! With a thousand devices that measure every second, a row for each message would cost more than its content.

use wilco_ledger::{DeviceId, Timestamp};

/// The measurements of one device.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Which device.
    pub device: DeviceId,
    /// The names of its series; the samples name them by their places.
    pub series: Vec<Box<str>>,
    /// In the order in which they came.
    pub samples: Vec<Sample>,
}

/// The measurements of one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// When.
    pub at: Timestamp,
    /// The places of series, with their values.
    pub values: Vec<(u8, f64)>,
}

/// The longest time that a block spans, milliseconds: so that a block that reaches into a span of time is found by its
/// beginning.
pub(super) const LONGEST_BLOCK: i64 = 600_000;

/// Samples that lie together.
pub(super) struct Block {
    pub(super) at: Timestamp,
    pub(super) bytes: Vec<u8>,
}

/// Cuts samples into blocks, in order of time.
pub(super) fn blocks(samples: &[Sample]) -> Vec<Block> {
    let mut sorted: Vec<&Sample> = samples.iter().collect();
    sorted.sort_by_key(|sample| sample.at);
    let mut blocks: Vec<Block> = Vec::new();
    for sample in sorted {
        let fits = |block: &&mut Block| sample.at.0.saturating_sub(block.at.0) < LONGEST_BLOCK;
        match blocks.last_mut().filter(fits) {
            Some(block) => write(&mut block.bytes, block.at, sample),
            None => {
                let mut bytes = Vec::new();
                write(&mut bytes, sample.at, sample);
                blocks.push(Block { at: sample.at, bytes });
            }
        }
    }
    blocks
}

/// Reads a block; an incomplete end is ignored.
pub(super) fn read(at: i64, mut bytes: &[u8], mut each: impl FnMut(Timestamp, u8, f64)) {
    while let Some((head, rest)) = bytes.split_first_chunk::<5>() {
        let later = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        bytes = rest;
        for _ in 0..head[4] {
            let Some((value, rest)) = bytes.split_first_chunk::<9>() else { return };
            let [place, a, b, c, d, e, f, g, h] = *value;
            each(Timestamp(at.saturating_add(later.into())), place, f64::from_le_bytes([a, b, c, d, e, f, g, h]));
            bytes = rest;
        }
    }
}

/// Milliseconds since the block's beginning, the number of values, and each with the place of its series; little-endian.
fn write(bytes: &mut Vec<u8>, begun: Timestamp, sample: &Sample) {
    let later = u32::try_from(sample.at.0 - begun.0).unwrap_or(0);
    bytes.extend(later.to_le_bytes());
    bytes.push(u8::try_from(sample.values.len()).unwrap_or(u8::MAX));
    for (place, value) in sample.values.iter().take(usize::from(u8::MAX)) {
        bytes.push(*place);
        bytes.extend(value.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use wilco_ledger::Timestamp;

    use super::{LONGEST_BLOCK, Sample, blocks, read};

    fn sample(at: i64, values: &[(u8, f64)]) -> Sample {
        Sample { at: Timestamp(at), values: values.to_vec() }
    }

    #[test]
    fn written_values_are_read_in_order_of_time() {
        let samples = [sample(1_500, &[(0, 1.5), (63, -0.0)]), sample(1_000, &[(0, f64::MAX)]), sample(1_500, &[])];
        let [block] = &blocks(&samples)[..] else { panic!("not one block") };
        let mut seen = Vec::new();
        read(block.at.0, &block.bytes, |at, place, value| seen.push((at.0, place, value)));
        assert_eq!(seen, [(1_000, 0, f64::MAX), (1_500, 0, 1.5), (1_500, 63, -0.0)]);
    }

    #[test]
    fn a_block_is_never_longer_than_it_may_be() {
        let check = |times: &[i64], expected: &[i64]| {
            let samples: Vec<_> = times.iter().map(|at| sample(*at, &[(0, 1.0)])).collect();
            assert_eq!(blocks(&samples).iter().map(|block| block.at.0).collect::<Vec<_>>(), expected);
        };
        check(&[0, LONGEST_BLOCK - 1, LONGEST_BLOCK], &[0, LONGEST_BLOCK]);
        check(&[i64::MAX, i64::MIN], &[i64::MIN, i64::MAX]);
        check(&[], &[]);
    }

    #[test]
    fn a_damaged_block_is_read_as_far_as_it_goes() {
        let block = &blocks(&[sample(7, &[(0, 1.0), (1, 2.0)])])[0];
        for length in 0..block.bytes.len() {
            let mut count = 0;
            read(7, &block.bytes[..length], |_, _, _| count += 1);
            assert_eq!(count, usize::from(length >= 14), "{length}");
        }
    }
}
