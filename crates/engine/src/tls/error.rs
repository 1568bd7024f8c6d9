//! What can be wrong with certificate files, as sentences.

use std::path::{Path, PathBuf};

use crate::api::{Failure, FailureCode, FileRole};

/// What a file was given as, in a sentence.
pub(super) fn named(role: FileRole) -> &'static str {
    match role {
        FileRole::Any => "certificate or key",
        FileRole::Authorities => "CA certificate",
        FileRole::Certificate => "client certificate",
        FileRole::Key => "private key",
        FileRole::Server => "server's certificate",
    }
}

/// What is wrong with certificate files, or to be known of them. No sentence ever quotes what is in a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It cannot be read.
    #[error("the file {} cannot be read: {what}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        what: String,
    },
    /// It cannot be certificates.
    #[error("the file {} is too big to hold certificates: it has {bytes} bytes, and at most {limit} are read", path.display())]
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
        /// What it was given as.
        role: &'static str,
    },
    /// More than anybody needs.
    #[error("the file {} holds more than {limit} certificates and keys", path.display())]
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
        /// What is wrong with it.
        what: String,
    },
    /// Of a known kind, but broken.
    #[error("the file {} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Not in the encoding that everybody uses.
    #[error("the file {} is written in BER, an old encoding that Wilco does not read", path.display())]
    OldEncoding {
        /// The file.
        path: PathBuf,
    },
    /// Of another kind than it was given as.
    #[error("the file {} was given as the {role}, but holds {found}", path.display())]
    Mistaken {
        /// The file.
        path: PathBuf,
        /// What it was given as.
        role: &'static str,
        /// What it holds.
        found: String,
    },
    /// It is encrypted, and no passphrase has been given.
    #[error("the file {} is locked with a passphrase", path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// It is encrypted, and with another passphrase.
    #[error("the passphrase does not open {}", path.display())]
    WrongPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// It is encrypted in a way that is not known here.
    #[error("the file {} is locked in a way that Wilco cannot open", path.display())]
    UnknownLock {
        /// The file.
        path: PathBuf,
    },
    /// It says itself that opening it is more work than anybody wants.
    #[error("the file {} was not opened: it asks for too much work or memory to try one passphrase", path.display())]
    TooCostly {
        /// The file.
        path: PathBuf,
    },
    /// rustls cannot use the private key.
    #[error("the private key in {} is damaged or of a kind that cannot be used", path.display())]
    UnusableKey {
        /// The file.
        path: PathBuf,
    },
    /// The key is another certificate's.
    #[error("the private key in {} belongs to another certificate than the one in {}", key.display(), certificate.display())]
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
        /// Whose certificate.
        subject: String,
        /// When, year-month-day in UTC.
        date: String,
    },
    /// Its time has not come.
    #[error("the certificate of {subject} in {} is not valid before {date}", path.display())]
    NotYetValid {
        /// The file.
        path: PathBuf,
        /// Whose certificate.
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
    #[error("the certificate of {subject} in {} ends on {date}, {}", path.display(), within(*days))]
    EndsSoon {
        /// The file.
        path: PathBuf,
        /// Whose certificate.
        subject: String,
        /// When, year-month-day in UTC.
        date: String,
        /// Whole days from now.
        days: i64,
    },
    /// Two certificates that each have their key.
    #[error("there is more than one client certificate with its key; the one of {subject} in {} is used", path.display())]
    SeveralPairs {
        /// The file of the one that is used.
        path: PathBuf,
        /// Whose certificate that is.
        subject: String,
    },
    /// A key beside those that are needed.
    #[error("the private key in {} belongs to none of these certificates and is not used", path.display())]
    SpareKey {
        /// The key's file.
        path: PathBuf,
    },
    /// A certificate beside the one that has a key.
    #[error("the certificate in {} has no private key here; the one in {} is used", path.display(), used.display())]
    SpareCertificate {
        /// Its file.
        path: PathBuf,
        /// The file of the one that is used.
        used: PathBuf,
    },
    /// Files, but none of use.
    #[error("there is neither a certificate nor a private key in what was chosen")]
    NothingUseful,
    /// One certificate is to be trusted, and it was not given.
    #[error("only the server's own certificate is to be trusted, and it is missing")]
    NoServerCertificate,
    /// Only some authorities are to be trusted, and none was given.
    #[error("only given authorities are to be trusted, and none is given")]
    NoAuthorities,
    /// Kept certificates that rustls will not take.
    #[error("the stored certificates cannot be used: {0}")]
    Unusable(String),
    /// No authorities were given, and the platform has none.
    #[error("no CA certificate is given, and this machine has no list of trusted authorities")]
    NoRoots,
}

