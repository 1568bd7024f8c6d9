//! Certificate files as they are shown to users.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The role of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum FileRole {
    /// Identified by its content.
    #[default]
    Any,
    /// CA certificates to trust.
    Authorities,
    /// The client certificate, with its chain.
    Certificate,
    /// The client certificate's private key.
    Key,
    /// The pinned server certificate.
    Server,
    /// A PKCS#12 file (RFC 7292) with the client certificate and its key.
    Pkcs12,
    /// A zip archive with all files.
    Archive,
}

/// The added files. Contains no secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct KitView {
    /// The ID to use when the connection is saved. It is discarded when the program ends, or some time after its last
    /// use.
    pub id: String,
    /// The found items, in the order in which they were added.
    pub items: Vec<KitItem>,
    /// The client certificate that the connection would use.
    pub certificate: Option<CertificateView>,
    /// Whether its private key is present and matches.
    pub has_key: bool,
    /// The CA certificates that the connection would trust.
    pub authorities: Vec<CertificateView>,
    /// The pinned server certificate.
    pub server: Option<CertificateView>,
    /// Problems, worst first.
    pub problems: Vec<KitProblem>,
    /// Whether an item is locked with a passphrase.
    pub locked: bool,
    /// Whether the files can be used as they are.
    pub usable: bool,
}

/// An item found in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct KitItem {
    /// Identifies the item, for example to remove it.
    pub id: u32,
    /// The name of the file; for an item in an archive, `kit.zip › thing.cert.pem`.
    pub name: String,
    /// The kind of item.
    pub kind: KitItemKind,
    /// The title, for example `Device certificate`.
    pub what: String,
    /// The details, for example `PEM, RSA 2048` or `Belongs to the certificate`.
    pub note: String,
}

/// The kind of a found item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum KitItemKind {
    /// A client certificate, possibly with its chain.
    Certificate,
    /// A private key.
    Key,
    /// CA certificates.
    Authority,
    /// The pinned server certificate.
    Server,
    /// Locked with an unknown passphrase.
    Locked,
    /// Not needed and not stored, for example a public key or a script.
    SetAside,
    /// Unusable; see the problem.
    Unusable,
}

/// Facts about a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CertificateView {
    /// The subject, for example `CN=broker`.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// Start of the validity, Unix milliseconds.
    #[ts(type = "number")]
    pub not_before: i64,
    /// End of the validity, Unix milliseconds.
    #[ts(type = "number")]
    pub not_after: i64,
    /// Its serial number, hexadecimal bytes with colons.
    pub serial: String,
    /// The SHA-256 of its DER, hexadecimal bytes with colons.
    pub sha256: String,
    /// Its key, for example `RSA 2048` or `EC P-256`.
    pub key: String,
}

/// A problem of the added files, and how to fix it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct KitProblem {
    /// Whether it prevents saving the connection with these files.
    pub blocking: bool,
    /// The affected item, if there is one.
    pub item: Option<u32>,
    /// The problem.
    pub message: String,
    /// How to fix it.
    pub hint: Option<String>,
}
