//! Medians and quartiles.

use std::time::Duration;

/// A figure over several rounds: the median of the rounds, and the smallest and the largest of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figure {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Figure {
    /// Of at least one value.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let values = sorted(values);
        Some(Self { median: percentile(&values, 50.0)?, least: *values.first()?, most: *values.last()? })
    }

    /// Of the same percentile of every round, in milliseconds.
    pub(crate) fn of_rounds(rounds: &[Vec<Duration>], part: f64) -> Option<Self> {
        Self::of(rounds.iter().filter_map(|round| percentile(&sorted(round.iter().map(milliseconds)), part)))
    }
}

pub(crate) fn milliseconds(duration: &Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

pub(crate) fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The value below which so many in a hundred lie, between two of them in proportion.
pub(crate) fn percentile(sorted: &[f64], part: f64) -> Option<f64> {
    let place = part / 100.0 * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (*sorted.get(place.floor() as usize)?, *sorted.get(place.ceil() as usize)?);
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Figure;

    #[test]
    fn a_figure_is_the_median_of_the_rounds() {
        let check = |values: &[f64], expected: Option<(f64, f64, f64)>| {
            let figure = Figure::of(values.iter().copied());
            assert_eq!(figure.map(|figure| (figure.least, figure.median, figure.most)), expected, "{values:?}");
        };
        check(&[], None);
        check(&[3.0], Some((3.0, 3.0, 3.0)));
        check(&[9.0, 1.0, 5.0], Some((1.0, 5.0, 9.0)));
        check(&[4.0, 1.0, 2.0, 9.0], Some((1.0, 3.0, 9.0)));
    }

    #[test]
    fn percentiles_are_taken_within_each_round() {
        let round = |from: u64| (from..from + 101).map(Duration::from_millis).collect::<Vec<_>>();
        let figure = Figure::of_rounds(&[round(0), round(100), round(1_000)], 95.0);
        assert_eq!(figure, Some(Figure { median: 195.0, least: 95.0, most: 1_095.0 }));
    }
}
