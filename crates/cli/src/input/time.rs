//! Durations such as `10s`, and times such as `2h` (ago) or a date.

use std::{str::FromStr, time::Duration};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// A number with its unit: `500ms`, `10s`, `2m`, `1.5h`, `7d`.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is not a duration; add a unit, such as 500ms, 10s, 2m, 1h or 7d");
    let unit_at = text.find(|letter: char| letter.is_ascii_alphabetic()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(unit_at);
    let milliseconds_each = match unit {
        "ms" => 1.0,
        "s" => 1_000.0,
        "m" | "min" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return Err(wrong()),
    };
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = number.parse().ok().filter(|_| is_number).ok_or_else(wrong)?;
    let milliseconds = (number * milliseconds_each).round();
    if !(1.0..=1e15).contains(&milliseconds) {
        return Err(format!("'{text}' is too short or too long"));
    }
    // Whole and in range, as just checked.
    Ok(Duration::from_millis(milliseconds as u64))
}

/// A span in whole seconds, as MQTT counts them; also none at all: `0`.
pub(crate) fn seconds<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let whole = match text {
        "0" | "0s" => 0,
        text => {
            let span = span(text)?;
            if span.subsec_nanos() > 0 {
                return Err(format!("'{text}' is not a whole number of seconds"));
            }
            span.as_secs()
        }
    };
    T::try_from(whole).map_err(|_| format!("'{text}' is too long"))
}

/// A point in time as Unix milliseconds: RFC 3339, a date or a date and time of this computer's zone, or a span back.
pub(crate) fn since(text: &str) -> Result<i64, String> {
    since_from(text, Timestamp::now(), &TimeZone::system())
}

fn since_from(text: &str, now: Timestamp, zone: &TimeZone) -> Result<i64, String> {
    if let Ok(back) = span(text) {
        let back = i64::try_from(back.as_millis()).unwrap_or(i64::MAX);
        return Ok(now.as_millisecond().saturating_sub(back));
    }
    if let Ok(exact) = Timestamp::from_str(text) {
        return Ok(exact.as_millisecond());
    }
    let local = DateTime::from_str(text).ok().and_then(|local| local.to_zoned_datetime(zone.clone()).ok());
    local.map(|local| local.timestamp().as_millisecond()).ok_or_else(|| {
        format!(
            "'{text}' is not a time; write 2h for two hours ago, 2026-11-23, 2026-11-23T10:00 or 2026-11-23T10:00:00Z"
        )
    })
}

/// A duration as the engine's calls take it.
pub(crate) fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::{Timestamp, tz::TimeZone};

    use super::{seconds, since_from, span};

    #[test]
    fn spans_have_their_unit() {
        let check = |text: &str, expected: Option<u64>| {
            assert_eq!(span(text).ok(), expected.map(Duration::from_millis), "{text:?}");
        };
        check("500ms", Some(500));
        check("10s", Some(10_000));
        check("1.5s", Some(1_500));
        check("2m", Some(120_000));
        check("1h", Some(3_600_000));
        check("7d", Some(604_800_000));
        for text in ["", "10", "s", "0s", "-1s", "1e3s", "10 s", "10S", "10sec", "1m30s", "inf", "NaNs", "99999999999d"]
        {
            check(text, None);
        }
    }

    #[test]
    fn seconds_are_whole() {
        let check = |text: &str, expected: Option<u16>| assert_eq!(seconds(text).ok(), expected, "{text:?}");
        check("30s", Some(30));
        check("1.5m", Some(90));
        check("0", Some(0));
        check("65535s", Some(65_535));
        check("1d", None);
        check("500ms", None);
        check("30", None);
        check("", None);
    }

    #[test]
    fn times_are_absolute_local_or_back() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().expect("a time");
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let check = |text: &str, expected: Option<&str>| {
            let expected = expected.map(|time| time.parse::<Timestamp>().expect("a time").as_millisecond());
            assert_eq!(since_from(text, now, &zone).ok(), expected, "{text:?}");
        };
        check("2h", Some("2026-11-23T10:00:00Z"));
        check("2026-11-23T10:00:00Z", Some("2026-11-23T10:00:00Z"));
        check("2026-11-23T10:00:00.5+02:00", Some("2026-11-23T08:00:00.5Z"));
        check("2026-11-23", Some("2026-11-22T23:00:00Z"));
        check("2026-11-23T10:00", Some("2026-11-23T09:00:00Z"));
        check("2026-11-23 10:00:30", Some("2026-11-23T09:00:30Z"));
        for text in ["", "yesterday", "2026-13-01", "23.11.2026", "10"] {
            check(text, None);
        }
    }
}
