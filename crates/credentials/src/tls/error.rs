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
    /// The file cannot be read.
    #[error("the file {} cannot be read: {what}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        what: String,
    },
    /// The file is too large for certificates.
    #[error("the file {} is too large for certificates: it has {bytes} bytes; the limit is {limit}", path.display())]
    TooBig {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The largest size.
        limit: u64,
    },
    /// The content is neither a certificate nor a key.
    #[error("the file {} was given as the {role}, but is neither a certificate nor a private key", path.display())]
    Unrecognised {
        /// The file.
        path: PathBuf,
        /// The role of the file.
        role: &'static str,
    },
    /// The file exceeds the limit on certificates and keys.
    #[error("the file {} contains more than {limit} certificates and keys", path.display())]
    TooMany {
        /// The file.
        path: PathBuf,
        /// How many are read.
        limit: usize,
    },
    /// An archive that was not opened.
    #[error("the archive {} was not opened: {what}", path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// The problem.
        what: String,
    },
    /// A file of a known kind that is damaged.
    #[error("the file {} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The problem.
        what: String,
    },
    /// A file in an encoding that is no longer used.
    #[error("the file {} uses BER, an old encoding that Wilco does not support", path.display())]
    OldEncoding {
        /// The file.
        path: PathBuf,
    },
    /// A file of another kind than its role.
    #[error("the file {} was given as the {role}, but contains {found}", path.display())]
    Mistaken {
        /// The file.
        path: PathBuf,
        /// The role of the file.
        role: &'static str,
        /// Its content.
        found: String,
    },
    /// An encrypted file without a passphrase.
    #[error("the file {} is encrypted with a passphrase", path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// An encrypted file with a wrong passphrase.
    #[error("the passphrase for {} is wrong", path.display())]
    WrongPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// A file with unsupported encryption.
    #[error("the file {} uses an encryption that Wilco does not support", path.display())]
    UnknownLock {
        /// The file.
        path: PathBuf,
    },
    /// A file that declares more work for opening it than is allowed.
    #[error("the file {} was not opened: trying one passphrase takes too much time or memory", path.display())]
    TooCostly {
        /// The file.
        path: PathBuf,
    },
    /// A private key that rustls cannot use.
    #[error("the private key in {} is damaged or of an unsupported type", path.display())]
    UnusableKey {
        /// The file.
        path: PathBuf,
    },
    /// The key belongs to another certificate.
    #[error("the private key in {} does not match the certificate in {}", key.display(), certificate.display())]
    KeyMismatch {
        /// The key's file.
        key: PathBuf,
        /// The certificate's file.
        certificate: PathBuf,
    },
    /// The client certificate has no private key.
    #[error("the private key of the client certificate in {} is missing", certificate.display())]
    CertificateWithoutKey {
        /// The certificate's file.
        certificate: PathBuf,
    },
    /// The private key has no client certificate.
    #[error("the client certificate of the private key in {} is missing", key.display())]
    KeyWithoutCertificate {
        /// The key's file.
        key: PathBuf,
    },
    /// The certificate has expired.
    #[error("the certificate of {subject} in {} expired on {date}", path.display())]
    Expired {
        /// The file.
        path: PathBuf,
        /// The owner of the certificate.
        subject: String,
        /// When, year-month-day in UTC.
        date: String,
    },
    /// The certificate is not valid yet.
    #[error("the certificate of {subject} in {} is not valid before {date}", path.display())]
    NotYetValid {
        /// The file.
        path: PathBuf,
        /// The owner of the certificate.
        subject: String,
        /// From when on, year-month-day in UTC.
        date: String,
    },
    /// The certificate has an old X.509 version.
    #[error("the certificate in {} is X.509 version {version}, which TLS libraries no longer accept", path.display())]
    Version1 {
        /// The file.
        path: PathBuf,
        /// 1 or 2.
        version: u32,
    },
    /// The certificate expires soon.
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
    /// There are two certificates that both have their key.
    #[error("there is more than one client certificate with its key; Wilco uses the one of {subject} in {}", path.display())]
    SeveralPairs {
        /// The file of the one that is used.
        path: PathBuf,
        /// The owner of that certificate.
        subject: String,
    },
    /// A private key that is not used.
    #[error("the private key in {} matches none of these certificates and is not used", path.display())]
    SpareKey {
        /// The key's file.
        path: PathBuf,
    },
    /// A certificate that is not used, because another one has a key.
    #[error("the certificate in {} has no private key here; Wilco uses the one in {}", path.display(), used.display())]
    SpareCertificate {
        /// Its file.
        path: PathBuf,
        /// The file of the one that is used.
        used: PathBuf,
    },
    /// The files contain nothing usable.
    #[error("the chosen files contain neither a certificate nor a private key")]
    NothingUseful,
    /// The pinned certificate is missing.
    #[error("the connection trusts only a pinned server certificate, and it is missing")]
    NoServerCertificate,
    /// The trusted CA certificates are missing.
    #[error("the connection trusts only your own CA certificates, and has none")]
    NoAuthorities,
    /// Stored certificates that rustls does not accept.
    #[error("the stored certificates are not usable: {0}")]
    Unusable(String),
    /// There are no CA certificates, and the platform has no trusted roots.
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
