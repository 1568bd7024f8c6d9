//! Real-world certificate files, and failing handshakes.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod bad_input;
mod files;
mod handshakes;
mod kit;
mod mutations;
mod odd_files;

use std::{fs, path::PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd};
use tempfile::TempDir;
use wilco_ledger::Timestamp;

use super::{CertificateError, Credentials, Kit, Source, file};
use crate::FileRole;

/// 2027-01-15: within the validity of everything here that is not made to be otherwise.
const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// A folder of files for a connection.
struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

/// A certificate and its key, PEM.
struct Pair {
    certificate: String,
    key: String,
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = params(&[], (2020, 2120));
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn params(names: &[&str], (from, to): (i32, i32)) -> CertificateParams {
    let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 1, 1);
    params
}

fn signed(authority: &CertifiedIssuer<'static, KeyPair>, names: &[&str], years: (i32, i32)) -> Pair {
    let key = KeyPair::generate().unwrap();
    let mut params = params(names, years);
    params.distinguished_name.push(rcgen::DnType::CommonName, "bench");
    let certificate = params.signed_by(&key, authority).unwrap();
    Pair { certificate: certificate.pem(), key: key.serialize_pem() }
}

/// Files by what they are given as.
struct TlsFiles {
    ca: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

/// The credentials of a connection with these files.
fn read(files: &TlsFiles, now: Timestamp) -> Result<Credentials, CertificateError> {
    let given =
        [(&files.ca, FileRole::Authorities), (&files.certificate, FileRole::Certificate), (&files.key, FileRole::Key)];
    let mut kit = Kit::new();
    for (path, role) in given {
        if let Some(path) = path {
            kit.add(Source { name: path.display().to_string(), role, content: file::read(path)? });
        }
    }
    kit.credentials(now)
}

fn files(ca: Option<PathBuf>, certificate: Option<PathBuf>, key: Option<PathBuf>) -> TlsFiles {
    TlsFiles { ca, certificate, key }
}

fn refused(files: &TlsFiles) -> CertificateError {
    let error = read(files, NOW).unwrap_err();
    assert!(error.hint().is_some(), "{error:?} has no hint");
    error
}

fn accepted(files: &TlsFiles) -> Credentials {
    read(files, NOW).unwrap()
}
