//! Files: which are accepted, and the sentence for each of the others.

use std::{collections::HashMap, fs};

use super::{CertificateError, Folder, accepted, authority, files, refused, signed};
use crate::{
    Trust,
    tls::{Credentials, client_config},
    vault::{Secret, SecretKind, VaultError},
};

const V1_CERTIFICATE: &str = include_str!("../fixtures/v1.pem");
const V1_KEY: &str = include_str!("../fixtures/v1.key");
const RSA_CERTIFICATE: &str = include_str!("../fixtures/rsa.pem");
const RSA_KEY_PKCS1: &str = include_str!("../fixtures/rsa-pkcs1.key");
const EC_CERTIFICATE: &str = include_str!("../fixtures/sec1.pem");
const EC_KEY_SEC1: &str = include_str!("../fixtures/sec1.key");
const ENCRYPTED_PKCS8: &str = include_str!("../fixtures/encrypted-pkcs8.key");
const ENCRYPTED_SEC1: &str = include_str!("../fixtures/encrypted-sec1.key");
const PUBLIC_KEY: &str = include_str!("../fixtures/public.key");
const REQUEST: &str = include_str!("../fixtures/request.csr");

#[test]
fn a_ca_a_certificate_and_a_key_are_read() {
    let (folder, ca) = (Folder::new(), authority("Bench CA"));
    let pair = signed(&ca, &["device.example", "192.0.2.7"], (2026, 2028));
    let credentials = accepted(&files(
        Some(folder.file("ca.pem", ca.pem())),
        Some(folder.file("client.pem", format!("{}{}", pair.certificate, ca.pem()))),
        Some(folder.file("client.key", &pair.key)),
    ));
    assert_eq!((credentials.authorities.len(), credentials.chain.len()), (1, 2));
    let facts = credentials.facts().unwrap();
    assert_eq!((&*facts.subject, &*facts.issuer), ("CN=bench", "CN=Bench CA"));
    assert_eq!(facts.not_before.0, 1_767_225_600_000);
    assert_eq!(facts.not_after.0, 1_830_297_600_000);
    assert_eq!((facts.version, facts.is_authority), (3, false));
    assert_eq!(facts.names, ["device.example", "192.0.2.7"]);
    assert_eq!(facts.sha256.len(), 32 * 3 - 1);
    assert!(credentials.authority_facts()[0].is_authority);
    let (config, witness) = client_config(&credentials, credentials.trust(), &[b"mqtt".to_vec()]).unwrap();
    assert_eq!(config.alpn_protocols, [b"mqtt"]);
    assert_eq!(witness.presented(), None);
    assert!(!format!("{credentials:?}").contains("key"));
}

#[test]
fn every_part_may_be_left_out_but_half_a_pair() {
    let (folder, ca) = (Folder::new(), authority("Bench CA"));
    let nothing = accepted(&files(None, None, None));
    assert!(!nothing.is_mutual() && nothing.facts().is_none());
    let only_ca = accepted(&files(Some(folder.file("ca.pem", ca.pem())), None, None));
    assert!(!only_ca.is_mutual());
    client_config(&only_ca, only_ca.trust(), &[]).unwrap();
}

#[test]
fn keys_of_every_form_are_read() {
    let folder = Folder::new();
    for (certificate, key) in
        [(RSA_CERTIFICATE, RSA_KEY_PKCS1), (EC_CERTIFICATE, EC_KEY_SEC1), (EC_CERTIFICATE, V1_KEY)]
    {
        let both = |certificate: &str, key: &str| {
            accepted(&files(None, Some(folder.file("c.pem", certificate)), Some(folder.file("k.pem", key))))
        };
        assert!(both(certificate, key).is_mutual());
        // As editors on Windows save it.
        let windows = |text: &str| format!("\u{FEFF}a remark\r\n{}", text.replace('\n', "\r\n"));
        assert!(both(&windows(certificate), &windows(key)).is_mutual());
        let one_file = folder.file("both.pem", format!("{key}{certificate}"));
        assert!(accepted(&files(None, Some(one_file), None)).is_mutual());
    }
}

