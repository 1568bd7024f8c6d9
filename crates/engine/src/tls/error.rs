//! What can be wrong with certificate files, as sentences.

use std::path::{Path, PathBuf};

use crate::api::{Failure, FailureCode};

/// What a file was given as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Authorities,
    Certificate,
    Key,
}

impl Role {
    fn named(self) -> &'static str {
        match self {
            Role::Authorities => "CA certificate",
            Role::Certificate => "client certificate",
            Role::Key => "private key",
        }
    }
}

/// Why certificate files cannot be used. No sentence ever quotes what is in a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It cannot be read.
    #[error("{} cannot be read: {what}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        what: String,
    },
    /// It cannot be certificates.
    #[error("{} is too big to hold certificates: it has {bytes} bytes, and at most {limit} are read", path.display())]
    TooBig {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The largest size.
        limit: u64,
    },
    /// Something else that is called .pem.
    #[error("{} is not a PEM file: there is no line '-----BEGIN …' in it", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
    },
    /// PEM, but broken.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// PEM, but of another kind.
    #[error("{} was given as the {role}, but holds {found}", path.display())]
    Mistaken {
        /// The file.
        path: PathBuf,
        /// What it was given as.
        role: &'static str,
        /// What it holds.
        found: String,
    },
    /// The private key is encrypted.
    #[error("the private key in {} is encrypted with a passphrase, which cannot be read yet", path.display())]
    Encrypted {
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
    #[error("{} is a client certificate, and its private key is missing", certificate.display())]
    CertificateWithoutKey {
        /// The certificate's file.
        certificate: PathBuf,
    },
    /// The other half of a pair.
    #[error("{} is a private key, and its client certificate is missing", key.display())]
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
    /// Kept certificates that rustls will not take.
    #[error("the stored certificates cannot be used: {0}")]
    Unusable(String),
    /// No authorities were given, and the platform has none.
    #[error("no CA certificate is given, and this machine has no list of trusted authorities: {0}")]
    NoRoots(String),
}

impl CertificateError {
    pub(super) fn mistaken(path: &Path, role: Role, found: &str) -> CertificateError {
        CertificateError::Mistaken { path: path.to_owned(), role: role.named(), found: found.to_owned() }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            CertificateError::Unreadable { .. } => "Check the path, and that you may read the file.",
            CertificateError::TooBig { .. } => "Choose the certificate file itself; it is some kilobytes long.",
            CertificateError::NotPem { path } => {
                return Some(format!(
                    "Choose a file with '-----BEGIN CERTIFICATE-----' or '-----BEGIN PRIVATE KEY-----' in it. A binary \
                     (DER) certificate is converted by: openssl x509 -inform der -in {} -out certificate.pem",
                    path.display()
                ));
            }
            CertificateError::Damaged { .. } => "Get the file again; it may have been cut off or changed on its way.",
            CertificateError::Mistaken { .. } => "Look whether the files were swapped, and choose the right one.",
            CertificateError::Encrypted { path } => {
                return Some(format!(
                    "Decrypt it with: openssl pkey -in {} -out decrypted.key (and delete that file once it is imported: \
                     the key is then in the keyring).",
                    path.display()
                ));
            }
            CertificateError::UnusableKey { .. } => {
                "RSA from 2,048 bits on, ECDSA on the curves P-256 and P-384, and Ed25519 can be used, as PKCS#8, PKCS#1 \
                 or SEC1."
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
            CertificateError::Unusable(_) => "Give the connection its certificates once more.",
            CertificateError::NoRoots(_) => {
                "Give the broker's CA certificate, or install the platform's (on Debian: the package ca-certificates)."
            }
        };
        Some(hint.to_owned())
    }
}

impl From<CertificateError> for Failure {
    fn from(error: CertificateError) -> Failure {
        Failure::of(FailureCode::File, &error, error.hint())
    }
}
