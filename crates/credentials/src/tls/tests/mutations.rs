//! Some thousand nearly valid files, the same each time: none may do harm. `cargo xtask fuzz` does more.

use super::{
    NOW,
    kit::{CLIENT, CLIENT_KEY, File, INTERMEDIATE, PASSPHRASE, add, fixture, kit, unlock, view},
};
use crate::FileRole;

/// Numbers that look like chance and are none (splitmix64).
struct Rng(u64);

impl Rng {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }
}

fn mutated(content: &[u8], dice: &mut Rng) -> Vec<u8> {
    let mut content = content.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(content.len());
        let length = dice.below(content.len() - at).min(64);
        match dice.below(6) {
            0 => content[at] ^= 1 << dice.below(8),
            1 => content[at] = [0, 0x30, 0x7F, 0x80, 0x84, 0xFF][dice.below(6)],
            2 => content.truncate(at + 1),
            3 => drop(content.drain(at..at + length)),
            4 => {
                let piece = content[at..at + length].to_vec();
                let to = dice.below(content.len());
                content.splice(to..to, piece);
            }
            _ => content[at] = u8::try_from(dice.below(256)).unwrap(),
        }
        if content.is_empty() {
            break;
        }
    }
    content
}

/// Brings each of the files changed in `times` ways, and asks for everything that can be asked.
fn check(files: &[File<'_>], times: usize) {
    let roles = [
        FileRole::Any,
        FileRole::Certificate,
        FileRole::Key,
        FileRole::Authorities,
        FileRole::Server,
        FileRole::Pkcs12,
        FileRole::Archive,
    ];
    for (name, content) in files {
        let mut dice = Rng(content.len() as u64);
        for _ in 0..times {
            let mut kit = kit(&[CLIENT]);
            add(&mut kit, name, &mutated(content, &mut dice), roles[dice.below(roles.len())]);
            if view(&kit).locked {
                unlock(&mut kit, PASSPHRASE);
            }
            let view = view(&kit);
            assert_eq!(kit.credentials(NOW).is_ok(), view.usable);
            assert!(view.usable || view.problems[0].blocking);
        }
    }
}

#[test]
fn no_mutated_text_does_harm() {
    let text: File<'_> = fixture!("locked-aes256.key");
    check(&[CLIENT, CLIENT_KEY, INTERMEDIATE, fixture!("traditional-aes256.key")], 700);
    check(&[text], 100);
}

#[test]
fn no_mutated_der_does_harm() {
    check(&[fixture!("client.crt"), fixture!("client.der"), fixture!("bundle.p7b")], 1_000);
}

/// A container with one round, so that mutating takes most of the time.
macro_rules! seed {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../../../../fuzz/seeds/", $name)) as &[u8])
    };
}

/// Mutations of what is not opened at all would reach little.
fn opens(file: &File<'_>) {
    let mut kit = kit(&[CLIENT, *file]);
    unlock(&mut kit, PASSPHRASE);
    assert!(view(&kit).has_key, "{}", file.0);
}

#[test]
fn no_mutated_lock_does_harm() {
    let keys = [
        seed!("locked_keys/aes256.der"),
        seed!("locked_keys/aes128-sha1.der"),
        seed!("locked_keys/des3.der"),
        seed!("locked_keys/scrypt.der"),
        seed!("locked_keys/v1-3des.der"),
        seed!("locked_keys/v1-rc2.der"),
    ];
    keys.iter().for_each(opens);
    check(&keys, 300);
}

#[test]
fn no_mutated_pkcs12_does_harm() {
    [seed!("pkcs12/plain-mac.p12"), seed!("pkcs12/legacy.p12"), seed!("pkcs12/no-mac-legacy.p12")]
        .iter()
        .for_each(opens);
    check(&[seed!("pkcs12/plain.p12")], 2_000);
    check(&[seed!("pkcs12/modern.p12"), seed!("pkcs12/no-mac.p12"), seed!("pkcs12/no-mac-legacy.p12")], 400);
}

#[test]
fn no_mutated_archive_does_harm() {
    let archives = [
        seed!("archives/deflated.zip"),
        seed!("archives/stored.zip"),
        seed!("archives/folders.zip"),
        seed!("archives/p12.zip"),
    ];
    check(&archives, 700);
}
