//! Repeatable random numbers for virtual devices: the same seed gives the same fleet with the same faults.

use std::{f64::consts::TAU, ops::RangeInclusive};

/// `SplitMix64` (Steele, Lea, Flood 2014). Good enough to distribute faults, and for nothing else.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A separate sequence for each seed and each number.
    #[must_use]
    pub fn new(seed: u64, number: u64) -> Random {
        let mut random = Random(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 (inclusive) to 1 (exclusive).
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Normally distributed around 0 with a standard deviation of 1 (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        // 1 - unit is never 0, of which there is no logarithm.
        let distance = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        distance * (TAU * self.unit()).cos()
    }

    /// Returns true with this probability.
    pub fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.unit() < probability
    }

    /// A number from the range, including both ends.
    pub fn within(&mut self, range: &RangeInclusive<u64>) -> u64 {
        let span = range.end().saturating_sub(*range.start());
        range.start().saturating_add(self.next() % span.saturating_add(1))
    }

    /// One of several values.
    pub fn pick<'a, T>(&mut self, several: &'a [T]) -> Option<&'a T> {
        let last = several.len().checked_sub(1)? as u64;
        several.get(usize::try_from(self.within(&(0..=last))).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn the_same_seed_makes_the_same_sequence() {
        let sequence = |seed, number| {
            let mut random = Random::new(seed, number);
            (0..8).map(|_| random.within(&(0..=99))).collect::<Vec<_>>()
        };
        assert_eq!(sequence(1, 1), sequence(1, 1));
        assert_ne!(sequence(1, 1), sequence(1, 2));
        assert_ne!(sequence(1, 1), sequence(2, 1));
    }

    #[test]
    fn probabilities_are_kept() {
        let mut random = Random::new(7, 0);
        let happened = (0..10_000).filter(|_| random.happens(0.1)).count();
        assert!((800..1_200).contains(&happened), "{happened}");
        assert!(!(0..1_000).any(|_| random.happens(0.0)));
        assert!((0..1_000).all(|_| random.happens(1.0)));
        assert!((0..1_000).all(|_| (3..=5).contains(&random.within(&(3..=5)))));
        // A full range does not overflow.
        random.within(&(0..=u64::MAX));
    }
}
