//! Errors and warnings about certificate files, as sentences.

use std::path::{Path, PathBuf};

use wilco_failure::{Failure, FailureCode};

use crate::FileRole;

/// The role of a file, in a sentence.
pub(super) fn named(role: FileRole) -> &'static str {
    match role {
        FileRole::Any => "certificate or key",
        FileRole::Authorities => "CA certificate",
        FileRole::Certificate => "client certificate",
        FileRole::Key => "private key",
        FileRole::Server => "server's certificate",
        FileRole::Pkcs12 => "PKCS#12 file",
        FileRole::Archive => "kit (a zip archive)",
    }
}

/// Problems of certificate files, and remarks about them. No sentence quotes the content of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It cannot be read.
    #[error("the file {} cannot be read: {what}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        what: String,
    },
    /// It cannot be certificates.
    #[error("the file {} is too large for certificates: it has {bytes} bytes; the limit is {limit}", path.display())]
    TooBig {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The largest size.
        limit: u64,
    },
    /// Something else altogether.
    #[error("the file {} was given as the {role}, but is neither a certificate nor a private key", path.display())]
    Unrecognised {
        /// The file.
        path: PathBuf,
        /// The role of the file.
        role: &'static str,
    },
    /// The number exceeds the limit.
    #[error("the file {} contains more than {limit} certificates and keys", path.display())]
    TooMany {
        /// The file.
        path: PathBuf,
        /// How many are read.
        limit: usize,
    },
    /// An archive that is not to be opened.
    #[error("the archive {} was not opened: {what}", path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// The problem.
        what: String,
    },
    /// Of a known kind, but broken.
    #[error("the file {} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The problem.
        what: String,
    },
    /// Not in the encoding that everybody uses.
    #[error("the file {} uses BER, an old encoding that Wilco does not support", path.display())]
    OldEncoding {
        /// The file.
        path: PathBuf,
    },
    /// Of another kind than it was given as.
    #[error("the file {} was given as the {role}, but contains {found}", path.display())]
    Mistaken {
        /// The file.
        path: PathBuf,
        /// The role of the file.
        role: &'static str,
        /// Its content.
        found: String,
    },
    /// It is encrypted, and no passphrase has been given.
    #[error("the file {} is encrypted with a passphrase", path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// It is encrypted, and with another passphrase.
    #[error("the passphrase for {} is wrong", path.display())]
    WrongPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// It is encrypted in a way that is not known here.
    #[error("the file {} uses an encryption that Wilco does not support", path.display())]
    UnknownLock {
        /// The file.
        path: PathBuf,
    },
    /// The file declares more work for opening it than is allowed.
    #[error("the file {} was not opened: trying one passphrase takes too much time or memory", path.display())]
    TooCostly {
        /// The file.
        path: PathBuf,
    },
    /// rustls cannot use the private key.
    #[error("the private key in {} is damaged or of an unsupported type", path.display())]
    UnusableKey {
        /// The file.
        path: PathBuf,
    },
    /// The key is another certificate's.
    #[error("the private key in {} does not match the certificate in {}", key.display(), certificate.display())]
    KeyMismatch {
        /// The key's file.
        key: PathBuf,
        /// The certificate's file.
        certificate: PathBuf,
    },
    /// Half of a pair.
    #[error("the private key of the client certificate in {} is missing", certificate.display())]
    CertificateWithoutKey {
        /// The certificate's file.
        certificate: PathBuf,
    },
    /// The other half of a pair.
    #[error("the client certificate of the private key in {} is missing", key.display())]
    KeyWithoutCertificate {
        /// The key's file.
        key: PathBuf,
    },
    /// Its time is over.
    #[error("the certificate of {subject} in {} expired on {date}", path.display())]
    Expired {
        /// The file.
        path: PathBuf,
        /// The owner of the certificate.
        subject: String,
        /// When, year-month-day in UTC.
        date: String,
    },
    /// Its time has not come.
    #[error("the certificate of {subject} in {} is not valid before {date}", path.display())]
    NotYetValid {
        /// The file.
        path: PathBuf,
        /// The owner of the certificate.
        subject: String,
        /// From when on, year-month-day in UTC.
        date: String,
    },
    /// An old form.
    #[error("the certificate in {} is X.509 version {version}, which TLS libraries no longer accept", path.display())]
    Version1 {
        /// The file.
        path: PathBuf,
        /// 1 or 2.
        version: u32,
    },
    /// Its time is nearly over.
    #[error("the certificate of {subject} in {} expires on {date}, {}", path.display(), within(*days))]
    EndsSoon {
        /// The file.
        path: PathBuf,
        /// The owner of the certificate.
        subject: String,
        /// When, year-month-day in UTC.
        date: String,
        /// Whole days from now.
        days: i64,
    },
    /// Two certificates that each have their key.
    #[error("there is more than one client certificate with its key; Wilco uses the one of {subject} in {}", path.display())]
    SeveralPairs {
        /// The file of the one that is used.
        path: PathBuf,
        /// The owner of that certificate.
        subject: String,
    },
    /// A key beside those that are needed.
    #[error("the private key in {} matches none of these certificates and is not used", path.display())]
    SpareKey {
        /// The key's file.
        path: PathBuf,
    },
    /// A certificate beside the one that has a key.
    #[error("the certificate in {} has no private key here; Wilco uses the one in {}", path.display(), used.display())]
    SpareCertificate {
        /// Its file.
        path: PathBuf,
        /// The file of the one that is used.
        used: PathBuf,
    },
    /// Files, but none of use.
    #[error("the chosen files contain neither a certificate nor a private key")]
    NothingUseful,
    /// One certificate is to be trusted, and it was not given.
    #[error("the connection trusts only a pinned server certificate, and it is missing")]
    NoServerCertificate,
    /// Only some authorities are to be trusted, and none was given.
    #[error("the connection trusts only your own CA certificates, and has none")]
    NoAuthorities,
    /// Kept certificates that rustls will not take.
    #[error("the stored certificates are not usable: {0}")]
    Unusable(String),
    /// No authorities were given, and the platform has none.
    #[error("there is no CA certificate, and this computer has no trusted roots")]
    NoRoots,
}

