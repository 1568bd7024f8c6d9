//! The device IDs of a command: from options, from a file, or from standard input.

use std::{collections::HashSet, io::Read, path::Path};

use wilco_engine::device_column;
use wilco_ledger::DeviceId;

use crate::{options::NamedDevices, output::entered, problem::Problem};

/// All of them, each once, in the order they were named.
pub(crate) fn devices(named: &NamedDevices) -> Result<Vec<String>, Problem> {
    let listed = named.devices_from.as_deref().map(read).transpose()?.unwrap_or_default();
    let listed = listed_ids(&listed)?;
    let mut seen = HashSet::new();
    let mut devices = Vec::new();
    for id in named.device.iter().chain(&listed).map(String::as_str) {
        // Whether a device may go by a name of several levels, its connection's dialects say.
        check(id, &id.replace('/', "-"))?;
        if seen.insert(id) {
            devices.push(id.to_owned());
        }
    }
    if devices.is_empty() {
        return Err(Problem::new("No device was given.", "The list is empty. Write one device ID per line."));
    }
    Ok(devices)
}

/// Refuses what can be no device's id.
pub(crate) fn ids(devices: &[String]) -> Result<(), Problem> {
    devices.iter().try_for_each(|id| check(id, id))
}

fn check(shown: &str, id: &str) -> Result<(), Problem> {
    DeviceId::new(id).map(drop).map_err(|error| {
        Problem::new(
            format!("'{}' is not a valid device ID: {error}.", entered(shown)),
            "The device ID is the part of the request topic before /req.",
        )
    })
}

/// The device column of a CSV file, or one ID a line.
fn listed_ids(text: &str) -> Result<Vec<String>, Problem> {
    match device_column(text) {
        Some(ids) => ids.map_err(|message| Problem::new(message, "Correct the list, or write one device ID per line.")),
        None => Ok(lines(text)?.into_iter().map(str::to_owned).collect()),
    }
}

/// One a line; what follows `#` at the beginning or after a space is a comment. Nobody sees whether a space beside an id
/// is meant to be a part of it, so such a line is refused.
fn lines(text: &str) -> Result<Vec<&str>, Problem> {
    let mut ids = Vec::new();
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let comment =
            line.match_indices('#').map(|(at, _)| at).find(|at| line[..*at].ends_with([' ', '\t']) || *at == 0);
        let id = match comment {
            Some(at) => line[..at].trim_end(),
            None if line.trim().is_empty() => "",
            None => line,
        };
        if id.trim() != id {
            return Err(Problem::new(
                format!("Line {number} of the list, '{}', begins or ends with a space.", entered(id)),
                "Remove the space. If the device ID really contains it, use --device.",
            ));
        }
        if !id.is_empty() {
            ids.push(id);
        }
    }
    Ok(ids)
}

fn read(file: &Path) -> Result<String, Problem> {
    let (name, content) = if file == Path::new("-") {
        let mut bytes = Vec::new();
        ("standard input".to_owned(), std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes))
    } else {
        (file.display().to_string(), std::fs::read(file))
    };
    let hint = "The list must be a text file with one device ID per line, or a CSV file with a column 'device'.";
    let bytes = content.map_err(|error| Problem::new(format!("{name} cannot be read: {error}."), hint))?;
    String::from_utf8(bytes).map_err(|_| Problem::new(format!("{name} is not UTF-8 text."), hint))
}

#[cfg(test)]
mod tests {
    use super::{devices, lines, listed_ids};
    use crate::options::NamedDevices;

    #[test]
    fn lists_have_one_device_a_line() {
        let check = |text: &str, expected: &[&str]| assert_eq!(lines(text).ok().as_deref(), Some(expected), "{text:?}");
        check("a\nb\n", &["a", "b"]);
        check("a\r\nb\r\n", &["a", "b"]);
        check("\u{feff}a\n\n  \nb\n", &["a", "b"]);
        for spaced in ["a\n b\n", "a\nb \n", " a # the first\n"] {
            assert!(lines(spaced).is_err(), "{spaced:?}");
        }
        check("# pumps\na # the old one\n#b\n", &["a"]);
        check("", &[]);
    }

    #[test]
    fn an_export_is_a_list_too() {
        let check = |text: &str, expected: Option<&[&str]>| {
            let expected = expected.map(|ids| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
            assert_eq!(listed_ids(text).ok(), expected, "{text:?}");
        };
        check("rollout,device,stage,state\n1,valve-1,1,failed\n1,valve-2,1,failed\n", Some(&["valve-1", "valve-2"]));
        check("valve-1\nvalve-2\n", Some(&["valve-1", "valve-2"]));
        check("device;name\nvalve-1;x\n;y\n", None);
    }

    #[test]
    fn devices_are_checked_before_anything_is_sent() {
        let check = |named: &[&str], expected: Option<&[&str]>| {
            let device = named.iter().map(|id| (*id).to_owned()).collect();
            let read = devices(&NamedDevices { device, devices_from: None }).ok();
            assert_eq!(read, expected.map(|ids| ids.iter().map(|id| (*id).to_owned()).collect()), "{named:?}");
        };
        check(&["a", "b", "a"], Some(&["a", "b"]));
        // Two devices, and neither is the other.
        check(&["pump", "pump ", " pump"], Some(&["pump", "pump ", " pump"]));
        check(&["a/b"], Some(&["a/b"]));
        check(&["a/+"], None);
        check(&["a", "+"], None);
        check(&["all"], None);
        check(&[""], None);
        check(&[], None);
    }
}
