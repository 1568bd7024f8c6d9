//! A certificate authority for one test, with certificates good and bad.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

/// A certificate and its private key, as PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// The names of a broker on this machine.
const HERE: &[&str] = &["localhost", "127.0.0.1", "::1"];

/// Certificates in a directory of their own, removed at the end.
#[derive(Debug)]
pub struct Certificates {
    directory: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
    other_issuer: Issuer<'static, KeyPair>,
    /// The authority's certificate.
    pub ca: PathBuf,
    /// The certificate of an authority that has signed none of these.
    pub other_ca: PathBuf,
    /// The broker's, for `localhost` and 127.0.0.1.
    pub server: Identity,
    /// The console's.
    pub client: Identity,
}

impl Certificates {
    /// Makes an authority, a broker's certificate and a console's.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn new() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("wilco-certificates-").tempdir()?;
        let (issuer, ca) = authority(directory.path(), "ca", "Wilco test authority")?;
        let (other_issuer, other_ca) = authority(directory.path(), "other-ca", "Some other authority")?;
        let server = signed(directory.path(), &issuer, "server", server_params(HERE)?)?;
        let client = signed(directory.path(), &issuer, "console", client_params("console"))?;
        Ok(Self { directory, issuer, other_issuer, ca, other_ca, server, client })
    }

    /// A further client's, good for as long as anybody can want.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn issue(&self, name: &str) -> Result<Identity> {
        signed(self.directory.path(), &self.issuer, name, client_params(name))
    }

    /// A further client's, with an RSA key.
    ///
    /// # Errors
    /// When `openssl` cannot make the key, or a file cannot be written.
    pub fn issue_rsa(&self, name: &str) -> Result<Identity> {
        let key = self.directory.path().join(format!("{name}.key"));
        openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], &[("-out", &key)])?;
        let key = KeyPair::from_pem(&std::fs::read_to_string(&key)?)?;
        signed_for(&key, self.directory.path(), &self.issuer, name, client_params(name))
    }

    /// A further client's that ends `days` from now.
    ///
    /// # Errors
    /// When `openssl` cannot sign it, or a file cannot be written.
    pub fn ending_in(&self, days: u32, name: &str) -> Result<Identity> {
        let at = |end: &str| self.directory.path().join(format!("{name}.{end}"));
        let identity = Identity { certificate: at("pem"), key: at("key") };
        let authority_key = at("authority.key");
        std::fs::write(&authority_key, self.issuer.key().serialize_pem())?;
        let key = KeyPair::generate()?;
        std::fs::write(&identity.key, key.serialize_pem())?;
        openssl(&["req", "-new", "-subj", &format!("/CN={name}")], &[("-key", &identity.key), ("-out", &at("csr"))])?;
        std::fs::write(at("extensions"), "extendedKeyUsage = clientAuth\n")?;
        openssl(
            &["x509", "-req", "-CAcreateserial", "-days", &days.to_string()],
            &[
                ("-in", &at("csr")),
                ("-CA", &self.ca),
                ("-CAkey", &authority_key),
                ("-extfile", &at("extensions")),
                ("-out", &identity.certificate),
            ],
        )?;
        Ok(identity)
    }

    /// A client's that ended in 2021.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn expired(&self) -> Result<Identity> {
        let mut params = client_params("expired");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
        signed(self.directory.path(), &self.issuer, "expired", params)
    }

    /// A broker's, for another name than it is reached by.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn server_of_another_name(&self) -> Result<Identity> {
        self.server_for("broker.example.org")
    }

    /// A broker's, for this name.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn server_for(&self, name: &str) -> Result<Identity> {
        signed(self.directory.path(), &self.issuer, name, server_params(&[name])?)
    }

    /// A broker's that ended in 2021.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn expired_server(&self) -> Result<Identity> {
        let mut params = server_params(HERE)?;
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        signed(self.directory.path(), &self.issuer, "expired-server", params)
    }

    /// A broker's that begins in 2090.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn server_of_the_future(&self) -> Result<Identity> {
        let mut params = server_params(HERE)?;
        (params.not_before, params.not_after) = (date_time_ymd(2090, 1, 1), date_time_ymd(2091, 1, 1));
        signed(self.directory.path(), &self.issuer, "future-server", params)
    }

    /// A broker's, signed by [`Certificates::other_ca`].
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn server_of_another_authority(&self) -> Result<Identity> {
        signed(self.directory.path(), &self.other_issuer, "other-server", server_params(HERE)?)
    }

    /// A client's, signed by [`Certificates::other_ca`].
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn client_of_another_authority(&self) -> Result<Identity> {
        signed(self.directory.path(), &self.other_issuer, "other-client", client_params("other-client"))
    }

    /// A broker's that vouches for itself.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn self_signed_server(&self) -> Result<Identity> {
        let key = KeyPair::generate()?;
        let certificate = server_params(HERE)?.self_signed(&key)?;
        write(self.directory.path(), "self-signed", &certificate.pem(), &key)
    }

    /// What a company's proxy shows in the broker's place when it reads along: a certificate for the right name, with
    /// the company's own authority behind it. The second is that authority's certificate.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn inspected_server(&self) -> Result<(Identity, PathBuf)> {
        let directory = self.directory.path();
        let (company, ca) = authority(directory, "company-ca", "Example Company TLS Inspection")?;
        let identity = signed(directory, &company, "inspected", server_params(HERE)?)?;
        let chain = std::fs::read_to_string(&identity.certificate)? + &std::fs::read_to_string(&ca)?;
        std::fs::write(&identity.certificate, chain)?;
        Ok((identity, ca))
    }

    /// A client's of X.509 version 1, made as mosquitto-tls(7) shows it.
    ///
    /// # Errors
    /// When `openssl` cannot do it.
    pub fn version_1(&self) -> Result<Identity> {
        let at = |name: &str| self.directory.path().join(name);
        let identity = Identity { certificate: at("version-1.pem"), key: at("version-1.key") };
        let (ca, ca_key, request) = (at("version-1-ca.pem"), at("version-1-ca.key"), at("version-1.csr"));
        openssl(
            &["req", "-new", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=authority"],
            &[("-keyout", &ca_key), ("-out", &ca)],
        )?;
        openssl(
            &["req", "-new", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=client"],
            &[("-keyout", &identity.key), ("-out", &request)],
        )?;
        openssl(
            &["x509", "-req", "-CAcreateserial", "-days", "365"],
            &[("-in", &request), ("-CA", &ca), ("-CAkey", &ca_key), ("-out", &identity.certificate)],
        )?;
        Ok(identity)
    }

    /// Where a test may write further files, removed with the rest.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

fn authority(directory: &Path, name: &str, common_name: &str) -> Result<(Issuer<'static, KeyPair>, PathBuf)> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let path = directory.join(format!("{name}.pem"));
    std::fs::write(&path, params.self_signed(&key)?.pem())?;
    Ok((Issuer::new(params, key), path))
}

fn server_params(names: &[&str]) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
    params.distinguished_name.push(DnType::CommonName, names[0]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn client_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn signed(directory: &Path, issuer: &Issuer<'_, KeyPair>, name: &str, params: CertificateParams) -> Result<Identity> {
    signed_for(&KeyPair::generate()?, directory, issuer, name, params)
}

fn signed_for(
    key: &KeyPair,
    directory: &Path,
    issuer: &Issuer<'_, KeyPair>,
    name: &str,
    mut params: CertificateParams,
) -> Result<Identity> {
    params.use_authority_key_identifier_extension = true;
    if params.not_after > date_time_ymd(2999, 1, 1) {
        // As long as one that somebody would really get.
        (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2036, 1, 1));
    }
    write(directory, name, &params.signed_by(key, issuer)?.pem(), key)
}

fn write(directory: &Path, name: &str, certificate: &str, key: &KeyPair) -> Result<Identity> {
    let identity =
        Identity { certificate: directory.join(format!("{name}.pem")), key: directory.join(format!("{name}.key")) };
    std::fs::write(&identity.certificate, certificate)?;
    std::fs::write(&identity.key, key.serialize_pem())?;
    Ok(identity)
}

/// Runs `openssl` with these arguments, and options that name files.
///
/// # Errors
/// When it is not there, or refuses.
pub fn openssl(arguments: &[&str], files: &[(&str, &Path)]) -> Result<()> {
    let mut command = Command::new("openssl");
    command.args(arguments);
    for (option, path) in files {
        command.arg(option).arg(path);
    }
    let output = command.output()?;
    if !output.status.success() {
        bail!("openssl {}: {}", arguments[0], String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
