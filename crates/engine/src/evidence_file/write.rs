//! Writes an evidence file line by line.

use std::io::{self, BufWriter, Write};

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use wilco_credentials::signing::SigningKey;

use super::FORMAT;
use crate::{
    api::{EvidenceSignature, Failure},
    output_file::{OutputFile, refused},
    signed_lines::Hash,
};

/// The first line.
#[derive(Serialize)]
pub(crate) struct Header {
    pub(crate) title: String,
    pub(crate) of: Value,
    /// Unix milliseconds.
    pub(crate) written_at: i64,
    pub(crate) operator: Option<String>,
    pub(crate) os_user: String,
    pub(crate) machine: String,
    /// Without its secrets.
    pub(crate) connection: Option<Value>,
}

/// A file that is being written. Blocks.
pub(crate) struct Writer {
    file: BufWriter<OutputFile>,
    hashes: Vec<Hash>,
}

impl Writer {
    /// Begins with the first line.
    pub(crate) fn begin(file: OutputFile, header: &Header) -> Result<Writer, Failure> {
        #[derive(Serialize)]
        struct First<'a> {
            format: &'static str,
            version: u32,
            wilco: &'static str,
            #[serde(flatten)]
            header: &'a Header,
        }
        let mut writer = Writer { file: BufWriter::new(file), hashes: Vec::new() };
        let first = First { format: FORMAT.name, version: FORMAT.version, wilco: env!("CARGO_PKG_VERSION"), header };
        writer.line(&first)?;
        Ok(writer)
    }

    /// One record more.
    pub(crate) fn line(&mut self, record: &impl Serialize) -> Result<(), Failure> {
        let mut line = serde_json::to_vec(record).map_err(|error| self.failed(&error.into()))?;
        self.hashes.push(Sha256::digest(&line).into());
        line.push(b'\n');
        self.file.write_all(&line).map_err(|error| self.failed(&error))
    }

    /// How many records there are.
    pub(crate) fn records(&self) -> u32 {
        u32::try_from(self.hashes.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// Ends with the list of hashes and its signature, or with the reason why there is none.
    pub(crate) fn end(mut self, key: Result<&SigningKey, String>) -> Result<(OutputFile, EvidenceSignature), Failure> {
        let mut line = FORMAT.last_line(&self.hashes, key.as_ref().copied().map_err(String::as_str));
        line.push('\n');
        let signature = match key {
            Ok(key) => EvidenceSignature::Signed { fingerprint: key.public().fingerprint() },
            Err(why) => EvidenceSignature::Unsigned { why },
        };
        self.file.write_all(line.as_bytes()).map_err(|error| self.failed(&error))?;
        let path = self.file.get_ref().path().to_owned();
        let file = self.file.into_inner().map_err(|error| refused(&path, error.error()))?;
        Ok((file, signature))
    }

    fn failed(&self, error: &io::Error) -> Failure {
        refused(self.file.get_ref().path(), error)
    }
}
