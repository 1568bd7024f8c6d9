//! Reduces measurements for a chart: adjacent values become one point, with minimum, maximum and mean.

use wilco_ledger::Timestamp;

use crate::api::{SeriesView, TelemetryView};

/// Points of a series at most.
const MOST_POINTS: u32 = 2_000;

/// A span of time, cut into so many points.
pub(crate) struct Chart {
    from: i64,
    to: i64,
    /// The length of a point, milliseconds.
    width: i64,
    points: usize,
    /// Of each point: the sum of its measurements' times since its beginning, and how many there are.
    times: Vec<(i64, u32)>,
    series: Vec<Series>,
    pub(crate) remarks: Vec<String>,
}

struct Series {
    name: String,
    latest: Option<(f64, Timestamp)>,
    all: Cell,
    cells: Vec<Cell>,
}

/// Measurements taken together.
#[derive(Clone, Copy)]
struct Cell {
    count: u32,
    min: f64,
    max: f64,
    sum: f64,
}

impl Chart {
    /// From then to then, both included, with so many points or a few less.
    pub(crate) fn new(from: Timestamp, to: Timestamp, points: u32) -> Chart {
        let (from, to) = (from.0, to.0.max(from.0));
        let points = i64::from(points.clamp(1, MOST_POINTS));
        let span = to.saturating_sub(from).saturating_add(1);
        let width = (span / points + i64::from(span % points != 0)).max(1);
        let points = usize::try_from(span / width + i64::from(span % width != 0)).unwrap_or(0).max(1);
        Chart { from, to, width, points, times: vec![(0, 0); points], series: Vec::new(), remarks: Vec::new() }
    }

    /// Adds a measurement; one from outside counts for nothing.
    pub(crate) fn add(&mut self, at: Timestamp, name: &str, value: f64) {
        if at.0 < self.from || at.0 > self.to {
            return;
        }
        let since = at.0 - self.from;
        let Ok(point) = usize::try_from(since / self.width) else { return };
        let (sum, count) = &mut self.times[point];
        (*sum, *count) = (*sum + since % self.width, *count + 1);
        let series = self.series(name);
        series.all.add(value);
        series.cells[point].add(value);
        if series.latest.is_none_or(|(_, latest)| latest <= at) {
            series.latest = Some((value, at));
        }
    }

    /// Notes the last value of a series, also from outside.
    pub(crate) fn latest(&mut self, name: &str, value: f64, at: Timestamp) {
        self.series(name).latest = Some((value, at));
    }

    /// As it is drawn: points at which nothing was measured are left out.
    pub(crate) fn view(self) -> TelemetryView {
        let filled: Vec<usize> = (0..self.points).filter(|point| self.times[*point].1 > 0).collect();
        let time = |point: &usize| {
            let (sum, count) = self.times[*point];
            self.from + i64::try_from(*point).unwrap_or(0) * self.width + sum / i64::from(count.max(1))
        };
        let times = filled.iter().map(time).collect();
        let series = self.series.into_iter().map(|series| series.view(&filled)).collect();
        TelemetryView { from: self.from, to: self.to, times, series, remarks: self.remarks }
    }

    fn series(&mut self, name: &str) -> &mut Series {
        let place = self.series.iter().position(|known| known.name == name).unwrap_or_else(|| {
            self.series.push(Series {
                name: name.to_owned(),
                latest: None,
                all: Cell::EMPTY,
                cells: vec![Cell::EMPTY; self.points],
            });
            self.series.len() - 1
        });
        &mut self.series[place]
    }
}

impl Series {
    fn view(self, filled: &[usize]) -> SeriesView {
        let at = |of: fn(&Cell) -> f64| filled.iter().map(|point| self.cells[*point].known(of)).collect();
        SeriesView {
            latest: self.latest.map(|(value, _)| value),
            latest_at: self.latest.map(|(_, at)| at.0),
            count: self.all.count,
            min: self.all.known(|all| all.min),
            max: self.all.known(|all| all.max),
            mean: self.all.known(Cell::mean),
            lows: at(|cell| cell.min),
            highs: at(|cell| cell.max),
            means: at(Cell::mean),
            name: self.name,
            // Only the announcement of the device has it.
            unit: None,
        }
    }
}

impl Cell {
    const EMPTY: Cell = Cell { count: 0, min: f64::INFINITY, max: f64::NEG_INFINITY, sum: 0.0 };

    fn add(&mut self, value: f64) {
        self.count = self.count.saturating_add(1);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.sum += value;
    }

    /// The sum of values near the largest double is infinite, which JSON cannot represent.
    fn mean(&self) -> f64 {
        let mean = self.sum / f64::from(self.count);
        if mean.is_finite() { mean } else { self.min / 2.0 + self.max / 2.0 }
    }

    fn known(&self, of: impl Fn(&Cell) -> f64) -> Option<f64> {
        (self.count > 0).then(|| of(self))
    }
}

#[cfg(test)]
mod tests {
    use wilco_ledger::Timestamp;

    use super::Chart;

    #[test]
    fn few_measurements_stand_each_at_its_own_time() {
        let mut chart = Chart::new(Timestamp(1_000), Timestamp(2_000), 500);
        for (at, value) in [(1_000, 1.0), (1_500, 2.0), (2_000, 4.0), (999, 9.0), (2_001, 9.0)] {
            chart.add(Timestamp(at), "t", value);
        }
        chart.add(Timestamp(1_500), "h", 7.0);
        let view = chart.view();
        assert_eq!(view.times, [1_000, 1_500, 2_000]);
        let [t, h] = &view.series[..] else { panic!("{view:?}") };
        assert_eq!((t.name.as_str(), &t.means), ("t", &vec![Some(1.0), Some(2.0), Some(4.0)]));
        assert_eq!((t.count, t.min, t.max, t.latest_at), (3, Some(1.0), Some(4.0), Some(2_000)));
        assert_eq!(h.lows, [None, Some(7.0), None]);
    }

    #[test]
    fn many_become_few_with_their_extremes() {
        let mut chart = Chart::new(Timestamp(0), Timestamp(99_999), 100);
        for at in 0..100_000_i32 {
            chart.add(Timestamp(at.into()), "t", f64::from(at % 1_000));
        }
        let view = chart.view();
        let series = &view.series[0];
        assert_eq!((view.times.len(), series.count), (100, 100_000));
        let of_each = [&series.lows, &series.means, &series.highs].map(|values| values[7]);
        assert_eq!(of_each, [Some(0.0), Some(499.5), Some(999.0)]);
        assert_eq!(view.times[7], 7_499);
    }

    #[test]
    fn odd_spans_and_values_break_nothing() {
        let check = |from: i64, to: i64, points: u32| {
            let mut chart = Chart::new(Timestamp(from), Timestamp(to), points);
            for at in [from, to, 0] {
                chart.add(Timestamp(at), "t", f64::MAX);
            }
            let view = chart.view();
            assert!(view.times.len() <= 2_000, "{}", view.times.len());
            assert!(view.series.iter().all(|series| series.mean.is_some_and(f64::is_finite)), "{view:?}");
        };
        check(0, 0, 0);
        check(5, 1, 10);
        check(0, 1_800_000_000_000, u32::MAX);
        check(-1, 1_999, 2_000);
    }

    #[test]
    fn the_last_value_is_known_also_from_before() {
        let mut chart = Chart::new(Timestamp(10), Timestamp(20), 5);
        chart.latest("t", 3.0, Timestamp(1));
        let view = chart.view();
        assert_eq!((view.series[0].latest, view.series[0].count, view.series[0].mean), (Some(3.0), 0, None));
    }
}
