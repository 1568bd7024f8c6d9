//! Recognisable secrets, found again in any form in which they could be written.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};

/// The secrets that are looked for, in each form.
#[derive(Default)]
pub(super) struct Canaries {
    forms: Vec<(String, Vec<u8>)>,
    /// The forms by their first two bytes.
    index: HashMap<[u8; 2], Vec<usize>>,
}

impl Canaries {
    /// A password or a passphrase, made so that nobody else has it.
    pub(super) fn word(&mut self, name: &str) -> String {
        let word = format!("canary-{name}-{}", &token()[..12]);
        self.plant(name, word.as_bytes());
        word
    }

    /// What is secret of the key in a PEM file of PKCS#8 with an elliptic curve: the number in it, each half by itself.
    pub(super) fn key(&mut self, name: &str, path: &Path) -> Result<()> {
        let pem = std::fs::read_to_string(path)?;
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = base64::prelude::BASE64_STANDARD.decode(body)?;
        // SEC 1's ECPrivateKey begins with version 1 and an octet string of 32 bytes.
        let start = [2, 1, 1, 4, 32];
        let at = der.windows(start.len()).position(|window| window == start).context("no number in the key")?;
        let number = &der[at + start.len()..][..32];
        for (half, bytes) in ["first", "second"].into_iter().zip(number.chunks(16)) {
            self.plant(&format!("{name}, its {half} half"), bytes);
        }
        Ok(())
    }

    fn plant(&mut self, name: &str, bytes: &[u8]) {
        let upper = |byte: &u8| format!("{byte:02X}");
        let lower = |byte: &u8| format!("{byte:02x}");
        let decimal: Vec<_> = bytes.iter().map(u8::to_string).collect();
        let mut forms = vec![
            ("as it is", bytes.to_vec()),
            ("in hexadecimal", bytes.iter().map(lower).collect::<String>().into()),
            ("in capital hexadecimal", bytes.iter().map(upper).collect::<String>().into()),
            ("as a list of numbers", decimal.join(", ").into()),
            ("as JSON's list of numbers", decimal.join(",").into()),
            ("percent-encoded", bytes.iter().map(|byte| format!("%{byte:02X}")).collect::<String>().into()),
        ];
        if let Ok(text) = std::str::from_utf8(bytes) {
            forms.push(("in UTF-16, little-endian", text.encode_utf16().flat_map(u16::to_le_bytes).collect()));
            forms.push(("in UTF-16, big-endian", text.encode_utf16().flat_map(u16::to_be_bytes).collect()));
        }
        // Base64 depends on what stands before it.
        for before in 0..3 {
            let padded = [&vec![0; before], bytes].concat();
            let (start, end) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
            for engine in [BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD] {
                forms.push(("in base64", engine.encode(&padded).as_bytes()[start..end].to_vec()));
            }
        }
        for (form, bytes) in forms {
            self.index.entry([bytes[0], bytes[1]]).or_default().push(self.forms.len());
            self.forms.push((format!("{name} {form}"), bytes));
        }
    }

    /// What is found in these bytes, also where lines were broken in between.
    pub(super) fn found_in(&self, bytes: &[u8]) -> Vec<&str> {
        let mut found = self.search(bytes);
        let text: Vec<u8> = bytes.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
        found.extend(self.search(&text));
        found.sort_unstable();
        found.dedup();
        found
    }

    fn search(&self, bytes: &[u8]) -> Vec<&str> {
        let mut is_a_start = vec![false; 1 << 16];
        for start in self.index.keys() {
            is_a_start[usize::from(u16::from_be_bytes(*start))] = true;
        }
        let mut found = Vec::new();
        for (at, pair) in bytes.windows(2).enumerate() {
            let pair = [pair[0], pair[1]];
            if is_a_start[usize::from(u16::from_be_bytes(pair))] {
                let here = self.index[&pair].iter().map(|number| &self.forms[*number]);
                found.extend(here.filter(|(_, form)| bytes[at..].starts_with(form)).map(|(name, _)| name.as_str()));
            }
        }
        found
    }

    /// What is found in the files below a directory, each with its file.
    pub(super) fn found_below(&self, directory: &Path) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(directory)? {
            let (path, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
            if kind.is_dir() {
                found.extend(self.found_below(&path)?);
            } else if kind.is_file() {
                // It may be gone by now: a browser tidies up.
                let content = std::fs::read(&path).unwrap_or_default();
                found.extend(self.found_in(&content).iter().map(|name| format!("{}: {name}", path.display())));
            }
        }
        Ok(found)
    }
}

/// Letters and digits that nobody has used before.
fn token() -> String {
    let random = std::fs::read("/proc/sys/kernel/random/uuid").unwrap_or_default();
    String::from_utf8_lossy(&random).replace('-', "")
}

#[test]
fn a_secret_is_found_in_every_form() {
    let mut canaries = Canaries::default();
    let word = canaries.word("word");
    let check = |bytes: &[u8]| assert!(!canaries.found_in(bytes).is_empty(), "{}", String::from_utf8_lossy(bytes));
    check(format!("{{\"password\":\"{word}\"}}").as_bytes());
    check(format!("{:?}", word.as_bytes()).as_bytes());
    check(&word.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    for before in ["", "a", "ab", "abc"] {
        let mut encoded = base64::prelude::BASE64_STANDARD.encode(format!("{before}{word} and more"));
        check(encoded.as_bytes());
        encoded.insert_str(encoded.len() / 2, "\r\n");
        check(encoded.as_bytes());
    }
    assert!(canaries.found_in(&word.as_bytes()[1..]).is_empty(), "a part is not the whole");
}
