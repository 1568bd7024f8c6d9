//! Reading one PEM file, whatever it may be.

use std::{fs::File, io::Read, path::Path};

use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject, SectionKind},
};
use zeroize::Zeroizing;

use super::{CertificateError, Key, error::Role};

/// The largest file that is read, in bytes. The bundle of all public authorities has a quarter of a megabyte.
const LIMIT: u64 = 10 * 1024 * 1024;

/// What was found in a file.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) certificates: Vec<CertificateDer<'static>>,
    pub(super) keys: Vec<Key>,
    public_key: bool,
    request: bool,
}

impl Contents {
    /// What to say when a certificate was wanted and there is none.
    pub(super) fn lacks_certificate(&self, path: &Path, role: Role) -> CertificateError {
        CertificateError::mistaken(path, role, self.named())
    }

    /// What to say when a private key was wanted and there is none.
    pub(super) fn lacks_key(&self, path: &Path) -> CertificateError {
        CertificateError::mistaken(path, Role::Key, self.named())
    }

    fn named(&self) -> &'static str {
        if !self.certificates.is_empty() {
            "a certificate"
        } else if !self.keys.is_empty() {
            "a private key"
        } else if self.public_key {
            "a public key"
        } else if self.request {
            "a request for a certificate (CSR), which an authority must sign first"
        } else {
            "neither a certificate nor a private key"
        }
    }
}

pub(super) fn read(path: &Path, role: Role) -> Result<Contents, CertificateError> {
    let text = content(path)?;
    // Windows editors put a byte order mark in front.
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&text);
    if !contains(text, b"-----BEGIN ") {
        return Err(CertificateError::NotPem { path: path.to_owned() });
    }
    let encrypted =
        contains(text, b"-----BEGIN ENCRYPTED PRIVATE KEY-----") || contains(text, b"Proc-Type: 4,ENCRYPTED");
    if encrypted && role == Role::Key {
        return Err(CertificateError::Encrypted { path: path.to_owned() });
    }
    let mut contents = Contents::default();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text) {
        let (kind, der) = match section {
            Ok(section) => section,
            // The headers of an old encrypted key are not base64. Nobody asked for that key here.
            Err(_) if encrypted => continue,
            Err(error) => return Err(CertificateError::Damaged { path: path.to_owned(), what: damage(&error) }),
        };
        match kind {
            SectionKind::Certificate => contents.certificates.push(der.into()),
            SectionKind::PublicKey => contents.public_key = true,
            SectionKind::Csr => contents.request = true,
            _ => contents.keys.extend(PrivateKeyDer::from_pem(kind, der).map(Key)),
        }
    }
    if encrypted && contents.certificates.is_empty() {
        return Err(CertificateError::mistaken(path, role, "an encrypted private key"));
    }
    Ok(contents)
}

fn content(path: &Path) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
    let unreadable = |what: &str| CertificateError::Unreadable { path: path.to_owned(), what: what.to_owned() };
    let told = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => unreadable("there is no such file"),
        std::io::ErrorKind::PermissionDenied => unreadable("you have no permission to read it"),
        _ => unreadable(&error.to_string()),
    };
    let metadata = std::fs::metadata(path).map_err(told)?;
    if !metadata.is_file() {
        return Err(unreadable(if metadata.is_dir() { "it is a folder" } else { "it is not a file" }));
    }
    let too_big = |bytes| CertificateError::TooBig { path: path.to_owned(), bytes, limit: LIMIT };
    if metadata.len() > LIMIT {
        return Err(too_big(metadata.len()));
    }
    // Large enough from the start: a vector that grows leaves copies of a key behind.
    let mut content = Zeroizing::new(Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1));
    File::open(path).map_err(told)?.take(LIMIT + 1).read_to_end(&mut content).map_err(told)?;
    if content.len() as u64 > LIMIT { Err(too_big(content.len() as u64)) } else { Ok(content) }
}

fn contains(text: &[u8], words: &[u8]) -> bool {
    text.windows(words.len()).any(|window| window == words)
}

/// Without the line that is wrong: it may be part of a key.
fn damage(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => "it ends before the line '-----END …'",
        pem::Error::IllegalSectionStart { .. } => "a line '-----BEGIN …' is not complete",
        pem::Error::Base64Decode(_) => "what stands between BEGIN and END is not base64",
        _ => "its PEM cannot be read",
    }
    .to_owned()
}
