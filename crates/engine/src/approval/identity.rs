//! The identity of an installation: the name and the public key by which others trust it, signed with that key.

use std::path::Path;

use serde::{Deserialize, Serialize};
use wilco_credentials::signing::{PublicKey, SigningKey};

use super::{Kind, altered};
use crate::{api::Failure, signed_lines::Format};

const KIND: Kind = Kind {
    format: Format { name: "wilco identity", version: 1 },
    name: "an identity of an installation",
    made_by: "On the other computer, save one under Settings, or with wilco approval identity --export FILE.",
};

/// The identity of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) key: PublicKey,
}

/// The one line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    format: String,
    version: u32,
    wilco: String,
    name: String,
}

impl Identity {
    /// The file of an installation with that name.
    pub(crate) fn text(name: &str, key: &SigningKey) -> Result<String, Failure> {
        let line = Line {
            format: KIND.format.name.to_owned(),
            version: KIND.format.version,
            wilco: env!("CARGO_PKG_VERSION").to_owned(),
            name: name.to_owned(),
        };
        Ok(KIND.format.signed(&[super::json(&line)?], key))
    }

    /// Reads such a file. Blocks.
    ///
    /// # Errors
    /// [`FailureCode::File`](crate::api::FailureCode).
    pub(crate) fn read(path: &Path) -> Result<Identity, Failure> {
        let opened = KIND.open(path)?;
        match opened.lines.as_slice() {
            [line] => {
                let Line { name, .. } = serde_json::from_str(line).map_err(|_| altered(path))?;
                Ok(Identity { name, key: opened.key })
            }
            _ => Err(altered(path)),
        }
    }
}
