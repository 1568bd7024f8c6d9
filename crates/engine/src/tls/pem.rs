//! PEM (RFC 7468), as it is found in the field: any mix of sections, with remarks around them, headers in them, line
//! ends of every system, byte order marks, and UTF-16 as editors on Windows save it.

use std::borrow::Cow;

use base64ct::{Base64, Encoding};
use rustls_pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::{
    CertificateError, Key,
    asn1::Walk,
    content::{
        Found, MOST_THINGS, NOTHING_KNOWN, PUBLIC_KEY, REQUEST, Thing, broken, certificate_from, damaged, der,
        key_thing, lock, one,
    },
    locked::{Locked, Traditional},
};

const BEGIN: &[u8] = b"-----BEGIN ";
const DASHES: &[u8] = b"-----";

/// Whether there is PEM in it.
pub(super) fn is(text: &[u8]) -> bool {
    find(text, BEGIN).is_some()
}

/// Text that is not in UTF-8 or has a mark in front, as plain UTF-8.
pub(super) fn text(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let unit: fn([u8; 2]) -> u16 = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => return Some(Zeroizing::new(rest.to_vec())),
        [0xFF, 0xFE, ..] => u16::from_le_bytes,
        [0xFE, 0xFF, ..] => u16::from_be_bytes,
        _ => return None,
    };
    // Three bytes of UTF-8 come from two of UTF-16 at the most.
    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len() / 2 * 3));
    let units = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    for letter in char::decode_utf16(units) {
        text.extend_from_slice(letter.unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut [0; 4]).as_bytes());
    }
    Some(text)
}

/// Takes a PEM text apart; reads on behind what is damaged.
pub(super) fn read(name: &str, text: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(begin) = find(rest, BEGIN).filter(|_| found.len() <= MOST_THINGS) {
        let section = &rest[begin..];
        let (outcome, next) = split(section);
        rest = next;
        match outcome {
            Ok((label, body)) => found.extend(read_section(name, label, body)),
            Err(what) => found.push(damaged(name, "PEM", what)),
        }
    }
    found
}

type Section<'a> = (Cow<'a, str>, &'a [u8]);

/// Splits a section from what follows it.
fn split(section: &[u8]) -> (Result<Section<'_>, &'static str>, &[u8]) {
    let first = line(section);
    let after = &section[first.len()..];
    let label = first[BEGIN.len()..].trim_ascii_end();
    let Some(label) = label.strip_suffix(DASHES) else {
        return (Err("a line '-----BEGIN …' is not complete"), after);
    };
    // Another section may begin before this one has ended.
    let reach = find(after, BEGIN).unwrap_or(after.len());
    match find(&after[..reach], b"-----END ") {
        Some(end) => {
            let behind = &after[end..];
            (Ok((String::from_utf8_lossy(label), &after[..end])), &behind[line(behind).len()..])
        }
        None => (Err("it ends before the line '-----END …'"), &after[reach..]),
    }
}

fn read_section(name: &str, label: Cow<'_, str>, body: &[u8]) -> Vec<Found> {
    let (headers, body) = headers(body);
    let aside = |what| one(name, "PEM", Thing::Aside(what));
    match &*label {
        "PUBLIC KEY" | "RSA PUBLIC KEY" | "EC PUBLIC KEY" => return aside(PUBLIC_KEY),
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => return aside(REQUEST),
        "X509 CRL" => return aside("A list of revoked certificates, not needed"),
        "OPENSSH PRIVATE KEY" => return aside("A private key for SSH, which no broker takes"),
        // They stand beside the key, which names its curve itself.
        "EC PARAMETERS" | "DH PARAMETERS" => return Vec::new(),
        label if label.starts_with("PGP ") => return aside("Something of PGP's, which no broker takes"),
        label if label.ends_with("CERTIFICATE") || label.ends_with("PRIVATE KEY") => {}
        "PKCS7" | "CMS" | "PKCS #7 SIGNED DATA" | "PKCS12" => {}
        _ => return aside(NOTHING_KNOWN),
    }
    let Some(bytes) = decode(body) else {
        return vec![damaged(name, "PEM", "what stands between BEGIN and END is not base64")];
    };
    match headers {
        Some(dek) => vec![traditional(name, &dek, bytes)],
        None if label.ends_with("CERTIFICATE") => {
            // OpenSSL's "trusted" certificates have more behind the certificate.
            let whole = Walk::along(&bytes).next().map_or(&bytes[..], |element| element.whole);
            vec![certificate_from(name, "PEM", CertificateDer::from(whole.to_vec()))]
        }
        None if label.ends_with("PRIVATE KEY") => vec![key(name, &label, bytes)],
        None => der(name, "PEM", &bytes),
    }
}

fn key(name: &str, label: &str, bytes: Zeroizing<Vec<u8>>) -> Found {
    let thing = if label == "ENCRYPTED PRIVATE KEY" {
        lock(Locked::Pkcs8(bytes))
    } else {
        match Key::from_der(&bytes) {
            Some(key) => key_thing(name, key),
            None => Thing::Broken(CertificateError::UnusableKey { path: name.into() }),
        }
    };
    Found { name: name.to_owned(), form: "PEM", thing }
}

fn traditional(name: &str, dek: &str, bytes: Zeroizing<Vec<u8>>) -> Found {
    match Traditional::new(dek, bytes) {
        Some(key) => Found { name: name.to_owned(), form: "PEM", thing: lock(Locked::Traditional(key)) },
        None => broken(name, "PEM", CertificateError::UnknownLock { path: name.into() }),
    }
}

/// The header `DEK-Info` of an encrypted key (RFC 1421 section 4.6.1.3), and what stands below all headers.
fn headers(body: &[u8]) -> (Option<String>, &[u8]) {
    let mut rest = body;
    let (mut encrypted, mut dek) = (false, None);
    loop {
        let first = line(rest);
        let text = first.trim_ascii();
        if !text.is_empty() && !text.contains(&b':') {
            break;
        }
        if first.is_empty() {
            break;
        }
        let text = String::from_utf8_lossy(text);
        if let Some(value) = text.strip_prefix("DEK-Info:") {
            dek = Some(value.trim().to_owned());
        }
        encrypted |= text.starts_with("Proc-Type:") && text.ends_with("ENCRYPTED");
        rest = &rest[first.len()..];
    }
    (encrypted.then(|| dek.unwrap_or_default()), rest)
}

/// Base64 in lines of any length. In constant time for the bytes of each line's content.
fn decode(body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut dense = Zeroizing::new(Vec::with_capacity(body.len() + 4));
    dense.extend(body.iter().filter(|byte| !byte.is_ascii_whitespace()));
    let mut bytes = Zeroizing::new(vec![0; dense.len() / 4 * 3 + 3]);
    let length = Base64::decode(&*dense, &mut bytes).ok()?.len();
    bytes.truncate(length);
    Some(bytes)
}

/// The first line with its end.
fn line(text: &[u8]) -> &[u8] {
    match text.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        Some(end) if text[end..].starts_with(b"\r\n") => &text[..end + 2],
        Some(end) => &text[..=end],
        None => text,
    }
}

fn find(text: &[u8], words: &[u8]) -> Option<usize> {
    text.windows(words.len()).position(|window| window == words)
}
