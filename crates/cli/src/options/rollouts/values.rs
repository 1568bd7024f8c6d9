//! Reads stage sizes, halt limits, gates and pauses as they are entered.

use wilco_engine::api::{BetweenStages, Gate, HaltLimit, StageSize};

use crate::input;

/// `10` or `10%`.
pub(super) fn stage_size(text: &str) -> Result<StageSize, String> {
    match percent(text)? {
        Some(percent) if percent > 0.0 => Ok(StageSize::Percent { percent }),
        Some(_) => Err("a stage must have more than 0 % of the devices".into()),
        None => match text.trim().parse() {
            Ok(count @ 1..) => Ok(StageSize::Devices { count }),
            _ => Err("enter a number of devices, at least 1, or a percentage such as 10%".into()),
        },
    }
}

/// `5` or `5%`.
pub(super) fn halt_limit(text: &str) -> Result<HaltLimit, String> {
    match percent(text)? {
        Some(percent) => Ok(HaltLimit::Percent { percent }),
        None => {
            let count = text.trim().parse();
            count
                .map(|count| HaltLimit::Members { count })
                .map_err(|_| "enter a number, or a percentage such as 5%".into())
        }
    }
}

fn percent(text: &str) -> Result<Option<f64>, String> {
    let Some(number) = text.trim().strip_suffix('%') else { return Ok(None) };
    match number.trim().parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Some(percent)),
        _ => Err("a percentage must be from 0% to 100%".into()),
    }
}

/// `temperature 2..8 for 10m`.
pub(super) fn gate(text: &str) -> Result<Gate, String> {
    let usage = "give a series, its limits and a time, such as 'temperature 2..8 for 10m'";
    let (rest, span) = text.rsplit_once(" for ").ok_or(usage)?;
    let (series, limits) = rest.rsplit_once(' ').ok_or(usage)?;
    let (min, max) = limits.split_once("..").ok_or(usage)?;
    let limit = |text: &str| match text {
        "" => Ok(None),
        text => {
            text.parse::<f64>().ok().filter(|limit| limit.is_finite()).map(Some).ok_or("the limits are not numbers")
        }
    };
    let (min, max) = (limit(min)?, limit(max)?);
    if min.is_none() && max.is_none() {
        return Err("give at least one limit, such as 2.. or ..8".into());
    }
    let span = input::span(span.trim())?;
    let for_ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    Ok(Gate { series: series.to_owned(), min, max, for_ms })
}

/// `ask`, or a duration.
pub(super) fn between(text: &str) -> Result<BetweenStages, String> {
    if text == "ask" {
        return Ok(BetweenStages::Ask);
    }
    let span = input::span(text).map_err(|error| format!("{error}, or ask"))?;
    Ok(BetweenStages::Pause { pause_ms: u64::try_from(span.as_millis()).unwrap_or(u64::MAX) })
}

#[cfg(test)]
mod tests {
    use super::{BetweenStages, Gate, HaltLimit, StageSize, between, gate, halt_limit, stage_size};

    #[test]
    fn a_gate_is_a_series_its_limits_and_a_time() {
        let check = |text: &str, series: &str, min: Option<f64>, max: Option<f64>, for_ms: u64| {
            assert_eq!(gate(text), Ok(Gate { series: series.into(), min, max, for_ms }), "{text}");
        };
        check("temperature 2..8 for 10m", "temperature", Some(2.0), Some(8.0), 600_000);
        check("cold room -4.5..-1 for 30s", "cold room", Some(-4.5), Some(-1.0), 30_000);
        check("battery 20.. for 1h", "battery", Some(20.0), None, 3_600_000);
        check("load ..0.8 for 1s", "load", None, Some(0.8), 1_000);
        // The name is used exactly; the engine refuses one that begins or ends with a space.
        check(" load  ..0.8 for 1s", " load ", None, Some(0.8), 1_000);
        for wrong in
            ["", "temperature", "temperature 2..8", "2..8 for 10m", "t .. for 1m", "t a..b for 1m", "t 2..8 for ever"]
        {
            assert!(gate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_limits_and_pauses_are_read() {
        assert_eq!(stage_size("10"), Ok(StageSize::Devices { count: 10 }));
        assert_eq!(stage_size("2.5%"), Ok(StageSize::Percent { percent: 2.5 }));
        for wrong in ["0", "0%", "101%", "-1", "ten", "", "NaN%"] {
            assert!(stage_size(wrong).is_err(), "{wrong}");
        }
        assert_eq!(halt_limit("0"), Ok(HaltLimit::Members { count: 0 }));
        assert_eq!(halt_limit("5%"), Ok(HaltLimit::Percent { percent: 5.0 }));
        assert!(halt_limit("5 percent").is_err());
        assert_eq!(between("ask"), Ok(BetweenStages::Ask));
        assert_eq!(between("10m"), Ok(BetweenStages::Pause { pause_ms: 600_000 }));
        assert!(between("later").is_err());
    }
}
