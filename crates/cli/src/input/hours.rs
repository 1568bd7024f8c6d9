//! Maintenance hours, such as `22:00-06:00 Europe/Amsterdam`.

use jiff::tz::TimeZone;
use wilco_engine::api::MaintenanceHours;

const USAGE: &str = "give a start and an end, such as 22:00-06:00, and a time zone if it is not that of this computer, such as \
                     '22:00-06:00 Europe/Amsterdam'";
const DAY: u16 = 1_440;

/// The hours of a day, in the time zone that is named or in this computer's.
pub(crate) fn hours(text: &str) -> Result<MaintenanceHours, String> {
    let zone = TimeZone::system();
    hours_in(text, zone.iana_name())
}

/// `own`: the name of this computer's time zone.
fn hours_in(text: &str, own: Option<&str>) -> Result<MaintenanceHours, String> {
    let text = text.trim();
    let (span, zone) = text.split_once(' ').map_or((text, None), |(span, zone)| (span, Some(zone.trim())));
    let (from, until) = span.split_once('-').ok_or(USAGE)?;
    let from_minute = minute(from).filter(|minute| *minute < DAY).ok_or(USAGE)?;
    let until_minute = minute(until).ok_or(USAGE)?;
    let known = own.filter(|name| *name != "Etc/Unknown");
    let zone = zone.or(known).ok_or("this computer's time zone has no name: add one, such as Europe/Amsterdam")?;
    Ok(MaintenanceHours { from_minute, until_minute, time_zone: zone.to_owned() })
}

/// The minute of the day of `22:00`; 24:00 is the end of the day.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |digits: &str| {
        let is_number = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        if is_number { digits.parse::<u16>().ok() } else { None }
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let all = hour * 60 + minute;
    (minute < 60 && all <= DAY).then_some(all)
}

#[cfg(test)]
mod tests {
    use wilco_engine::api::MaintenanceHours;

    use super::hours_in;

    #[test]
    fn hours_are_a_start_an_end_and_a_time_zone() {
        let check = |text: &str, from_minute: u16, until_minute: u16, zone: &str| {
            let expected = MaintenanceHours { from_minute, until_minute, time_zone: zone.to_owned() };
            assert_eq!(hours_in(text, Some("Asia/Tokyo")), Ok(expected), "{text}");
        };
        check("22:00-06:05", 1_320, 365, "Asia/Tokyo");
        check("00:00-24:00 Europe/Amsterdam", 0, 1_440, "Europe/Amsterdam");
        check(" 09:30-17:00  UTC ", 570, 1_020, "UTC");
        for wrong in ["", "22:00", "22-06", "24:00-06:00", "22:60-06:00", "25:00-26:00", "9:00-17:00", "22:00 - 06:00"]
        {
            assert!(hours_in(wrong, Some("UTC")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_zone_without_a_name_must_be_given() {
        for own in [None, Some("Etc/Unknown")] {
            let refused = hours_in("22:00-06:00", own);
            assert!(refused.is_err_and(|why| why.contains("has no name")), "{own:?}");
            assert!(hours_in("22:00-06:00 UTC", own).is_ok());
        }
    }
}
