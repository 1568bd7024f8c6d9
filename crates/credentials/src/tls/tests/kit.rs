//! Kits: every form of file, pairing of keys and certificates, and remarks about the rest.

use std::collections::HashMap;

use zeroize::Zeroizing;

use super::{NOW, authority, signed};
use crate::{
    FileRole, KitItemKind, KitView,
    tls::{Credentials, Kit, Source},
    vault::{Secret, SecretKind},
};

pub(super) const PASSPHRASE: &str = "correct horse";

/// A file of `fixtures/kit`.
macro_rules! fixture {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../fixtures/kit/", $name)) as &[u8])
    };
}
pub(super) use fixture;

pub(super) type File<'a> = (&'a str, &'a [u8]);

pub(super) const CLIENT: File<'_> = fixture!("client.pem");
pub(super) const CLIENT_KEY: File<'_> = fixture!("client.key");
pub(super) const INTERMEDIATE: File<'_> = fixture!("inter.pem");
pub(super) const ROOT: File<'_> = fixture!("root.pem");
pub(super) const SPARE: File<'_> = fixture!("spare.pem");
pub(super) const SPARE_KEY: File<'_> = fixture!("spare.key");

pub(super) fn kit(files: &[File<'_>]) -> Kit {
    let mut kit = Kit::new();
    for (name, content) in files {
        add(&mut kit, name, content, FileRole::Any);
    }
    kit
}

pub(super) fn add(kit: &mut Kit, name: &str, content: &[u8], role: FileRole) {
    kit.add(Source { name: name.to_owned(), role, content: Zeroizing::new(content.to_vec()) });
}

pub(super) fn unlock(kit: &mut Kit, passphrase: &str) -> bool {
    kit.unlock(&Zeroizing::new(passphrase.to_owned()))
}

pub(super) fn view(kit: &Kit) -> KitView {
    kit.view("kit-1", NOW)
}

/// Every item as `name: what (note)`.
pub(super) fn lines(kit: &Kit) -> Vec<String> {
    view(kit).items.into_iter().map(|item| format!("{}: {} ({})", item.name, item.what, item.note)).collect()
}

pub(super) fn problems(kit: &Kit) -> Vec<String> {
    view(kit).problems.into_iter().map(|problem| problem.message).collect()
}

/// A kit that is whole: a certificate with its key, and nothing to say.
fn check_whole(kit: &Kit, key: &str) {
    let view = view(kit);
    assert_eq!(view.problems, [], "{:?}", view.items);
    assert!(view.has_key && view.usable && !view.locked);
    assert_eq!(view.certificate.unwrap().key, key);
    assert!(kit.credentials(NOW).unwrap().is_mutual());
}

#[test]
fn every_form_of_key_and_certificate_is_known_by_its_content() {
    let certificates = [CLIENT, fixture!("client.crt"), fixture!("trusted.pem"), fixture!("bundle.p7b")];
    let keys = [CLIENT_KEY, fixture!("client.der"), fixture!("client.sec1.key")];
    for certificate in certificates {
        for key in keys {
            // The names say nothing.
            check_whole(&kit(&[("a", certificate.1), ("b", key.1)]), "EC P-256");
        }
    }
    check_whole(&kit(&[fixture!("p384.pem"), fixture!("p384.key")]), "EC P-384");
    check_whole(&kit(&[fixture!("ed25519.pem"), fixture!("ed25519.key")]), "Ed25519");
    let rsa: [File<'_>; 2] =
        [("rsa.pem", include_bytes!("../fixtures/rsa.pem")), ("rsa.key", include_bytes!("../fixtures/rsa-pkcs1.key"))];
    check_whole(&kit(&rsa), "RSA 2048");
}

#[test]
fn texts_of_every_system_are_read() {
    let text =
        format!("Subject: fixture\n{}{}", String::from_utf8_lossy(CLIENT.1), String::from_utf8_lossy(CLIENT_KEY.1));
    let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("\u{FEFF}{text}").replace('\n', "\r\n").encode_utf16().flat_map(bytes).collect()
    };
    for content in [
        text.clone().into_bytes(),
        text.replace('\n', "\r\n").into_bytes(),
        text.replace('\n', "\r").into_bytes(),
        format!("\u{FEFF}{text}").into_bytes(),
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
    ] {
        check_whole(&kit(&[("both.pem", &content)]), "EC P-256");
    }
}

#[test]
fn every_lock_is_opened_with_its_passphrase_alone() {
    let keys = [
        fixture!("locked-aes256.key"),
        fixture!("locked-aes128-sha1.der"),
        fixture!("locked-des3.key"),
        fixture!("locked-scrypt.key"),
        fixture!("locked-v1-3des.key"),
        fixture!("locked-v1-rc2.key"),
        fixture!("traditional-aes128.key"),
        fixture!("traditional-aes192.key"),
        fixture!("traditional-aes256.key"),
        fixture!("traditional-des.key"),
        fixture!("traditional-des3.key"),
    ];
    let bundles = [fixture!("modern.p12"), fixture!("legacy.p12"), fixture!("two-des.p12")];
    for locked in keys.map(|key| vec![CLIENT, key]).into_iter().chain(bundles.map(|bundle| vec![bundle])) {
        let name = locked.last().unwrap().0;
        let mut kit = kit(&locked);
        assert!(view(&kit).locked && !view(&kit).usable, "{name}");
        assert_eq!(problems(&kit), [format!("The file {name} is encrypted with a passphrase.")]);
        assert!(!unlock(&mut kit, "wrong horse"), "{name}");
        assert_eq!(problems(&kit), [format!("The passphrase for {name} is wrong.")]);
        assert!(unlock(&mut kit, PASSPHRASE), "{name}");
        check_whole(&kit, "EC P-256");
    }
}

#[test]
fn padding_that_is_right_by_chance_opens_nothing() {
    let mut kit = kit(&[CLIENT, fixture!("traditional-aes128.key")]);
    // Once in 256 times it is.
    assert!(!(0..3_000).any(|number| unlock(&mut kit, &format!("wrong {number}"))));
    assert!(view(&kit).locked);
}

#[test]
fn a_locked_rsa_key_and_other_passphrases_are_read() {
    let rsa: File<'_> = ("rsa.pem", include_bytes!("../fixtures/rsa.pem"));
    let mut locked = kit(&[rsa, fixture!("traditional-rsa-aes128.key")]);
    assert!(unlock(&mut locked, PASSPHRASE));
    check_whole(&locked, "RSA 2048");
    let mut locked = kit(&[fixture!("unicode.p12")]);
    assert!(unlock(&mut locked, "Grüße 🔑"));
    check_whole(&locked, "EC P-256");
    // Nobody is asked for an empty passphrase.
    check_whole(&kit(&[fixture!("empty-passphrase.p12")]), "EC P-256");
}

#[test]
fn a_pkcs12_with_three_certificates_and_two_keys_is_sorted_out() {
    let mut kit = kit(&[fixture!("three-certificates-two-keys.p12")]);
    assert!(unlock(&mut kit, PASSPHRASE));
    let name = "three-certificates-two-keys.p12";
    let mut lines = lines(&kit);
    lines.sort();
    assert_eq!(
        lines,
        [
            format!("{name}: CA certificate (Verifies the server)"),
            format!("{name}: Device certificate (PKCS#12, EC P-256)"),
            format!("{name}: Intermediate certificate (Between the certificate and its root)"),
            format!("{name}: Private key (Matches the certificate)"),
            format!("{name}: Private key (Not used)"),
        ]
    );
    assert_eq!(
        problems(&kit),
        [format!("The private key in {name} matches none of these certificates and is not used.")]
    );
    let seen = view(&kit);
    assert!(seen.usable);
    let credentials = kit.credentials(NOW).unwrap();
    assert_eq!((credentials.chain.len(), credentials.authorities.len()), (2, 1));
    // The root alone goes, not what stands below it.
    kit.leave_out(seen.items.iter().find(|item| item.kind == KitItemKind::Authority).unwrap().id, NOW);
    assert_eq!(kit.credentials(NOW).unwrap().chain.len(), 2);
    assert_eq!(view(&kit).authorities, []);
    assert_eq!(credentials.facts().unwrap().subject, "O=Wilco, CN=fixture-client");
}

#[test]
fn two_whole_pairs_are_said_to_be_two() {
    let mut kit = kit(&[fixture!("two-pairs.p12")]);
    assert!(unlock(&mut kit, PASSPHRASE));
    let view = view(&kit);
    let [problem] = &view.problems[..] else { panic!("{:?}", view.problems) };
    assert!(!problem.blocking && view.usable);
    assert!(
        problem.message.starts_with("There is more than one client certificate with its key; Wilco uses the one of ")
    );
    let used = view.certificate.unwrap().subject;
    kit.leave_out(problem.item.unwrap(), NOW);
    assert_eq!(super::kit::view(&kit).certificate.unwrap().subject, used);
    assert!(problems(&kit)[0].contains("matches none of these certificates"));
}

#[test]
fn a_chain_is_put_in_order_and_ends_before_its_root() {
    let kit = kit(&[ROOT, INTERMEDIATE, CLIENT_KEY, SPARE, CLIENT]);
    let credentials = kit.credentials(NOW).unwrap();
    let subjects: Vec<_> =
        credentials.chain.iter().map(|der| crate::tls::CertificateFacts::of(der).unwrap().subject).collect();
    assert_eq!(subjects, ["O=Wilco, CN=fixture-client", "CN=Fixture Intermediate"]);
    assert_eq!(credentials.authority_facts()[0].subject, "CN=Fixture Root");
    assert_eq!(
        problems(&kit),
        ["The certificate in spare.pem has no private key here; Wilco uses the one in client.pem."]
    );
}

#[test]
fn later_files_replace_earlier_ones() {
    let mut kit = kit(&[CLIENT, CLIENT_KEY]);
    add(&mut kit, SPARE.0, SPARE.1, FileRole::Any);
    assert_eq!(view(&kit).certificate.unwrap().subject, "O=Wilco, CN=fixture-client");
    assert_eq!(
        problems(&kit),
        ["The certificate in spare.pem has no private key here; Wilco uses the one in client.pem."]
    );
    add(&mut kit, SPARE_KEY.0, SPARE_KEY.1, FileRole::Any);
    let seen = view(&kit);
    assert_eq!((seen.certificate.unwrap().subject.as_str(), seen.has_key), ("CN=fixture-spare", true));
    assert_eq!(seen.problems, []);
    // The same file again takes its own place.
    add(&mut kit, SPARE_KEY.0, CLIENT_KEY.1, FileRole::Any);
    assert_eq!(view(&kit).certificate.unwrap().subject, "O=Wilco, CN=fixture-client");
}

#[test]
fn omitted_members_are_removed() {
    let mut kit = kit(&[CLIENT, CLIENT_KEY, ("notes.txt", b"Dear colleague")]);
    assert_eq!(lines(&kit)[2], "notes.txt: Ignored (Text file, ignored)");
    let ids: Vec<u32> = view(&kit).items.iter().map(|item| item.id).collect();
    kit.leave_out(ids[1], NOW);
    assert_eq!(problems(&kit), ["The private key of the client certificate in client.pem is missing."]);
    kit.leave_out(ids[0], NOW);
    assert_eq!(problems(&kit), ["The chosen files contain neither a certificate nor a private key."]);
    kit.leave_out(ids[2], NOW);
    assert!(view(&kit).usable && view(&kit).items.is_empty());
}

#[test]
fn a_bundle_of_authorities_is_one_line_and_leaves_as_one() {
    let bundle: String = (0..150).map(|number| authority(&format!("Root {number}")).pem()).collect();
    let mut kit = kit(&[("bundle.pem", bundle.as_bytes()), CLIENT, CLIENT_KEY]);
    assert_eq!(lines(&kit)[0], "bundle.pem: 150 CA certificates (Verifies the server)");
    assert_eq!(kit.credentials(NOW).unwrap().authorities.len(), 150);
    kit.leave_out(view(&kit).items[0].id, NOW);
    assert_eq!(view(&kit).authorities, []);
    check_whole(&kit, "EC P-256");
}

#[test]
fn a_problem_within_a_bundle_points_to_its_line() {
    let old = |name: &str| {
        let mut params = super::params(&[], (2020, 2021));
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
    };
    let bundle = format!("{}{}", old("One"), old("Two"));
    let kit = kit(&[("old.pem", bundle.as_bytes())]);
    assert_eq!(problems(&kit), ["The certificate of CN=Two in old.pem expired on 2021-01-01."]);
    assert_eq!(view(&kit).problems[0].item, Some(view(&kit).items[0].id));
}

#[test]
fn messages_that_joined_another_queue_still_leave_separately() {
    let mut kit = kit(&[CLIENT, CLIENT_KEY, ("chain.pem", &[INTERMEDIATE.1, ROOT.1].concat())]);
    let ids: Vec<u32> = view(&kit).items.iter().map(|item| item.id).collect();
    assert_eq!(ids.len(), 4);
    // Without its certificate the intermediate authority stands in one line with its root.
    kit.leave_out(ids[0], NOW);
    assert_eq!(lines(&kit)[1], "chain.pem: 2 CA certificates (Verifies the server)");
    kit.leave_out(ids[3], NOW);
    assert_eq!(lines(&kit)[1], "chain.pem: CA certificate (Verifies the server)");
}

#[test]
fn a_role_says_what_a_file_is_for() {
    let mut kit = kit(&[CLIENT, CLIENT_KEY]);
    add(&mut kit, "broker.pem", SPARE.1, FileRole::Server);
    add(&mut kit, "trust.pem", INTERMEDIATE.1, FileRole::Authorities);
    let seen = view(&kit);
    assert_eq!(seen.problems, []);
    assert_eq!(seen.server.unwrap().subject, "CN=fixture-spare");
    assert_eq!(seen.authorities[0].subject, "CN=Fixture Intermediate");
    let kinds: Vec<_> = seen.items.iter().map(|item| item.kind).collect();
    assert_eq!(kinds, [KitItemKind::Certificate, KitItemKind::Key, KitItemKind::Server, KitItemKind::Authority]);
    let credentials = kit.credentials(NOW).unwrap();
    assert_eq!(credentials.server_facts().unwrap().subject, "CN=fixture-spare");
    let vault: HashMap<SecretKind, Secret> = credentials.to_secrets().into_iter().collect();
    let back = Credentials::from_secrets(|kind| Ok(vault.get(&kind).cloned())).unwrap();
    assert_eq!((back.server, back.authorities), (credentials.server, credentials.authorities));
    add(&mut kit, "key.pem", SPARE_KEY.1, FileRole::Server);
    assert_eq!(problems(&kit), ["The file key.pem was given as the server's certificate, but contains a private key."]);
}

#[test]
fn a_certificate_that_ends_soon_is_said_to() {
    let ca = authority("Bench CA");
    let pair = signed(&ca, &[], (2020, 2027));
    let kit = kit(&[("c.pem", pair.certificate.as_bytes()), ("k.pem", pair.key.as_bytes())]);
    let at = |day: i64| kit.view("kit-1", wilco_ledger::Timestamp(1_798_761_600_000 - day * 86_400_000));
    assert_eq!(at(31).problems, []);
    let check = |day: i64, expected: &str| {
        let seen = at(day);
        assert!(seen.usable && !seen.problems[0].blocking);
        assert_eq!(
            seen.problems[0].message,
            format!("The certificate of CN=bench in c.pem expires on 2027-01-01, {expected}.")
        );
    };
    check(29, "in 29 days");
    check(1, "in one day");
    check(0, "within a day");
    assert!(at(-1).problems[0].blocking);
}
