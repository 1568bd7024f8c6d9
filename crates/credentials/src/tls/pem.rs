//! PEM (RFC 7468) as it occurs in practice: any mix of sections, text between them, headers in them, line ends of every
//! system or none, byte order marks, UTF-16 as editors on Windows save it, and `\n` as two characters as in JSON,
//! environment variables and source code.

use std::borrow::Cow;

use base64ct::{Base64, Encoding};
use rustls_pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::{
    CertificateError, Key,
    asn1::Walk,
    content::{
        Found, FoundItem, MOST_THINGS, NOTHING_KNOWN, PUBLIC_KEY, REQUEST, broken, certificate_from, damaged, der,
        key_thing, lock, one,
    },
    locked::{Locked, Traditional},
};

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
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
    // Three bytes of UTF-8 come from two of UTF-16 at most.
    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len() / 2 * 3));
    let units = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    for letter in char::decode_utf16(units) {
        text.extend_from_slice(letter.unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut [0; 4]).as_bytes());
    }
    Some(text)
}

/// DER as bare base64, without the lines that PEM has around it; `None` for anything else.
pub(super) fn bare(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    /// The beginning of every certificate, key and PKCS#12 file: a sequence whose length takes up to four bytes.
    const SEQUENCE: &[u8] = b"M";
    const SHORTEST: usize = 64;
    let begins = text.len() >= SHORTEST && text.trim_ascii().starts_with(SEQUENCE);
    begins.then(|| decode(text)).flatten().filter(|bytes| bytes.first() == Some(&0x30))
}

/// PEM inside a quoted string (JSON, an environment variable, source code), without its escapes and quotes; `None` where
/// nothing is escaped.
pub(super) fn unescaped(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if !text.contains(&b'\\') {
        return None;
    }
    // Never longer than what it comes from, so that no copy is left behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            b'\\' => {
                while let Some((b'\\', behind)) = rest.split_first() {
                    rest = behind;
                }
                if let Some((b'n' | b'r' | b't', behind)) = rest.split_first() {
                    rest = behind;
                    plain.push(b'\n');
                }
            }
            b'"' | b'\'' => {}
            other => plain.push(*other),
        }
    }
    Some(plain)
}

/// Takes a PEM text apart; reads on behind what is damaged, and behind what only mentions PEM.
pub(super) fn read(name: &str, text: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut mentions = false;
    while let Some(begin) = find(rest, BEGIN).filter(|_| found.len() <= MOST_THINGS) {
        let starts_line =
            is_blank(rest[..begin].rsplit(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default());
        let (outcome, next) = split(&rest[begin..], starts_line);
        rest = next;
        match outcome {
            Part::Section(label, body) => found.extend(read_section(name, label, body)),
            Part::Damaged(what) => found.push(damaged(name, "PEM", what)),
            Part::Mention => mentions = true,
        }
    }
    if mentions {
        found.extend(one(name, "", FoundItem::Aside("Text that mentions '-----BEGIN', ignored")));
    }
    found
}

/// A text that begins with `-----BEGIN `.
enum Part<'a> {
    /// A section's label and its content.
    Section(Cow<'a, str>, &'a [u8]),
    /// A section that is incomplete.
    Damaged(&'static str),
    /// Text that only mentions PEM, such as documentation or a script.
    Mention,
}

/// Splits a section from the text after it. One that `starts_line` counts as a section even if it is short.
fn split(section: &[u8], starts_line: bool) -> (Part<'_>, &[u8]) {
    let inside = &section[BEGIN.len()..];
    let Some(end) = find(line(inside), DASHES) else {
        let after = &inside[line(inside).len()..];
        let part = if starts_line { Part::Damaged("a line '-----BEGIN …' is not complete") } else { Part::Mention };
        return (part, after);
    };
    let (label, after) = (&inside[..end], &inside[end + DASHES.len()..]);
    // Another section may begin before this one has ended.
    let reach = find(after, BEGIN).unwrap_or(after.len());
    let closing = find(&after[..reach], END);
    let body = &after[..closing.unwrap_or(reach)];
    if !resembles_base64(headers(body).1, starts_line) {
        return (Part::Mention, after);
    }
    match closing {
        Some(at) => {
            let behind = &after[at + END.len()..];
            let line = line(behind);
            // The next section may begin on the same line.
            let next = find(line, DASHES).map_or(line.len(), |dashes| dashes + DASHES.len());
            (Part::Section(String::from_utf8_lossy(label), body), &behind[next..])
        }
        None => (Part::Damaged("it ends before the line '-----END …'"), &after[reach..]),
    }
}

/// Whether this can be the content of a section and not prose. A line of base64 has 64 characters, the last one fewer.
fn resembles_base64(body: &[u8], starts_line: bool) -> bool {
    const LONG: usize = 16;
    let is_base64 = |word: &&[u8]| word.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte));
    let words = || body.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let is_long = |word: &[u8]| word.len() >= LONG && is_base64(&word);
    words().next().is_some_and(is_long)
        || (starts_line && (words().any(is_long) || words().all(|word| is_base64(&word))))
}

fn is_blank(text: &[u8]) -> bool {
    text.trim_ascii().is_empty()
}

fn read_section(name: &str, label: Cow<'_, str>, body: &[u8]) -> Vec<Found> {
    let (headers, body) = headers(body);
    let aside = |what| one(name, "PEM", FoundItem::Aside(what));
    match &*label {
        "PUBLIC KEY" | "RSA PUBLIC KEY" | "EC PUBLIC KEY" => return aside(PUBLIC_KEY),
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => return aside(REQUEST),
        "X509 CRL" => return aside("Certificate revocation list, not needed"),
        "OPENSSH PRIVATE KEY" => return aside("SSH private key, not for TLS"),
        // They stand beside the key, which names its curve itself.
        "EC PARAMETERS" | "DH PARAMETERS" => return Vec::new(),
        label if label.starts_with("PGP ") => return aside("PGP data, not for TLS"),
        label if label.ends_with("CERTIFICATE") || label.ends_with("PRIVATE KEY") => {}
        "PKCS7" | "CMS" | "PKCS #7 SIGNED DATA" | "PKCS12" => {}
        _ => return aside(NOTHING_KNOWN),
    }
    let Some(bytes) = decode(body) else {
        return vec![damaged(name, "PEM", "the text between BEGIN and END is not base64")];
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
            None => FoundItem::Broken(CertificateError::UnusableKey { path: name.into() }),
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

/// The header `DEK-Info` of an encrypted key (RFC 1421 section 4.6.1.3), and the content after the headers.
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
