//! Files from other programs: concatenated, quoted, mentioned in prose, and given for a wrong purpose.

use base64ct::{Base64, Encoding};

use super::{
    NOW,
    kit::{CLIENT, CLIENT_KEY, File, INTERMEDIATE, ROOT, add, fixture, kit, lines, problems, view},
};
use crate::{FileRole, KitItemKind, tls::Kit};

fn text(file: File<'_>) -> String {
    String::from_utf8(file.1.to_vec()).unwrap()
}

fn check_pair(kit: &Kit) {
    assert!(problems(kit).is_empty(), "{:?} {:?}", problems(kit), lines(kit));
    assert!(view(kit).has_key, "{:?}", lines(kit));
}

#[test]
fn sections_without_a_line_break_between_them_are_all_read() {
    let glued = [CLIENT, INTERMEDIATE, CLIENT_KEY].map(|file| text(file).trim_end().to_owned()).concat();
    assert!(glued.contains("----------BEGIN"));
    let kit = kit(&[("all.pem", glued.as_bytes())]);
    check_pair(&kit);
    assert_eq!(view(&kit).items.len(), 3);
    let one_line = text(CLIENT).replace('\n', "") + &text(CLIENT_KEY).replace('\n', " ");
    check_pair(&super::kit::kit(&[("one-line.pem", one_line.as_bytes())]));
}

#[test]
fn escaped_line_breaks_are_read() {
    let escaped = |file: File<'_>| text(file).replace('\n', "\\n");
    check_pair(&kit(&[("cert.env", escaped(CLIENT).as_bytes()), ("key.env", escaped(CLIENT_KEY).as_bytes())]));
    let twice = |file: File<'_>| format!("KEY=\"{}\"\n", text(file).replace('\n', "\\\\r\\\\n"));
    check_pair(&kit(&[("cert.env", twice(CLIENT).as_bytes()), ("key.env", twice(CLIENT_KEY).as_bytes())]));
    let header = |file: File<'_>| text(file).lines().map(|line| format!("\"{line}\\n\" \\\n")).collect::<String>();
    check_pair(&kit(&[("cert.h", header(CLIENT).as_bytes()), ("key.h", header(CLIENT_KEY).as_bytes())]));
}

#[test]
fn the_json_of_the_aws_command_line_is_read() {
    let json = serde_json::json!({
        "certificateArn": "arn:aws:iot:eu-central-1:1:cert/ab",
        "certificatePem": text(CLIENT),
        "keyPair": {
            "PublicKey": "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n",
            "PrivateKey": text(CLIENT_KEY),
        },
    });
    for written in [serde_json::to_string(&json).unwrap(), serde_json::to_string_pretty(&json).unwrap()] {
        check_pair(&kit(&[("keys.json", written.as_bytes())]));
    }
}

#[test]
fn prose_about_pem_is_set_aside_and_spoils_nothing() {
    const MENTIONED: &str = "Text that mentions '-----BEGIN', ignored";
    for prose in [
        "The key begins with -----BEGIN RSA PRIVATE KEY----- and is secret.\n",
        "#!/bin/sh\ngrep -q -- '-----BEGIN CERTIFICATE' root-CA.crt || exit 1\n",
        "Paste it between -----BEGIN CERTIFICATE----- and -----END CERTIFICATE-----.\n",
        "Like this:\n\n-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----\n",
        "It ends with -----BEGIN",
        "It ends with -----BEGIN ",
    ] {
        let kit = kit(&[("README.md", prose.as_bytes()), CLIENT, CLIENT_KEY]);
        check_pair(&kit);
        let aside = &view(&kit).items[0];
        assert_eq!(aside.kind, KitItemKind::SetAside, "{prose}: {aside:?}");
        assert!(aside.note == MENTIONED || aside.note == "Text file, ignored", "{prose}: {aside:?}");
    }
    let remarked = format!("# paste here, from -----BEGIN CERTIFICATE----- on\n{}", text(ROOT));
    let kit = kit(&[("ca.pem", remarked.as_bytes())]);
    assert_eq!(
        lines(&kit),
        ["ca.pem: CA certificate (Verifies the server)".to_owned(), format!("ca.pem: Ignored ({MENTIONED})")]
    );
}

