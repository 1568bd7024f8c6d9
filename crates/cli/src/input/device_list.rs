//! The devices a command is for: from the command line, from a file, or from standard input.

use std::{collections::HashSet, io::Read, path::Path};

use wilco_ledger::DeviceId;

use crate::problem::Problem;

/// All of them, each once, in the order they were named.
pub(crate) fn devices(named: &[String], file: Option<&Path>) -> Result<Vec<String>, Problem> {
    let listed = file.map(read).transpose()?.unwrap_or_default();
    let mut seen = HashSet::new();
    let mut devices = Vec::new();
    for id in named.iter().map(String::as_str).chain(lines(&listed)) {
        let id = id.trim();
        DeviceId::new(id).map_err(|error| {
            Problem::new(
                format!("'{id}' cannot be a device: {error}."),
                "A device id is what stands before /req in its topic.",
            )
        })?;
        if seen.insert(id) {
            devices.push(id.to_owned());
        }
    }
    if devices.is_empty() {
        return Err(Problem::new("No device is named.", "The list is empty: write one device id a line."));
    }
    Ok(devices)
}

/// One a line; what follows `#` at the beginning or after a space is a comment.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.trim_start_matches('\u{feff}').lines().filter_map(|line| {
        let comment =
            line.match_indices('#').map(|(at, _)| at).find(|at| line[..*at].ends_with([' ', '\t']) || *at == 0);
        let id = line[..comment.unwrap_or(line.len())].trim();
        (!id.is_empty()).then_some(id)
    })
}

fn read(file: &Path) -> Result<String, Problem> {
    let (name, content) = if file == Path::new("-") {
        let mut bytes = Vec::new();
        ("standard input".to_owned(), std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes))
    } else {
        (file.display().to_string(), std::fs::read(file))
    };
    let hint = "It is a text file with one device id a line.";
    let bytes = content.map_err(|error| Problem::new(format!("{name} cannot be read: {error}."), hint))?;
    String::from_utf8(bytes).map_err(|_| Problem::new(format!("{name} is no UTF-8 text."), hint))
}

#[cfg(test)]
mod tests {
    use super::{devices, lines};

    #[test]
    fn lists_have_one_device_a_line() {
        let check = |text: &str, expected: &[&str]| assert_eq!(lines(text).collect::<Vec<_>>(), expected, "{text:?}");
        check("a\nb\n", &["a", "b"]);
        check("a\r\nb\r\n", &["a", "b"]);
        check("\u{feff}a\n\n  b  \n", &["a", "b"]);
        check("# pumps\na # the old one\n#b\n", &["a"]);
        check("", &[]);
    }

    #[test]
    fn devices_are_checked_before_anything_is_sent() {
        let check = |named: &[&str], expected: Option<&[&str]>| {
            let named: Vec<String> = named.iter().map(|id| (*id).to_owned()).collect();
            let read = devices(&named, None).ok();
            assert_eq!(read, expected.map(|ids| ids.iter().map(|id| (*id).to_owned()).collect()), "{named:?}");
        };
        check(&["a", "b", "a"], Some(&["a", "b"]));
        check(&["a/b"], None);
        check(&["a", "+"], None);
        check(&["all"], None);
        check(&[""], None);
        check(&[], None);
    }
}