impl CertificateError {
    pub(super) fn mistaken(path: &Path, role: FileRole, found: &str) -> CertificateError {
        CertificateError::Mistaken { path: path.to_owned(), role: named(role), found: found.to_owned() }
    }

    /// One or two words for it, where there is no room for a sentence.
    pub(super) fn short(&self) -> &'static str {
        match self {
            CertificateError::Unreadable { .. } => "Cannot be read",
            CertificateError::TooBig { .. } | CertificateError::TooMany { .. } => "Too big",
            CertificateError::Damaged { .. } => "Damaged",
            CertificateError::UnusableKey { .. } => "Of a kind that cannot be used",
            CertificateError::UnknownLock { .. } | CertificateError::TooCostly { .. } => "Cannot be unlocked",
            _ => "Not taken",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            CertificateError::Unreadable { .. } => "Check the path, and that you may read the file.",
            CertificateError::TooBig { .. } => "Choose the certificate file itself; it is some kilobytes long.",
            CertificateError::Unrecognised { .. } => {
                "Choose a certificate or key as PEM, DER or PKCS#12, or the zip archive that they came in."
            }
            CertificateError::OldEncoding { .. } => {
                "Write it anew: 'openssl pkcs12 -legacy -in … -nodes -out all.pem' makes a PEM file of a PKCS#12 file. \
                 Delete that once it is imported; the key is then in the keyring."
            }
            CertificateError::TooMany { .. } => "Choose the file that holds only what this connection needs.",
            CertificateError::Archive { .. } => {
                "Get the archive again from where it comes from, or choose the certificate and key files themselves."
            }
            CertificateError::Damaged { .. } => "Get the file again; it may have been cut off or changed on its way.",
            CertificateError::Mistaken { .. } => "Look whether the files were swapped, and choose the right one.",
            CertificateError::Encrypted { .. } => {
                "Give its passphrase. It is used once and not kept; the key inside goes into the keyring."
            }
            CertificateError::WrongPassphrase { .. } => {
                "Try again; capital letters and the keyboard's language count. Whoever made the file knows it."
            }
            CertificateError::UnknownLock { .. } | CertificateError::TooCostly { .. } => {
                "Lock it anew in today's way: 'openssl pkcs8 -topk8' for a key, 'openssl pkcs12' out and in again for \
                 PKCS#12 (with -legacy on the way out)."
            }
            CertificateError::UnusableKey { .. } => {
                "RSA from 2,048 bits on, ECDSA on the curves P-256 and P-384, and Ed25519 can be used, as PKCS#8, PKCS#1 \
                 or SEC1. An EC key that lacks its public half is completed by: openssl ec -in KEY -out whole.key."
            }
            CertificateError::KeyMismatch { .. } => {
                "Choose the key that was made together with this certificate; downloads of one device share the \
                 beginning of their names."
            }
            CertificateError::CertificateWithoutKey { .. } => "Choose its private key too.",
            CertificateError::KeyWithoutCertificate { .. } => "Choose its client certificate too.",
            CertificateError::Expired { .. } => {
                "Get a new certificate. If this one should be valid, check this computer's clock."
            }
            CertificateError::NotYetValid { .. } => "Check this computer's clock, or wait until then.",
            CertificateError::Version1 { .. } => {
                "Have it signed again as version 3; with 'openssl x509 -req', add -extfile and a file with the line \
                 basicConstraints=CA:FALSE. (The recipe in mosquitto-tls(7) makes version 1.)"
            }
            CertificateError::EndsSoon { .. } => "Get a new one in time, and put it in the place of this one.",
            CertificateError::SeveralPairs { .. } => "Leave out the one that is not meant.",
            CertificateError::SpareKey { .. } => "Add its certificate too if it is meant, or leave it out.",
            CertificateError::SpareCertificate { .. } => "Add its private key too if it is meant, or leave it out.",
            CertificateError::NothingUseful => {
                "Choose the files or the archive that you were given for this device or user."
            }
            CertificateError::NoServerCertificate => "Choose the server's certificate.",
            CertificateError::NoAuthorities => "Choose the CA certificate that has signed the broker's certificate.",
            CertificateError::Unusable(_) => "Give the connection its certificates once more.",
            CertificateError::NoRoots => {
                "Give the broker's CA certificate, or install the platform's (on Debian: the package ca-certificates)."
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