#[test]
fn credentials_come_back_from_the_vault_as_they_went_in() {
    let (folder, ca) = (Folder::new(), authority("Bench CA"));
    for (certificate, key) in
        [(RSA_CERTIFICATE, RSA_KEY_PKCS1), (EC_CERTIFICATE, EC_KEY_SEC1), (EC_CERTIFICATE, V1_KEY)]
    {
        let credentials = accepted(&files(
            Some(folder.file("ca.pem", format!("{}{EC_CERTIFICATE}", ca.pem()))),
            Some(folder.file("c.pem", certificate)),
            Some(folder.file("k.pem", key)),
        ));
        let vault: HashMap<SecretKind, Secret> = credentials.to_secrets().into_iter().collect();
        let back = Credentials::from_secrets(|kind| Ok(vault.get(&kind).cloned())).unwrap();
        assert_eq!((&back.authorities, &back.chain), (&credentials.authorities, &credentials.chain));
        client_config(&back, back.trust(), &[]).unwrap();

        let check_damaged = |change: &dyn Fn(SecretKind) -> Option<Secret>| {
            let error = Credentials::from_secrets(|kind| Ok(change(kind))).unwrap_err();
            assert!(matches!(error, VaultError::Damaged { .. }), "{error:?}");
        };
        for kind in [SecretKind::PrivateKey, SecretKind::CertificateChain] {
            check_damaged(&|asked| vault.get(&asked).filter(|_| asked != kind).cloned());
            check_damaged(&|asked| if asked == kind { Some(Secret::new(vec![9])) } else { vault.get(&asked).cloned() });
        }
    }
    assert!(!Credentials::from_secrets(|_| Ok(None)).unwrap().is_mutual());
}

#[test]
fn files_that_are_not_there_or_not_files_are_told() {
    let folder = Folder::new();
    let check = |path: std::path::PathBuf, expected: &str| {
        let error = refused(&files(Some(path), None, None));
        assert!(matches!(error, CertificateError::Unreadable { .. }), "{error:?}");
        assert!(error.to_string().ends_with(expected), "{error}");
    };
    check(folder.0.path().join("gone.pem"), "it does not exist");
    check(folder.0.path().to_owned(), "it is a folder");
    #[cfg(unix)]
    check("/dev/zero".into(), "it is not a file");
}

#[test]
fn a_file_of_many_megabytes_is_not_read() {
    let folder = Folder::new();
    let path = folder.file("disk.pem", "");
    fs::File::options().write(true).open(&path).unwrap().set_len(10 * 1024 * 1024 + 1).unwrap();
    assert!(matches!(refused(&files(Some(path), None, None)), CertificateError::TooBig { bytes: 10_485_761, .. }));
}

#[test]
fn a_text_file_named_pem_is_reported() {
    let folder = Folder::new();
    for content in ["Dear certificate,\nI miss you.\n", "\0\u{1}\u{2}", "-----END CERTIFICATE-----"] {
        let path = folder.file("letter.pem", content);
        let error = refused(&files(None, Some(path.clone()), None));
        assert_eq!(error, CertificateError::Unrecognised { path, role: "client certificate" });
    }
    let der = folder.file("binary.der", [0x30, 0x82, 0x01, 0x0A, 0xFF]);
    assert!(refused(&files(Some(der), None, None)).to_string().ends_with("it is incomplete"));
}

#[test]
fn broken_pem_is_told() {
    let folder = Folder::new();
    let cut = &EC_CERTIFICATE[..200];
    let not_base64 = EC_CERTIFICATE.replacen("MII", "***", 1);
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let bad_start = EC_CERTIFICATE.replacen("-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE---", 1);
    for content in [cut, &not_base64, no_certificate, &bad_start] {
        let error = refused(&files(Some(folder.file("ca.pem", content)), None, None));
        assert!(matches!(error, CertificateError::Damaged { .. }), "{error:?}");
    }
}

#[test]
fn files_of_another_kind_are_named() {
    let folder = Folder::new();
    let check = |ca: Option<&str>, certificate: Option<&str>, key: Option<&str>, expected: &str| {
        let file = |name: &str, content: Option<&str>| content.map(|content| folder.file(name, content));
        let error = refused(&files(file("ca.pem", ca), file("certificate.pem", certificate), file("key.pem", key)));
        assert!(matches!(error, CertificateError::Mistaken { .. }), "{error:?}");
        assert!(error.to_string().ends_with(expected), "{error}");
    };
    check(Some(EC_KEY_SEC1), None, None, "ca.pem was given as the CA certificate, but contains a private key");
    check(Some(PUBLIC_KEY), None, None, "but contains a public key");
    check(
        Some("-----BEGIN SONG-----\nAAAA\n-----END SONG-----\n"),
        None,
        None,
        "neither a certificate nor a private key",
    );
    check(None, Some(V1_KEY), Some(V1_KEY), "was given as the client certificate, but contains a private key");
    check(None, Some(ENCRYPTED_PKCS8), Some(V1_KEY), "but contains an encrypted private key");
    check(None, Some(REQUEST), Some(V1_KEY), "(CSR), not yet signed by a CA");
    check(
        None,
        Some(EC_CERTIFICATE),
        Some(RSA_CERTIFICATE),
        "was given as the private key, but contains a certificate",
    );
    check(None, Some(EC_CERTIFICATE), Some(PUBLIC_KEY), "was given as the private key, but contains a public key");
}

