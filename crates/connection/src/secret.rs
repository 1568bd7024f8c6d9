//! Secret bytes: they cannot be printed or serialised, and are wiped when dropped.

use std::fmt;

use zeroize::Zeroizing;

/// A secret. It can be neither printed, compared nor serialised, and its memory is wiped when it is dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes ownership of the bytes. The given vector itself is kept and wiped.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Secret {
        Secret(Zeroizing::new(bytes))
    }

    /// The bytes, for code that must use them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret::new(text.into_bytes())
    }
}

impl From<Zeroizing<Vec<u8>>> for Secret {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Secret {
        Secret(bytes)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The kind of a secret. An owner has at most one of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretKind {
    /// The password of the user name.
    Password,
    /// The client certificate's private key, DER.
    PrivateKey,
    /// The client certificate and its chain, DER.
    CertificateChain,
    /// The trusted CA certificates, DER.
    AuthorityCertificates,
    /// The pinned server certificate, DER.
    ServerCertificate,
    /// The password for a proxy.
    ProxyPassword,
    /// The query of a WebSocket address.
    AddressQuery,
    /// The passwords of devices that require signed requests.
    DevicePasswords,
    /// All of the above in one entry, so that they are replaced together.
    Bundle,
    /// The installation's key for signatures, PKCS#8.
    SigningKey,
    /// The newest entry of the audit: its number and hash.
    AuditHead,
}

impl SecretKind {
    /// All kinds that a connection can have. The others belong to the installation.
    pub const ALL: [SecretKind; 9] = [
        SecretKind::Password,
        SecretKind::PrivateKey,
        SecretKind::CertificateChain,
        SecretKind::AuthorityCertificates,
        SecretKind::ServerCertificate,
        SecretKind::ProxyPassword,
        SecretKind::AddressQuery,
        SecretKind::DevicePasswords,
        SecretKind::Bundle,
    ];

    /// Its part of a keyring entry's name.
    pub fn word(self) -> &'static str {
        match self {
            SecretKind::Password => "password",
            SecretKind::PrivateKey => "private-key",
            SecretKind::CertificateChain => "certificate-chain",
            SecretKind::AuthorityCertificates => "authorities",
            SecretKind::ServerCertificate => "server-certificate",
            SecretKind::ProxyPassword => "proxy-password",
            SecretKind::AddressQuery => "address-query",
            SecretKind::DevicePasswords => "device-passwords",
            SecretKind::Bundle => "secrets",
            SecretKind::SigningKey => "signing-key",
            SecretKind::AuditHead => "audit-head",
        }
    }
}
