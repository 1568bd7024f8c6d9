//! Maintenance hours: whether it is within them, and when that changes, in a time zone with daylight saving time.

use jiff::{SignedDuration, Timestamp as Instant, civil::Date, tz::TimeZone};
use wilco_ledger::Timestamp;

use crate::api::{Failure, MaintenanceHours, excerpt, invalid};

const DAY: u16 = 1_440;

/// Whether it is within the hours, and when that changes. Hours in a time zone that this computer does not know are
/// never open, and are looked at again after a day.
pub(crate) fn hours_at(hours: &MaintenanceHours, now: Timestamp) -> (bool, Timestamp) {
    look(hours, now).unwrap_or((false, Timestamp(now.0.saturating_add(86_400_000))))
}

/// Why such hours are not possible.
pub(super) fn refuse(hours: &MaintenanceHours) -> Option<Failure> {
    if hours.from_minute >= DAY || hours.until_minute > DAY || hours.from_minute == hours.until_minute {
        return Some(invalid(
            "The maintenance hours are empty.".into(),
            "Enter a start and an end, for example 22:00 to 05:00.",
        ));
    }
    TimeZone::get(&hours.time_zone).is_err().then(|| {
        invalid(
            format!("There is no time zone '{}'.", excerpt(&hours.time_zone)),
            "Enter an IANA name, for example Europe/Amsterdam.",
        )
    })
}

fn look(hours: &MaintenanceHours, now: Timestamp) -> Option<(bool, Timestamp)> {
    let zone = TimeZone::get(&hours.time_zone).ok()?;
    let today = Instant::from_millisecond(now.0).ok()?.to_zoned_datetime(zone.clone()).date();
    let at = |date: Date, minute: u16| -> Option<Timestamp> {
        // A minute that the clocks skip is the first one after the gap, one that comes twice is the first of the two.
        let midnight = date.to_datetime(jiff::civil::Time::midnight());
        let wall = midnight.checked_add(SignedDuration::from_mins(i64::from(minute))).ok()?;
        Some(Timestamp(zone.to_ambiguous_zoned_datetime(wall).compatible().ok()?.timestamp().as_millisecond()))
    };
    // They may have begun yesterday and end today, and so on.
    let mut day = today.yesterday().ok()?;
    for _ in 0..4 {
        let next = day.tomorrow().ok()?;
        let begin = at(day, hours.from_minute)?;
        let end = at(if hours.until_minute < hours.from_minute { next } else { day }, hours.until_minute)?;
        if now < begin {
            return Some((false, begin));
        }
        if now < end {
            return Some((true, end));
        }
        day = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use wilco_ledger::Timestamp;

    use super::{hours_at, refuse};
    use crate::api::MaintenanceHours;

    fn hours(from_minute: u16, until_minute: u16, time_zone: &str) -> MaintenanceHours {
        MaintenanceHours { from_minute, until_minute, time_zone: time_zone.into() }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().expect("a time").as_millisecond())
    }

    #[test]
    fn hours_begin_and_end_by_the_clocks_of_their_time_zone() {
        let check = |from: u16, until: u16, now: &str, open: bool, changes: &str| {
            let hours = hours(from, until, "Europe/Amsterdam");
            assert_eq!(hours_at(&hours, at(now)), (open, at(changes)), "{from}…{until} at {now}");
        };
        let (eight, ten, five) = (8 * 60, 22 * 60, 5 * 60);
        check(eight, ten, "2026-11-28T06:59:59Z", false, "2026-11-28T07:00:00Z");
        check(eight, ten, "2026-11-28T07:00:00Z", true, "2026-11-28T21:00:00Z");
        check(eight, ten, "2026-11-28T21:00:00Z", false, "2026-11-29T07:00:00Z");
        // Over midnight.
        check(ten, five, "2026-11-28T20:00:00Z", false, "2026-11-28T21:00:00Z");
        check(ten, five, "2026-11-28T23:30:00Z", true, "2026-11-29T04:00:00Z");
        check(ten, five, "2026-11-29T03:59:00Z", true, "2026-11-29T04:00:00Z");
        check(ten, five, "2026-11-29T04:00:00Z", false, "2026-11-29T21:00:00Z");
        // The whole of a day.
        check(0, 1_440, "2026-11-28T12:00:00Z", true, "2026-11-28T23:00:00Z");
        check(0, 1_440, "2026-11-28T23:00:00Z", true, "2026-11-29T23:00:00Z");
        // The night in which summer time begins is an hour shorter, and 02:30 is 03:30.
        check(ten, five, "2026-03-28T22:00:00Z", true, "2026-03-29T03:00:00Z");
        check(150, five, "2026-03-29T00:59:00Z", false, "2026-03-29T01:30:00Z");
        // The night in which it ends is an hour longer.
        check(ten, five, "2026-10-24T21:00:00Z", true, "2026-10-25T04:00:00Z");
    }

    #[test]
    fn hours_that_are_none_are_refused() {
        let check =
            |hours: MaintenanceHours, possible: bool| assert_eq!(refuse(&hours).is_none(), possible, "{hours:?}");
        check(hours(0, 1_440, "UTC"), true);
        check(hours(1_320, 300, "Europe/Amsterdam"), true);
        check(hours(60, 60, "UTC"), false);
        check(hours(1_440, 60, "UTC"), false);
        check(hours(0, 1_441, "UTC"), false);
        check(hours(0, 60, "Mars/Olympus"), false);
    }
}
