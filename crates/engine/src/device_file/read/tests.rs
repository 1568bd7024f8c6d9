#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::{fmt::Write as _, fs};

use super::{Lines, device_column};
use crate::{api::Failure, device_file::Writer, fleet::annotations, store::Annotation};

fn open(content: &[u8]) -> Result<Lines, Failure> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("devices.csv");
    fs::write(&path, content).unwrap();
    Lines::open(&path)
}

/// The result of each line: a device with its name and tags, or the problem.
fn read(content: impl AsRef<[u8]>) -> Vec<String> {
    let mut lines = open(content.as_ref()).unwrap();
    let mut all = Vec::new();
    while let Some(line) = lines.next() {
        all.push(match line {
            Ok(line) => {
                let set = line.change.apply(&Annotation::default()).unwrap();
                let note = set.note.map(|note| format!(" ({note})")).unwrap_or_default();
                format!("{} {} {:?}{note}", line.device, set.name.unwrap_or_default(), set.tags)
            }
            Err(wrong) => format!("{}: {}", wrong.number, wrong.message),
        });
    }
    all
}

#[test]
fn spreadsheets_of_all_kinds_are_read() {
    let expected = [r#"pump-7 Boiler room ["north", "spare"] (By the door)"#, r#"pump-8  []"#];
    let check = |content: &[u8]| assert_eq!(read(content), expected, "{}", String::from_utf8_lossy(content));
    check(b"device,name,tags,note\npump-7,Boiler room,\"north, spare\",By the door\npump-8,,,\n");
    check(b"\xef\xbb\xbfDevice ID;Name;Tags;Notes\r\npump-7;Boiler room;\"north;spare\";By the door\r\npump-8;;;\r\n");
    check(b"sep=;\r\nDevice;Name;Tags;Note\r\npump-7;Boiler room;north, spare;By the door\r\npump-8;;;\r\n");
    check(b"\xef\xbb\xbfSEP=,\ndevice,name,tags,note\npump-7,Boiler room,north;spare,By the door\npump-8,,,\n");
    check(b"\"sep=\t\"\ndevice\tname\ttags\tnote\npump-7\tBoiler room\tnorth,spare\tBy the door\npump-8\t\t\t\n");
    check(b"note\ttags\tid\tcolour\tNAME\nBy the door\tnorth,spare\tpump-7\tred\tBoiler room\n\n\t\tpump-8\t\t\n");
}

#[test]
fn problems_are_reported_with_their_line() {
    let check = |content: &str, expected: &[&str]| assert_eq!(read(content), expected, "{content}");
    check("device\na\nb\na\n", &["a  []", "b  []", "4: 'a' is already on line 2."]);
    check(
        "device,name\na,x,y\nb\n",
        &[
            "2: This line has 3 columns, and the first line names 2. Put a text that contains the separator in quotes.",
            "3: This line has 1 column, and the first line names 2. Put a text that contains the separator in quotes.",
        ],
    );
    check("device,name\n,x\n", &["2: This line has no device ID."]);
    // Line ends of any kind, and empty lines.
    check(
        "device,name\r\n,x\r\na,y\r\na,z\r\n",
        &["2: This line has no device ID.", "a y []", "4: 'a' is already on line 3."],
    );
    check("\n\ndevice,name\n\n\n,x\n", &["6: This line has no device ID."]);
    check("device,name\r,x\r\r,y\r", &["2: This line has no device ID.", "4: This line has no device ID."]);
    check(
        "sep=;\ndevice;name\n;x\na;y\na;z\n",
        &["3: This line has no device ID.", "a y []", "5: 'a' is already on line 4."],
    );
    check(
        "sep=;\r\ndevice;note\r\na;\"two\r\nlines\"\r\n\r\n;x\r\n",
        &["a  [] (two\r\nlines)", "6: This line has no device ID."],
    );
    check(
        "device\na/b\n",
        &["2: 'a/b' is not a valid device ID: a device ID is one topic level, so it cannot contain '/'."],
    );
    check("device\n\"a \"\n", &["2: The device \"a \" begins or ends with a space."]);
    let long = format!("device,tags\na,{}\nb,x\n", "x".repeat(10_000));
    check(&long, &["2: The tag has 10,000 characters; the maximum is 64.", r#"b  ["x"]"#]);
    assert_eq!(read(b"device,name\na,\xff\n"), ["2: The column 'name' is not UTF-8 text. Save the file as CSV UTF-8."]);
    let open_quote = format!("device,name\na,x\nb,\"{}", "y\n".repeat(1_000_000));
    check(
        &open_quote,
        &[
            r#"a x []"#,
            "3: This line does not end within 256 kB. A quote is probably not closed. Nothing after it was read.",
        ],
    );
}

#[test]
fn a_million_lines_are_read_and_a_device_that_comes_twice_is_named() {
    let mut content = "device;tags\n".to_owned();
    (0..1_000_000).for_each(|number| writeln!(content, "pump-{number};north").unwrap());
    content.push_str("pump-7;south\n");
    let mut lines = open(content.as_bytes()).unwrap();
    let (mut read, mut wrong) = (0, Vec::new());
    while let Some(line) = lines.next() {
        match line {
            Ok(_) => read += 1,
            Err(line) => wrong.push((line.number, line.message)),
        }
    }
    assert_eq!((read, lines.progress()), (1_000_000, (content.len() as u64, content.len() as u64)));
    assert_eq!(wrong, [(1_000_002, "'pump-7' is already on line 9.".to_owned())]);
}

#[test]
fn a_file_that_is_no_list_is_refused() {
    let check = |content: &[u8], expected: &str| {
        let message = open(content).err().map(|failure| failure.message).unwrap_or_default();
        assert!(message.contains(expected), "{message}");
    };
    check(b"", "is empty.");
    check(b"PK\x03\x04rest", "is a spreadsheet or an archive, not a CSV file.");
    check(b"\xff\xfed\0", "is UTF-16 text.");
    check(b"device\na\nb\0\n", "is not text: line 3 contains a zero byte.");
    check(b"sep=;\n", "is empty.");
    check(b"sep=;\nname;tags\n", "Line 2 names no column 'device'.");
    check(b"sep=;\ndevice;id\n", "Line 2 names the same column twice: 'device' and 'id'.");
    check(b"name,tags\n", "Line 1 names no column 'device'.");
    check(b"device,id\n", "Line 1 names the same column twice: 'device' and 'id'.");
}

#[test]
fn the_device_column_of_any_export_is_a_list_of_devices() {
    let check = |text: &str, expected: Option<&[&str]>| {
        let read = device_column(text).map(|ids| ids.unwrap());
        let expected = expected.map(|ids| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
        assert_eq!(read, expected, "{text}");
    };
    check("rollout,device,message\n3,a,\"two\nlines\"\n3,'-b,x\n", Some(&["a", "-b"]));
    check("\u{feff}Device ID;name\r\npump-7;x\r\npump-8;\r\n", Some(&["pump-7", "pump-8"]));
    check("sep=;\r\ndevice;name\r\npump-7;x,y\r\n", Some(&["pump-7"]));
    check("device,name\n", Some(&[]));
    check("sep=;\ndevice\na\n", Some(&["a"]));
    // A list of IDs, in which one may be called so.
    check("device\na\n", None);
    check("pump-7,x\npump-8\n", None);
    check("", None);
    let wrong = device_column("device,name\na,x\n,y\n").unwrap().unwrap_err();
    assert_eq!(wrong, "Line 3 has no device ID.");
    let wrong = device_column("device,name\r\na,x\r\n\r\n,y\r\n").unwrap().unwrap_err();
    assert_eq!(wrong, "Line 4 has no device ID.");
    let wrong = device_column("sep=,\ndevice,name\na,x\n,y\n").unwrap().unwrap_err();
    assert_eq!(wrong, "Line 4 has no device ID.");
}

#[test]
fn written_cells_are_read_unchanged_and_are_not_formulas() {
    let all = ["plain", "=A1", "'=1", "-x", "@a", "'quoted'"];
    let mut writer = Writer::begin(Vec::new()).unwrap();
    for text in all {
        let name = annotations::name(text).unwrap();
        let set = Annotation { name, tags: vec!["a".into(), "b c".into()], note: Some(format!("{text}\n\"two\"")) };
        writer.add(text, Some(&set)).unwrap();
    }
    let written = String::from_utf8(writer.finish().unwrap()).unwrap();
    assert!(written.starts_with("device,name,tags,note\nplain,plain,a; b c,"), "{written}");
    let formula = |cell: &str| cell.starts_with(['=', '+', '-', '@']);
    assert!(!written.split(['\n', ',', '"']).any(formula), "{written}");
    let expected = all.map(|text| format!("{text} {text} [\"a\", \"b c\"] ({text}\n\"two\")"));
    assert_eq!(read(&written), expected);
    // As a person does so that Excel opens it anywhere.
    assert_eq!(read(format!("sep=,\r\n{written}")), expected);
}
