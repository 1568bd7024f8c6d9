//! Invalid, truncated and malicious input: a sentence for each.

use std::io::{Cursor, Write};

use zip::{ZipWriter, write::SimpleFileOptions};

use super::{
    Folder, NOW,
    kit::{CLIENT, CLIENT_KEY, File, PASSPHRASE, SPARE_KEY, add, fixture, kit, lines, problems, unlock, view},
};
use crate::{FileRole, tls::Kit};

/// One problem, which stands in the way and comes with advice.
fn check(kit: &Kit, expected: &str) {
    assert_eq!(problems(kit), [expected], "{:?}", lines(kit));
    let view = view(kit);
    assert!(!view.usable && view.problems[0].blocking && view.problems[0].hint.is_some());
    let error = kit.credentials(NOW).unwrap_err();
    assert_eq!(wilco_failure::sentence(&error.to_string()), expected);
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        archive.start_file(*name, SimpleFileOptions::default().compression_level(Some(1))).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn a_kit_of_aws_is_read_from_its_archive() {
    let archive = zip(&[
        ("thing.cert.pem", CLIENT.1),
        ("thing.private.key", CLIENT_KEY.1),
        ("thing.public.key", include_bytes!("../fixtures/public.key")),
        ("start.sh", b"#!/usr/bin/env bash\necho hello\n"),
    ]);
    let kit = kit(&[("connect_device_package.zip", &archive)]);
    let name = "connect_device_package.zip";
    assert_eq!(
        lines(&kit),
        [
            format!("{name} › thing.cert.pem: Device certificate (PEM, EC P-256)"),
            format!("{name} › thing.private.key: Private key (Matches the certificate)"),
            format!("{name} › thing.public.key: Ignored (Public key, not needed)"),
            format!("{name} › start.sh: Ignored (Script, ignored)"),
        ]
    );
    assert!(kit.credentials(NOW).unwrap().is_mutual() && problems(&kit).is_empty());
}

#[test]
fn archives_within_archives_are_not_opened() {
    let inner = zip(&[("client.pem", CLIENT.1)]);
    let kit = kit(&[("kit.zip", &zip(&[("inner.zip", &inner)])), CLIENT, CLIENT_KEY]);
    assert_eq!(lines(&kit)[0], "kit.zip › inner.zip: Ignored (Archive inside an archive, not opened)");
    assert!(view(&kit).usable);
}

#[test]
fn archives_that_lead_out_of_their_folder_are_refused() {
    for name in
        ["../evil.pem", "a/../../evil.pem", "/etc/evil.pem", "..\\evil.pem", "C:\\evil.pem", "c:evil.pem", "\\evil"]
    {
        let archive = zip(&[("client.pem", CLIENT.1), (name, b"x")]);
        let kit = kit(&[("kit.zip", &archive)]);
        check(&kit, "The archive kit.zip was not opened: the path of a file in it points outside the archive.");
        assert_eq!(lines(&kit), ["kit.zip: Cannot be used (Ignored)"]);
    }
}

#[test]
fn archives_that_expand_without_end_are_refused() {
    let zeros = vec![0; 10 * 1024 * 1024 + 1];
    let bomb = zip(&[("zeros.pem", &zeros)]);
    assert!(bomb.len() < 200_000);
    check(
        &kit(&[("bomb.zip", &bomb)]),
        "The archive bomb.zip was not opened: a file in it unpacks to more than 10 MB.",
    );

    // Whatever its headers say about its size.
    let size = u32::try_from(zeros.len()).unwrap().to_le_bytes();
    let mut liar = bomb.clone();
    for at in 0..liar.len() - 4 {
        if liar[at..at + 4] == size {
            liar[at..at + 4].copy_from_slice(&100_u32.to_le_bytes());
        }
    }
    assert_ne!(liar, bomb);
    check(&kit(&[("bomb.zip", &liar)]), "The file bomb.zip is damaged: it is not a complete zip archive.");

    let part = &zeros[..7 * 1024 * 1024];
    let together = zip(&[("a", part), ("b", part), ("c", part)]);
    check(
        &kit(&[("bomb.zip", &together)]),
        "The archive bomb.zip was not opened: the files in it unpack to more than 20 MB together.",
    );

    let names: Vec<String> = (0..201).map(|number| format!("{number}.pem")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    check(&kit(&[("many.zip", &zip(&many))]), "The archive many.zip was not opened: it contains more than 200 files.");
}

#[test]
fn archives_that_are_encrypted_or_cut_off_are_refused() {
    let archive = zip(&[("client.pem", CLIENT.1)]);
    let mut encrypted = archive.clone();
    // The first bit of the flags, in the file's own header and in the directory at the end.
    encrypted[6] |= 1;
    let directory = archive.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    encrypted[directory + 8] |= 1;
    check(
        &kit(&[("kit.zip", &encrypted)]),
        "The archive kit.zip was not opened: it is encrypted; unpack it and choose its files.",
    );
    check(
        &kit(&[("kit.zip", &archive[..archive.len() / 2])]),
        "The file kit.zip is damaged: it is not a complete zip archive.",
    );
}

#[test]
fn halves_and_strangers_are_told() {
    check(&kit(&[CLIENT]), "The private key of the client certificate in client.pem is missing.");
    check(&kit(&[CLIENT_KEY]), "The client certificate of the private key in client.key is missing.");
    check(&kit(&[CLIENT, SPARE_KEY]), "The private key in spare.key does not match the certificate in client.pem.");
    check(&kit(&[("start.sh", b"#!/bin/sh\n")]), "The chosen files contain neither a certificate nor a private key.");
    check(
        &kit(&[fixture!("p521.pem"), fixture!("p521.key")]),
        "The private key in p521.key is damaged or of an unsupported type.",
    );
    let v1: [File<'_>; 2] =
        [("v1.pem", include_bytes!("../fixtures/v1.pem")), ("v1.key", include_bytes!("../fixtures/v1.key"))];
    check(&kit(&v1), "The certificate in v1.pem is X.509 version 1, which TLS libraries no longer accept.");
}

#[test]
fn locks_that_cost_too_much_or_are_unknown_are_not_tried() {
    let told = |file: File<'_>, passphrase: &str| {
        let mut kit = kit(&[CLIENT, file]);
        assert!(!unlock(&mut kit, passphrase));
        kit
    };
    let costly = "was not opened: trying one passphrase takes too much time or memory.";
    check(&told(fixture!("locked-costly.key"), PASSPHRASE), &format!("The file locked-costly.key {costly}"));
    check(
        &told(fixture!("locked-v1-rc4.key"), PASSPHRASE),
        "The file locked-v1-rc4.key uses an encryption that Wilco does not support.",
    );
    // N = 16,384 and r = 127: a quarter of a gigabyte.
    let scrypt = kit_der(fixture!("locked-scrypt.key").1);
    let greedy = replaced(&scrypt, b"\x02\x02\x04\x00\x02\x01\x08", b"\x02\x02\x40\x00\x02\x01\x7F");
    check(&told(("greedy.key", &greedy), PASSPHRASE), &format!("The file greedy.key {costly}"));
    // N = 3, of which no logarithm can be taken.
    let odd = replaced(&scrypt, b"\x02\x02\x04\x00", b"\x02\x02\x04\x01");
    check(&told(("odd.key", &odd), PASSPHRASE), "The file odd.key is damaged: its encrypted contents cannot be read.");
    // 1,000 rounds become 16 million; a kit's file asks for the work several times.
    let legacy = replaced(fixture!("legacy.p12").1, b"\x02\x02\x03\xE8", b"\x02\x02\x7F\xFF");
    let mut kit = kit(&[("legacy.p12", &legacy)]);
    assert!(!unlock(&mut kit, PASSPHRASE));
    check(&kit, "The passphrase for legacy.p12 is wrong.");
}

/// The DER in a PEM text.
fn kit_der(pem: &[u8]) -> Vec<u8> {
    use base64ct::{Base64, Encoding};
    let text = String::from_utf8_lossy(pem);
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    Base64::decode_vec(&body).unwrap()
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to);
    bytes
}

#[test]
fn truncated_text_is_marked_wherever_it_is_cut() {
    for (name, whole) in [CLIENT, fixture!("client.crt"), fixture!("bundle.p7b")] {
        for length in [60, whole.len() / 2, whole.len() - 40] {
            let kit = kit(&[(name, &whole[..length])]);
            let message = &problems(&kit)[0];
            assert!(message.contains(" is damaged: it "), "{name} {length}: {message}");
        }
    }
    for (name, whole) in [fixture!("modern.p12"), fixture!("legacy.p12")] {
        check(&kit(&[(name, &whole[..300])]), &format!("The file {name} is damaged: it is incomplete."));
    }
}

#[test]
fn ten_megabytes_of_pem_are_told_and_a_little_less_is_read() {
    let folder = Folder::new();
    let mut text = CLIENT.1.repeat(10 * 1024 * 1024 / CLIENT.1.len() + 1);
    let mut kit = Kit::new();
    kit.read_file(&folder.file("big.pem", &text), FileRole::Any);
    assert!(problems(&kit)[0].contains("big.pem is too large for certificates: it has 10"), "{:?}", problems(&kit));
    // Thousands of certificates are more than anybody needs.
    text.truncate(1_001 * CLIENT.1.len());
    let mut kit = Kit::new();
    kit.read_file(&folder.file("many.pem", &text), FileRole::Any);
    assert!(problems(&kit).contains(&"The file many.pem contains more than 1000 certificates and keys.".to_owned()));
    // One certificate of ten megabytes is none.
    let huge = format!("-----BEGIN CERTIFICATE-----\n{}-----END CERTIFICATE-----\n", "AAAA".repeat(2_500_000));
    let mut kit = Kit::new();
    kit.read_file(&folder.file("huge.pem", huge), FileRole::Any);
    check(&kit, "The file huge.pem is damaged: it contains something that is not a certificate.");
}

#[test]
fn a_file_that_vanishes_is_told_and_one_that_was_read_is_not_needed() {
    let folder = Folder::new();
    let (certificate, key) = (folder.file("c.pem", CLIENT.1), folder.file("k.key", fixture!("locked-aes256.key").1));
    let mut kit = Kit::new();
    kit.read_file(&certificate, FileRole::Any);
    kit.read_file(&key, FileRole::Any);
    std::fs::remove_file(&certificate).unwrap();
    std::fs::remove_file(&key).unwrap();
    assert!(unlock(&mut kit, PASSPHRASE));
    assert!(kit.credentials(NOW).unwrap().is_mutual());
    let mut gone = Kit::new();
    gone.read_file(&certificate, FileRole::Any);
    assert!(problems(&gone)[0].ends_with("c.pem cannot be read: it does not exist."));
    assert_eq!(lines(&gone), ["c.pem: Cannot be used (Cannot be read)"]);
    // Back again, it takes its place.
    folder.file("c.pem", CLIENT.1);
    gone.read_file(&certificate, FileRole::Any);
    add(&mut gone, CLIENT_KEY.0, CLIENT_KEY.1, FileRole::Any);
    assert!(problems(&gone).is_empty());
}

#[test]
fn no_nesting_is_too_deep() {
    let mut deep = vec![0x30, 0x00];
    while deep.len() < 200_000 {
        let length = u32::try_from(deep.len()).unwrap().to_be_bytes();
        deep.splice(0..0, [0x30, 0x84, length[0], length[1], length[2], length[3]]);
    }
    check(&kit(&[("deep.der", &deep)]), "The chosen files contain neither a certificate nor a private key.");
    let endless = [0x30, 0x80].repeat(100_000);
    check(
        &kit(&[("endless.p12", &endless)]),
        "The file endless.p12 uses BER, an old encoding that Wilco does not support.",
    );
}

#[test]
fn no_sentence_quotes_what_is_in_a_file() {
    let secret = "Zm9vYmFyc2VjcmV0";
    for label in ["PRIVATE KEY", "CERTIFICATE", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY"] {
        for end in ["", &format!("-----END {label}-----\n")] {
            let text = format!("-----BEGIN {label}-----\n{secret}\n{secret}*\n{end}");
            let kit = kit(&[("k.pem", text.as_bytes())]);
            assert!(!format!("{:?}{kit:?}", view(&kit)).contains(secret), "{text}");
        }
    }
}