#[test]
fn bare_base64_is_read() {
    let bare = Base64::encode_string(fixture!("client.crt").1);
    check_pair(&kit(&[("client.b64", bare.as_bytes()), CLIENT_KEY]));
}

#[test]
fn named_items_must_exist() {
    let check = |role: FileRole, name: &str, content: &[u8], expected: &str| {
        let mut kit = Kit::new();
        add(&mut kit, name, content, role);
        assert_eq!(problems(&kit), [expected], "{:?}", lines(&kit));
        assert!(!view(&kit).usable);
    };
    let page = b"<html>404</html>";
    check(
        FileRole::Pkcs12,
        "page.p12",
        page,
        "The file page.p12 was given as the PKCS#12 file, but is neither a certificate nor a private key.",
    );
    check(
        FileRole::Pkcs12,
        "empty.p12",
        b"",
        "The file empty.p12 was given as the PKCS#12 file, but contains nothing: it is empty.",
    );
    check(
        FileRole::Pkcs12,
        "c.pem",
        CLIENT.1,
        "The file c.pem was given as the PKCS#12 file, but contains a certificate.",
    );
    let pkcs12 = |role: FileRole, given: &str| {
        let what = "a PKCS#12 file, which is given as such (--pkcs12)";
        let expected = format!("The file legacy.p12 was given as the {given}, but contains {what}.");
        check(role, "legacy.p12", fixture!("legacy.p12").1, &expected);
    };
    pkcs12(FileRole::Certificate, "client certificate");
    pkcs12(FileRole::Key, "private key");
    pkcs12(FileRole::Authorities, "CA certificate");
    pkcs12(FileRole::Server, "server's certificate");
    check(
        FileRole::Archive,
        "root.pem",
        ROOT.1,
        "The file root.pem was given as the kit (a zip archive), but contains a certificate.",
    );
    let mut kit = Kit::new();
    add(&mut kit, "legacy.p12", fixture!("legacy.p12").1, FileRole::Pkcs12);
    assert!(view(&kit).locked, "{:?}", lines(&kit));
    let base64 = Base64::encode_string(fixture!("legacy.p12").1);
    add(&mut kit, "legacy.p12", base64.as_bytes(), FileRole::Pkcs12);
    assert!(view(&kit).locked, "{:?}", lines(&kit));
}

#[test]
fn other_content_beside_a_ca_certificate_is_reported() {
    let both = [ROOT.1, CLIENT_KEY.1].concat();
    let mut kit = Kit::new();
    add(&mut kit, "ca.pem", &both, FileRole::Authorities);
    let expected = [
        "ca.pem: CA certificate (Verifies the server)",
        "ca.pem: Ignored (Not used: the file was given for its certificate)",
    ];
    assert_eq!(lines(&kit), expected);
}

#[test]
fn an_intermediate_completes_the_chain_wherever_it_was_given() {
    for role in [FileRole::Any, FileRole::Authorities, FileRole::Certificate] {
        let mut kit = kit(&[CLIENT_KEY]);
        add(&mut kit, CLIENT.0, CLIENT.1, FileRole::Certificate);
        add(&mut kit, "cas.pem", &[INTERMEDIATE.1, ROOT.1].concat(), role);
        let credentials = kit.credentials(NOW).unwrap();
        let sent = if role == FileRole::Certificate { 3 } else { 2 };
        assert_eq!(credentials.chain.len(), sent, "{role:?}: {:?}", lines(&kit));
        let trusted = if role == FileRole::Authorities { 2 } else { usize::from(role == FileRole::Any) };
        assert_eq!(credentials.authorities.len(), trusted, "{role:?}: {:?}", lines(&kit));
    }
}
