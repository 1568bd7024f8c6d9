//! The figures as a picture: a bar for each median, a dot for each round.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// One bar.
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) median: f64,
    pub(crate) rounds: Vec<f64>,
    pub(crate) colour: RGBColor,
}

/// Bars under a heading, in one unit.
pub(crate) struct Chart {
    pub(crate) heading: String,
    pub(crate) unit: &'static str,
    pub(crate) bars: Vec<Bar>,
    /// A limit for the first bar, drawn as a line.
    pub(crate) target: f64,
}

pub(crate) const WILCO: RGBColor = RGBColor(0x1f, 0x6f, 0xeb);
pub(crate) const OTHERS: RGBColor = RGBColor(0x9a, 0xa4, 0xb2);
pub(crate) const DISK: RGBColor = RGBColor(0xd9, 0xa4, 0x41);
const INK: RGBColor = RGBColor(0x1c, 0x21, 0x28);
const TARGET: RGBColor = RGBColor(0xc9, 0x37, 0x2c);

const WIDTH: u32 = 900;
const NAMES: f64 = 150.0;
const VALUES: f64 = 110.0;
const HEADING: f64 = 46.0;
const ROW: f64 = 30.0;
const BOTTOM: f64 = 16.0;

/// Lines over the number of devices.
pub(crate) struct Growth {
    pub(crate) heading: String,
    pub(crate) lines: Vec<Line>,
}

/// One line, from left to right.
pub(crate) struct Line {
    pub(crate) name: String,
    /// A number of devices, and the value there.
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) colour: RGBColor,
}

const PANEL: f64 = 300.0;

/// Draws these charts, one below the other. Each step to the right is ten times as many devices.
pub(crate) fn growth(path: &Path, charts: &[Growth]) -> Result<()> {
    let height = PANEL * charts.len() as f64;
    let area = SVGBackend::new(path, (WIDTH, height.ceil() as u32)).into_drawing_area();
    let drawn = || -> Result<(), Box<dyn std::error::Error>> {
        area.fill(&WHITE)?;
        for (place, chart) in charts.iter().enumerate() {
            draw_growth(&area, chart, PANEL * place as f64)?;
        }
        area.present()?;
        Ok(())
    };
    drawn().map_err(|error| anyhow!("{} could not be drawn: {error}", path.display()))
}

fn draw_growth(area: &Area<'_>, chart: &Growth, top: f64) -> Result<(), Box<dyn std::error::Error>> {
    let points = || chart.lines.iter().flat_map(|line| line.points.iter().copied());
    let highest = points().map(|(_, value)| value).fold(0.0, f64::max);
    let fewest = points().map(|(devices, _)| devices).fold(f64::INFINITY, f64::min).log10();
    let most = points().map(|(devices, _)| devices).fold(0.0, f64::max).log10();
    let (left, right, upper, lower) = (70.0, f64::from(WIDTH) - 170.0, top + 50.0, top + PANEL - 36.0);
    let across = |devices: f64| left + (devices.log10() - fewest) / (most - fewest).max(0.1) * (right - left);
    let up = |value: f64| lower - value / highest * (lower - upper);
    let at = |x: f64, y: f64| (x.round() as i32, y.round() as i32);
    let text =
        |size: f64, across: HPos| ("sans-serif", size).into_font().color(&INK).pos(Pos::new(across, VPos::Center));
    area.draw(&Text::new(chart.heading.clone(), at(12.0, top + 20.0), text(16.0, HPos::Left)))?;
    for part in 0..=4 {
        let value = highest * f64::from(part) / 4.0;
        area.draw(&PathElement::new(vec![at(left, up(value)), at(right, up(value))], OTHERS.mix(0.3)))?;
        area.draw(&Text::new(crate::report::rounded(value), at(left - 8.0, up(value)), text(12.0, HPos::Right)))?;
    }
    for line in &chart.lines {
        let places: Vec<_> = line.points.iter().map(|(devices, value)| at(across(*devices), up(*value))).collect();
        area.draw(&PathElement::new(places.clone(), line.colour.stroke_width(2)))?;
        for (place, (devices, _)) in places.iter().zip(&line.points) {
            area.draw(&Circle::new(*place, 4, line.colour.filled()))?;
            let number = crate::report::thousands(devices.round() as usize);
            area.draw(&Text::new(number, at(across(*devices), lower + 16.0), text(12.0, HPos::Center)))?;
        }
        if let Some((devices, value)) = line.points.last() {
            area.draw(&Text::new(line.name.clone(), at(across(*devices) + 12.0, up(*value)), text(13.0, HPos::Left)))?;
        }
    }
    Ok(())
}

/// Draws the charts, one below the other.
pub(crate) fn draw(path: &Path, charts: &[Chart]) -> Result<()> {
    let height: f64 = charts.iter().map(height_of).sum();
    let area = SVGBackend::new(path, (WIDTH, height.ceil() as u32)).into_drawing_area();
    let drawn = || -> Result<(), Box<dyn std::error::Error>> {
        area.fill(&WHITE)?;
        let mut top = 0.0;
        for chart in charts {
            draw_chart(&area, chart, top)?;
            top += height_of(chart);
        }
        area.present()?;
        Ok(())
    };
    drawn().map_err(|error| anyhow!("{} could not be drawn: {error}", path.display()))
}

fn height_of(chart: &Chart) -> f64 {
    HEADING + ROW * chart.bars.len() as f64 + BOTTOM
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw_chart(area: &Area<'_>, chart: &Chart, top: f64) -> Result<(), Box<dyn std::error::Error>> {
    let largest = chart.bars.iter().flat_map(|bar| &bar.rounds).copied().fold(chart.target, f64::max);
    let along = |value: f64| NAMES + value / largest * (f64::from(WIDTH) - NAMES - VALUES);
    let at = |x: f64, y: f64| (x.round() as i32, y.round() as i32);
    let text = |size: f64, colour: &RGBColor, across: HPos| {
        ("sans-serif", size).into_font().color(colour).pos(Pos::new(across, VPos::Center))
    };

    area.draw(&Text::new(chart.heading.clone(), at(12.0, top + 20.0), text(16.0, &INK, HPos::Left)))?;
    let begin = top + HEADING;
    for (row, bar) in chart.bars.iter().enumerate() {
        let middle = begin + ROW * (row as f64 + 0.5);
        let body = [at(NAMES, middle - 9.0), at(along(bar.median), middle + 9.0)];
        area.draw(&Rectangle::new(body, bar.colour.filled()))?;
        for round in &bar.rounds {
            area.draw(&Circle::new(at(along(*round), middle), 3, INK.mix(0.55).filled()))?;
        }
        area.draw(&Text::new(bar.name.clone(), at(NAMES - 8.0, middle), text(13.0, &INK, HPos::Right)))?;
        let value = format!("{} {}", crate::report::rounded(bar.median), chart.unit);
        // In a column of their own, out of the way of dots and target.
        area.draw(&Text::new(value, at(along(largest) + 12.0, middle), text(13.0, &INK, HPos::Left)))?;
    }
    let line = vec![at(along(chart.target), begin), at(along(chart.target), begin + ROW)];
    area.draw(&PathElement::new(line, TARGET.stroke_width(2)))?;
    let said = format!("target {} {}", crate::report::rounded(chart.target), chart.unit);
    area.draw(&Text::new(said, at(along(chart.target), begin - 8.0), text(11.0, &TARGET, HPos::Center)))?;
    Ok(())
}
