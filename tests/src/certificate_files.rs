//! A certificate and its key in the forms in which users receive them, with the authority's certificate.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::certificates::{Certificates, Identity, openssl};

/// In what files they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// Certificate, key and authority, each as PEM.
    Pem,
    /// Each as DER, the key as PKCS#1.
    Der,
    /// The key as encrypted PKCS#8.
    Encrypted,
    /// The key as the SEC1 of an elliptic curve.
    Sec1,
    /// All in one PKCS#12 as it is written today.
    Pkcs12,
    /// All in one PKCS#12 as it was written for twenty years: RC2 and triple DES.
    LegacyPkcs12,
    /// The zip that the AWS console offers.
    AwsKit,
}

/// Files to bring, in a directory of their own.
#[derive(Debug)]
pub struct CertificateFiles {
    directory: tempfile::TempDir,
    /// The files, in the order in which somebody might bring them.
    pub files: Vec<PathBuf>,
    /// The passphrase, if they are encrypted.
    pub passphrase: Option<&'static str>,
}

const PASSPHRASE: &str = "open sesame";
const AS_ASKED: &str = "pass:open sesame";

impl CertificateFiles {
    /// A certificate made out to `name`, wrapped so.
    ///
    /// # Errors
    /// When `openssl` cannot do it, or a file cannot be written.
    pub fn new(certificates: &Certificates, name: &str, wrapping: Wrapping) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("wilco-parcel-").tempdir()?;
        let identity = match wrapping {
            Wrapping::Der => certificates.issue_rsa(name)?,
            _ => certificates.issue(name)?,
        };
        let packing = Packing { directory: directory.path(), identity: &identity, ca: &certificates.ca };
        let files = match wrapping {
            Wrapping::Pem => packing.pem()?,
            Wrapping::Der => packing.der()?,
            Wrapping::Encrypted => packing.encrypted()?,
            Wrapping::Sec1 => packing.sec1()?,
            Wrapping::Pkcs12 => packing.pkcs12(&[])?,
            Wrapping::LegacyPkcs12 => packing.pkcs12(&["-legacy"])?,
            Wrapping::AwsKit => packing.aws_kit()?,
        };
        let is_locked = matches!(wrapping, Wrapping::Encrypted | Wrapping::Pkcs12 | Wrapping::LegacyPkcs12);
        Ok(Self { directory, files, passphrase: is_locked.then_some(PASSPHRASE) })
    }

    /// Removes the files.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn delete(self) -> Result<()> {
        Ok(self.directory.close()?)
    }
}

struct Packing<'a> {
    directory: &'a Path,
    identity: &'a Identity,
    ca: &'a Path,
}

impl Packing<'_> {
    fn pem(&self) -> Result<Vec<PathBuf>> {
        Ok(vec![
            self.copy(&self.identity.certificate, "console.crt")?,
            self.copy(&self.identity.key, "console.key")?,
            self.copy(self.ca, "ca.crt")?,
        ])
    }

    fn der(&self) -> Result<Vec<PathBuf>> {
        let [certificate, key, ca] = ["console.cer", "console.key", "ca.cer"].map(|name| self.directory.join(name));
        for (from, to) in [(&*self.identity.certificate, &certificate), (self.ca, &ca)] {
            openssl(&["x509", "-outform", "DER"], &[("-in", from), ("-out", to)])?;
        }
        openssl(&["rsa", "-traditional", "-outform", "DER"], &[("-in", &self.identity.key), ("-out", &key)])?;
        Ok(vec![certificate, key, ca])
    }

    fn encrypted(&self) -> Result<Vec<PathBuf>> {
        let key = self.directory.join("console.key");
        openssl(&["pkcs8", "-topk8", "-passout", AS_ASKED], &[("-in", &self.identity.key), ("-out", &key)])?;
        Ok(vec![key, self.copy(&self.identity.certificate, "console.crt")?, self.copy(self.ca, "ca.crt")?])
    }

    fn sec1(&self) -> Result<Vec<PathBuf>> {
        let key = self.directory.join("console.key");
        openssl(&["ec"], &[("-in", &self.identity.key), ("-out", &key)])?;
        Ok(vec![self.copy(&self.identity.certificate, "console.crt")?, key, self.copy(self.ca, "ca.crt")?])
    }

    fn pkcs12(&self, how: &[&str]) -> Result<Vec<PathBuf>> {
        let path = self.directory.join("console.p12");
        openssl(
            &[&["pkcs12", "-export", "-passout", AS_ASKED], how].concat(),
            &[
                ("-in", &self.identity.certificate),
                ("-inkey", &self.identity.key),
                ("-certfile", self.ca),
                ("-out", &path),
            ],
        )?;
        Ok(vec![path])
    }

    fn aws_kit(&self) -> Result<Vec<PathBuf>> {
        let public = self.directory.join("public.key");
        openssl(&["pkey", "-pubout"], &[("-in", &self.identity.key), ("-out", &public)])?;
        let members: [(&str, Vec<u8>); 5] = [
            ("console.cert.pem", std::fs::read(&self.identity.certificate)?),
            ("console.private.key", std::fs::read(&self.identity.key)?),
            ("console.public.key", std::fs::read(&public)?),
            ("start.sh", b"# stop script on error\nset -e\npython3 pubsub.py --endpoint $1\n".to_vec()),
            ("root-CA.crt", std::fs::read(self.ca)?),
        ];
        std::fs::remove_file(&public)?;
        let path = self.directory.join("connect_device_package.zip");
        let mut archive = ZipWriter::new(std::fs::File::create(&path)?);
        for (name, bytes) in members {
            archive.start_file(name, SimpleFileOptions::default())?;
            archive.write_all(&bytes)?;
        }
        archive.finish()?;
        Ok(vec![path])
    }

    fn copy(&self, from: &Path, name: &str) -> Result<PathBuf> {
        let to = self.directory.join(name);
        std::fs::copy(from, &to).with_context(|| format!("copying {}", from.display()))?;
        Ok(to)
    }
}