impl CertificateError {
    pub(super) fn mistaken(path: &Path, role: FileRole, found: &str) -> CertificateError {
        CertificateError::Mistaken { path: path.to_owned(), role: named(role), found: found.to_owned() }
    }

    /// A short label, where there is no room for a sentence.
    pub(super) fn short(&self) -> &'static str {
        match self {
            CertificateError::Unreadable { .. } => "Cannot be read",
            CertificateError::TooBig { .. } | CertificateError::TooMany { .. } => "Too large",
            CertificateError::Damaged { .. } => "Damaged",
            CertificateError::UnusableKey { .. } => "Unsupported type",
            CertificateError::UnknownLock { .. } | CertificateError::TooCostly { .. } => "Cannot be decrypted",
            _ => "Ignored",
        }
    }

    /// How to fix it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            CertificateError::Unreadable { .. } => "Check the path and the permissions of the file.",
            CertificateError::TooBig { .. } => "Choose the certificate file itself, which is only a few kilobytes.",
            CertificateError::Unrecognised { .. } => {
                "Choose a certificate or key in PEM, DER or PKCS#12 format, or a zip archive of them."
            }
            CertificateError::OldEncoding { .. } => {
                "Convert it: 'openssl pkcs12 -legacy -in … -nodes -out all.pem' converts a PKCS#12 file to PEM. \
                 Delete the PEM file after the import; the key is then in the keyring."
            }
            CertificateError::TooMany { .. } => "Choose a file that contains only what this connection needs.",
            CertificateError::Archive { .. } => {
                "Download the archive again, or choose the certificate and key files themselves."
            }
            CertificateError::Damaged { .. } => "Download the file again; it may be truncated or altered.",
            CertificateError::Mistaken { .. } => {
                "Check whether the files were swapped, and choose the right one. Wilco can also identify files by \
                 their content (--file)."
            }
            CertificateError::Encrypted { .. } => {
                "Enter its passphrase. Wilco uses it once and does not store it; the key goes into the keyring."
            }
            CertificateError::WrongPassphrase { .. } => {
                "Try again. Check upper and lower case and the keyboard layout, or ask whoever created the file."
            }
            CertificateError::UnknownLock { .. } | CertificateError::TooCostly { .. } => {
                "Encrypt it again with a current algorithm: 'openssl pkcs8 -topk8' for a key; for PKCS#12, export \
                 with 'openssl pkcs12 -legacy' and create the file again."
            }
            CertificateError::UnusableKey { .. } => {
                "Wilco supports RSA with 2,048 bits or more, ECDSA on P-256 and P-384, and Ed25519, as PKCS#8, PKCS#1 \
                 or SEC1. If an EC key lacks its public half, run: openssl ec -in KEY -out whole.key."
            }
            CertificateError::KeyMismatch { .. } => {
                "Choose the key that belongs to this certificate; files from one download usually have similar names."
            }
            CertificateError::CertificateWithoutKey { .. } => "Add its private key.",
            CertificateError::KeyWithoutCertificate { .. } => "Add its client certificate.",
            CertificateError::Expired { .. } => {
                "Get a new certificate. If this one should be valid, check this computer's clock."
            }
            CertificateError::NotYetValid { .. } => "Check this computer's clock, or wait until that date.",
            CertificateError::Version1 { .. } => {
                "Sign it again as version 3: with 'openssl x509 -req', add -extfile and a file with the line \
                 basicConstraints=CA:FALSE. (The recipe in mosquitto-tls(7) creates version 1.)"
            }
            CertificateError::EndsSoon { .. } => "Renew it before it expires.",
            CertificateError::SeveralPairs { .. } => "Remove the one you do not need.",
            CertificateError::SpareKey { .. } => "Add its certificate, or remove the key.",
            CertificateError::SpareCertificate { .. } => "Add its private key, or remove the certificate.",
            CertificateError::NothingUseful => "Choose the certificate files or the archive for this client.",
            CertificateError::NoServerCertificate => "Choose the server's certificate.",
            CertificateError::NoAuthorities => "Choose the CA certificate that signed the broker's certificate.",
            CertificateError::Unusable(_) => "Add the certificates to the connection again.",
            CertificateError::NoRoots => {
                "Add the broker's CA certificate, or install the system's roots (on Debian: the package \
                 ca-certificates)."
            }
        };
        Some(hint.to_owned())
    }
}

fn within(days: i64) -> String {
    match days {
        0 => "within a day".to_owned(),
        1 => "in one day".to_owned(),
        days => format!("in {days} days"),
    }
}

impl From<CertificateError> for Failure {
    fn from(error: CertificateError) -> Failure {
        Failure::of(FailureCode::File, &error, error.hint())
    }
}