#[test]
fn half_a_pair_is_told() {
    let folder = Folder::new();
    let (certificate, key) = (folder.file("c.pem", EC_CERTIFICATE), folder.file("k.pem", EC_KEY_SEC1));
    assert_eq!(
        refused(&files(None, Some(certificate.clone()), None)),
        CertificateError::CertificateWithoutKey { certificate }
    );
    assert_eq!(refused(&files(None, None, Some(key.clone()))), CertificateError::KeyWithoutCertificate { key });
}

#[test]
fn the_key_of_another_certificate_is_told() {
    let (folder, ca) = (Folder::new(), authority("Bench CA"));
    let (one, other) = (signed(&ca, &[], (2026, 2028)), signed(&ca, &[], (2026, 2028)));
    let (certificate, key) = (folder.file("one.pem", one.certificate), folder.file("other.key", other.key));
    let error = refused(&files(None, Some(certificate.clone()), Some(key.clone())));
    assert_eq!(error, CertificateError::KeyMismatch { key, certificate: certificate.clone() });
    let rsa = folder.file("rsa.key", RSA_KEY_PKCS1);
    assert!(matches!(refused(&files(None, Some(certificate), Some(rsa))), CertificateError::KeyMismatch { .. }));
}

#[test]
fn encrypted_and_unusable_keys_are_told() {
    let folder = Folder::new();
    let certificate = folder.file("c.pem", EC_CERTIFICATE);
    for encrypted in [ENCRYPTED_PKCS8, ENCRYPTED_SEC1] {
        let path = folder.file("encrypted.key", encrypted);
        let error = refused(&files(None, Some(certificate.clone()), Some(path.clone())));
        assert_eq!(error, CertificateError::Encrypted { path });
        assert!(error.hint().unwrap().contains("passphrase"));
    }
    let path = folder.file("broken.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    let error = refused(&files(None, Some(certificate), Some(path.clone())));
    assert_eq!(error, CertificateError::UnusableKey { path });
}

#[test]
fn an_ec_key_without_its_public_half_is_told_with_what_completes_it() {
    let folder = Folder::new();
    let certificate = folder.file("c.pem", EC_CERTIFICATE);
    let path = folder.file("half.key", include_str!("../fixtures/sec1-without-public.key"));
    let error = refused(&files(None, Some(certificate), Some(path.clone())));
    assert_eq!(error, CertificateError::UnusableKey { path });
    assert!(error.hint().unwrap().contains("openssl ec -in KEY -out whole.key"));
}

#[test]
fn certificates_out_of_their_time_are_told() {
    let (folder, ca) = (Folder::new(), authority("Bench CA"));
    let check = |years: (i32, i32), expected: &str| {
        let pair = signed(&ca, &[], years);
        let (certificate, key) = (folder.file("c.pem", &pair.certificate), folder.file("k.pem", &pair.key));
        let error = refused(&files(None, Some(certificate.clone()), Some(key)));
        assert!(error.to_string().contains(expected), "{error}");
        // As an authority too.
        let error = refused(&files(Some(certificate.clone()), None, None));
        assert!(error.to_string().contains(expected), "{error}");
        // Beside a good one it does no harm.
        let bundle = folder.file("bundle.pem", format!("{}{}", pair.certificate, ca.pem()));
        assert_eq!(accepted(&files(Some(bundle), None, None)).authorities.len(), 2);
    };
    check((2020, 2026), "the certificate of CN=bench in ");
    check((2020, 2026), " expired on 2026-01-01");
    check((2028, 2030), " is not valid before 2028-01-01");
}

#[test]
fn an_x509_version_1_certificate_is_told() {
    let folder = Folder::new();
    let (path, key) = (folder.file("v1.pem", V1_CERTIFICATE), folder.file("v1.key", V1_KEY));
    let error = refused(&files(None, Some(path.clone()), Some(key)));
    assert_eq!(error, CertificateError::Version1 { path: path.clone(), version: 1 });
    assert!(error.to_string().contains("X.509 version 1"));
    // An authority may be: only its name and key are used.
    client_config(&accepted(&files(Some(path), None, None)), Trust::Authorities, &[]).unwrap();
}
