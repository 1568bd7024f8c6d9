//! Files of lines whose last line lists the SHA-256 of each line before it and signs that list: the envelope of
//! evidence files, and of the messages between two installations.
//!
//! A file can be read with any tool, and what was altered in it can be named. Lines are hashed as bytes, so no canonical form
//! of JSON is needed. What the lines say is the caller's business.

use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use wilco_credentials::signing::{PublicKey, SigningKey};

use crate::audit::{hex, unhex};

/// A SHA-256.
pub(crate) type Hash = [u8; 32];

/// A kind of file: what its first line says as `format` and `version`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) name: &'static str,
    /// The version that is written, and the newest that is read.
    pub(crate) version: u32,
}

/// The last line.
#[derive(Deserialize)]
pub(crate) struct LastLine {
    sha256: Vec<String>,
    public_key: Option<String>,
    signature: Option<String>,
    unsigned: Option<String>,
}

/// What a signature is found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Signature {
    /// Valid, and made by this key.
    Valid(PublicKey),
    /// Missing, for this reason.
    Missing(String),
    Invalid,
}

/// The members of the first line that say what a file is.
#[derive(Deserialize)]
struct FirstLine {
    format: String,
    version: u32,
}

/// Whether a line is the first one of such a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recognised {
    Yes,
    /// A newer version of Wilco wrote it, in this version of the format.
    Newer(u32),
    No,
}

impl Format {
    /// Whether a first line is one of this kind of file.
    pub(crate) fn recognises(self, line: &[u8]) -> Recognised {
        match serde_json::from_slice::<FirstLine>(line) {
            Ok(first) if first.format != self.name => Recognised::No,
            Ok(first) if first.version > self.version => Recognised::Newer(first.version),
            Ok(_) => Recognised::Yes,
            Err(_) => Recognised::No,
        }
    }

    /// What is signed: the format, and the list of the lines' hashes.
    pub(crate) fn message(self, hashes: &[Hash]) -> Vec<u8> {
        let mut message = format!("{} {}\n", self.name, self.version).into_bytes();
        hashes.iter().for_each(|hash| message.extend_from_slice(hash));
        message
    }

    /// The SHA-256 of what is signed: no two files have the same.
    pub(crate) fn digest<T: AsRef<[u8]>>(self, lines: impl IntoIterator<Item = T>) -> Hash {
        let hashes: Vec<Hash> = lines.into_iter().map(|line| Sha256::digest(line).into()).collect();
        Sha256::digest(self.message(&hashes)).into()
    }

    /// The last line: the list of hashes and its signature, or the reason why there is none.
    pub(crate) fn last_line(self, hashes: &[Hash], key: Result<&SigningKey, &str>) -> String {
        let lines: Vec<_> = hashes.iter().map(|hash| hex(hash)).collect();
        let line = match key {
            Ok(key) => json!({
                "sha256": lines,
                "algorithm": "ed25519",
                "public_key": hex(key.public().as_bytes()),
                "signature": hex(&key.sign(&self.message(hashes))),
            }),
            Err(why) => json!({ "sha256": lines, "unsigned": why }),
        };
        line.to_string()
    }

    /// A whole file of these lines.
    pub(crate) fn signed(self, lines: &[String], key: &SigningKey) -> String {
        let hashes: Vec<Hash> = lines.iter().map(|line| Sha256::digest(line).into()).collect();
        let mut text = lines.join("\n");
        text.push('\n');
        text.push_str(&self.last_line(&hashes, Ok(key)));
        text.push('\n');
        text
    }

    /// The lines of a whole file but the last, and the key that signed exactly them; `None` where anything was altered, or
    /// nobody signed it.
    pub(crate) fn verified(self, text: &str) -> Option<(Vec<&str>, PublicKey)> {
        let mut lines: Vec<_> = text.strip_suffix('\n')?.split('\n').collect();
        let last: LastLine = serde_json::from_str(lines.pop()?).ok()?;
        let listed = last.listed()?;
        let hashes: Vec<Hash> = lines.iter().map(|line| Sha256::digest(line).into()).collect();
        match last.verify(self, &listed) {
            Signature::Valid(key) if listed == hashes => Some((lines, key)),
            _ => None,
        }
    }
}

impl LastLine {
    /// The hashes that it lists; `None` where one of them is none.
    pub(crate) fn listed(&self) -> Option<Vec<Hash>> {
        self.sha256.iter().map(|hash| unhex(hash).and_then(|hash| hash.try_into().ok())).collect()
    }

    /// What its signature of these hashes is.
    pub(crate) fn verify(&self, format: Format, listed: &[Hash]) -> Signature {
        let (Some(key), Some(signature)) = (&self.public_key, &self.signature) else {
            let why = self.unsigned.clone().unwrap_or_else(|| "the signature is missing".to_owned());
            return Signature::Missing(why);
        };
        let key = unhex(key).as_deref().and_then(PublicKey::from_bytes);
        match (key, unhex(signature)) {
            (Some(key), Some(signature)) if key.verifies(&format.message(listed), &signature) => Signature::Valid(key),
            _ => Signature::Invalid,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use wilco_credentials::signing::SigningKey;

    use super::{Format, Recognised};
    use crate::vault::Vault;

    const FORMAT: Format = Format { name: "wilco test", version: 2 };

    #[test]
    fn only_what_is_as_it_was_signed_is_verified() {
        let key = SigningKey::open_or_create(&Vault::in_memory()).unwrap();
        let lines = [r#"{"format":"wilco test","version":2}"#.to_owned(), "b".to_owned()];
        let text = FORMAT.signed(&lines, &key);
        let (read, signer) = FORMAT.verified(&text).unwrap();
        assert_eq!((read, signer), (vec![&*lines[0], &*lines[1]], key.public()));
        let other = Format { name: "wilco other", version: 2 };
        assert!(other.verified(&text).is_none(), "a signature is for one kind of file");
        for altered in [
            text.replace("\nb\n", "\nc\n"),
            text.replace("\nb\n", "\n"),
            text.replace("\nb\n", "\nb\nb\n"),
            text.lines().take(2).collect::<Vec<_>>().join("\n"),
            text.replace("\"signature\":\"", "\"signature\":\"00"),
            format!("{text}\n"),
            String::new(),
        ] {
            assert!(FORMAT.verified(&altered).is_none(), "{altered}");
        }
        let unsigned = format!("a\n{}", FORMAT.last_line(&[], Err("no keyring")));
        assert!(FORMAT.verified(&unsigned).is_none());
    }

    #[test]
    fn a_file_of_another_kind_and_a_newer_one_are_told_apart() {
        let check = |line: &str, expected| assert_eq!(FORMAT.recognises(line.as_bytes()), expected, "{line}");
        check(r#"{"format":"wilco test","version":1,"more":[]}"#, Recognised::Yes);
        check(r#"{"format":"wilco test","version":3}"#, Recognised::Newer(3));
        check(r#"{"format":"wilco evidence","version":1}"#, Recognised::No);
        check("", Recognised::No);
    }
}
