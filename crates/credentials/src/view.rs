//! Certificate files as they are shown to users.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The role of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum FileRole {
    /// Any kind of content.
    #[default]
    Any,
    /// Authorities that the server's certificate may be signed by.
    Authorities,
    /// The client certificate, with its chain.
    Certificate,
    /// The client certificate's private key.
    Key,
    /// The one certificate that the server must show.
    Server,
    /// A PKCS#12 file (RFC 7292) with the client certificate and its key.
    Pkcs12,
    /// A zip archive with all that is needed.
    Archive,
}

/// The added files. Contains no secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct KitView {
    /// The ID to use when the connection is saved. Discarded when the program ends, or some time after its last use.
    pub id: String,
    /// The found items, in the order in which they were added.
    pub items: Vec<KitItem>,
    /// The client certificate that the connection would show.
    pub certificate: Option<CertificateView>,
    /// Its private key is there and belongs to it.
    pub has_key: bool,
    /// The authorities that the connection would trust.
    pub authorities: Vec<CertificateView>,
    /// The one certificate that the server must show.
    pub server: Option<CertificateView>,
    /// Problems, worst first.
    pub problems: Vec<KitProblem>,
    /// Something is locked with a passphrase.
    pub locked: bool,
    /// It can be used as it is.
    pub usable: bool,
}

/// One thing that was found in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct KitItem {
    /// Names it when it is to be left out.
    pub id: u32,
    /// The file's name; of one in an archive `kit.zip › thing.cert.pem`.
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
    /// A client certificate, perhaps with its chain.
    Certificate,
    /// A private key.
    Key,
    /// Authorities.
    Authority,
    /// The one certificate that the server must show.
    Server,
    /// Locked with a passphrase that is not known yet.
    Locked,
    /// Not needed and not kept: a public key, a script.
    SetAside,
    /// It cannot be used; see the problem.
    Unusable,
}

/// The facts of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CertificateView {
    /// The subject, `CN=…` and so on.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// Valid from then on, Unix milliseconds.
    #[ts(type = "number")]
    pub not_before: i64,
    /// Valid until then, Unix milliseconds.
    #[ts(type = "number")]
    pub not_after: i64,
    /// Its serial number, hexadecimal bytes with colons.
    pub serial: String,
    /// The SHA-256 of its DER, hexadecimal bytes with colons.
    pub sha256: String,
    /// Its key, `RSA 2048` or `EC P-256` for instance.
    pub key: String,
}

/// Problems of the added files: a sentence each for the problem and how to fix it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct KitProblem {
    /// Without it being solved, the connection cannot be saved with these files.
    pub blocking: bool,
    /// The thing it is about, where it is about one.
    pub item: Option<u32>,
    /// The problem.
    pub message: String,
    /// How to fix it.
    pub hint: Option<String>,
}
